//! `CurrentUser`: the application's user, loaded with the request at hand.

use crate::support::common::*;
use crate::support::count::Count;
use crate::support::users::{Member, NotBob, User};
use crate::support::*;
use rocket::Request;
use rocket::http::Header;
use rocket::local::blocking::Client;
use rocket_jwt_extended::{
    AccessToken, AnyToken, CurrentUser, Fresh, LoadUser, NoClaims, Require, Token, TokenGuard,
};
use serde_json::json;

#[get("/")]
fn me(user: CurrentUser<User>) -> String {
    // The user itself, the guard, the token.
    format!("{} {} {}", user.name, user.guard.identity(), user.token().token_type())
}

#[get("/member")]
fn member(user: CurrentUser<Member>) -> String {
    format!("{} {}", user.0.role, user.guard.claims.role)
}

#[get("/any")]
fn any(user: CurrentUser<User, Fresh<AnyToken>>) -> String {
    let token_type = user.guard.token_type();
    format!("{} by {token_type}", user.into_inner().name)
}

#[get("/inside")]
fn inside(user: CurrentUser<User, Require<NotBob, AccessToken>>) -> String {
    user.name.clone()
}

#[get("/outside")]
fn outside(user: Require<NotBob, CurrentUser<User>>) -> String {
    user.name.clone()
}

/// Counts how often it is loaded, and is as empty as a value can be.
struct Counted;

#[rocket::async_trait]
impl LoadUser for Counted {
    type Claims = NoClaims;
    type Error = ();

    async fn load(_: &Token<NoClaims>, request: &Request<'_>) -> Result<Option<Self>, ()> {
        request.rocket().state::<Count>().ok_or(())?.up();
        Ok(Some(Counted))
    }
}

#[get("/counted/none")]
fn not_loaded(token: AccessToken) -> String {
    token.identity().into()
}

#[get("/counted/one")]
fn loaded(user: CurrentUser<Counted>) -> String {
    user.guard.identity().into()
}

fn app(toml: &str) -> Client {
    let routes = routes![me, member, any, inside, outside, not_loaded, loaded];
    clocked(&format!("{FLASK}{toml}"), routes).0
}

fn ask(client: &Client, uri: &'static str, claims: serde_json::Value) -> (u16, String) {
    said(client.get(uri).header(Bearer(&sign(&with(claims)))).dispatch())
}

#[test]
fn the_user_the_guard_and_the_token_are_at_hand() {
    let client = app("");
    assert_eq!(ask(&client, "/", json!({})), let_in("ada ada access"));
    assert_eq!(ask(&client, "/", json!({"sub": "bob"})), let_in("bob bob access"));
    assert_eq!(ask(&client, "/member", json!({"role": "cook"})), let_in("cook cook"));
    let fresh = json!({"type": "refresh", "fresh": true});
    assert_eq!(ask(&client, "/any", fresh), let_in("ada by refresh"));
}

#[test]
fn a_user_who_is_not_there_is_refused_without_being_named() {
    let client = app("");
    let refused = (401, "Error loading the user".to_string());
    assert_eq!(ask(&client, "/", json!({"sub": "eve-the-secret-name"})), refused);
    assert_eq!(ask(&client, "/member", json!({"role": "banned"})), refused);
    let response = client.get("/").header(Bearer(&sign(&with(json!({"sub": "eve"}))))).dispatch();
    let (_, body) = answer(response);
    assert_eq!(body, json!({"msg": "Error loading the user", "code": "user_not_found"}));
}

#[test]
fn a_store_that_can_not_tell_is_503_and_a_loader_that_panics_lets_nobody_in() {
    let client = app("");
    let unavailable = (503, "Token store is unavailable".to_string());
    assert_eq!(ask(&client, "/", json!({"sub": "down"})), unavailable);
    let request = client.get("/").header(Bearer(&access()));
    let response = request.header(Header::new("X-No-Connection", "1")).dispatch();
    assert_eq!(said(response), unavailable);
    assert_eq!(ask(&client, "/", json!({"sub": "crash"})).0, 500);
}

#[test]
fn the_user_is_loaded_before_the_permission_is_asked_however_they_nest() {
    let client = app("");
    for uri in ["/inside", "/outside"] {
        assert_eq!(ask(&client, uri, json!({})), let_in("ada"), "{uri}");
        let refused = (403, "Insufficient scope".to_string());
        assert_eq!(ask(&client, uri, json!({"sub": "bob"})), refused, "{uri}");
        let gone = (401, "Error loading the user".to_string());
        assert_eq!(ask(&client, uri, json!({"sub": "eve"})), gone, "{uri}");
    }
}

#[test]
fn a_user_is_loaded_once_where_one_is_named_and_never_elsewhere() {
    let count = Count::default();
    let rocket = rocket::custom(figment(""))
        .attach(rocket_jwt_extended::Jwt::fairing().clock(clock_at_start()))
        .manage(count.clone())
        .mount("/", routes![not_loaded, loaded]);
    let client = Client::untracked(rocket).unwrap();
    assert_eq!(ask(&client, "/counted/none", json!({})), let_in("ada"));
    assert_eq!(count.take(), 0);
    assert_eq!(ask(&client, "/counted/one", json!({})), let_in("ada"));
    assert_eq!(count.take(), 1);
    for bad in [json!({"exp": START}), json!({"type": "refresh"}), json!({"iat": START + 1})] {
        assert_ne!(ask(&client, "/counted/one", bad).0, 200);
        assert_eq!(count.take(), 0);
    }
}

#[test]
fn a_user_is_loaded_by_the_configured_identity_claim() {
    let client = app("identity_claim = \"uid\"");
    assert_eq!(ask(&client, "/", json!({"uid": "bob"})), let_in("bob bob access"));
    let refused = (401, "Error loading the user".to_string());
    assert_eq!(ask(&client, "/", json!({"uid": "eve"})), refused);
    assert_eq!(ask(&client, "/", json!({})), (422, "Missing claim: uid".into()));
}
