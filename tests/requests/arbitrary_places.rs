//! Arbitrary cookies and query strings.

use crate::support::arbitrary::{app, ask, check, text_of};
use crate::support::common::*;
use proptest::prelude::*;
use rocket::http::Cookie;
use rocket::http::uri::Origin;
use rocket::local::blocking::{Client, LocalRequest};

/// A request with that header, and with what Rocket reads from it in the jar.
fn with_cookies<'c>(client: &'c Client, path: &'static str, lines: &[String]) -> LocalRequest<'c> {
    let texts: Vec<&str> = lines.iter().map(String::as_str).collect();
    let request = with_lines(client.get(path), "Cookie", &texts);
    let pairs = lines.iter().flat_map(|line| line.split(';'));
    pairs.fold(request, |request, pair| match Cookie::parse_encoded(pair.trim().to_string()) {
        Ok(cookie) => request.cookie(cookie),
        Err(_) => request,
    })
}

#[test]
fn cookies_let_in_only_by_a_cookie_of_the_very_name() {
    let client = app();
    let good = access();
    let pieces = [
        "access_token_cookie=",
        "%61ccess_token_cookie=",
        "access_token_cookie",
        "refresh_token_cookie=",
        "; ",
        ";",
        "=",
        "x",
        "a=b",
        "a.b.c",
        "%ff",
        "%00",
    ];
    let mut pieces: Vec<String> = pieces.map(String::from).to_vec();
    pieces.extend([good.clone(), format!("access_token_cookie={good}; ")]);
    let lines = proptest::collection::vec(text_of(pieces), 0..3);
    check(600, lines, |lines| {
        let (status, _) = ask(with_cookies(&client, "/access", &lines))?;
        // The values of that name, as they are written.
        let mut values: Vec<&str> = lines
            .iter()
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| name.trim() == "access_token_cookie")
            .map(|(_, value)| value.trim())
            .collect();
        values.dedup();
        prop_assert_eq!(status == 200, values == [&good]);
        ask(with_cookies(&client, "/many", &lines))?;
        ask(with_cookies(&client, "/forward", &lines))?;
        Ok(())
    });
}

#[test]
fn query_strings_let_in_only_by_one_parameter_of_the_name() {
    let client = app();
    let good = access();
    let pieces = [
        "jwt=", "jwt", "&", "&&", "=", "%6Awt=", "jwt[]=", "jwt.a=", "a=b", "x", "%", "%ff", "%00",
        "+", "a.b.c", "%2E",
    ];
    let mut pieces: Vec<String> = pieces.map(String::from).to_vec();
    pieces.extend([good.clone(), format!("jwt={good}"), format!("&jwt={good}&")]);
    check(600, text_of(pieces), |query| {
        let encoded: String = query
            .chars()
            .map(|c| match c.is_ascii_graphic() && !"\"<>\\^`{|}#".contains(c) {
                true => c.to_string(),
                false => c.to_string().bytes().map(|byte| format!("%{byte:02x}")).collect(),
            })
            .collect();
        let Ok(uri) = Origin::parse_owned(format!("/access?{encoded}")) else { return Ok(()) };
        let (status, _) = ask(client.get(uri.clone()))?;
        let fields = encoded.split('&').map(|field| field.split_once('=').unwrap_or((field, "")));
        let decoded = fields.map(|(name, value)| {
            let name = percent(name);
            (name, percent(value))
        });
        let values: Vec<_> = decoded.filter(|(name, _)| name == "jwt").map(|(_, v)| v).collect();
        prop_assert_eq!(status == 200, values == [good.clone()]);
        ask(client.post(uri))?;
        Ok(())
    });
}

fn percent(text: &str) -> String {
    rocket::http::RawStr::new(text).url_decode_lossy().into_owned()
}
