//! A refusal as a value: in a route, as its answer, and in a response fairing.

use crate::support::common::*;
use crate::support::*;
use rocket::Request;
use rocket::fairing::AdHoc;
use rocket::http::{ContentType, Header, Status};
use rocket::local::blocking::Client;
use rocket_jwt_extended::{AccessToken, Fresh, Jwt, RefreshToken, Rejection};
use serde_json::json;

#[get("/text")]
fn text(token: Result<AccessToken, Rejection>) -> String {
    token.map_or_else(|rejection| rejection.to_string(), |token| token.identity().into())
}

#[get("/answer")]
fn answered(token: Result<AccessToken, Rejection>) -> Result<String, Rejection> {
    Ok(token?.identity().into())
}

#[get("/status")]
fn status(token: Result<AccessToken, Rejection>) -> Result<String, Status> {
    Ok(token?.identity().into())
}

#[get("/either")]
fn either(fresh: Result<Fresh, Rejection>, token: AccessToken) -> String {
    format!("{} {}", token.identity(), fresh.is_ok())
}

#[get("/kinds")]
fn kinds(
    access: Result<AccessToken, Rejection>,
    refresh: Result<RefreshToken, Rejection>,
) -> String {
    format!("{} {}", access.is_ok(), refresh.is_ok())
}

#[get("/open")]
fn open() -> &'static str {
    "open"
}

fn app() -> Client {
    let told = |request: &Request<'_>| Rejection::of(request).map(|rejection| rejection.code());
    let fairing = AdHoc::on_response("told", move |request, response| {
        Box::pin(async move {
            response.set_header(Header::new("X-Refused", told(request).unwrap_or("no")));
        })
    });
    let rocket = rocket::custom(figment(FLASK))
        .attach(Jwt::fairing().clock(clock_at_start()))
        .attach(fairing)
        .mount("/", routes![text, answered, status, either, kinds, open]);
    Client::untracked(rocket).unwrap()
}

fn ask<'c>(
    client: &'c Client,
    uri: &'static str,
    token: Option<&str>,
) -> rocket::local::blocking::LocalResponse<'c> {
    let mut request = client.get(uri);
    if let Some(token) = token {
        request.add_header(Bearer(token));
    }
    request.dispatch()
}

#[test]
fn a_route_may_look_at_the_refusal_itself() {
    let client = app();
    let expired = sign(&with(json!({"exp": START})));
    assert_eq!(said(ask(&client, "/text", Some(&access()))), let_in("ada"));
    let response = ask(&client, "/text", Some(&expired));
    assert_eq!(response.headers().get_one("WWW-Authenticate"), None, "it is no refusal then");
    assert_eq!(said(response), (200, "Token has expired".into()));
    assert_eq!(said(ask(&client, "/text", None)), (200, "Missing Authorization Header".into()));
    assert_eq!(said(ask(&client, "/either", Some(&access()))), (200, "ada false".into()));
    assert_eq!(said(ask(&client, "/kinds", Some(&access()))), (200, "true false".into()));
    assert_eq!(said(ask(&client, "/kinds", Some(&refresh()))), (200, "false true".into()));
    assert_eq!(said(ask(&client, "/kinds", None)), (200, "false false".into()));
}

#[test]
fn a_refusal_is_an_answer_with_body_status_and_challenge() {
    let client = app();
    let missing = "Missing Authorization Header";
    for (token, status, challenge, body) in [
        (None, 401, "Bearer", json!({"msg": missing, "code": "token_missing"})),
        (
            Some("x"),
            422,
            "Bearer error=\"invalid_token\"",
            json!({"msg": "Not enough segments", "code": "token_invalid"}),
        ),
    ] {
        let response = ask(&client, "/answer", token);
        assert_eq!(response.content_type(), Some(ContentType::JSON));
        let challenges: Vec<_> = response.headers().get("WWW-Authenticate").collect();
        assert_eq!(challenges, [challenge]);
        let (found, json) = answer(response);
        assert_eq!((found.code, json), (status, body));
    }
    assert_eq!(said(ask(&client, "/answer", Some(&access()))), let_in("ada"));
}

#[test]
fn as_a_bare_status_it_is_answered_by_the_fairings_catcher() {
    let client = app();
    let response = ask(&client, "/status", Some("x"));
    let challenge = response.headers().get_one("WWW-Authenticate");
    assert_eq!(challenge, Some("Bearer error=\"invalid_token\""));
    let (status, body) = answer(response);
    assert_eq!(status.code, 422);
    assert_eq!(body, json!({"msg": "Not enough segments", "code": "token_invalid"}));
}

#[test]
fn the_refusal_is_kept_with_its_request_and_with_no_other() {
    let client = app();
    let refused = |uri, token: Option<&str>| {
        let response = ask(&client, uri, token);
        response.headers().get_one("X-Refused").map(String::from)
    };
    assert_eq!(refused("/answer", None).as_deref(), Some("token_missing"));
    assert_eq!(refused("/answer", Some("x")).as_deref(), Some("token_invalid"));
    assert_eq!(refused("/answer", Some(&access())).as_deref(), Some("no"));
    assert_eq!(refused("/open", Some("x")).as_deref(), Some("no"));
    assert_eq!(refused("/text", Some("x")).as_deref(), Some("token_invalid"));
}
