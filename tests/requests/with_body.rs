//! `WithBody`: token, CSRF value and body out of one body.

use crate::support::common::*;
use crate::support::users::{NotBob, User};
use crate::support::*;
use rocket::Request;
use rocket::data::{Limits, ToByteUnit};
use rocket::form::Form;
use rocket::http::{ContentType, Header, Status};
use rocket::local::blocking::{Client, LocalRequest};
use rocket::serde::{Deserialize, json::Json};
use rocket_jwt_extended::{
    BodyError, CurrentUser, FromBody, In, JsonBody, Jwt, Optional, Require, WithBody,
};

#[derive(Deserialize, FromForm)]
#[serde(crate = "rocket::serde")]
struct Note<'r> {
    text: &'r str,
    count: Option<u8>,
}

#[post("/unit", data = "<body>")]
fn unit(body: WithBody) -> String {
    body.token.identity().into()
}

#[post("/bytes", data = "<body>")]
fn bytes(body: WithBody<Optional, &[u8]>) -> String {
    let who = body.token.token().map_or("nobody", |token| token.identity());
    format!("{who}: {:?}", body.body)
}

#[post("/json", data = "<note>")]
fn json(note: WithBody<Optional<In<JsonBody>>, Json<Note<'_>>>) -> String {
    let who = note.token.token().map_or("nobody", |token| token.identity());
    format!("{who}: {} {:?}", note.body.text, note.body.count)
}

#[post("/form", data = "<note>")]
fn form(note: WithBody<Require<NotBob, CurrentUser<User>>, Form<Note<'_>>>) -> String {
    format!("{}: {} {:?}", note.token.name, note.body.text, note.body.count)
}

/// The application's own kind of body.
struct Lines(usize);

impl<'r> FromBody<'r> for Lines {
    type Error = &'static str;

    fn from_body(_: &'r Request<'_>, body: &'r [u8]) -> Result<Self, (Status, Self::Error)> {
        match std::str::from_utf8(body) {
            Ok(text) => Ok(Lines(text.lines().count())),
            Err(_) => Err((Status::ImATeapot, "no text")),
        }
    }
}

#[post("/own", data = "<body>")]
fn own(body: Result<WithBody<Optional, Lines>, BodyError<&'static str>>) -> String {
    match body {
        Ok(body) => body.body.0.to_string(),
        Err(BodyError::Rejected(rejection)) => format!("rejected: {rejection}"),
        Err(BodyError::TooLarge) => "too large".into(),
        Err(error) => format!("{error:?}"),
    }
}

fn app() -> Client {
    let limits = Limits::default()
        .limit("json", 2.kibibytes())
        .limit("form", 1.kibibytes())
        .limit("bytes", 512.bytes());
    let figment = figment("token_location = [\"json\", \"headers\"]\n").merge(("limits", limits));
    let rocket = rocket::custom(figment)
        .attach(Jwt::fairing().clock(clock_at_start()))
        .mount("/", routes![unit, bytes, json, form, own]);
    Client::untracked(rocket).unwrap()
}

fn post<'c>(client: &'c Client, uri: &'static str, content_type: &str) -> LocalRequest<'c> {
    client.post(uri).header(Header::new("Content-Type", content_type.to_string()))
}

fn dispatch(request: LocalRequest<'_>, body: impl AsRef<[u8]>) -> (u16, String) {
    said(request.body(body).dispatch())
}

#[test]
fn the_body_is_read_into_what_the_route_names() {
    let client = app();
    let auth =
        |request: LocalRequest<'_>, body: &str| dispatch(request.header(Bearer(&access())), body);
    assert_eq!(auth(client.post("/unit"), "anything"), let_in("ada"));
    assert_eq!(auth(client.post("/bytes"), "\u{1}\u{2}"), let_in("ada: [1, 2]"));
    assert_eq!(dispatch(client.post("/bytes"), ""), let_in("nobody: []"));
    let form = post(&client, "/form", "application/x-www-form-urlencoded");
    assert_eq!(auth(form, "text=a+b&count=3"), let_in("ada: a b Some(3)"));
    let form = post(&client, "/form", "multipart/form-data; boundary=X");
    let field = "--X\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nhi\r\n--X--\r\n";
    assert_eq!(auth(form, field), let_in("ada: hi None"));
    assert_eq!(dispatch(client.post("/own"), "a\nb"), let_in("2"));
}

#[test]
fn an_optional_token_and_the_note_come_out_of_the_same_json() {
    let client = app();
    let ask = |body: String| dispatch(post(&client, "/json", "application/json"), body);
    assert_eq!(ask(r#"{"text": "hi"}"#.into()), let_in("nobody: hi None"));
    let good = format!(r#"{{"text": "hi", "count": 1, "access_token": "{}"}}"#, access());
    assert_eq!(ask(good), let_in("ada: hi Some(1)"));
    let bad = r#"{"text": "hi", "access_token": "x"}"#;
    assert_eq!(ask(bad.into()), (401, "Not enough segments".into()));
}

#[test]
fn the_token_is_checked_before_the_body_is_read() {
    let client = app();
    let bodies = [("application/json", "{"), ("text/plain", ""), ("image/png", "x")];
    for (content_type, body) in bodies {
        let (status, _) = dispatch(post(&client, "/form", content_type), body);
        assert_eq!(status, 401, "{content_type}");
    }
}

#[test]
fn a_body_that_does_not_read_is_the_clients_fault() {
    let client = app();
    for (content_type, body, status) in [
        ("application/json", &b"{"[..], 400),
        ("application/json", b"", 400),
        ("application/json", b"{\"text\": \"\xff\"}", 400),
        ("application/json", b"{\"text\": 5}", 422),
        ("application/json", b"{\"text\": \"x\", \"text\": \"y\"}", 422),
        ("application/json", b"{}", 422),
        ("application/json", b"[]", 422),
        ("application/json", b"{\"text\": \"x\"} x", 400),
        ("text/plain", b"{\"text\": \"x\"}", 415),
        ("application/x-www-form-urlencoded", b"text=x", 415),
    ] {
        let text = String::from_utf8_lossy(body).into_owned();
        let (found, _) = dispatch(post(&client, "/json", content_type), body);
        assert_eq!(found, status, "{content_type} {text}");
    }
    for (content_type, body, status) in [
        ("application/x-www-form-urlencoded", "", 422),
        ("application/x-www-form-urlencoded", "count=3", 422),
        ("multipart/form-data; boundary=X", "--X", 415),
        ("multipart/form-data", "--X--", 415),
        ("multipart/form-data; boundary=", "----", 415),
        ("application/json", r#"{"text": "x"}"#, 415),
    ] {
        let request = post(&client, "/form", content_type).header(Bearer(&access()));
        assert_eq!(dispatch(request, body).0, status, "{content_type} {body}");
    }
    assert_eq!(dispatch(client.post("/own"), b"\xff"), let_in("Body(\"no text\")"));
}

#[test]
fn a_body_over_rockets_limit_is_413_and_nobody_is_let_in() {
    let client = app();
    let text = "x".repeat(3000);
    let auth =
        |request: LocalRequest<'_>, body: &str| dispatch(request.header(Bearer(&access())), body).0;
    let json = |length: usize| format!(r#"{{"text": "{}"}}"#, &text[..length]);
    assert_eq!(auth(post(&client, "/json", "application/json"), &json(1900)), 200);
    assert_eq!(auth(post(&client, "/json", "application/json"), &json(2100)), 413);
    assert_eq!(auth(post(&client, "/json", "application/vnd.api+json"), &json(2100)), 413);
    let form = "application/x-www-form-urlencoded";
    assert_eq!(auth(post(&client, "/form", form), &format!("text={}", &text[..1000])), 200);
    assert_eq!(auth(post(&client, "/form", form), &format!("text={}", &text[..1100])), 413);
    assert_eq!(auth(client.post("/unit"), &text[..512]), 200);
    assert_eq!(auth(client.post("/unit"), &text[..513]), 413);
    assert_eq!(dispatch(client.post("/own"), &text[..513]), let_in("too large"));
    let refused = client.post("/own").header(Bearer("x"));
    assert_eq!(dispatch(refused, ""), let_in("rejected: Not enough segments"));
}

#[test]
fn a_cookie_needs_its_csrf_value_beside_a_json_body_too() {
    let toml = "token_location = [\"json\", \"cookies\"]\ncsrf_check_form = true";
    let (client, _) = clocked(toml, routes![unit]);
    let request = || client.post("/unit").header(ContentType::JSON).cookie(in_cookie(&access()));
    let body = r#"{"csrf_token": "the-csrf-value"}"#;
    assert_eq!(dispatch(request(), body), (401, "Missing CSRF token".into()));
    assert_eq!(dispatch(request().header(csrf_header()), body), let_in("ada"));
    let own = format!(r#"{{"access_token": "{}"}}"#, access());
    assert_eq!(dispatch(request(), own), let_in("ada"), "the body's token needs none");
}
