//! A token in a cookie: names, kinds, duplicates.

use crate::support::common::*;
use crate::support::*;
use rocket::http::Header;
use rocket::local::blocking::Client;
use rocket_jwt_extended::{AccessToken, AnyToken, Optional, RefreshToken};

#[get("/")]
fn protected(token: AccessToken) -> String {
    token.identity().into()
}

#[get("/refresh")]
fn renewed(token: RefreshToken) -> String {
    token.identity().into()
}

#[get("/any")]
fn any(token: AnyToken) -> String {
    format!("{} by {}", token.identity(), token.token_type())
}

#[get("/optional")]
fn optional(token: Optional) -> String {
    token.token().map_or("nobody", |token| token.identity()).into()
}

fn app(toml: &str) -> Client {
    let toml = format!("{FLASK}token_location = \"cookies\"\n{toml}");
    clocked(&toml, routes![protected, renewed, any, optional]).0
}

/// What Rocket makes of these header lines: the lines, and the jar with the last of each name.
fn ask(client: &Client, uri: &'static str, lines: &[&str]) -> (u16, String) {
    let mut request = with_lines(client.get(uri), "Cookie", lines);
    for cookie in lines.iter().flat_map(|line| line.split(';')) {
        if let Ok(cookie) = rocket::http::Cookie::parse_encoded(cookie.trim().to_string()) {
            request = request.cookie(cookie);
        }
    }
    said(request.dispatch())
}

#[test]
fn without_the_cookie_of_its_kind_no_token_was_sent() {
    let client = app("");
    let (access, refresh) = (access(), refresh());
    let missing = |name: &str| (401, format!("Missing cookie \"{name}\""));
    for lines in [
        &[][..],
        &[""],
        &["access_token_cookie="],
        &["access_token_cookie"],
        &[";;; ; =;"],
        &[&*format!("Access_Token_Cookie={access}")],
        &[&format!("x={access}")],
        &[&format!("refresh_token_cookie={refresh}")],
    ] {
        assert_eq!(ask(&client, "/", lines), missing("access_token_cookie"), "{lines:?}");
        assert_eq!(ask(&client, "/optional", lines), let_in("nobody"), "{lines:?}");
    }
    let line = format!("access_token_cookie={access}");
    assert_eq!(ask(&client, "/refresh", &[&line]), missing("refresh_token_cookie"));
    assert_eq!(ask(&client, "/", &[&line]), let_in("ada"));
    let line = format!("refresh_token_cookie={refresh}");
    assert_eq!(ask(&client, "/refresh", &[&line]), let_in("ada"));
    assert_eq!(ask(&client, "/any", &[]), missing("access_token_cookie"));
}

#[test]
fn a_token_in_the_cookie_of_the_other_kind_is_of_the_wrong_type_but_for_either() {
    let client = app("");
    let refresh_there = format!("access_token_cookie={}", refresh());
    let access_there = format!("refresh_token_cookie={}", access());
    let wrong = |text: &str| (422, text.to_string());
    let not_access = wrong("Only non-refresh tokens are allowed");
    assert_eq!(ask(&client, "/", &[&refresh_there]), not_access);
    assert_eq!(ask(&client, "/optional", &[&refresh_there]), not_access);
    let not_refresh = wrong("Only refresh tokens are allowed");
    assert_eq!(ask(&client, "/refresh", &[&access_there]), not_refresh);
    assert_eq!(ask(&client, "/any", &[&refresh_there]), let_in("ada by refresh"));
    assert_eq!(ask(&client, "/any", &[&access_there]), let_in("ada by access"));
}

#[test]
fn either_kind_is_looked_for_under_both_names_the_access_cookie_first() {
    let client = app("");
    let access = format!("access_token_cookie={}", access());
    let refresh = format!("refresh_token_cookie={}", refresh());
    assert_eq!(ask(&client, "/any", &[&access]), let_in("ada by access"));
    assert_eq!(ask(&client, "/any", &[&refresh]), let_in("ada by refresh"));
    assert_eq!(ask(&client, "/any", &[&refresh, &access]), let_in("ada by access"));
    let bad = ask(&client, "/any", &["access_token_cookie=bad", &refresh]);
    assert_eq!(bad, (422, "Not enough segments".into()));
}

#[test]
fn two_cookies_of_one_name_are_refused_unless_they_are_the_same() {
    let client = app("");
    let one = format!("access_token_cookie={}", access());
    let other = format!("access_token_cookie={}", access());
    let refused = (422, "More than one token was sent".to_string());
    for lines in [
        &[&*one, &*other][..],
        &[&other, &one],
        &[&format!("{one}; {other}")],
        &[&format!("{one};a=b;{other}")],
        &[&one, "access_token_cookie=x"],
        &["access_token_cookie=", &one],
        &[&one, "access_token_cookie="],
    ] {
        assert_eq!(ask(&client, "/", lines), refused, "{lines:?}");
        assert_eq!(ask(&client, "/optional", lines), refused, "{lines:?}");
    }
    for lines in [&[&*one, &*one][..], &[&format!("{one}; {one}")], &["a=b", &one, "c=d"]] {
        assert_eq!(ask(&client, "/", lines), let_in("ada"), "{lines:?}");
    }
}

#[test]
fn a_name_must_be_spelt_as_it_is() {
    let client = app("");
    let token = access();
    for name in ["%61ccess_token_cookie", "access%5Ftoken_cookie", "access_token%5fcookie"] {
        let disguised = format!("{name}={token}");
        let missing = (401, "Missing cookie \"access_token_cookie\"".to_string());
        assert_eq!(ask(&client, "/", &[&disguised]), missing, "{name}");
        assert_eq!(ask(&client, "/optional", &[&disguised]), let_in("nobody"), "{name}");
        // One that was tossed in does not take the place of the real one.
        let bob = sign(&with(serde_json::json!({"sub": "bob"})));
        let real = format!("access_token_cookie={bob}");
        for lines in [[&*disguised, &*real], [&real, &disguised]] {
            assert_eq!(ask(&client, "/", &lines), let_in("bob"), "{lines:?}");
        }
    }
}

#[test]
fn the_promise_of_a_host_prefix_can_not_be_stolen() {
    let client = app("cookie_secure = true\naccess_cookie_name = \"__Host-at\"");
    let token = access();
    assert_eq!(ask(&client, "/", &[&format!("__Host-at={token}")]), let_in("ada"));
    for name in ["%5f_Host-at", "%5F%5FHost-at", "__%48ost-at", "__Host%2Dat", "__host-at"] {
        let disguised = format!("{name}={token}");
        let missing = (401, "Missing cookie \"__Host-at\"".to_string());
        assert_eq!(ask(&client, "/", &[&disguised]), missing, "{name}");
    }
}

#[test]
fn a_value_may_be_percent_encoded_as_browsers_keep_it() {
    let client = app("");
    let line = format!("access_token_cookie={}", access().replace('.', "%2E"));
    assert_eq!(ask(&client, "/", &[&line]), let_in("ada"));
    for value in ["%00", "%0d%0aX:%20y", "%ff%fe", "\"quoted\"", "%"] {
        let line = format!("access_token_cookie={value}");
        let (status, text) = ask(&client, "/", &[&line]);
        assert_eq!((status, &*text), (422, "Not enough segments"), "{value}");
    }
}

#[test]
fn cookies_of_the_test_client_are_seen_without_a_header_line() {
    let client = app("");
    let response = client.get("/").cookie(in_cookie(&access())).dispatch();
    assert_eq!(said(response), let_in("ada"));
    let only_a_line = Header::new("Cookie", format!("access_token_cookie={}", access()));
    assert_eq!(said(client.get("/").header(only_a_line).dispatch()), let_in("ada"));
}

#[get("/login")]
fn login(jwt: &rocket_jwt_extended::Jwt, jar: &rocket::http::CookieJar<'_>) {
    let token = jwt.access_token("ada").encode().unwrap();
    jwt.cookies(jar).set_access(&token).unwrap();
}

#[test]
fn every_name_that_can_be_configured_is_read_as_it_is_set() {
    for name in ["a#b", "a%b", "a%41", "a^b", "a`b", "a|b"] {
        // They would be set percent-encoded.
        assert!(!launches(&format!("access_cookie_name = \"{name}\"")), "{name}");
    }
    for name in ["a", "a.b", "a-b_c", "a!b", "a$b", "a&b", "a'b", "a*b", "a+b", "a~b"] {
        let toml = format!("token_location = \"cookies\"\naccess_cookie_name = \"{name}\"");
        let (client, _) = clocked(&toml, routes![protected, login]);
        let response = client.get("/login").dispatch();
        let mut lines = response.headers().get("Set-Cookie");
        let line = lines.find(|line| !line.starts_with("csrf_access_token=")).unwrap();
        let pair = line.split(';').next().unwrap().to_string();
        assert_eq!(ask(&client, "/", &[&pair]), let_in("ada"), "{name} set as {pair}");
    }
}
