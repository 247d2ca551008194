//! Hooks that choose keys.

use rocket_jwt_extended::jsonwebtoken::Algorithm;
use rocket_jwt_extended::{AccessToken, Claims, Error, Jwt, JwtFairing, SigningKey, VerifyingKey};
use serde_json::json;

use crate::support::ask::*;
use crate::support::*;

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().into()
}

fn new_secret() -> Vec<u8> {
    [uuid::Uuid::new_v4().into_bytes(), uuid::Uuid::new_v4().into_bytes()].concat()
}

/// Of tenant `a` the key is the secret, chosen by `kid`; all others go by the configuration.
fn tenants(secret: &[u8]) -> JwtFairing {
    let signing = SigningKey::from_secret(Algorithm::HS256, secret).unwrap();
    let verifying = VerifyingKey::from_secret(Algorithm::HS256, secret).unwrap();
    Jwt::fairing()
        .signing_key(move |identity| identity.ends_with("@a").then(|| signing.clone()))
        .additional_headers(|identity| match identity.ends_with("@a") {
            true => Claims::from_iter([("kid".to_string(), "a".into())]),
            false => Claims::new(),
        })
        .verifying_key(move |header, _| match header.kid.as_deref() {
            Some("a") => Some(verifying.clone()),
            _ => None,
        })
}

#[test]
fn a_key_goes_by_identity_and_none_leaves_it_to_the_configuration() {
    let secret = new_secret();
    let with_hooks = client("", tenants(&secret), routes![me]);
    let without = client("", Jwt::fairing(), routes![me]);
    let of_a = jwt(&with_hooks).access_token("ada@a").encode().unwrap();
    let of_b = jwt(&with_hooks).access_token("bob@b").encode().unwrap();
    assert_eq!(part(&of_a, 0)["kid"], "a");

    assert_eq!(get(&with_hooks, "/me", &of_a).into_string().unwrap(), "ada@a");
    assert_eq!(get(&with_hooks, "/me", &of_b).into_string().unwrap(), "bob@b");
    // They share the configured secret only.
    assert_eq!(get(&without, "/me", &of_b).status().code, 200);
    let refusal = (401, "Signature verification failed".to_string());
    assert_eq!(msg(get(&without, "/me", &of_a)), refusal);

    let another = client("", tenants(&new_secret()), routes![me]);
    assert_eq!(msg(get(&another, "/me", &of_a)), refusal);
}

#[test]
fn the_verifying_hook_sees_header_and_claims_that_nothing_vouches_for() {
    let secret = new_secret();
    let key = VerifyingKey::from_secret(Algorithm::HS256, &secret).unwrap();
    let fairing = Jwt::fairing().verifying_key(move |header, claims| {
        assert_eq!(header.alg, Algorithm::HS256);
        (claims.get("tenant")? == "a").then(|| key.clone())
    });
    let client = client("", fairing, routes![me]);
    let jwt = jwt(&client);
    let token = jwt.access_token("ada").claims(&json!({"tenant": "b"})).encode().unwrap();
    assert_eq!(get(&client, "/me", &token).status().code, 200);
    // It asks for a key that did not sign it.
    let token = jwt.access_token("ada").claims(&json!({"tenant": "a"})).encode().unwrap();
    assert_eq!(msg(get(&client, "/me", &token)).1, "Signature verification failed");
    let mut forged = token.rsplit_once('.').unwrap().0.to_string();
    forged.push_str(".AAAA");
    assert_eq!(get(&client, "/me", &forged).status().code, 401);
}

#[test]
fn a_token_of_another_algorithm_than_the_hooks_key_is_refused() {
    let secret = [new_secret(), new_secret()].concat();
    let key = VerifyingKey::from_secret(Algorithm::HS512, &secret).unwrap();
    let client =
        client("", Jwt::fairing().verifying_key(move |_, _| Some(key.clone())), routes![me]);
    let token = jwt(&client).access_token("ada").encode().unwrap();
    let refusal = (401, "The specified alg value is not allowed".to_string());
    assert_eq!(msg(get(&client, "/me", &token)), refusal);
}

#[test]
fn with_hooks_alone_no_configured_key_is_needed_and_unknown_keys_are_refused() {
    let fairing = || {
        let secret = b"a secret of thirty-two bytes at least";
        let signing = SigningKey::from_secret(Algorithm::HS256, secret).unwrap();
        let verifying = VerifyingKey::from_secret(Algorithm::HS256, secret).unwrap();
        Jwt::fairing()
            .signing_key(move |identity| (identity == "ada").then(|| signing.clone()))
            .verifying_key(move |_, claims| {
                (claims.get("sub")? == "ada").then(|| verifying.clone())
            })
    };
    // Not in the debug profile, where a random secret would be made.
    let figment = raw_figment("").select("release");
    let rocket = rocket::custom(figment).attach(fairing()).mount("/", routes![me]);
    let client = rocket::local::blocking::Client::untracked(rocket).expect("it launches");
    let token = jwt(&client).access_token("ada").encode().unwrap();
    assert_eq!(get(&client, "/me", &token).into_string().unwrap(), "ada");
    assert!(matches!(jwt(&client).access_token("eve").encode(), Err(Error::NoSigningKey)));
    let stranger = sign(&with(json!({"sub": "eve"})));
    assert_eq!(msg(get(&client, "/me", &stranger)), (401, "No key for this token".into()));
}

#[test]
fn a_rotated_pair_is_signed_by_the_identitys_key() {
    use rocket_jwt_extended::{RefreshToken, Rejection, TokenPair};

    #[post("/refresh")]
    async fn refresh(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
        jwt.rotate(token).await
    }

    let client = client("", tenants(&new_secret()), routes![me, refresh]);
    let first = jwt(&client).token_pair("ada@a").issue().unwrap();
    let [access, again] = pair(post(&client, "/refresh", first.refresh_token()));
    assert_eq!(get(&client, "/me", &access).into_string().unwrap(), "ada@a");
    assert_eq!(part(&again, 0)["kid"], "a");
}
