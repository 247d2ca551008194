//! The CSRF value in a form field: for `WithBody` alone, and only if switched on.

use crate::common::*;
use crate::support::*;
use rocket::form::Form;
use rocket::http::{ContentType, Header};
use rocket::local::blocking::Client;
use rocket_jwt_extended::{AccessToken, Optional, RefreshToken, WithBody};

#[derive(FromForm)]
struct Note {
    text: String,
}

#[post("/", data = "<note>")]
fn note(note: WithBody<AccessToken, Form<Note>>) -> String {
    format!("{}: {}", note.token.identity(), note.body.text)
}

#[post("/refresh", data = "<body>")]
fn renewed(body: WithBody<RefreshToken>) -> String {
    body.token.identity().into()
}

#[post("/optional", data = "<body>")]
fn optional(body: WithBody<Optional>) -> String {
    body.token.token().map_or("nobody", |token| token.identity()).into()
}

#[post("/plain")]
fn plain(token: AccessToken) -> String {
    token.identity().into()
}

fn app(toml: &str) -> Client {
    let toml = format!("token_location = \"cookies\"\n{toml}");
    clocked(&toml, routes![note, renewed, optional, plain]).0
}

const ON: &str = "csrf_check_form = true\n";

fn submit(client: &Client, uri: &'static str, form: &str, headers: &[&str]) -> (u16, String) {
    let request = client.post(uri).cookie(in_cookie(&access())).header(ContentType::Form);
    let request = request.cookie(in_refresh_cookie(&refresh()));
    said(with_lines(request, "X-CSRF-TOKEN", headers).body(form).dispatch())
}

fn multipart(client: &Client, fields: &[(&str, &str)]) -> (u16, String) {
    let mut body = String::new();
    for (disposition, value) in fields {
        let head = format!("Content-Disposition: form-data; {disposition}");
        body += &format!("--XX\r\n{head}\r\n\r\n{value}\r\n");
    }
    let content_type = Header::new("Content-Type", "multipart/form-data; boundary=XX");
    let request = client.post("/").cookie(in_cookie(&access())).header(content_type);
    said(request.body(body + "--XX--\r\n").dispatch())
}

fn missing() -> (u16, String) {
    (401, "Missing CSRF token".into())
}

fn mismatch() -> (u16, String) {
    (401, "CSRF double submit tokens do not match".into())
}

#[test]
fn a_field_counts_only_if_switched_on() {
    let form = "text=hi&csrf_token=the-csrf-value";
    assert_eq!(submit(&app(""), "/", form, &[]), missing());
    assert_eq!(submit(&app(ON), "/", form, &[]), (200, "ada: hi".into()));
    assert_eq!(submit(&app(""), "/", form, &["the-csrf-value"]), (200, "ada: hi".into()));
}

#[test]
fn a_field_is_read_from_both_kinds_of_form() {
    let client = app(ON);
    let proof = ("name=\"csrf_token\"", "the-csrf-value");
    let text = ("name=\"text\"", "hi");
    assert_eq!(multipart(&client, &[text, proof]), (200, "ada: hi".into()));
    assert_eq!(multipart(&client, &[proof, text]), (200, "ada: hi".into()));
    assert_eq!(multipart(&client, &[text]), missing());
    assert_eq!(multipart(&client, &[text, ("name=\"csrf_token\"", "x")]), mismatch());
    let file = ("name=\"csrf_token\"; filename=\"a\"", "the-csrf-value");
    assert_eq!(multipart(&client, &[text, file]), missing(), "a file is no field");
    let json = client.post("/").cookie(in_cookie(&access())).header(ContentType::JSON);
    let response = json.body(r#"{"csrf_token": "the-csrf-value", "text": "hi"}"#).dispatch();
    assert_eq!(said(response), missing(), "JSON is no form");
}

#[test]
fn a_field_must_be_there_once_and_be_right() {
    let client = app(ON);
    for (form, expected) in [
        ("text=hi", missing()),
        ("text=hi&csrf_token=", missing()),
        ("text=hi&CSRF_TOKEN=the-csrf-value", missing()),
        ("text=hi&csrf_token=the-csrf-value&csrf_token=the-csrf-value", missing()),
        ("text=hi&csrf_token=x", mismatch()),
        ("text=hi&csrf_token=the-csrf-value%00", mismatch()),
        ("text=hi&csrf_token=%C3%A4", mismatch()),
        ("text=hi&csrf_token=%ff", mismatch()),
        ("text=hi&csrf%5ftoken=the%2Dcsrf-value", (200, "ada: hi".into())),
    ] {
        assert_eq!(submit(&client, "/", form, &[]), expected, "{form}");
    }
}

#[test]
fn the_header_wins_over_the_field_even_when_it_is_wrong() {
    let client = app(ON);
    let form = "text=hi&csrf_token=the-csrf-value";
    assert_eq!(submit(&client, "/", form, &["wrong"]), mismatch());
    assert_eq!(submit(&client, "/", form, &[""]), (200, "ada: hi".into()));
    let wrong = "text=hi&csrf_token=wrong";
    assert_eq!(submit(&client, "/", wrong, &["the-csrf-value"]), (200, "ada: hi".into()));
}

#[test]
fn the_hint_names_the_field_where_it_is_read() {
    let named = "send the value of the cookie `csrf_access_token` in the header `X-CSRF-TOKEN`";
    for (toml, uri, expected) in [
        ("", "/", named.to_string()),
        (ON, "/", format!("{named} or in the form field `csrf_token`")),
        (ON, "/plain", format!("{named}; this route does not read the form field `csrf_token`")),
    ] {
        let client = app(toml);
        for form in ["text=hi", "text=hi&csrf_token=x"] {
            let request = client.post(uri).cookie(in_cookie(&access())).header(ContentType::Form);
            let (_, body) = answer(request.body(form).dispatch());
            assert_eq!(body["hint"], expected, "{toml} {uri} {form}");
        }
    }
    let client = app(&format!("{ON}refresh_csrf_field_name = \"r\"\ncsrf_in_cookies = false"));
    let request = client.post("/refresh").cookie(in_refresh_cookie(&refresh()));
    let (_, body) = answer(request.header(ContentType::Form).body("a=b").dispatch());
    let expected =
        "send the CSRF value of the token in the header `X-CSRF-TOKEN` or in the form field `r`";
    assert_eq!(body["hint"], expected);
}

#[test]
fn a_plain_guard_cannot_read_the_field_and_refuses() {
    let client = app(ON);
    assert_eq!(submit(&client, "/plain", "csrf_token=the-csrf-value", &[]), missing());
    assert_eq!(submit(&client, "/plain", "", &["the-csrf-value"]), let_in("ada"));
}

#[test]
fn access_and_refresh_tokens_have_fields_of_their_own() {
    let client =
        app(&format!("{ON}access_csrf_field_name = \"a\"\nrefresh_csrf_field_name = \"r\""));
    assert_eq!(submit(&client, "/", "text=hi&a=the-csrf-value", &[]), (200, "ada: hi".into()));
    assert_eq!(submit(&client, "/refresh", "r=the-csrf-value", &[]), let_in("ada"));
    assert_eq!(submit(&client, "/", "text=hi&r=the-csrf-value", &[]), missing());
    assert_eq!(submit(&client, "/refresh", "a=the-csrf-value", &[]), missing());
    assert_eq!(submit(&client, "/", "text=hi&csrf_token=the-csrf-value", &[]), missing());
}

#[test]
fn an_optional_token_needs_the_field_as_well() {
    let client = app(ON);
    assert_eq!(submit(&client, "/optional", "csrf_token=the-csrf-value", &[]), let_in("ada"));
    assert_eq!(submit(&client, "/optional", "", &[]), missing());
    let nobody = client.post("/optional").header(ContentType::Form).body("a=b").dispatch();
    assert_eq!(said(nobody), let_in("nobody"));
}
