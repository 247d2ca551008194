//! `OrForward`: no token goes to the next route, a bad token goes nowhere.

use crate::support::common::*;
use crate::support::users::{Admin, Profile, User};
use crate::support::*;
use rocket::http::Header;
use rocket::local::blocking::{Client, LocalRequest};
use rocket_jwt_extended::{
    AccessToken, Claims, Cookies, CurrentUser, Fresh, Headers, In, OrForward, Require,
};
use serde_json::json;

#[get("/", rank = 1)]
fn home(token: OrForward<AccessToken>) -> String {
    format!("hello, {}", token.identity())
}

#[get("/", rank = 2)]
fn welcome() -> &'static str {
    "please log in"
}

#[get("/alone")]
fn alone(token: OrForward<Fresh<CurrentUser<User>>>) -> String {
    token.into_inner().name.clone()
}

#[get("/rank", rank = 1)]
fn as_admin(_token: OrForward<Require<Admin, AccessToken<Profile>>>) -> &'static str {
    "admin"
}

#[get("/rank", rank = 2)]
fn as_anybody() -> &'static str {
    "anybody"
}

#[get("/places", rank = 1)]
fn by_header(token: OrForward<In<Headers>>) -> String {
    format!("{} by header", token.identity())
}

#[get("/places", rank = 2)]
fn by_cookie(token: OrForward<In<Cookies>>) -> String {
    format!("{} by cookie", token.identity())
}

#[get("/places", rank = 3)]
fn by_nothing() -> &'static str {
    "nobody"
}

fn app() -> Client {
    let routes =
        routes![home, welcome, alone, as_admin, as_anybody, by_header, by_cookie, by_nothing];
    clocked(FLASK, routes).0
}

fn dispatch(request: LocalRequest<'_>) -> (u16, String) {
    said(request.dispatch())
}

#[test]
fn without_a_token_the_next_route_answers() {
    let client = app();
    assert_eq!(dispatch(client.get("/")), let_in("please log in"));
    let basic = client.get("/").header(Header::new("Authorization", "Basic x"));
    assert_eq!(dispatch(basic), let_in("please log in"));
    assert_eq!(dispatch(client.get("/").header(Bearer(&access()))), let_in("hello, ada"));
}

#[test]
fn a_bad_token_is_never_forwarded() {
    let client = app();
    let revoked = access();
    let token = jwt(&client).decode::<Claims>(&revoked).unwrap();
    wait(jwt(&client).revoke(&token)).unwrap();
    for (token, status) in [
        (revoked, 401),
        (sign(&with(json!({"exp": START}))), 401),
        (sign(&with(json!({"nbf": START + 1}))), 422),
        (refresh(), 422),
        (format!("{}A", access()), 422),
        ("x".into(), 422),
        ("".into(), 422),
        ("x y".into(), 422),
    ] {
        assert_eq!(dispatch(client.get("/").header(Bearer(&token))).0, status, "{token}");
        assert_eq!(dispatch(client.get("/rank").header(Bearer(&token))).0, status, "{token}");
    }
    let two = client.get("/").header(Bearer(&access()));
    assert_eq!(dispatch(with_lines(two, "Authorization", &["Bearer x"])).0, 422);
}

#[test]
fn a_permission_that_does_not_hold_is_not_forwarded_either() {
    let client = app();
    let token = |role: &str| sign(&with(json!({"role": role})));
    assert_eq!(dispatch(client.get("/rank").header(Bearer(&token("admin")))), let_in("admin"));
    let refused = (403, "Insufficient scope".to_string());
    assert_eq!(dispatch(client.get("/rank").header(Bearer(&token("cook")))), refused);
    assert_eq!(dispatch(client.get("/rank")), let_in("anybody"));
}

#[test]
fn where_no_other_route_answers_the_refusal_is_that_of_a_missing_token() {
    let client = app();
    let response = client.get("/alone").dispatch();
    assert_eq!(response.headers().get("WWW-Authenticate").collect::<Vec<_>>(), ["Bearer"]);
    let (status, body) = answer(response);
    assert_eq!(status.code, 401);
    let text = "Missing Authorization Header";
    assert_eq!(body, json!({"msg": text, "code": "token_missing"}));
    let stale = client.get("/alone").header(Bearer(&access()));
    assert_eq!(dispatch(stale), (401, "Fresh token required".into()));
    let fresh = sign(&with(json!({"fresh": true})));
    assert_eq!(dispatch(client.get("/alone").header(Bearer(&fresh))), let_in("ada"));
}

#[test]
fn several_forward_until_one_finds_its_token() {
    let client = app();
    assert_eq!(dispatch(client.get("/places")), let_in("nobody"));
    let cookie = || client.get("/places").cookie(in_cookie(&access()));
    assert_eq!(dispatch(cookie()), let_in("ada by cookie"));
    assert_eq!(dispatch(cookie().header(Bearer(&access()))), let_in("ada by header"));
    assert_eq!(dispatch(cookie().header(Bearer("x"))).0, 422);
    assert_eq!(dispatch(client.get("/places").cookie(in_cookie("x"))).0, 422);
}
