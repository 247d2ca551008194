//! `Jwt::decode()` and the decoder: what they check, what they leave out, and what they are for.

use crate::support::app::{App, GOOD, forged};
use crate::support::*;
use rocket::tokio::runtime::Builder;
use rocket_jwt_extended::{
    AccessToken, Claims, Fresh, Jwt, NoClaims, RefreshToken, Rejection, Token,
};
use serde_json::json;

fn wait<T>(future: impl std::future::Future<Output = T>) -> T {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn decoding_gives_claims_header_and_what_they_mean() {
    let app = App::new("");
    let own = sign_text(
        r#"{"alg":"HS256","typ":"JWT","kid":"k1"}"#,
        &with(json!({"role": "admin", "iss": "me", "aud": ["a", "b"]})).to_string(),
    );
    let token: Token<Claims> = app.jwt().decode(&own).unwrap();
    assert_eq!(token.claims["role"], "admin");
    assert_eq!((token.identity(), token.csrf()), ("ada", Some("the-csrf-value")));
    assert_eq!((token.issuer(), token.audience()), (Some("me"), vec!["a", "b"]));
    assert_eq!(token.header().kid.as_deref(), Some("k1"));
    assert_eq!(token.encoded(), own);
}

#[test]
fn decoding_checks_neither_type_nor_freshness_nor_revocation_nor_hooks() {
    let fairing = Jwt::fairing().verify_claims(|_| false);
    let app = App::hooked(&format!("secret_key = \"{}\"", secret()), fairing);
    let jwt = app.jwt();
    for kind in ["access", "refresh", "another"] {
        assert_eq!(app.decode(&sign(&with(json!({"type": kind})))), GOOD);
    }
    let revoked = sign(&claims());
    let token = jwt.decode::<NoClaims>(&revoked).unwrap();
    wait(jwt.revoke(&token)).unwrap();
    assert_eq!(app.decode(&revoked), GOOD);
    let verify = wait(jwt.verify::<AccessToken>(&revoked)).unwrap_err();
    assert_eq!(verify.to_string(), "Token has been revoked");
}

#[test]
fn verifying_checks_all_that_the_guard_checks() {
    let fairing = Jwt::fairing().verify_claims(|token| token.identity() != "eve");
    let app = App::hooked(&format!("secret_key = \"{}\"", secret()), fairing);
    let jwt = app.jwt();
    let refused = |refusal: Rejection| (refusal.status().code, refusal.code().to_string());
    let token = sign(&claims());
    assert_eq!(wait(jwt.verify::<AccessToken<Claims>>(&token)).unwrap().claims["sub"], "ada");
    let refresh = wait(jwt.verify::<RefreshToken>(&token)).unwrap_err();
    assert_eq!(refused(refresh), (401, "wrong_token_type".into()));
    let fresh = wait(jwt.verify::<Fresh>(&token)).unwrap_err();
    assert_eq!(refused(fresh), (401, "fresh_token_required".into()));
    let eve = sign(&with(json!({"sub": "eve"})));
    let rejected = wait(jwt.verify::<AccessToken>(&eve)).unwrap_err();
    assert_eq!(refused(rejected), (400, "claims_rejected".into()));
    let own = wait(jwt.verify::<AccessToken<Vec<u8>>>(&token)).unwrap_err();
    assert_eq!(own.to_string(), "Claims are not of the expected form");
}

#[test]
fn an_expired_token_can_be_allowed_and_nothing_else() {
    let app = App::new("decode_issuer = \"me\"\ndecode_audience = \"api\"");
    let lax = |token: &str| {
        let read = app.jwt().decoder().allow_expired().decode::<NoClaims>(token);
        read.map_or_else(|refusal| refusal.to_string(), |_| GOOD.into())
    };
    let expired = json!({"exp": START - 1000, "iss": "me", "aud": "api"});
    let token = sign(&with(expired.clone()));
    assert_eq!(lax(&token), GOOD);
    assert_eq!(app.decode(&token), "Token has expired");
    for (change, text) in [
        (json!({"nbf": START + 1}), "The token is not yet valid (nbf)"),
        (json!({"iat": START + 1}), "The token is not yet valid (iat)"),
        (json!({"iss": "you"}), "Invalid issuer"),
        (json!({"aud": "shop"}), "Audience doesn't match"),
        (json!({"sub": 5}), "Subject must be a string"),
        (json!({"exp": "never"}), "Expiration Time claim (exp) must be an integer."),
    ] {
        let mut changes = expired.clone();
        changes.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert_eq!(lax(&sign(&with(changes))), text);
    }
    // Nor does it make `exp` optional, or the signature.
    let mut endless = with(expired);
    endless.as_object_mut().unwrap().remove("exp");
    assert_eq!(lax(&sign(&endless)), "Missing claim: exp");
    assert_eq!(lax(&forged(&token)), "Signature verification failed");
}

#[test]
fn the_csrf_value_given_must_be_the_tokens_own_and_an_empty_one_never_is() {
    let app = App::new("");
    let check = |token: &str, value: &str| {
        let read = app.jwt().decoder().csrf(value).decode::<NoClaims>(token);
        read.map_or_else(|refusal| format!("{refusal} {}", refusal.code()), |_| GOOD.into())
    };
    let mismatch = "CSRF double submit tokens do not match csrf_mismatch";
    let token = sign(&claims());
    for (value, expected) in [
        ("the-csrf-value", GOOD),
        ("", mismatch),
        ("The-Csrf-Value", mismatch),
        ("the-csrf-valu", mismatch),
        ("the-csrf-value ", mismatch),
        ("th\u{e9}-csrf-value", mismatch),
    ] {
        assert_eq!(check(&token, value), expected, "{value:?}");
    }
    for (claim, expected) in [(json!(""), mismatch), (json!(null), mismatch)] {
        assert_eq!(check(&sign(&with(json!({"csrf": claim}))), ""), expected);
    }
    let none = "Missing claim: csrf token_invalid";
    assert_eq!(check(&sign(&without(&["csrf"])), "the-csrf-value"), none);
    assert_eq!(check(&sign(&without(&["csrf"])), ""), none);
    // It says so before it says that the token has expired.
    assert_eq!(check(&sign(&with(json!({"exp": 1}))), "wrong"), mismatch);
    assert_eq!(
        check(&sign(&with(json!({"exp": 1}))), "the-csrf-value"),
        "Token has expired token_expired"
    );
}

#[test]
fn a_refusal_after_the_signature_held_has_the_token_and_one_before_has_none() {
    let app = App::new("decode_audience = \"api\"");
    let expired = sign_text(
        r#"{"alg":"HS256","kid":"k1"}"#,
        &with(json!({"exp": START, "aud": "api", "role": "admin"})).to_string(),
    );
    let refusal = app.refusal(&expired).unwrap();
    assert_eq!(refusal.code(), "token_expired");
    let token = refusal.token().unwrap();
    assert_eq!((token.identity(), &token.claims["role"]), ("ada", &json!("admin")));
    assert_eq!(token.header().kid.as_deref(), Some("k1"));
    assert_eq!(token.expires_at().unwrap().unix_timestamp(), START);

    let other = app.refusal(&sign(&with(json!({"aud": "shop"})))).unwrap();
    assert_eq!(other.token().unwrap().audience(), ["shop"]);
    let forged = app.refusal(&forged(&expired)).unwrap();
    assert_eq!(
        (forged.to_string().as_str(), forged.token().is_none()),
        ("Signature verification failed", true)
    );
    assert!(app.refusal("nonsense").unwrap().token().is_none());
}

#[test]
fn an_id_is_read_from_a_verified_token_expired_or_not_as_asked_for() {
    let app = App::new("");
    let jwt = app.jwt();
    let good = sign(&with(json!({"jti": "one"})));
    let expired = sign(&with(json!({"jti": "two", "exp": START - 1})));
    assert_eq!(jwt.decode::<NoClaims>(&good).unwrap().jti(), Some("one"));
    assert!(jwt.decode::<NoClaims>(&expired).is_err());
    let read = jwt.decoder().allow_expired().decode::<NoClaims>(&expired).unwrap();
    assert_eq!(read.jti(), Some("two"));
    assert_eq!(jwt.decode::<NoClaims>(&sign(&without(&["jti"]))).unwrap().jti(), None);
    let forged = jwt.decoder().allow_expired().decode::<NoClaims>(&forged(&expired));
    assert_eq!(forged.unwrap_err().to_string(), "Signature verification failed");
}

#[test]
fn a_csrf_value_is_read_from_a_verified_token_and_may_be_absent() {
    let app = App::new("");
    let jwt = app.jwt();
    let token = jwt.access_token("ada").encode().unwrap();
    let read = jwt.decode::<NoClaims>(&token).unwrap();
    assert_eq!(read.csrf(), payload(&token)["csrf"].as_str());
    assert!(read.csrf().is_some());
    assert_eq!(jwt.decode::<NoClaims>(&sign(&without(&["csrf"]))).unwrap().csrf(), None);
    assert!(jwt.decode::<NoClaims>(&sign(&with(json!({"exp": 1})))).is_err());
}

#[test]
fn custom_claims_are_read_into_a_type_of_the_applications_or_refused() {
    #[derive(rocket::serde::Deserialize, Debug)]
    #[serde(crate = "rocket::serde")]
    struct Own {
        role: String,
    }
    let app = App::new("");
    let read = |claims: serde_json::Value| app.jwt().decode::<Own>(&sign(&claims));
    assert_eq!(read(with(json!({"role": "admin"}))).unwrap().claims.role, "admin");
    for bad in [with(json!({"role": 5})), with(json!({"role": null})), claims()] {
        let refusal = read(bad).unwrap_err();
        assert_eq!(refusal.to_string(), "Claims are not of the expected form");
        assert_eq!((refusal.code(), refusal.token().is_some()), ("token_invalid", true));
    }
    // That a token has expired is said first.
    let refusal = read(with(json!({"exp": 1}))).unwrap_err();
    assert_eq!(refusal.code(), "token_expired");
}
