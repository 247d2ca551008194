//! The order of the checks, which decides what a token with several faults is refused for.

use std::convert::Infallible;

use crate::support::common::*;
use crate::support::*;
use rocket::Request;
use rocket::http::Method;
use rocket::local::blocking::Client;
use rocket_jwt_extended::{
    AccessToken, CurrentUser, Fresh, Jwt, LoadUser, NoClaims, Permission, Require, Revocation,
    Token,
};
use serde_json::{Value, json};

struct Nobody;

#[rocket::async_trait]
impl LoadUser for Nobody {
    type Claims = NoClaims;
    type Error = Infallible;

    async fn load(_: &Token<NoClaims>, _: &Request<'_>) -> Result<Option<Self>, Infallible> {
        Ok(None)
    }
}

struct Never;

impl Permission for Never {
    type Claims = NoClaims;

    fn permits(_: &Token<NoClaims>) -> bool {
        false
    }
}

/// Everything there is to ask, with the permission outside and inside of the user.
type Outside = Require<Never, CurrentUser<Nobody, Fresh>>;
type Inside = Fresh<CurrentUser<Nobody, Require<Never, AccessToken>>>;

#[post("/outside")]
fn outside(_token: Outside) {}
#[post("/inside")]
fn inside(_token: Inside) {}
#[post("/permission")]
fn permission(_token: Require<Never, Fresh>) {}
#[post("/plain")]
fn plain(_token: AccessToken) {}

const REVOKED: &str = "00000000-0000-4000-8000-000000000001";

/// An application that says no to everything it is asked.
fn app() -> Client {
    let clock = clock_at_start();
    let toml = "token_location = \"cookies\"\ndecode_audience = \"me\"\ndecode_issuer = \"us\"\n\
                required_claims = [\"exp\", \"tenant\"]\n";
    let fairing = Jwt::fairing().clock(clock).verify_claims(|token| token.claims["ok"] == true);
    let routes = routes![outside, inside, permission, plain];
    let client = client(&format!("{FLASK}{toml}"), fairing, routes);
    wait(jwt(&client).revoke(Revocation::token(REVOKED, None))).unwrap();
    client
}

/// A token with every fault that comes after the signature.
fn worst() -> Value {
    with(json!({
        "exp": START - 1, "iat": START + 9, "nbf": START + 9, "iss": "them", "aud": "you",
        "type": "refresh", "fresh": false, "jti": REVOKED, "ok": false, "csrf": "other",
        "sub": null,
    }))
}

#[test]
fn with_every_fault_mended_the_next_one_shows() {
    let client = app();
    let mut claims = worst();
    let mut ask = |changes: Value, value: Option<&str>| {
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let token = sign(&claims);
        let mut seen = Vec::new();
        for uri in ["/outside", "/inside"] {
            let request = client.req(Method::Post, uri).cookie(in_cookie(&token));
            let values: Vec<_> = value.into_iter().collect();
            seen.push(said(with_lines(request, "X-CSRF-TOKEN", &values).dispatch()));
        }
        assert_eq!(seen[0], seen[1]);
        seen.remove(0)
    };
    let refused = |status: u16, text: &str| (status, text.to_string());
    assert_eq!(ask(json!({}), None), refused(401, "Missing CSRF token"));
    let value = Some("the-csrf-value");
    assert_eq!(ask(json!({}), value), refused(422, "The token is not yet valid (iat)"));
    assert_eq!(ask(json!({"iat": START}), value), refused(422, "The token is not yet valid (nbf)"));
    assert_eq!(ask(json!({"nbf": START}), value), refused(422, "Invalid issuer"));
    assert_eq!(ask(json!({"iss": "us"}), value), refused(422, "Audience doesn't match"));
    assert_eq!(ask(json!({"aud": "me"}), value), refused(422, "Subject must be a string"));
    assert_eq!(ask(json!({"sub": "ada"}), value), refused(422, "Missing claim: tenant"));
    let mismatch = "CSRF double submit tokens do not match";
    assert_eq!(ask(json!({"tenant": 1}), value), refused(401, mismatch));
    assert_eq!(ask(json!({"csrf": "the-csrf-value"}), value), refused(401, "Token has expired"));
    let not_access = "Only non-refresh tokens are allowed";
    assert_eq!(ask(json!({"exp": START + 1}), value), refused(422, not_access));
    assert_eq!(ask(json!({"type": "access"}), value), refused(401, "Fresh token required"));
    assert_eq!(ask(json!({"fresh": true}), value), refused(401, "Token has been revoked"));
    let rejected = "User claims verification failed";
    assert_eq!(ask(json!({"jti": "other"}), value), refused(400, rejected));
    assert_eq!(ask(json!({"ok": true}), value), refused(401, "Error loading the user"));
}

#[test]
fn the_permission_is_asked_last() {
    let client = app();
    let good = with(json!({
        "iss": "us", "aud": "me", "tenant": 1, "ok": true, "fresh": true,
    }));
    let ask = |uri: &'static str| {
        let request = client.post(uri).cookie(in_cookie(&sign(&good)));
        said(request.header(csrf_header()).dispatch())
    };
    assert_eq!(ask("/permission"), (403, "Insufficient scope".into()));
    assert_eq!(ask("/plain").0, 200);
}

#[test]
fn the_form_comes_before_the_header_the_header_before_the_signature_and_that_before_the_claims() {
    let client = app();
    let ask = |token: &str| {
        let request = client.post("/plain").cookie(in_cookie(token)).header(csrf_header());
        said(request.dispatch()).1
    };
    let faulty = worst().to_string();
    let token = |header: &str, payload: &str, signature: &str| {
        format!("{}.{}.{signature}", base64url(header.as_bytes()), base64url(payload.as_bytes()))
    };
    let good = r#"{"alg":"HS256"}"#;
    for (token, text) in [
        ("a".repeat(20_000), "Token is too long"),
        ("a.b".into(), "Not enough segments"),
        (token("{", "{", "!"), "Invalid header string"),
        (token(r#"{"alg":"none","crit":[]}"#, "{", "!"), "The specified alg value is not allowed"),
        (token(r#"{"alg":"HS512","crit":[]}"#, "{", "!"), "Unsupported critical extension"),
        (token(r#"{"alg":"HS512"}"#, "{", "!"), "The specified alg value is not allowed"),
        (token(good, "{", "!"), "Invalid crypto padding"),
        (token(good, "{", "AAAA"), "Signature verification failed"),
        (token(good, &faulty, "AAAA"), "Signature verification failed"),
        (sign_text(good, "{"), "Invalid payload string"),
        (sign_text(good, &faulty), "The token is not yet valid (iat)"),
    ] {
        assert_eq!(ask(&token), text);
    }
}

#[test]
fn expired_says_that_all_else_about_the_claims_was_right() {
    let client = app();
    let base = json!({
        "iss": "us", "aud": "me", "tenant": 1, "ok": true, "fresh": true, "exp": START - 1,
    });
    for (changes, expected) in [
        (json!({}), (401, "Token has expired")),
        (json!({"aud": "you"}), (422, "Audience doesn't match")),
        (json!({"iss": "them"}), (422, "Invalid issuer")),
        (json!({"sub": 5}), (422, "Subject must be a string")),
        (json!({"type": "refresh"}), (401, "Token has expired")),
        (json!({"type": "refresh", "jti": REVOKED}), (401, "Token has expired")),
        (
            json!({"exp": START + 1, "type": "refresh", "jti": REVOKED}),
            (422, "Only non-refresh tokens are allowed"),
        ),
        (json!({"exp": START + 1, "fresh": false, "jti": REVOKED}), (401, "Fresh token required")),
        (json!({"exp": START + 1, "ok": false, "jti": REVOKED}), (401, "Token has been revoked")),
        (json!({"exp": START + 1, "ok": false}), (400, "User claims verification failed")),
    ] {
        let mut claims = with(base.clone());
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let request = client.post("/inside").cookie(in_cookie(&sign(&claims)));
        let (status, text) = said(request.header(csrf_header()).dispatch());
        assert_eq!((status, &*text), expected, "{changes}");
    }
    let no_subject = {
        let mut claims = with(base);
        claims.as_object_mut().unwrap().remove("sub");
        sign(&claims)
    };
    let request = client.post("/inside").cookie(in_cookie(&no_subject)).header(csrf_header());
    assert_eq!(said(request.dispatch()), (422, "Missing claim: sub".into()));
}
