//! A token in the header `Authorization`.

use crate::support::common::*;
use crate::support::*;
use rocket::local::blocking::Client;
use rocket_jwt_extended::{AccessToken, Optional};

#[get("/")]
fn protected(token: AccessToken) -> String {
    token.identity().into()
}

#[get("/optional")]
fn optional(token: Optional) -> String {
    token.token().map_or("nobody", |token| token.identity()).into()
}

fn app(toml: &str) -> Client {
    clocked(&format!("{FLASK}{toml}"), routes![protected, optional]).0
}

fn ask(client: &Client, uri: &'static str, lines: &[&str]) -> (u16, String) {
    said(with_lines(client.get(uri), "Authorization", lines).dispatch())
}

const NO_SCHEME: &str =
    "Missing 'Bearer' type in 'Authorization' header. Expected 'Authorization: Bearer <JWT>'";
const BAD: &str = "Bad Authorization header. Expected 'Authorization: Bearer <JWT>'";

#[test]
fn without_anything_in_the_header_no_token_was_sent() {
    let client = app("");
    for lines in [&[][..], &[""], &["   "], &[","], &[" , ,, "], &["", "  "], &[",", "\t"]] {
        let missing = (401, "Missing Authorization Header".to_string());
        assert_eq!(ask(&client, "/", lines), missing, "{lines:?}");
        assert_eq!(ask(&client, "/optional", lines), let_in("nobody"), "{lines:?}");
    }
}

#[test]
fn credentials_of_another_scheme_are_no_token() {
    let client = app("");
    let token = access();
    let lines = [
        "Basic x".to_string(),
        "Basic YWRhOmxvdmVsYWNl".into(),
        "basic creds".into(),
        format!("Basic {token}"),
        format!("Bearer{token}"),
        format!("Bearer={token}"),
        format!("Bearer:{token}"),
        token.clone(),
        format!("\"Bearer\" {token}"),
        format!("Token {token}, Digest {token}"),
        "x".into(),
    ];
    for line in &lines {
        assert_eq!(ask(&client, "/", &[line]), (401, NO_SCHEME.into()), "{line}");
        assert_eq!(ask(&client, "/optional", &[line]), let_in("nobody"), "{line}");
    }
}

#[test]
fn the_scheme_without_exactly_one_token_is_a_bad_header_also_where_a_token_is_optional() {
    let client = app("");
    let token = access();
    let lines = [
        "Bearer".to_string(),
        "Bearer ".into(),
        "Bearer \t ".into(),
        "bearer".into(),
        format!("Bearer {token} extra"),
        format!("Bearer {token} {token}"),
        "Bearer a b c".into(),
        "Foo 1, Bearer, Baz, 3".into(),
        "Bearer ,,0".into(),
    ];
    for line in &lines {
        for uri in ["/", "/optional"] {
            assert_eq!(ask(&client, uri, &[line]), (422, BAD.into()), "{uri} {line}");
        }
    }
}

#[test]
fn what_is_no_token_behind_the_scheme_is_malformed_also_where_a_token_is_optional() {
    let client = app("");
    for (line, text) in [
        ("Bearer xxx", "Not enough segments"),
        ("Foo 1, Bearer 2, Baz, 3", "Not enough segments"),
        ("Bearer .", "Not enough segments"),
        ("Bearer ..", "Invalid header string"),
        ("Bearer ....", "Too many segments"),
    ] {
        for uri in ["/", "/optional"] {
            assert_eq!(ask(&client, uri, &[line]), (422, text.into()), "{uri} {line}");
        }
    }
    let quoted = format!("Bearer \"{}\"", access());
    assert_eq!(ask(&client, "/", &[&quoted]), (422, "Invalid header padding".into()));
    let escaped = format!("Bearer {}", access().replace('.', "%2e"));
    assert_eq!(ask(&client, "/", &[&escaped]), (422, "Not enough segments".into()));
}

#[test]
fn the_scheme_is_compared_without_case_and_white_space_is_free() {
    let client = app("");
    let token = access();
    for line in [
        format!("Bearer {token}"),
        format!("bearer {token}"),
        format!("BEARER {token}"),
        format!("bEaReR {token}"),
        format!("Bearer  {token}"),
        format!("Bearer\t{token}"),
        format!("  Bearer {token}  "),
        format!("Bearer \t {token}\t"),
    ] {
        assert_eq!(ask(&client, "/", &[&line]), let_in("ada"), "{line}");
        assert_eq!(ask(&client, "/optional", &[&line]), let_in("ada"), "{line}");
    }
}

#[test]
fn other_credentials_and_empty_fields_beside_the_token_are_passed_over() {
    let client = app("");
    let token = access();
    for line in [
        format!("Bearer {token}, Basic creds"),
        format!("Basic creds, Bearer {token}"),
        format!("Bearer {token},Basic creds"),
        format!("Basic creds,Bearer {token}"),
        format!("Bearer {token},   "),
        format!("Bearer {token} , "),
        format!(",Bearer {token}"),
        format!("Basic a,, Bearer {token}"),
        format!("Basic a,   , Bearer {token}"),
        format!(",,,  ,Bearer {token},,"),
    ] {
        assert_eq!(ask(&client, "/", &[&line]), let_in("ada"), "{line}");
    }
    let bearer = format!("Bearer {token}");
    for lines in [["Basic creds", &bearer], [&bearer, "Basic creds"], ["", &bearer]] {
        assert_eq!(ask(&client, "/", &lines), let_in("ada"), "{lines:?}");
    }
}

#[test]
fn two_tokens_are_refused_even_if_one_or_both_are_good() {
    let client = app("");
    let (one, other) = (format!("Bearer {}", access()), format!("Bearer {}", access()));
    let both = format!("{one}, {other}");
    let same = format!("{one}, {one}");
    for lines in [
        &[&*one, &*other][..],
        &[&one, &one],
        &[&both],
        &[&same],
        &[&one, "Bearer x"],
        &["Bearer x", &one],
        &["bearer x, BEARER y"],
        &["Bearer", &one],
    ] {
        for uri in ["/", "/optional"] {
            let refused = (422, "More than one token was sent".to_string());
            assert_eq!(ask(&client, uri, lines), refused, "{uri} {lines:?}");
        }
    }
}
