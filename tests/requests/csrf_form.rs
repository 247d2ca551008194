//! The CSRF value in a form field: for `WithBody` alone, and only if switched on.

use crate::support::common::*;
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

/// A form whose parsing takes long, with the field at its end or without it.
fn large(content_type: &str, field: Option<&str>) -> String {
    let mut body = String::with_capacity(2 << 20);
    match content_type {
        "application/x-www-form-urlencoded" => {
            // Rocket's own limit for such forms is 32 KiB.
            while body.len() < 32_000 {
                body += "csrf_tokem=&";
            }
            field.iter().for_each(|value| body += &format!("csrf%5Ftoken={value}"));
        }
        _ => {
            let part = |name: &str, value: &str| {
                let head = format!("Content-Disposition: form-data; name=\"{name}\"");
                format!("--X\r\n{head}\r\n\r\n{value}\r\n")
            };
            let filling = part("a", "");
            while body.len() < 1_900_000 {
                body += &filling;
            }
            field.iter().for_each(|value| body += &part("csrf_token", value));
            body += "--X--\r\n";
        }
    }
    body
}

#[test]
fn the_refusal_of_a_large_form_is_that_of_a_small_one() {
    let toml = format!("{ON}invalid_token_status = 422");
    let client = app(&toml);
    let forged = {
        let token = access();
        let (message, _) = token.rsplit_once('.').unwrap();
        format!("{message}.{}", "A".repeat(43))
    };
    let expired = sign(&with(serde_json::json!({"exp": START})));
    let other = sign(&with(serde_json::json!({"type": "refresh"})));
    for content_type in ["application/x-www-form-urlencoded", "multipart/form-data; boundary=X"] {
        let send = |token: &str, field: Option<&str>| {
            let header = Header::new("Content-Type", content_type.to_string());
            let request = client.post("/optional").cookie(in_cookie(token)).header(header);
            said(request.body(large(content_type, field)).dispatch())
        };
        let right = Some("the-csrf-value");
        assert_eq!(send(&access(), right), let_in("ada"), "{content_type}");
        assert_eq!(send(&access(), Some("wrong")), mismatch(), "{content_type}");
        for token in [&access(), &forged, &expired, &other] {
            assert_eq!(send(token, None), missing(), "{content_type}");
        }
        let bad_signature = (422, "Signature verification failed".to_string());
        assert_eq!(send(&forged, right), bad_signature, "{content_type}");
        assert_eq!(send(&expired, right), (401, "Token has expired".into()), "{content_type}");
        let wrong_type = (422, "Only non-refresh tokens are allowed".to_string());
        assert_eq!(send(&other, right), wrong_type, "{content_type}");
    }
}

#[test]
fn a_small_form_of_an_expired_token_must_have_the_right_value_too() {
    let client = app(ON);
    let expired = sign(&with(serde_json::json!({"exp": START})));
    let body = "--X\r\nContent-Disposition: form-data; name=\"csrf_token\"\r\n\r\nx\r\n--X--\r\n";
    for (content_type, body) in [
        ("multipart/form-data; boundary=X", body),
        ("application/x-www-form-urlencoded", "csrf_token=x"),
    ] {
        let content_type = Header::new("Content-Type", content_type);
        let request = client.post("/optional").cookie(in_cookie(&expired)).header(content_type);
        assert_eq!(said(request.body(body).dispatch()), mismatch(), "{body}");
    }
}

/// The order of checks is kept as far as the first 16 KiB of a multipart form show the value. What comes
/// later is not parsed for a token that is good for nothing.
#[test]
fn a_large_multipart_form_of_an_expired_token_is_read_at_its_beginning() {
    let client = app(ON);
    let expired = sign(&with(serde_json::json!({"exp": START})));
    let part = |head: &str, value: &str| {
        format!("--X\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n")
    };
    let field = |value: &str| part("name=\"csrf_token\"", value);
    let text = |length: usize| part("name=\"text\"", &"x".repeat(length));
    let file = |length: usize| part("name=\"csrf_token\"; filename=\"a\"", &"x".repeat(length));
    let old = (401, "Token has expired".to_string());
    for (parts, expected) in [
        (field("wrong") + &text(20_000), mismatch()),
        (field("") + &text(20_000), missing()),
        (field("the-csrf-value") + &text(20_000), old.clone()),
        (text(15_000) + &field("wrong") + &text(5_000), mismatch()),
        (text(16_250) + &field(&"w".repeat(500)), old.clone()),
        (text(20_000) + &field("wrong"), old.clone()),
        (text(20_000) + &field("the-csrf-value"), old.clone()),
        (file(10) + &text(20_000), old.clone()),
        (text(20_000), missing()),
    ] {
        let header = Header::new("Content-Type", "multipart/form-data; boundary=X");
        let request = client.post("/optional").cookie(in_cookie(&expired)).header(header);
        let shown: String = parts.chars().filter(|c| *c != 'x').collect();
        assert_eq!(said(request.body(parts + "--X--\r\n").dispatch()), expected, "{shown}");
    }
}

#[test]
fn a_large_multipart_form_is_not_parsed_for_a_forged_token() {
    let client = app(ON);
    let token = access();
    let forged = format!("{}.AAAA", token.rsplit_once('.').unwrap().0);
    let content_type = "multipart/form-data; boundary=X";
    let took = |token: &str| {
        let body = large(content_type, Some("the-csrf-value"));
        let header = Header::new("Content-Type", content_type);
        let request = client.post("/optional").cookie(in_cookie(token)).header(header).body(body);
        let start = std::time::Instant::now();
        request.dispatch();
        start.elapsed()
    };
    let least = |token: &str, times| (0..times).map(|_| took(token)).min().unwrap();
    // Reading it takes a fraction of parsing it.
    let (forged, good) = (least(&forged, 5), least(&token, 2));
    assert!(forged * 4 < good, "{forged:?} for a forged token, {good:?} for a good one");
}
