//! Without the fairing, or with a guard that can never succeed, an application does not launch.

use std::convert::Infallible;

use crate::support::common::*;
use crate::support::users::{NotBob, User};
use crate::support::*;
use rocket::error::ErrorKind;
use rocket::local::blocking::Client;
use rocket::outcome::Outcome;
use rocket::request::FromRequest;
use rocket::{Request, Route};
use rocket_jwt_extended::{
    AccessToken, AnyToken, BodyError, Cookies, CurrentUser, Fresh, Headers, IgnoreRevocation, In,
    JsonBody, Jwt, Optional, OrForward, RefreshToken, Rejection, Require, WithBody,
};

type Alias = Fresh<AccessToken>;

#[get("/")]
fn plain_access(_guard: AccessToken) {}
#[get("/")]
fn plain_refresh(_guard: RefreshToken) {}
#[get("/")]
fn either(_guard: AnyToken) {}
#[get("/")]
fn fresh(_guard: Fresh) {}
#[get("/")]
fn optional(_guard: Optional) {}
#[get("/")]
fn or_forward(_guard: OrForward<AccessToken>) {}
#[get("/")]
fn placed(_guard: In<Headers>) {}
#[get("/")]
fn ignoring(_guard: IgnoreRevocation<AccessToken>) {}
#[get("/")]
fn requiring(_guard: Require<NotBob, AccessToken>) {}
#[get("/")]
fn user(_guard: CurrentUser<User>) {}
#[get("/")]
fn nested(_guard: Optional<Fresh<CurrentUser<User>>>) {}
#[get("/")]
fn manager(_guard: &Jwt) {}
#[get("/")]
fn result(_guard: Result<AccessToken, Rejection>) {}
#[get("/")]
fn option(_guard: Option<AccessToken>) {}
#[get("/")]
fn alias(_guard: Alias) {}
#[get("/")]
fn optional_alias(_guard: Option<Alias>) {}

fn request_guards() -> Vec<Route> {
    routes![
        plain_access,
        plain_refresh,
        either,
        fresh,
        optional,
        or_forward,
        placed,
        ignoring,
        requiring,
        user,
        nested,
        manager,
        result,
        option,
        alias,
        optional_alias
    ]
}

#[post("/", data = "<_body>")]
fn unit(_body: WithBody) {}
#[post("/", data = "<_body>")]
fn bytes(_body: WithBody<Optional<In<JsonBody>>, &[u8]>) {}
#[post("/", data = "<_body>")]
fn body_alone(_body: WithBody<In<JsonBody>>) {}
#[post("/", data = "<_body>")]
fn fallible(_body: Result<WithBody<Fresh>, BodyError<Infallible>>) {}

fn data_guards() -> Vec<Route> {
    routes![unit, bytes, body_alone, fallible]
}

#[get("/")]
fn json(_guard: In<JsonBody>) {}
#[get("/")]
fn json_one(_guard: In<(JsonBody,)>) {}
#[get("/")]
fn json_twice(_guard: In<(JsonBody, JsonBody)>) {}
#[get("/")]
fn json_fresh(_guard: Fresh<In<JsonBody>>) {}
#[get("/")]
fn json_optional(_guard: Optional<In<JsonBody>>) {}
#[get("/")]
fn json_forward(_guard: OrForward<In<JsonBody, RefreshToken>>) {}
#[get("/")]
fn json_user(_guard: In<JsonBody, CurrentUser<User>>) {}
#[get("/")]
fn json_result(_guard: Result<In<JsonBody>, Rejection>) {}
#[get("/")]
fn json_outside(_guard: In<JsonBody, In<Headers>>) {}

fn never_successful() -> Vec<Route> {
    routes![
        json,
        json_one,
        json_twice,
        json_fresh,
        json_optional,
        json_forward,
        json_user,
        json_result,
        json_outside
    ]
}

#[get("/")]
fn json_first(_guard: In<(JsonBody, Headers)>) {}
#[get("/")]
fn json_last(_guard: In<(Cookies, JsonBody)>) {}
#[get("/")]
fn json_inside(_guard: In<Headers, In<JsonBody>>) {}

fn aborts(rocket: rocket::Rocket<rocket::Build>) -> bool {
    match Client::untracked(rocket) {
        Ok(_) => false,
        Err(error) => match error.kind() {
            ErrorKind::SentinelAborts(guards) => !guards.is_empty(),
            other => panic!("another failure: {other}"),
        },
    }
}

fn bare(routes: Vec<Route>) -> rocket::Rocket<rocket::Build> {
    rocket::custom(figment("")).mount("/", routes)
}

#[test]
fn every_guard_needs_the_fairing() {
    for route in request_guards().into_iter().chain(data_guards()) {
        assert!(aborts(bare(vec![route.clone()])), "{route}");
        assert!(!aborts(app("", Jwt::fairing(), vec![route.clone()])), "{route}");
    }
}

#[test]
fn the_order_of_attaching_and_mounting_does_not_matter() {
    assert!(!aborts(bare(routes![plain_access]).attach(Jwt::fairing())));
}

#[test]
fn a_guard_for_the_body_alone_is_no_request_guard() {
    for route in never_successful() {
        assert!(aborts(app("", Jwt::fairing(), vec![route.clone()])), "{route}");
    }
    for route in routes![json_first, json_last, json_inside].into_iter().chain(data_guards()) {
        assert!(!aborts(app("", Jwt::fairing(), vec![route.clone()])), "{route}");
    }
}

/// A guard of an application that forgot to be a sentinel.
struct Forgetful(Option<&'static str>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Forgetful {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> rocket::request::Outcome<Self, ()> {
        let optional = match request.guard::<Optional>().await {
            Outcome::Error((status, rejection)) => {
                assert_eq!(rejection.status(), status);
                Some(rejection.code())
            }
            _ => None,
        };
        let manager = matches!(request.guard::<&Jwt>().await, Outcome::Error((status, rejection))
            if status.code == 500 && rejection.code() == "not_attached");
        Outcome::Success(Self(optional.filter(|_| manager)))
    }
}

#[get("/forgetful")]
fn forgetful(guard: Forgetful) -> String {
    guard.0.unwrap_or("let in").into()
}

#[test]
fn a_guard_that_is_called_by_hand_without_the_fairing_lets_nobody_in() {
    let mut routes = routes![forgetful];
    routes.extend([at::<AccessToken>("/access"), at::<Fresh<CurrentUser<User>>>("/user")]);
    let client = Client::untracked(bare(routes)).unwrap();
    for uri in ["/access", "/user"] {
        let response = client.get(uri).header(Bearer(&access())).dispatch();
        assert_eq!(response.status().code, 500, "{uri}");
        assert_eq!(client.get(uri).dispatch().status().code, 500, "{uri}");
    }
    assert_eq!(said(client.get("/forgetful").dispatch()), let_in("not_attached"));
}

#[test]
fn the_fairing_is_attached_once() {
    let rocket = bare(vec![]).attach(Jwt::fairing()).attach(Jwt::fairing());
    let error = Client::untracked(rocket).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::FailedFairings(_)), "{error}");
}
