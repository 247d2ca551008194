//! Properties of arbitrary requests: what the tests of them share.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::support::common::*;
use crate::support::users::{NotBob, User};
use crate::support::*;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};
use rocket::form::Form;
use rocket::local::blocking::{Client, LocalRequest};
use rocket::serde::json::Json;
use rocket_jwt_extended::{
    AccessToken, AnyToken, Claims, CurrentUser, Fresh, In, JsonBody, Optional, OrForward,
    RefreshToken, Rejection, Require, WithBody,
};
use serde_json::Value;

#[derive(FromForm)]
pub struct Everything {
    text: String,
    list: Vec<u8>,
    map: HashMap<String, String>,
}

#[post("/access")]
fn access_route(token: AccessToken) -> String {
    token.identity().into()
}
#[get("/many")]
fn many(
    _one: Result<AccessToken<Claims>, Rejection>,
    _two: Result<RefreshToken, Rejection>,
    _three: Result<Fresh<CurrentUser<User>>, Rejection>,
    _four: Result<Require<NotBob, AnyToken>, Rejection>,
    five: Optional,
) -> String {
    five.token().map_or("nobody", |token| token.identity()).into()
}
#[get("/forward")]
fn forward(token: OrForward<AccessToken>) -> String {
    token.identity().into()
}
#[post("/unit", data = "<body>")]
fn unit(body: WithBody) -> String {
    body.token.identity().into()
}
#[post("/json", data = "<body>")]
fn json(body: WithBody<Optional<In<JsonBody>>, Json<Value>>) -> String {
    body.token.token().map_or("nobody", |token| token.identity()).into()
}
#[post("/form", data = "<body>")]
fn form(body: WithBody<Optional, Form<Everything>>) -> String {
    let Everything { text, list, map } = &*body.body;
    let read = text.len() + list.len() + map.len();
    body.token.token().map_or(format!("nobody {read}"), |token| token.identity().into())
}

/// An application that looks everywhere.
pub fn app() -> Client {
    let toml = "token_location = [\"headers\", \"cookies\", \"query_string\", \"json\"]\n\
                csrf_check_form = true\n";
    let mut routes = routes![access_route, many, forward, unit, json, form];
    routes.extend([at::<AccessToken<Claims>>("/access"), at::<AnyToken>("/any")]);
    clocked(&format!("{FLASK}{toml}"), routes).0
}

/// Runs a property on many values, and shows the smallest that does not have it.
pub fn check<S: Strategy>(
    cases: u32,
    values: S,
    property: impl Fn(S::Value) -> Result<(), TestCaseError>,
) where
    S::Value: std::fmt::Debug,
{
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    match TestRunner::new(config).run(&values, property) {
        Ok(()) => (),
        Err(TestError::Fail(reason, value)) => panic!("{reason}\nsmallest: {value:#?}"),
        Err(TestError::Abort(reason)) => panic!("gave up: {reason}"),
    }
}

/// The answer, which is never the server's fault and never late.
pub fn ask(request: LocalRequest<'_>) -> Result<(u16, String), TestCaseError> {
    let start = Instant::now();
    let (status, text) = said(request.dispatch());
    prop_assert!(status < 500, "{status} {text}");
    prop_assert!(start.elapsed() < Duration::from_secs(5), "late: {:?}", start.elapsed());
    Ok((status, text))
}

/// Texts made of the pieces that mean something there, of odd characters, and of anything.
pub fn text_of(pieces: Vec<String>) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => proptest::sample::select(pieces),
        1 => ".{0,6}",
        1 => proptest::sample::select(vec![
            " ", "\t", ",", ";", "=", "\"", ".", "%", "\u{0}", "\u{a0}", "\u{feff}", "ß",
            "\u{2028}",
        ]).prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}
