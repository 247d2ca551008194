//! Tokens in headers. An input is the lines of one header, as in `seeds/header`.

use rocket::http::Header;
use rocket::local::blocking::Client;

use super::application::{Answer, ask, client, tokens};

thread_local! {
    static BEARER: Client = client("");
    static BARE: Client = client("header_name = \"X-Token\"\nheader_type = \"\"");
}

pub fn run(input: &[u8]) -> bool {
    let text = tokens().expand(input);
    let lines: Vec<&str> = text.split('\n').collect();
    let bearer = BEARER.with(|client| send(client, "Authorization", &lines));
    check(&bearer, bearer_token(&lines), &lines);
    let bare = BARE.with(|client| send(client, "X-Token", &lines));
    check(&bare, bare_token(&lines), &lines);
    bearer.is_let_in() || bare.is_let_in()
}

fn send(client: &Client, name: &'static str, lines: &[&str]) -> Answer {
    for path in ["/many", "/refresh"] {
        ask(with_lines(client, path, name, lines));
    }
    ask(with_lines(client, "/access", name, lines))
}

fn with_lines<'c>(
    client: &'c Client,
    path: &'static str,
    name: &'static str,
    lines: &[&str],
) -> rocket::local::blocking::LocalRequest<'c> {
    let mut request = client.get(path);
    for line in lines {
        request.add_header(Header::new(name, line.to_string()));
    }
    request
}

/// The content of a header's lines, parsed independently of the tested code.
#[derive(Debug, PartialEq)]
enum Found<'a> {
    Nothing,
    Token(&'a str),
    /// More than one token, or other text next to a token.
    Unclear,
}

/// Credentials of the configured scheme (RFC 9110 §11.6.2): one scheme and one token.
fn bearer_token<'a>(lines: &[&'a str]) -> Found<'a> {
    let fields = lines.iter().flat_map(|line| line.split(','));
    let mut ours = fields
        .map(|field| field.split_ascii_whitespace().collect::<Vec<_>>())
        .filter(|words| words.first().is_some_and(|word| word.eq_ignore_ascii_case("bearer")));
    match (ours.next().as_deref(), ours.next()) {
        (None, _) => Found::Nothing,
        (Some([_, token]), None) => Found::Token(token),
        _ => Found::Unclear,
    }
}

/// A header that contains only the token.
fn bare_token<'a>(lines: &[&'a str]) -> Found<'a> {
    let mut full = lines.iter().filter(|line| !line.trim().is_empty());
    match (full.next(), full.next()) {
        (None, _) => Found::Nothing,
        (Some(line), None) => match line.split_ascii_whitespace().collect::<Vec<_>>()[..] {
            [token] => Found::Token(token),
            _ => Found::Unclear,
        },
        _ => Found::Unclear,
    }
}

/// The server must find the same, and accept only the one valid token.
fn check(answer: &Answer, found: Found<'_>, lines: &[&str]) {
    let is_good = found == Found::Token(&tokens().access);
    assert_eq!(answer.is_let_in(), is_good, "{answer:?} {found:?} {lines:?}");
    assert_eq!(answer.text == "token_missing", found == Found::Nothing, "{answer:?} {lines:?}");
    if found == Found::Unclear {
        assert_eq!(answer.text, "token_invalid", "{lines:?}");
    }
}
