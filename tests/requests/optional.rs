//! `Optional`: nobody without a token, and nobody with a bad one.

use crate::support::common::*;
use crate::support::users::User;
use crate::support::*;
use rocket::http::Header;
use rocket::local::blocking::Client;
use rocket_jwt_extended::{
    AccessToken, AnyToken, Claims, CurrentUser, Fresh, Optional, RefreshToken, Rejection,
};
use serde_json::json;

#[get("/")]
fn optional(token: Optional<AccessToken<Claims>>) -> String {
    match (token.token(), token.as_ref()) {
        (Some(token), Some(_)) => {
            let place = token.location().map(|location| location.to_string());
            format!("{} by {place:?}", token.claims["sub"])
        }
        (None, None) => "nobody".into(),
        _ => "a guard without a token".into(),
    }
}

#[get("/any")]
fn any(token: Optional<AnyToken>) -> String {
    token.into_inner().map_or("nobody".into(), |token| token.identity().to_string())
}

#[get("/refresh")]
fn renewed(token: Optional<RefreshToken>) -> String {
    token.token().map_or("nobody", |token| token.identity()).into()
}

#[get("/user")]
fn user(user: Optional<Fresh<CurrentUser<User>>>) -> String {
    match user.as_ref() {
        Some(user) => format!("{} {}", user.name, user.guard.token_type()),
        None => "nobody".into(),
    }
}

#[get("/lenient")]
fn lenient(token: Result<AccessToken, Rejection>) -> String {
    match token {
        Ok(token) => token.identity().into(),
        Err(rejection) => format!("nobody: {}", rejection.code()),
    }
}

#[options("/")]
fn preflight(token: Optional) -> String {
    token.token().map_or("nobody", |token| token.identity()).into()
}

#[options("/strict")]
fn strict(token: AccessToken) -> String {
    token.identity().into()
}

#[options("/open")]
fn open() -> &'static str {
    "open"
}

fn app() -> Client {
    clocked(FLASK, routes![optional, any, renewed, user, lenient, preflight, strict, open]).0
}

fn ask(client: &Client, uri: &'static str, token: Option<&str>) -> (u16, String) {
    let mut request = client.get(uri);
    if let Some(token) = token {
        request.add_header(Bearer(token));
    }
    said(request.dispatch())
}

#[test]
fn without_a_token_there_is_nobody_and_no_user_is_loaded() {
    let client = app();
    for uri in ["/", "/any", "/refresh", "/user"] {
        assert_eq!(ask(&client, uri, None), let_in("nobody"), "{uri}");
        // A loader would fail, for want of a connection.
        let request = client.get(uri).header(Header::new("X-No-Connection", "1"));
        assert_eq!(said(request.dispatch()), let_in("nobody"), "{uri}");
    }
}

#[test]
fn with_a_good_token_there_is_somebody() {
    let client = app();
    let fresh = sign(&with(json!({"fresh": true})));
    let by_header = r#""ada" by Some("headers")"#;
    assert_eq!(ask(&client, "/", Some(&access())), let_in(by_header));
    assert_eq!(ask(&client, "/any", Some(&refresh())), let_in("ada"));
    assert_eq!(ask(&client, "/refresh", Some(&refresh())), let_in("ada"));
    assert_eq!(ask(&client, "/user", Some(&fresh)), let_in("ada access"));
}

#[test]
fn a_token_that_is_bad_in_any_way_is_refused() {
    let client = app();
    let fresh = |changes| {
        let mut claims = with(changes);
        claims["fresh"] = true.into();
        sign(&claims)
    };
    let revoked = sign(&claims());
    let token = jwt(&client).decode::<Claims>(&revoked).unwrap();
    wait(jwt(&client).revoke(&token)).unwrap();
    let forged = format!("{}{}", &access()[..access().len() - 4], "AAAA");
    for (uri, token, status, text) in [
        ("/", revoked, 401, "Token has been revoked"),
        ("/", refresh(), 422, "Only non-refresh tokens are allowed"),
        ("/refresh", access(), 422, "Only refresh tokens are allowed"),
        ("/", sign(&with(json!({"exp": START}))), 401, "Token has expired"),
        ("/", sign(&with(json!({"nbf": START + 1}))), 422, "The token is not yet valid (nbf)"),
        ("/", forged, 422, "Signature verification failed"),
        ("/", "x".into(), 422, "Not enough segments"),
        ("/", "".into(), 422, "Bad Authorization header. Expected 'Authorization: Bearer <JWT>'"),
        ("/user", access(), 401, "Fresh token required"),
        ("/user", fresh(json!({"sub": "eve"})), 401, "Error loading the user"),
        ("/user", fresh(json!({"sub": "down"})), 503, "Token store is unavailable"),
    ] {
        assert_eq!(ask(&client, uri, Some(&token)), (status, text.into()), "{uri} {token}");
    }
}

#[test]
fn who_wants_to_see_bad_tokens_asks_for_a_result() {
    let client = app();
    assert_eq!(ask(&client, "/lenient", None), let_in("nobody: token_missing"));
    assert_eq!(ask(&client, "/lenient", Some("x")), let_in("nobody: token_invalid"));
    assert_eq!(ask(&client, "/lenient", Some(&refresh())), let_in("nobody: wrong_token_type"));
    assert_eq!(ask(&client, "/lenient", Some(&access())), let_in("ada"));
}

#[test]
fn on_options_a_guard_is_a_guard() {
    let client = app();
    let ask = |uri: &'static str, token: Option<&str>| {
        let mut request = client.options(uri);
        if let Some(token) = token {
            request.add_header(Bearer(token));
        }
        said(request.dispatch())
    };
    assert_eq!(ask("/", None), let_in("nobody"));
    assert_eq!(ask("/", Some(&access())), let_in("ada"));
    assert_eq!(ask("/", Some("x")), (422, "Not enough segments".into()));
    assert_eq!(ask("/strict", None), (401, "Missing Authorization Header".into()));
    assert_eq!(ask("/strict", Some(&access())), let_in("ada"));
    // A preflight carries no credentials, so that its route has no guard.
    assert_eq!(ask("/open", None), let_in("open"));
}
