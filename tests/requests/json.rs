//! A token in a JSON body.

use crate::support::common::*;
use crate::support::*;
use rocket::http::{ContentType, Header};
use rocket::local::blocking::Client;
use rocket::serde::json::Json;
use rocket_jwt_extended::{
    AccessToken, AnyToken, Claims, In, JsonBody, Optional, RefreshToken, WithBody,
};

#[post("/", data = "<body>")]
fn protected(body: WithBody) -> String {
    body.token.identity().into()
}

#[get("/", data = "<body>")]
fn by_get(body: WithBody) -> String {
    body.token.identity().into()
}

#[post("/refresh", data = "<body>")]
fn renewed(body: WithBody<RefreshToken>) -> String {
    body.token.identity().into()
}

#[post("/any", data = "<body>")]
fn any(body: WithBody<AnyToken>) -> String {
    format!("{} by {}", body.token.identity(), body.token.token_type())
}

#[post("/optional", data = "<body>")]
fn optional(body: WithBody<Optional>) -> String {
    body.token.token().map_or("nobody", |token| token.identity()).into()
}

#[post("/both", data = "<body>")]
fn both(body: WithBody<In<JsonBody>, Json<Claims>>) -> String {
    format!("{} sends {}", body.token.identity(), body.body.len())
}

#[post("/plain")]
fn plain(token: AccessToken) -> String {
    token.identity().into()
}

fn app(toml: &str) -> Client {
    let toml = format!("{FLASK}token_location = \"json\"\n{toml}");
    clocked(&toml, routes![protected, by_get, renewed, any, optional, both, plain]).0
}

fn post(client: &Client, uri: &'static str, body: impl AsRef<[u8]>) -> (u16, String) {
    said(client.post(uri).header(ContentType::JSON).body(body).dispatch())
}

fn as_type(client: &Client, uri: &'static str, content_type: Option<&str>) -> (u16, String) {
    let mut request = client.post(uri);
    if let Some(content_type) = content_type {
        request = request.header(Header::new("Content-Type", content_type.to_string()));
    }
    said(request.body(format!(r#"{{"access_token": "{}"}}"#, access())).dispatch())
}

fn missing(key: &str) -> (u16, String) {
    (401, format!("Missing \"{key}\" key in json data."))
}

#[test]
fn a_body_of_another_type_is_not_looked_into() {
    let client = app("");
    let text = "Invalid content-type. Must be application/json.";
    for content_type in [
        None,
        Some("text/json"),
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/jsonp"),
        Some("nonsense"),
        Some("application/xml; q=json"),
        Some("text/plain; application/json"),
        Some("*/*"),
    ] {
        assert_eq!(as_type(&client, "/", content_type), (401, text.into()), "{content_type:?}");
        assert_eq!(as_type(&client, "/optional", content_type), let_in("nobody"));
    }
}

#[test]
fn json_and_every_type_with_its_suffix_is_looked_into() {
    let client = app("");
    for content_type in [
        "application/json",
        "application/json;charset=UTF-8",
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/merge-patch+json",
        "application/vnd.api+json",
    ] {
        assert_eq!(as_type(&client, "/", Some(content_type)), let_in("ada"), "{content_type}");
    }
}

#[test]
fn a_body_that_is_no_object_with_the_key_holds_no_token() {
    let client = app("");
    let token = access();
    for body in [
        "".to_string(),
        "{}".into(),
        "null".into(),
        "[]".into(),
        "5".into(),
        "true".into(),
        "[1, 2]".into(),
        r#""text""#.into(),
        format!("\"{token}\""),
        format!("[\"{token}\"]"),
        r#"{"access_token": null}"#.into(),
        r#"{"access_token": ""}"#.into(),
        r#"{"access_token": "#.into(),
        format!(r#"{{"access_token": "{token}"}} x"#),
        format!(r#"{{"access_token": "{token}"}}{{}}"#),
        format!(r#"{{"Access_Token": "{token}"}}"#),
        format!(r#"{{"a": {{"access_token": "{token}"}}}}"#),
        "\u{feff}{}".into(),
        "[".repeat(100_000),
        r#"{"a":"#.repeat(100_000),
    ] {
        let start = body.get(..60).unwrap_or(&body);
        assert_eq!(post(&client, "/", &body), missing("access_token"), "{start}");
        assert_eq!(post(&client, "/optional", &body), let_in("nobody"), "{start}");
    }
    assert_eq!(post(&client, "/", b"{\"access_token\": \"\xff\"}"), missing("access_token"));
}

#[test]
fn a_value_that_is_no_token_is_invalid_also_where_a_token_is_optional() {
    let client = app("");
    for uri in ["/", "/optional"] {
        for value in ["5", "1.5", "true", "false", "[]", "[\"x\"]", "{}", "{\"a\": 1}"] {
            let body = format!(r#"{{"access_token": {value}}}"#);
            assert_eq!(post(&client, uri, body), (422, "Token must be a string".into()), "{value}");
        }
        let token = access();
        for (value, text) in [
            (format!(" {token}"), "Invalid header padding"),
            (format!("{token} "), "Invalid crypto padding"),
            (format!("{token}\\n"), "Invalid crypto padding"),
            ("x".into(), "Not enough segments"),
            (format!("Bearer {token}"), "Invalid header padding"),
        ] {
            let body = format!(r#"{{"access_token": "{value}"}}"#);
            assert_eq!(post(&client, uri, body), (422, text.into()), "{value}");
        }
    }
}

#[test]
fn each_kind_has_a_key_of_its_own_and_either_looks_under_both() {
    let client = app("");
    let access = format!(r#"{{"access_token": "{}"}}"#, access());
    let refresh = format!(r#"{{"refresh_token": "{}"}}"#, refresh());
    assert_eq!(post(&client, "/", &access), let_in("ada"));
    assert_eq!(post(&client, "/", &refresh), missing("access_token"));
    assert_eq!(post(&client, "/refresh", &refresh), let_in("ada"));
    assert_eq!(post(&client, "/refresh", &access), missing("refresh_token"));
    assert_eq!(post(&client, "/any", &access), let_in("ada by access"));
    assert_eq!(post(&client, "/any", &refresh), let_in("ada by refresh"));
    assert_eq!(post(&client, "/any", "{}"), missing("access_token"));
}

#[test]
fn other_keys_take_the_place_of_the_default_ones() {
    let client = app("json_key = \"Foo\"\nrefresh_json_key = \"Bar\"");
    let body = |key: &str, token: String| format!(r#"{{"{key}": "{token}"}}"#);
    assert_eq!(post(&client, "/", body("Foo", access())), let_in("ada"));
    assert_eq!(post(&client, "/refresh", body("Bar", refresh())), let_in("ada"));
    assert_eq!(post(&client, "/", body("access_token", access())), missing("Foo"));
    assert_eq!(post(&client, "/refresh", body("refresh_token", refresh())), missing("Bar"));
}

#[test]
fn two_members_of_one_name_are_two_tokens() {
    let client = app("");
    let token = access();
    let two = (422, "More than one token was sent".to_string());
    for members in [
        format!(r#""access_token": "x", "a": 1, "access_token": "{token}""#),
        format!(r#""access_token": "{token}", "access\u005ftoken": "x""#),
        format!(r#""access_token": "{token}", "access_token": "{token}""#),
        format!(r#""access_token": "{token}", "access_token": null"#),
        format!(r#""access_token": null, "access_token": "{token}""#),
        format!(r#""access_token": "", "b": {{}}, "access_token": "{token}""#),
        format!(r#""access_token": 5, "access_token": "{token}""#),
        r#""access_token": null, "access_token": null, "access_token": null"#.into(),
    ] {
        assert_eq!(post(&client, "/", format!("{{{members}}}")), two, "{members}");
    }
    // Elsewhere in the body a name may come again.
    let body = format!(r#"{{"a": {{"access_token": "x"}}, "access_token": "{token}", "a": 1}}"#);
    assert_eq!(post(&client, "/", body), let_in("ada"));
    // What is no JSON holds no token.
    let broken = format!(r#"{{"access_token": "x", "access_token": "{token}""#);
    assert_eq!(post(&client, "/", broken), missing("access_token"));
}

#[test]
fn a_get_may_have_a_body_with_a_token() {
    let client = app("");
    let request = client.get("/").header(ContentType::JSON);
    let response = request.body(format!(r#"{{"access_token": "{}"}}"#, access())).dispatch();
    assert_eq!(said(response), let_in("ada"));
}

#[test]
fn token_and_body_come_out_of_one_body_and_need_no_csrf_value() {
    let client = app("");
    let body = format!(r#"{{"access_token": "{}", "a": 1, "b": 2}}"#, access());
    assert_eq!(post(&client, "/both", body), (200, "ada sends 3".into()));
    let long = format!(r#"{{"a": "{}", "access_token": "{}"}}"#, "x".repeat(10_000), access());
    assert_eq!(post(&client, "/both", long), (200, "ada sends 2".into()));
}

#[test]
fn a_plain_guard_cannot_read_a_body_and_refuses() {
    let client = app("");
    let body = format!(r#"{{"access_token": "{}"}}"#, access());
    assert_eq!(post(&client, "/plain", body), missing("access_token"));
}
