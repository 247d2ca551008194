//! `IgnoreRevocation` leaves out the blocklist and nothing else.

use crate::support::common::*;
use crate::support::store_stub::StoreStub;
use crate::support::*;
use rocket_jwt_extended::{AccessToken, Fresh, IgnoreRevocation, Jwt, NoClaims};
use serde_json::json;

#[get("/")]
fn strict(token: AccessToken) -> String {
    token.identity().into()
}
#[get("/ignore")]
fn ignore(token: IgnoreRevocation<AccessToken>) -> String {
    token.identity().into()
}
#[get("/fresh")]
fn fresh(token: Fresh<IgnoreRevocation<AccessToken>>) -> String {
    token.identity().into()
}

#[test]
fn a_revoked_token_passes_and_every_other_check_holds() {
    let fairing = Jwt::fairing()
        .clock(clock_at_start())
        .verify_claims(|token| token.claims.get("bad").is_none());
    let client = client(FLASK, fairing, routes![strict, ignore, fresh]);
    let ask =
        |uri: &'static str, token: &str| said(client.get(uri).header(Bearer(token)).dispatch());
    let revoke = |claims| {
        let token = sign(&with(claims));
        let decoded = jwt(&client).decoder().allow_expired().decode::<NoClaims>(&token).unwrap();
        wait(jwt(&client).revoke(&decoded)).unwrap();
        token
    };
    let revoked = revoke(json!({}));
    assert_eq!(ask("/", &revoked), (401, "Token has been revoked".into()));
    assert_eq!(ask("/ignore", &revoked), let_in("ada"));
    assert_eq!(ask("/fresh", &revoked), (401, "Fresh token required".into()));
    for (claims, status, text) in [
        (json!({"exp": START}), 401, "Token has expired"),
        (json!({"type": "refresh"}), 422, "Only non-refresh tokens are allowed"),
        (json!({"bad": 1}), 400, "User claims verification failed"),
    ] {
        assert_eq!(ask("/ignore", &revoke(claims)), (status, text.into()));
    }
}

#[test]
fn a_store_that_is_away_does_not_matter_where_it_is_not_asked() {
    let fairing = Jwt::fairing().clock(clock_at_start()).blocklist(StoreStub::unreachable());
    let client = client(FLASK, fairing, routes![strict, ignore]);
    let ask = |uri: &'static str| said(client.get(uri).header(Bearer(&access())).dispatch());
    assert_eq!(ask("/"), (503, "Token store is unavailable".into()));
    assert_eq!(ask("/ignore"), let_in("ada"));
}
