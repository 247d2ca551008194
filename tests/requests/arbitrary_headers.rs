//! Arbitrary headers: only the one good token lets in.

use crate::support::arbitrary::{app, ask, check, text_of};
use crate::support::common::*;
use crate::support::*;
use proptest::prelude::*;
use rocket::http::{Header, Method};

/// What an `Authorization` header of these lines must be answered with, written down anew.
fn expected(lines: &[String], good: &str) -> (u16, Option<&'static str>) {
    let fields: Vec<&str> = lines
        .iter()
        .flat_map(|line| line.split(','))
        .filter(|field| !field.trim().is_empty())
        .collect();
    let words = |field: &str| -> Vec<String> {
        let words = field.split([' ', '\t', '\n', '\r', '\u{c}']).filter(|word| !word.is_empty());
        words.map(String::from).collect()
    };
    let ours: Vec<Vec<String>> = fields
        .iter()
        .map(|field| words(field))
        .filter(|words| words.first().is_some_and(|word| word.to_lowercase() == "bearer"))
        .collect();
    match ours.as_slice() {
        [] => (401, Some("token_missing")),
        [words] if words.len() == 2 && words[1] == good => (200, None),
        _ => (422, Some("token_invalid")),
    }
}

#[test]
fn an_authorization_header_lets_in_by_exactly_one_good_token() {
    let client = clocked(FLASK, vec![at::<rocket_jwt_extended::AccessToken>("/")]).0;
    let good = access();
    let pieces =
        ["Bearer", "bearer ", "Bearer ", "BEARER\t", "Basic x", ",", " ", "x", "a.b.c", ", "];
    let mut pieces: Vec<String> = pieces.map(String::from).to_vec();
    pieces.extend([good.clone(), format!("Bearer {good}"), format!("bearer  {good} ")]);
    let lines = proptest::collection::vec(text_of(pieces), 0..3);
    check(600, lines, |lines| {
        let texts: Vec<&str> = lines.iter().map(String::as_str).collect();
        let response = with_lines(client.get("/"), "Authorization", &texts).dispatch();
        let (status, body) = answer(response);
        let (wanted, code) = expected(&lines, &good);
        prop_assert_eq!(status.code, wanted);
        prop_assert_eq!(body["code"].as_str(), code);
        Ok(())
    });
}

#[test]
fn without_a_token_no_headers_let_in_and_none_are_the_servers_fault() {
    let client = app();
    let names =
        ["Authorization", "Cookie", "X-CSRF-TOKEN", "Content-Type", "Accept", "Host", "X-Any"];
    let pieces = [
        "Bearer ",
        "access_token_cookie=",
        "refresh_token_cookie=x",
        "; ",
        "a.b.c",
        "eyJhbGciOiJIUzI1NiJ9.",
        "application/json",
        "multipart/form-data; boundary=",
        "the-csrf-value",
        "*/*",
    ];
    let headers = proptest::collection::vec(
        (proptest::sample::select(names.to_vec()), text_of(pieces.map(String::from).to_vec())),
        0..6,
    );
    let methods = proptest::sample::select(vec![
        Method::Get,
        Method::Post,
        Method::Head,
        Method::Options,
        Method::Put,
    ]);
    let paths = ["/access", "/any", "/forward", "/unit", "/many", "/none"];
    let paths = proptest::sample::select(paths.to_vec());
    check(600, (methods, paths, headers), |(method, path, headers)| {
        let mut request = client.req(method, path);
        for (name, value) in headers {
            request.add_header(Header::new(name, value));
        }
        let (status, text) = ask(request)?;
        let nobody = text == "nobody" || method == Method::Head;
        prop_assert!(status != 200 || path == "/many" && nobody);
        Ok(())
    });
}

#[test]
fn a_csrf_value_is_right_or_the_request_is_refused() {
    let client = app();
    let token = access();
    let pieces = ["the-csrf-value", "the-", "csrf-value", "THE-CSRF-VALUE", " "];
    let values = proptest::collection::vec(text_of(pieces.map(String::from).to_vec()), 0..3);
    check(400, values, |values| {
        let sent: Vec<&str> = values.iter().map(String::as_str).collect();
        let request = client.post("/access").cookie(in_cookie(&token));
        let (status, _) = ask(with_lines(request, "X-CSRF-TOKEN", &sent))?;
        let counted: Vec<_> = sent.into_iter().filter(|value| !value.is_empty()).collect();
        prop_assert_eq!(status == 200, counted == ["the-csrf-value"]);
        Ok(())
    });
}
