//! Hooks that add to tokens: each token is built anew, and nothing of one gets into the next.

use std::borrow::Cow;
use std::sync::LazyLock;

use rocket_jwt_extended::{Claims, Error, Identity, Jwt};
use serde_json::{Value, json};

use crate::support::*;

fn object(value: Value) -> Claims {
    value.as_object().unwrap().clone()
}

struct User {
    id: u32,
    admin: bool,
}

impl Identity for User {
    fn identity(&self) -> Cow<'_, str> {
        self.id.to_string().into()
    }

    fn claims(&self) -> Claims {
        match self.admin {
            true => object(json!({"admin": true, "from": "identity"})),
            false => Claims::new(),
        }
    }
}

#[test]
fn an_identity_is_text_whatever_type_it_was_made_of() {
    let (client, _) = clocked("", vec![]);
    let jwt = jwt(&client);
    let uuid = uuid::Uuid::new_v4();
    for (token, identity) in [
        (jwt.access_token("ada").encode(), "ada".to_string()),
        (jwt.access_token(String::from("ada")).encode(), "ada".into()),
        (jwt.access_token(7_u64).encode(), "7".into()),
        (jwt.access_token(-7_i32).encode(), "-7".into()),
        (jwt.access_token(uuid).encode(), uuid.to_string()),
        (jwt.access_token(&User { id: 9, admin: false }).encode(), "9".into()),
    ] {
        let token = token.unwrap();
        assert_eq!(payload(&token)["sub"], identity);
        let token = jwt.decode::<Claims>(&token).unwrap();
        assert_eq!(token.identity(), identity);
    }
    assert!(matches!(jwt.access_token("").encode(), Err(Error::EmptyIdentity)));
}

#[test]
fn the_claims_hook_is_asked_by_identity_for_every_token() {
    let fairing = Jwt::fairing()
        .additional_claims(|identity| object(json!({"shard": identity.len(), "from": "hook"})));
    let client = client("", fairing, vec![]);
    let jwt = jwt(&client);
    let access = payload(&jwt.access_token("ada").encode().unwrap());
    assert_eq!((&access["shard"], &access["from"]), (&json!(3), &json!("hook")));
    let refresh = payload(&jwt.refresh_token("grace").encode().unwrap());
    assert_eq!(refresh["shard"], 5);
    let pair = jwt.token_pair("alan").issue().unwrap();
    for token in [pair.access_token(), pair.refresh_token()] {
        assert_eq!(payload(token)["shard"], 4);
    }
}

#[test]
fn claims_of_the_builder_win_over_the_identitys_and_those_over_the_hooks() {
    let fairing = Jwt::fairing()
        .additional_claims(|_| object(json!({"from": "hook", "admin": false, "hook": 1})));
    let client = client("", fairing, vec![]);
    let jwt = jwt(&client);
    let user = User { id: 1, admin: true };
    let token = payload(&jwt.access_token(&user).encode().unwrap());
    assert_eq!(token["from"], "identity");
    assert_eq!((&token["admin"], &token["hook"]), (&json!(true), &json!(1)));
    let builder = jwt.access_token(&user).claims(&json!({"from": "builder", "a": 1}));
    let token = payload(&builder.claims(&json!({"a": 2})).encode().unwrap());
    assert_eq!(token["from"], "builder");
    assert_eq!((&token["admin"], &token["a"]), (&json!(true), &json!(2)));
}

#[test]
fn what_a_hook_hands_out_is_not_written_to() {
    static SHARED: LazyLock<Claims> = LazyLock::new(|| object(json!({"site": "x"})));
    let fairing =
        Jwt::fairing().additional_claims(|_| SHARED.clone()).additional_headers(|_| SHARED.clone());
    let client = client("", fairing, vec![]);
    let jwt = jwt(&client);
    let admin = jwt.access_token("ada").claims(&json!({"admin": true})).header("kid", "secret");
    let admin = admin.encode().unwrap();
    assert_eq!(payload(&admin)["admin"], true);
    assert_eq!(part(&admin, 0)["kid"], "secret");

    for token in [jwt.access_token("eve").encode().unwrap(), {
        let pair = jwt.token_pair("eve").issue().unwrap();
        pair.refresh_token().to_string()
    }] {
        assert_eq!(payload(&token)["site"], "x");
        assert_eq!(payload(&token).get("admin"), None);
        assert_eq!(part(&token, 0), json!({"alg": "HS256", "typ": "JWT", "site": "x"}));
    }
    assert_eq!(*SHARED, object(json!({"site": "x"})));
}

#[test]
fn the_headers_hook_gives_way_to_the_builder_and_can_drop_typ() {
    let fairing = Jwt::fairing().additional_headers(|identity| match identity {
        "plain" => object(json!({"typ": null})),
        identity => object(json!({"kid": format!("{identity}-key"), "from": "hook"})),
    });
    let client = client("", fairing, vec![]);
    let jwt = jwt(&client);
    let token = jwt.access_token("ada").header("from", "builder").encode().unwrap();
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": "ada-key", "from": "builder"});
    assert_eq!(part(&token, 0), header);
    assert!(jwt.decode::<Claims>(&token).is_ok());
    let token = jwt.access_token("plain").encode().unwrap();
    assert_eq!(part(&token, 0), json!({"alg": "HS256"}));
}

#[test]
fn a_hook_can_not_write_what_is_the_crates() {
    for (claim, header) in [
        (Some("sub"), None),
        (Some("exp"), None),
        (Some("type"), None),
        (Some("jti"), None),
        (Some("sid"), None),
        (None, Some("alg")),
        (None, Some("crit")),
        (None, Some("jwk")),
    ] {
        let of = |name: Option<&'static str>| {
            move |_: &str| name.map(|name| object(json!({name: "x"}))).unwrap_or_default()
        };
        let fairing = Jwt::fairing().additional_claims(of(claim)).additional_headers(of(header));
        let client = client("", fairing, vec![]);
        match jwt(&client).access_token("ada").encode() {
            Err(Error::ReservedClaim(name)) => assert_eq!(Some(name.as_str()), claim),
            Err(Error::ReservedHeader(name)) => assert_eq!(Some(name.as_str()), header),
            other => panic!("{claim:?} {header:?}: {other:?}"),
        }
    }
}
