//! Catchers: the fairing's own, the application's, and how they share.

use crate::support::common::*;
use crate::support::refused_requests::{bare, cases, fairing, routes};
use crate::support::*;
use rocket::http::{Accept, ContentType, Status};
use rocket::local::blocking::Client;
use rocket::response::status::Custom;
use rocket::serde::json::Json;
use rocket::{Build, Request, Responder, Rocket};
use rocket_jwt_extended::Rejection;
use serde_json::{Value, json};

/// What an application may answer: all that is known of a refusal.
fn told(status: Status, request: &Request<'_>) -> Json<Value> {
    let known = Rejection::of(request).map(|rejection| {
        json!({
            "code": rejection.code(), "text": rejection.to_string(),
            "status": rejection.status().code,
        })
    });
    Json(json!({"by": "the application", "status": status.code, "known": known}))
}

#[catch(default)]
fn by_default(status: Status, request: &Request<'_>) -> Json<Value> {
    told(status, request)
}

#[catch(401)]
fn unauthorized(status: Status, request: &Request<'_>) -> Json<Value> {
    told(status, request)
}

#[get("/own/<status>")]
fn own(status: u16) -> Status {
    Status::new(status)
}

fn app(rocket: Rocket<Build>) -> Client {
    let mounted = rocket.mount("/", routes()).mount("/", routes![own]).mount("/scoped", routes());
    Client::untracked(mounted).unwrap()
}

/// Sends every case below `base`, and tells which are answered by the application. Status and
/// challenge must be as ever, and the reason must be known.
fn theirs(client: &Client, base: &str) -> Vec<u16> {
    let mut statuses = vec![];
    for case in cases() {
        let name = case.name;
        if case.code == "not_issued" {
            // A route's answer, not a guard's refusal.
            continue;
        }
        let response = case.send(client, base).dispatch();
        let status = case.status.unwrap_or(422);
        assert_eq!(response.status().code, status, "{name}");
        let challenge: Vec<_> = response.headers().get("WWW-Authenticate").collect();
        let expected = case.challenge.map(|rest| format!("Bearer{rest}"));
        assert_eq!(challenge, expected.iter().collect::<Vec<_>>(), "{name}");
        let (_, body) = answer(response);
        if body["by"] == "the application" {
            let known = json!({"code": case.code, "text": case.text, "status": status});
            assert_eq!(body["known"], known, "{name}");
            statuses.push(status);
        } else {
            assert_eq!(body, case.body("msg"), "{name}");
        }
    }
    statuses.sort_unstable();
    statuses.dedup();
    statuses
}

#[test]
fn without_a_catcher_of_the_application_all_refusals_are_the_fairings() {
    let client = app(bare(FLASK, fairing()));
    assert_eq!(theirs(&client, ""), [0u16; 0]);
    assert_eq!(theirs(&client, "/scoped"), [0u16; 0]);
}

#[test]
fn a_default_catcher_of_the_application_takes_all() {
    let client = app(bare(FLASK, fairing()).register("/", catchers![by_default]));
    assert_eq!(theirs(&client, ""), [400, 401, 403, 422, 503]);
    assert_eq!(theirs(&client, "/scoped"), [400, 401, 403, 422, 503]);
}

#[test]
fn a_catcher_for_one_code_takes_that_one() {
    let client = app(bare(FLASK, fairing()).register("/", catchers![unauthorized]));
    assert_eq!(theirs(&client, ""), [401]);
    assert_eq!(theirs(&client, "/scoped"), [401]);
    let client = app(bare(FLASK, fairing()).register("/", catchers![unauthorized, by_default]));
    assert_eq!(theirs(&client, ""), [400, 401, 403, 422, 503]);
}

#[test]
fn a_scoped_catcher_takes_what_is_below_it() {
    let client = app(bare(FLASK, fairing()).register("/scoped", catchers![by_default]));
    assert_eq!(theirs(&client, ""), [0u16; 0]);
    assert_eq!(theirs(&client, "/scoped"), [400, 401, 403, 422, 503]);
    let client = app(bare(FLASK, fairing()).register("/scoped", catchers![unauthorized]));
    assert_eq!(theirs(&client, ""), [0u16; 0]);
    assert_eq!(theirs(&client, "/scoped"), [401]);
}

#[test]
fn catchers_may_be_registered_before_or_after_the_fairing() {
    let before = rocket::custom(figment(FLASK)).register("/", catchers![unauthorized]);
    let client = Client::untracked(before.attach(fairing())).unwrap();
    assert_eq!(client.get("/").dispatch().status().code, 404);
}

#[test]
fn what_is_no_refusal_is_answered_as_without_the_fairing() {
    let without = Client::untracked(rocket::custom(figment("")).mount("/", routes![own])).unwrap();
    let with = app(bare("", fairing()));
    for status in [400, 401, 403, 404, 422, 500, 503] {
        for accept in [Accept::HTML, Accept::JSON] {
            let uri = format!("/own/{status}");
            let expected = without.get(&uri).header(accept.clone()).dispatch();
            let response = with.get(&uri).header(accept).dispatch();
            assert_eq!(response.status(), expected.status());
            assert_eq!(response.content_type(), expected.content_type(), "{status}");
            assert_eq!(response.headers().get_one("WWW-Authenticate"), None, "{status}");
            assert_eq!(response.into_string(), expected.into_string(), "{status}");
        }
    }
}

#[derive(Responder)]
#[response(status = 401)]
struct OwnChallenge(&'static str, ContentType, rocket::http::Header<'static>);

#[catch(401)]
fn own_challenge() -> OwnChallenge {
    let header = rocket::http::Header::new("WWW-Authenticate", "Own realm=\"x\"");
    OwnChallenge("own", ContentType::Plain, header)
}

#[catch(403)]
fn hidden() -> Custom<&'static str> {
    Custom(Status::NotFound, "no such page")
}

#[catch(422)]
fn moved() -> rocket::response::Redirect {
    rocket::response::Redirect::to("/login")
}

#[test]
fn a_challenge_of_the_applications_own_stands_and_none_is_put_where_it_does_not_belong() {
    let catchers = catchers![own_challenge, hidden, moved];
    let client = app(bare(FLASK, fairing()).register("/", catchers));
    let ask = |name: &str| {
        let case = cases().into_iter().find(|case| case.name == name).unwrap();
        let response = case.send(&client, "").dispatch();
        let challenges = response.headers().get("WWW-Authenticate");
        let challenges: Vec<_> = challenges.map(String::from).collect();
        (response.status().code, challenges)
    };
    assert_eq!(ask("nothing"), (401, vec!["Own realm=\"x\"".into()]));
    assert_eq!(ask("no permission"), (404, vec![]));
    assert_eq!(ask("few parts"), (303, vec![]));
    assert_eq!(ask("claims rejected"), (400, vec![]));
}
