//! The header's name and scheme, configured.

use crate::support::common::*;
use crate::support::*;
use rocket::local::blocking::Client;
use rocket_jwt_extended::AccessToken;

#[get("/")]
fn protected(token: AccessToken) -> String {
    token.identity().into()
}

fn app(toml: &str) -> Client {
    clocked(&format!("{FLASK}{toml}"), routes![protected]).0
}

fn ask(client: &Client, name: &'static str, lines: &[&str]) -> (u16, String) {
    said(with_lines(client.get("/"), name, lines).dispatch())
}

#[test]
fn another_scheme_takes_the_place_of_bearer() {
    let client = app("header_type = \"JWT\"");
    let token = access();
    assert_eq!(ask(&client, "Authorization", &[&format!("JWT {token}")]), let_in("ada"));
    assert_eq!(ask(&client, "Authorization", &[&format!("jwt {token}")]), let_in("ada"));
    let text = "Missing 'JWT' type in 'Authorization' header. Expected 'Authorization: JWT <JWT>'";
    for line in [format!("Bearer {token}"), "Basic x".into()] {
        assert_eq!(ask(&client, "Authorization", &[&line]), (401, text.into()), "{line}");
    }
    let bad = "Bad Authorization header. Expected 'Authorization: JWT <JWT>'";
    assert_eq!(ask(&client, "Authorization", &["JWT"]), (422, bad.into()));
}

#[test]
fn a_challenge_names_the_configured_scheme() {
    for (toml, challenge) in
        [("header_type = \"JWT\"", "JWT"), ("header_type = \"\"", "Bearer"), ("", "Bearer")]
    {
        let client = app(toml);
        let response = client.get("/").dispatch();
        assert_eq!(response.headers().get("WWW-Authenticate").collect::<Vec<_>>(), [challenge]);
    }
}

#[test]
fn without_a_scheme_the_header_is_the_token_alone() {
    let client = app("header_type = \"\"");
    let token = access();
    for line in [token.clone(), format!("  {token} ")] {
        assert_eq!(ask(&client, "Authorization", &[&line]), let_in("ada"), "{line}");
    }
    let bad = "Bad Authorization header. Expected 'Authorization: <JWT>'";
    for line in [format!("Bearer {token}"), format!("{token} {token}"), "Basic x".into()] {
        assert_eq!(ask(&client, "Authorization", &[&line]), (422, bad.into()), "{line}");
    }
    // A comma separates nothing here.
    let (behind, before) = (format!("{token},x"), format!("x,{token}"));
    assert_eq!(ask(&client, "Authorization", &[&behind]), (422, "Invalid crypto padding".into()));
    assert_eq!(ask(&client, "Authorization", &[&before]), (422, "Invalid header padding".into()));
    assert_eq!(ask(&client, "Authorization", &[","]), (422, "Not enough segments".into()));
    let missing = (401, "Missing Authorization Header".to_string());
    for lines in [&[][..], &[""], &["  "]] {
        assert_eq!(ask(&client, "Authorization", lines), missing, "{lines:?}");
    }
    let two = (422, "More than one token was sent".to_string());
    assert_eq!(ask(&client, "Authorization", &[&token, &token]), two);
}

#[test]
fn another_header_takes_the_place_of_authorization() {
    let client = app("header_name = \"Foo\"");
    let line = format!("Bearer {}", access());
    for name in ["Foo", "foo", "FOO"] {
        assert_eq!(ask(&client, name, &[&line]), let_in("ada"), "{name}");
    }
    let missing = (401, "Missing Foo Header".to_string());
    assert_eq!(ask(&client, "Authorization", &[&line]), missing);
    assert_eq!(ask(&client, "Foo", &[" "]), missing);
    let text = "Missing 'Bearer' type in 'Foo' header. Expected 'Foo: Bearer <JWT>'";
    assert_eq!(ask(&client, "Foo", &["Basic x"]), (401, text.into()));
    let bad = "Bad Foo header. Expected 'Foo: Bearer <JWT>'";
    assert_eq!(ask(&client, "Foo", &["Bearer"]), (422, bad.into()));
}
