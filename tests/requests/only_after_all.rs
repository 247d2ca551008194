//! What follows from a token follows only once every check has passed.

use crate::support::common::*;
use crate::support::users::{NotBob, User};
use crate::support::*;
use rocket::local::blocking::Client;
use rocket_jwt_extended::{AccessToken, CurrentUser, Fresh, Jwt, Optional, Rejection, Require};
use serde_json::{Value, json};

#[get("/")]
fn plain(token: AccessToken) -> String {
    token.identity().into()
}
#[get("/fresh")]
fn fresh(token: Fresh) -> String {
    token.identity().into()
}
#[get("/user")]
fn user(user: CurrentUser<User>) -> String {
    user.name.clone()
}
#[get("/permission")]
fn permission(token: Require<NotBob, AccessToken>) -> String {
    token.identity().into()
}
#[get("/second")]
fn second(token: AccessToken, _fresh: Fresh) -> String {
    token.identity().into()
}
#[get("/result")]
fn result(token: Result<Fresh, Rejection>) -> String {
    token.is_ok().to_string()
}
#[get("/optional")]
fn optional(token: Optional) -> String {
    token.is_some().to_string()
}

/// An application that renews every token that came in a cookie and was let in.
fn app() -> Client {
    let fairing = Jwt::fairing()
        .clock(clock_at_start())
        .verify_claims(|token| token.claims.get("bad").is_none());
    let toml = "token_location = \"cookies\"\nimplicit_refresh_within = \"1h\"";
    let routes = routes![plain, fresh, user, permission, second, result, optional];
    client(&format!("{FLASK}{toml}"), fairing, routes)
}

/// Whether the answer brings a new token.
fn renews(client: &Client, uri: &'static str, claims: Value) -> bool {
    let response = client.get(uri).cookie(in_cookie(&sign(&with(claims)))).dispatch();
    response.cookies().get("access_token_cookie").is_some()
}

#[test]
fn a_token_that_was_let_in_is_renewed() {
    let client = app();
    for uri in ["/", "/user", "/permission", "/optional"] {
        assert!(renews(&client, uri, json!({})), "{uri}");
    }
    assert!(renews(&client, "/fresh", json!({"fresh": true})));
    assert!(renews(&client, "/result", json!({"fresh": true})));
}

#[test]
fn a_token_that_failed_any_check_is_not() {
    let client = app();
    for (uri, claims) in [
        ("/", json!({"exp": START})),
        ("/", json!({"type": "refresh"})),
        ("/", json!({"iat": START + 1})),
        ("/", json!({"bad": 1})),
        ("/fresh", json!({})),
        ("/user", json!({"sub": "eve"})),
        ("/user", json!({"sub": "down"})),
        ("/permission", json!({"sub": "bob"})),
        ("/second", json!({})),
        ("/result", json!({})),
        ("/optional", json!({"exp": START})),
    ] {
        assert!(!renews(&client, uri, claims.clone()), "{uri} {claims}");
    }
    let response = client.get("/optional").dispatch();
    assert!(response.cookies().iter().next().is_none());
}
