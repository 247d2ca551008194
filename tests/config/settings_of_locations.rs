//! Settings of where tokens are looked for.

use crate::support::app::{App, said, shown, shown_beside};
use crate::support::*;
use rocket::http::{ContentType, Header};
use serde_json::{Value, json};

fn good() -> String {
    sign(&claims())
}

fn refresh() -> String {
    sign(&with(json!({"type": "refresh"})))
}

fn by_header<'a>(name: &'static str, value: String) -> impl Fn(&App) -> String + 'a {
    move |app| said(app.client.get("/me").header(Header::new(name, value.clone())).dispatch())
}

fn by_query<'a>(uri: &'static str, token: String) -> impl Fn(&App) -> String + 'a {
    move |app| said(app.client.get(format!("{uri}{token}")).dispatch())
}

fn by_json<'a>(uri: &'static str, body: Value) -> impl Fn(&App) -> String + 'a {
    move |app| {
        let request = app.client.post(uri).header(ContentType::JSON);
        said(request.body(body.to_string()).dispatch())
    }
}

#[test]
fn token_location_is_where_tokens_are_looked_for() {
    let missing = "401 Missing Authorization Header";
    shown("token_location = \"headers\"", ["ada", "ada"], |app| app.me(&good()));
    shown("token_location = \"cookies\"", [missing, "ada"], |app| {
        said(app.client.get("/me").cookie(("access_token_cookie", good())).dispatch())
    });
    let by_query_string = by_query("/me?jwt=", good());
    shown("token_location = [\"query_string\"]", [missing, "ada"], by_query_string);
    let body = by_json("/body", json!({"access_token": good()}));
    shown("token_location = [\"json\"]", [missing, "ada"], body);
    shown(
        "token_location = [\"cookies\", \"headers\"]",
        [
            missing,
            "401 Missing JWT in cookies or headers (Missing cookie \"access_token_cookie\"; \
                   Missing Authorization Header)",
        ],
        |app| said(app.client.get("/me").dispatch()),
    );
}

#[test]
fn a_place_that_is_not_configured_is_not_looked_at() {
    for place in ["headers", "cookies", "query_string", "json"] {
        let app = crate::support::app::app(&format!("token_location = \"{place}\""));
        let token = good();
        let by_header = app.me(&token);
        let request = app.client.get("/me").cookie(("access_token_cookie", good()));
        let by_cookie = said(request.dispatch());
        let answers = [
            ("headers", by_header),
            ("cookies", by_cookie),
            ("query_string", by_query("/me?jwt=", good())(&app)),
            ("json", by_json("/body", json!({"access_token": good()}))(&app)),
        ];
        for (other, answer) in answers {
            match other == place {
                true => assert_eq!(answer, "ada", "{place}"),
                false => assert!(answer.starts_with("401 "), "{other} at {place}: {answer}"),
            }
        }
    }
}

#[test]
fn token_location_is_also_the_order_of_precedence() {
    let of = |name: &str| sign(&with(json!({"sub": name})));
    let both = |app: &App| {
        let request = app.client.get("/me").header(Bearer(&of("header")));
        said(request.cookie(("access_token_cookie", of("cookie"))).dispatch())
    };
    shown("token_location = [\"headers\", \"cookies\"]", ["header", "header"], both);
    shown("token_location = [\"cookies\", \"headers\"]", ["header", "cookie"], both);
}

#[test]
fn header_name_is_the_header_that_is_read_in_any_case_of_letters() {
    let value = format!("Bearer {}", good());
    let missing = ["401 Missing Authorization Header", "ada"];
    shown("header_name = \"X-Token\"", missing, by_header("X-Token", value.clone()));
    shown("header_name = \"X-Token\"", missing, by_header("x-tOKEN", value.clone()));
    let expected = ["ada", "401 Missing X-Token Header"];
    shown("header_name = \"X-Token\"", expected, by_header("Authorization", value));
}

#[test]
fn header_type_is_the_scheme_in_any_case_of_letters() {
    let of = |scheme: &str| by_header("Authorization", format!("{scheme} {}", good()));
    let other = |expected: &str| {
        format!(
            "401 Missing '{expected}' type in 'Authorization' header. \
             Expected 'Authorization: {expected} <JWT>'"
        )
    };
    shown("header_type = \"JWT\"", [&other("Bearer"), "ada"], of("JWT"));
    shown("header_type = \"JWT\"", [&other("Bearer"), "ada"], of("jwt"));
    shown("header_type = \"JWT\"", ["ada", &other("JWT")], of("Bearer"));
    shown("header_type = \"JWT\"", ["ada", &other("JWT")], of("bEARER"));
}

#[test]
fn header_type_may_be_empty_so_that_the_header_is_the_token_alone() {
    let bad = "401 Bad Authorization header. Expected 'Authorization: <JWT>'";
    let missing = "401 Missing 'Bearer' type in 'Authorization' header. \
                   Expected 'Authorization: Bearer <JWT>'";
    shown("header_type = \"\"", [missing, "ada"], by_header("Authorization", good()));
    let with_scheme = by_header("Authorization", format!("Bearer {}", good()));
    shown("header_type = \"\"", ["ada", bad], with_scheme);
}

#[test]
fn query_string_name_is_the_parameter_letter_by_letter() {
    let base = "token_location = \"query_string\"";
    let lines = "query_string_name = \"token\"";
    let none = |name: &str| format!("401 Missing '{name}' query parameter");
    shown_beside(base, lines, [&none("jwt"), "ada"], by_query("/me?token=", good()));
    shown_beside(base, lines, [&none("jwt"), &none("token")], by_query("/me?TOKEN=", good()));
    shown_beside(base, lines, ["ada", &none("token")], by_query("/me?jwt=", good()));
}

#[test]
fn query_string_value_prefix_is_cut_off_letter_by_letter() {
    let base = "token_location = \"query_string\"";
    let lines = "query_string_value_prefix = \"Bearer \"";
    let bad = "401 Invalid value for query parameter 'jwt'. \
               Expected the value to start with 'Bearer '";
    let garbage = "401 Invalid header padding";
    let expected = [garbage, "ada"];
    shown_beside(base, lines, expected, by_query("/me?jwt=Bearer%20", good()));
    shown_beside(base, lines, expected, by_query("/me?jwt=Bearer+", good()));
    shown_beside(base, lines, [garbage, bad], by_query("/me?jwt=bearer%20", good()));
    shown_beside(base, lines, ["ada", bad], by_query("/me?jwt=", good()));
}

#[test]
fn json_key_is_the_member_on_access_routes() {
    let base = "token_location = \"json\"";
    let expected = ["401 Missing \"access_token\" key in json data.", "ada"];
    let given = by_json("/body", json!({"token": good()}));
    shown_beside(base, "json_key = \"token\"", expected, given);
    let expected = ["ada", "401 Missing \"token\" key in json data."];
    let usual = by_json("/body", json!({"access_token": good()}));
    shown_beside(base, "json_key = \"token\"", expected, usual);
}

#[test]
fn refresh_json_key_is_the_member_on_refresh_routes() {
    let base = "token_location = \"json\"";
    let lines = "refresh_json_key = \"again\"";
    let expected = ["401 Missing \"refresh_token\" key in json data.", "ada"];
    shown_beside(base, lines, expected, by_json("/renew-body", json!({"again": refresh()})));
    let expected = ["ada", "401 Missing \"again\" key in json data."];
    shown_beside(
        base,
        lines,
        expected,
        by_json("/renew-body", json!({"refresh_token": refresh()})),
    );
    let expected = ["ada", "ada"];
    shown_beside(base, lines, expected, by_json("/body", json!({"access_token": good()})));
}
