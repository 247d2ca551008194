//! `on_rejection`: the application's words for every refusal.

use std::sync::{Arc, Mutex};

use crate::support::common::*;
use crate::support::refused_requests::{bare, cases, fairing, routes};
use crate::support::*;
use rocket::Request;
use rocket::http::{ContentType, Status};
use rocket::local::blocking::Client;
use rocket::response::status::{Custom, NoContent};
use rocket_jwt_extended::{JwtFairing, Rejection};
use serde_json::{Value, json};

#[get("/own/<status>")]
fn own(status: u16) -> Status {
    Status::new(status)
}

#[catch(401)]
fn unauthorized() -> &'static str {
    "the catcher"
}

fn app(fairing: JwtFairing) -> Client {
    let rocket = bare(FLASK, fairing).mount("/", routes()).mount("/", routes![own]);
    Client::untracked(rocket).unwrap()
}

#[test]
fn it_words_every_refusal_and_the_challenge_is_added() {
    let client = app(fairing().on_rejection(|rejection, request| {
        let body = json!({"oh": rejection.code(), "at": request.uri().path().as_str()});
        (rejection.status(), body)
    }));
    for case in cases() {
        if case.code == "not_issued" {
            continue;
        }
        let response = case.send(&client, "").dispatch();
        assert_eq!(response.status().code, case.status.unwrap_or(422), "{}", case.name);
        assert_eq!(response.content_type(), Some(ContentType::JSON), "{}", case.name);
        let challenge = response.headers().get_one("WWW-Authenticate").map(String::from);
        let expected = case.challenge.map(|rest| format!("Bearer{rest}"));
        assert_eq!(challenge, expected, "{}", case.name);
        let path = case.uri.split('?').next().unwrap();
        assert_eq!(answer(response).1, json!({"oh": case.code, "at": path}), "{}", case.name);
    }
}

#[test]
fn it_learns_header_and_claims_once_the_signature_held() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let to = seen.clone();
    let client = app(fairing().on_rejection(move |rejection, _| {
        let token = rejection.token();
        let claims = token.and_then(|token| token.claims.get("sub").cloned()).unwrap_or_default();
        let typ = token.and_then(|token| token.header().typ.clone());
        to.lock().unwrap().push((rejection.code(), claims, typ));
        rejection.clone()
    }));
    for case in cases() {
        let response = case.send(&client, "").dispatch();
        assert_eq!(answer(response).1, case.body("msg"), "{}", case.name);
    }
    let seen = seen.lock().unwrap();
    let of = |code: &str| -> Vec<(Value, Option<String>)> {
        let all = seen.iter().filter(|(seen, ..)| *seen == code);
        all.map(|(_, claims, typ)| (claims.clone(), typ.clone())).collect()
    };
    let jwt = Some("JWT".to_string());
    let known = |name: &str| (json!(name), jwt.clone());
    assert_eq!(of("token_missing"), [(Value::Null, None)]);
    assert_eq!(of("csrf_missing"), [(Value::Null, None)]);
    assert_eq!(of("csrf_mismatch"), [known("ada")]);
    for (code, name) in [
        ("token_expired", "ada"),
        ("token_revoked", "ada"),
        ("fresh_token_required", "ada"),
        ("claims_rejected", "ada"),
        ("insufficient_scope", "ada"),
        ("user_not_found", "eve"),
    ] {
        assert_eq!(of(code), [known(name)], "{code}");
    }
    assert_eq!(of("wrong_token_type"), [known("ada"), known("ada")]);
    assert_eq!(of("store_unavailable"), [known("ada"), known("down")]);
}

/// Refuses to answer where it has nothing to say.
fn status_alone(rejection: &Rejection, _: &Request<'_>) -> Status {
    rejection.status()
}

fn other_status(_: &Rejection, _: &Request<'_>) -> Result<NoContent, Status> {
    Err(Status::NotFound)
}

#[test]
fn any_responder_is_an_answer_also_a_status_alone() {
    for (fairing, invalid, forbidden) in [
        (fairing().on_rejection(status_alone), 422, 403),
        (fairing().on_rejection(other_status), 404, 404),
        (fairing().on_rejection(|_, _| Custom(Status::Gone, "gone")), 410, 410),
        (fairing().on_rejection(|_, _| "text"), 200, 200),
    ] {
        let client = app(fairing);
        for case in cases() {
            let expected = match case.name {
                "few parts" => invalid,
                "no permission" => forbidden,
                _ => continue,
            };
            let response = case.send(&client, "").dispatch();
            assert_eq!(response.status().code, expected, "{}", case.name);
        }
    }
}

#[test]
fn it_is_not_asked_about_anything_else() {
    let client = app(fairing().on_rejection(|_, _| (Status::ImATeapot, "mine")));
    for status in [400, 401, 403, 422, 500, 503] {
        let response = client.get(format!("/own/{status}")).dispatch();
        assert_eq!(response.status().code, status);
        assert_ne!(response.into_string().as_deref(), Some("mine"));
    }
}

#[test]
fn a_catcher_of_the_application_stands_before_it() {
    let fairing = fairing().on_rejection(|rejection, _| (rejection.status(), "the hook"));
    let rocket = bare(FLASK, fairing).mount("/", routes()).register("/", catchers![unauthorized]);
    let client = Client::untracked(rocket).unwrap();
    assert_eq!(said(client.get("/access").dispatch()), (401, "the catcher".into()));
    let response = client.get("/access").header(Bearer("x")).dispatch();
    assert_eq!(said(response), (422, "the hook".into()));
}
