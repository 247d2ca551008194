//! Whom tokens are issued to.

use std::borrow::Cow;
use std::marker::PhantomData;

use crate::support::*;
use rocket_jwt_extended::{Claims, Error, Identity, NoClaims};
use uuid::Uuid;

struct User {
    id: u64,
    admin: bool,
}

impl Identity for User {
    fn identity(&self) -> Cow<'_, str> {
        self.id.to_string().into()
    }

    fn claims(&self) -> Claims {
        Claims::from_iter([("admin".to_string(), self.admin.into())])
    }
}

#[test]
fn texts_integers_and_uuids_are_identities() {
    let (client, _) = clocked("", routes![]);
    let jwt = jwt(&client);
    let id = Uuid::new_v4();
    let (text, same) = (&String::from("ada"), &id);
    for (token, expected) in [
        (jwt.access_token("ada").encode(), "ada"),
        (jwt.access_token(String::from("ada")).encode(), "ada"),
        (jwt.access_token(text).encode(), "ada"),
        (jwt.access_token(Cow::from("ada")).encode(), "ada"),
        (jwt.access_token(5_u8).encode(), "5"),
        (jwt.access_token(-5_i64).encode(), "-5"),
        (jwt.access_token(u128::MAX).encode(), "340282366920938463463374607431768211455"),
        (jwt.access_token(id).encode(), id.to_string().as_str()),
        (jwt.access_token(same).encode(), id.to_string().as_str()),
    ] {
        let token = token.unwrap();
        // Always a string: a number in `sub` would be refused.
        assert_eq!(payload(&token)["sub"], expected);
        assert_eq!(jwt.decode::<NoClaims>(&token).unwrap().identity(), expected);
    }
}

#[test]
fn any_text_is_an_identity_as_it_is() {
    let (client, _) = clocked("", routes![]);
    for text in
        [" ", "a b", "\u{1f980}", "a\"b\\c", "\0", "null", "e\u{301}", "\u{e9}", &"x".repeat(5000)]
    {
        let token = jwt(&client).access_token(text).encode().unwrap();
        assert_eq!(jwt(&client).decode::<NoClaims>(&token).unwrap().identity(), text);
    }
}

#[test]
fn an_identity_is_read_back_as_what_it_was() {
    let (client, _) = clocked("", routes![]);
    let jwt = jwt(&client);
    let token = jwt.access_token(42_u64).encode().unwrap();
    let token = jwt.decode::<NoClaims>(&token).unwrap();
    assert_eq!(token.parse_identity::<u64>(), Ok(42));
    assert!(token.parse_identity::<Uuid>().is_err());
    let id = Uuid::new_v4();
    let token = jwt.access_token(id).encode().unwrap();
    assert_eq!(jwt.decode::<NoClaims>(&token).unwrap().parse_identity::<Uuid>(), Ok(id));
}

#[test]
fn an_application_can_issue_to_its_own_user_with_claims() {
    let (client, _) = clocked("", routes![]);
    let jwt = jwt(&client);
    let user = User { id: 7, admin: true };
    for token in [
        jwt.access_token(&user).encode().unwrap(),
        jwt.refresh_token(&user).encode().unwrap(),
        jwt.token_pair(user).issue().unwrap().access_token().into(),
    ] {
        let claims = payload(&token);
        assert_eq!(claims["sub"], "7");
        assert_eq!(claims["admin"], true);
    }
}

#[test]
fn nobody_is_no_identity() {
    struct Nobody;
    impl Identity for Nobody {
        fn identity(&self) -> Cow<'_, str> {
            "".into()
        }
    }
    let (client, _) = clocked("", routes![]);
    let jwt = jwt(&client);
    for error in [
        jwt.access_token("").encode().unwrap_err(),
        jwt.refresh_token(String::new()).encode().unwrap_err(),
        jwt.access_token(Nobody).encode().unwrap_err(),
        jwt.token_pair("").issue().unwrap_err(),
    ] {
        assert!(matches!(error, Error::EmptyIdentity), "{error:?}");
        assert_eq!(error.to_string(), "the identity is empty");
    }
    // Nor is one of somebody else's making.
    let text = jwt.decode::<NoClaims>(&sign(&with(serde_json::json!({"sub": ""})))).unwrap_err();
    assert_eq!(text.to_string(), "Subject must not be empty");
}

/// Whether a type is an identity, told at compile time.
struct Probe<T>(PhantomData<T>);

trait Otherwise {
    const IS_IDENTITY: bool = false;
}

impl<T> Otherwise for Probe<T> {}

impl<T: Identity> Probe<T> {
    const IS_IDENTITY: bool = true;
}

#[test]
fn what_would_be_no_text_cannot_be_issued_to() {
    let some = [Probe::<&str>::IS_IDENTITY, Probe::<u64>::IS_IDENTITY, Probe::<User>::IS_IDENTITY];
    assert_eq!(some, [true; 3]);
    let others = [
        Probe::<()>::IS_IDENTITY,
        Probe::<Option<&str>>::IS_IDENTITY,
        Probe::<bool>::IS_IDENTITY,
        Probe::<f64>::IS_IDENTITY,
        Probe::<Vec<String>>::IS_IDENTITY,
        Probe::<serde_json::Value>::IS_IDENTITY,
        Probe::<Claims>::IS_IDENTITY,
    ];
    assert_eq!(others, [false; 7]);
}
