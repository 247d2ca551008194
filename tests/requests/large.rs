//! Large requests are answered in time, whatever they are large in.

use std::time::{Duration, Instant};

use crate::support::arbitrary::app;
use crate::support::common::*;
use rocket::http::{ContentType, Header};
use rocket::local::blocking::LocalRequest;

/// The status, within a time that only what is worse than linear would miss.
fn ask(name: &str, request: LocalRequest<'_>) -> u16 {
    let start = Instant::now();
    let status = request.dispatch().status().code;
    let took = start.elapsed();
    assert!(took < Duration::from_secs(10), "{name}: {took:?}");
    status
}

#[test]
fn large_headers_cookies_and_queries() {
    let client = app();
    let many = |piece: &str| piece.repeat(300_000 / piece.len());
    let good = access();
    for (name, value, status) in [
        ("Authorization", many(","), 401),
        ("Authorization", many("Bearer x,"), 422),
        ("Authorization", format!("{}Bearer {good}", many("Basic x, ")), 200),
        ("Authorization", format!("Bearer {}", many(".")), 422),
        ("Authorization", format!("Bearer {}", many("a b ")), 422),
        ("Authorization", format!("Bearer {}.{good}", many("e30")), 422),
        ("Cookie", many(";"), 401),
        ("Cookie", many("a=b; "), 401),
        ("Cookie", many("access_token_cookie=x;"), 422),
        ("Cookie", many("%61ccess_token_cookie=x;"), 401),
        ("Cookie", format!("{}access_token_cookie={good}", many("a=b;")), 200),
    ] {
        let start = value.get(..30).unwrap_or(&value).to_string();
        let request = client.get("/access").header(Header::new(name, value));
        assert_eq!(ask(&start, request), status, "{name}: {start}");
    }
    for (query, status) in [
        (many("&"), 401),
        (many("a=b&"), 401),
        (many("jwt=x&"), 422),
        (format!("jwt={}", many("%2e")), 422),
        (format!("{}jwt={good}", many("a=b&")), 200),
    ] {
        let request = client.get(format!("/access?{query}"));
        assert_eq!(ask("query", request), status, "{}", &query[..20]);
    }
}

#[test]
fn large_bodies() {
    let client = app();
    let many = |piece: &str, bytes: usize| piece.repeat(bytes / piece.len());
    const JSON: usize = 900_000;
    const MULTIPART: &str = "multipart/form-data; boundary=X";
    const URLENCODED: &str = "application/x-www-form-urlencoded";
    for (body, status) in [
        (many("{\"a\":", JSON), 401),
        (many("[", JSON), 401),
        (format!("{{{}\"a\":1}}", many("\"access_token\":1,", JSON)), 422),
        (format!("{{{}\"access_token\":\"{}\"}}", many("\"a\":1,", JSON), access()), 200),
        (format!("{{\"access_token\":\"{}\"}}", many("e30.", JSON)), 422),
    ] {
        let request = client.post("/unit").header(ContentType::JSON).body(&body);
        assert_eq!(ask("json", request), status, "{}", &body[..20]);
    }

    let part = "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n";
    let proof = part.replace("\"a\"", "\"csrf_token\"").replace("\nb\r", "\nthe-csrf-value\r");
    for (content_type, body, status) in [
        (MULTIPART, format!("{}{proof}--X--\r\n", many(part, 1_000_000)), 200),
        (MULTIPART, many(part, 1_000_000), 401),
        (MULTIPART, many("--X\r\n", 1_000_000), 401),
        (MULTIPART, many("\r\n--", 1_000_000), 401),
        (URLENCODED, format!("{}csrf_token=the-csrf-value", many("a=b&", 30_000)), 200),
        (URLENCODED, many("csrf_token=x&", 30_000), 401),
    ] {
        let header = Header::new("Content-Type", content_type);
        let request = client.post("/unit").cookie(in_cookie(&access())).header(header);
        let answered = ask(content_type, request.body(&body));
        assert_eq!(answered, status, "{content_type} {}", &body[..20]);
    }
}
