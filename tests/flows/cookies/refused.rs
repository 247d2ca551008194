//! Tokens that can't be set as cookies: none of their cookies is set then.

use rocket::http::CookieJar;
use rocket::local::blocking::Client;
use rocket_jwt_extended::{Error, Jwt, Reason};
use serde_json::json;

use crate::support::ask::*;
use crate::support::*;

/// Tells what went wrong, and answers with what cookies there are.
fn told(result: Result<(), Error>) -> String {
    match result {
        Ok(()) => "set".into(),
        Err(Error::Rejected(rejection)) => match rejection.reason() {
            Reason::Expired => "expired".into(),
            other => format!("rejected: {other}"),
        },
        Err(Error::Cookie(text)) => format!("cookie: {text}"),
        Err(other) => panic!("{other}"),
    }
}

#[post("/access", data = "<token>")]
fn access(jwt: &Jwt, jar: &CookieJar<'_>, token: &str) -> String {
    told(jwt.cookies(jar).set_access(token))
}

#[post("/refresh", data = "<token>")]
fn refresh(jwt: &Jwt, jar: &CookieJar<'_>, token: &str) -> String {
    told(jwt.cookies(jar).set_refresh(token))
}

fn set(client: &Client, path: &'static str, token: &str) -> (String, usize) {
    let response = client.post(path).body(token).dispatch();
    let count = set_cookies(&response).len();
    (response.into_string().unwrap(), count)
}

#[test]
fn a_token_that_is_not_valid_sets_no_cookie() {
    let (client, clock) = clocked("", routes![access, refresh]);
    let token = jwt(&client).access_token("ada").encode().unwrap();
    assert_eq!(set(&client, "/access", &token), ("set".into(), 2));
    clock.set(unix(START + 900));
    assert_eq!(set(&client, "/access", &token), ("expired".into(), 0));
    let (told, count) = set(&client, "/access", "a; Domain=evil.example");
    assert_eq!((told.as_str(), count), ("rejected: Not enough segments", 0));
}

#[test]
fn without_its_csrf_claim_a_token_sets_no_cookie_at_all() {
    let (client, _) = clocked("", routes![access, refresh]);
    let token = sign(&without(&["csrf"]));
    let refusal = "cookie: the token has no `csrf` claim".to_string();
    assert_eq!(set(&client, "/access", &token), (refusal, 0));
    // Where no value is needed beside it, it is set.
    for (toml, told) in [
        ("cookie_csrf_protect = false", ("set".to_string(), 1)),
        ("csrf_in_cookies = false", ("set".to_string(), 1)),
    ] {
        let (client, _) = clocked(toml, routes![access, refresh]);
        assert_eq!(set(&client, "/access", &token), told, "{toml}");
    }
}

#[test]
fn a_token_goes_into_the_cookie_of_its_type_only() {
    let (client, _) = clocked("", routes![access, refresh]);
    let jwt = jwt(&client);
    let access = jwt.access_token("ada").encode().unwrap();
    let refresh = jwt.refresh_token("ada").encode().unwrap();
    let other = sign(&with(json!({"type": "id"})));
    let refusal = ("cookie: the token is of the other type than its cookie".to_string(), 0);
    assert_eq!(set(&client, "/access", &refresh), refusal);
    assert_eq!(set(&client, "/refresh", &access), refusal);
    assert_eq!(set(&client, "/access", &other), refusal);
    assert_eq!(set(&client, "/refresh", &refresh), ("set".into(), 2));
}

/// The claims of somebody in many groups, as a large company has them.
fn groups(count: usize) -> serde_json::Value {
    json!({"groups": (0..count).map(|one| format!("department-{one:03}")).collect::<Vec<_>>()})
}

#[post("/groups/<count>")]
fn groups_pair(jwt: &Jwt, jar: &CookieJar<'_>, count: usize) -> Result<String, Error> {
    let pair = jwt.token_pair("ada").claims(&groups(count)).issue()?;
    Ok(told(jwt.cookies(jar).set_pair(&pair)))
}

#[get("/me")]
fn me(token: rocket_jwt_extended::AccessToken) -> String {
    token.identity().into()
}

#[test]
fn what_browsers_would_drop_is_an_error_that_says_so_and_sets_no_cookie() {
    let (client, _) = clocked("", routes![access, refresh, groups_pair]);
    let response = client.post("/groups/200").dispatch();
    assert_eq!(set_cookies(&response).len(), 0);
    let said = response.into_string().unwrap();
    assert!(said.starts_with("cookie: the access token's cookie"), "{said}");
    assert!(said.contains("more than 4096 bytes of name and value"), "{said}");
    for (path, name) in [("/access", "access"), ("/refresh", "refresh")] {
        let builder = match name {
            "access" => jwt(&client).access_token("ada"),
            _ => jwt(&client).refresh_token("ada"),
        };
        let token = builder.claims(&groups(250)).encode().unwrap();
        let (said, count) = set(&client, path, &token);
        assert!(said.starts_with(&format!("cookie: the {name} token's cookie")), "{said}");
        assert_eq!(count, 0);
    }
}

#[test]
fn a_cookie_of_exactly_4096_bytes_is_set_and_one_more_is_not() {
    let (client, _) = clocked("", routes![access]);
    let clock = clock_at_start();
    let mut lengths = Vec::new();
    // A character takes a byte and a third of the token, of which no part has 4n + 1 bytes.
    for filler in 2750..2850 {
        let token = sign(&with(json!({"filler": "x".repeat(filler)})));
        let length = "access_token_cookie".len() + token.len();
        let response = client.post("/access").body(&token).dispatch();
        let mut browser = crate::support::browser::Browser::new(
            &clock,
            crate::support::browser::Identity::Rfc6265Bis,
        );
        for (_, line) in set_cookies(&response) {
            browser.receive("https://example.test/", &line);
        }
        // The browser keeps exactly what was not refused.
        let kept = browser.count("access_token_cookie") == 1;
        assert_eq!(kept, length <= 4096, "{length}");
        assert_eq!(response.into_string().unwrap() == "set", kept, "{length}");
        lengths.push(length);
    }
    assert!(lengths.contains(&4096) && lengths.contains(&4098), "{lengths:?}");
}

#[test]
fn a_renewed_token_that_browsers_would_drop_costs_nothing_but_the_renewal() {
    use rocket_jwt_extended::Claims;

    let clock = clock_at_start();
    let fairing = Jwt::fairing().clock(clock.clone()).additional_claims(|_| {
        let serde_json::Value::Object(claims) = groups(200) else { return Claims::new() };
        claims
    });
    let toml = "token_location = \"cookies\"\nimplicit_refresh_within = \"5m\"";
    let client = client(toml, fairing, routes![me]);
    clock.set(unix(START + 700));
    let response = by_cookie(client.get("/me"), &sign(&claims())).dispatch();
    assert_eq!(set_cookies(&response).len(), 0);
    assert_eq!(response.into_string().unwrap(), "ada");
}

#[post("/domain", data = "<domain>")]
fn domain(jwt: &Jwt, jar: &CookieJar<'_>, domain: &str) -> Result<String, Error> {
    let pair = jwt.token_pair("ada").issue()?;
    Ok(told(jwt.cookies(jar).domain(domain).set_pair(&pair)))
}

#[post("/domain/unset", data = "<domain>")]
fn domain_unset(jwt: &Jwt, jar: &CookieJar<'_>, domain: &str) {
    jwt.cookies(jar).domain(domain).unset();
}

#[post("/also?<domain>&<path>")]
fn also(jwt: &Jwt, jar: &CookieJar<'_>, domain: &str, path: &str) -> Result<String, Error> {
    let pair = jwt.token_pair("ada").issue()?;
    Ok(told(jwt.cookies(jar).also_unset(domain, path).set_pair(&pair)))
}

#[post("/also/unset?<domain>&<path>")]
fn also_unset(jwt: &Jwt, jar: &CookieJar<'_>, domain: &str, path: &str) {
    jwt.cookies(jar).also_unset(domain, path).unset();
}

#[test]
fn a_domain_or_path_that_no_cookie_can_have_is_an_error_and_does_not_stop_a_logout() {
    let (client, _) = clocked("", routes![domain, domain_unset, also, also_unset]);
    let long = format!("{}.test", "a".repeat(64));
    let longer = ["a".repeat(60).as_str(); 5].join(".");
    for domain in [
        "",
        ".",
        "a b",
        "a;b",
        "a; Path=/x",
        "https://a.test",
        "ä.test",
        "a..test",
        "-a.test",
        "a/b",
        "a:80",
        &long,
        &longer,
    ] {
        let (told, count) = set(&client, "/domain", domain);
        assert!(told.starts_with("cookie: `.domain()` needs a domain name"), "{domain}: {told}");
        assert_eq!(count, 0, "{domain}");
        let response = client.post("/domain/unset").body(domain).dispatch();
        let lines = set_cookies(&response);
        assert_eq!(lines.len(), 4, "{domain}");
        assert!(lines.iter().all(|(_, line)| !line.contains("Domain")), "{lines:?}");
        assert!(lines.iter().all(|(_, line)| line.contains("Max-Age=0")), "{lines:?}");
    }
    for (domain, path) in [
        ("", "/"),
        ("a;b", "/"),
        ("a.test", ""),
        ("a.test", "x"),
        ("a.test", "/;x"),
        ("a.test", "/%0A"),
    ] {
        let query = format!("domain={domain}&path={path}");
        let response = client.post(format!("/also?{query}")).dispatch();
        assert_eq!(set_cookies(&response).len(), 0);
        let told = response.into_string().unwrap();
        assert!(told.starts_with("cookie: `.also_unset()` needs a domain"), "{query}: {told}");
        let response = client.post(format!("/also/unset?{query}")).dispatch();
        assert_eq!(names_set(&response).len(), 4, "{query}");
    }
    assert_eq!(set(&client, "/domain", ".example.test"), ("set".into(), 4));
}

#[test]
fn a_name_with_the_host_prefix_takes_no_domain() {
    let toml = "cookie_secure = true\naccess_cookie_name = \"__Host-at\"";
    let (client, _) = clocked(toml, routes![domain, domain_unset]);
    let (told, count) = set(&client, "/domain", "example.test");
    assert!(told.contains("browsers drop a cookie with a domain"), "{told}");
    assert_eq!(count, 0);
    let response = client.post("/domain/unset").body("example.test").dispatch();
    let (_, attributes) = set_cookie(&response, "__Host-at");
    assert!(attributes.iter().all(|one| !one.starts_with("Domain")), "{attributes:?}");
}

#[test]
fn of_a_pair_all_cookies_are_set_or_none() {
    /// A refresh token that is too short-lived to be set; the access token is fine.
    #[post("/pair")]
    fn pair(jwt: &Jwt, jar: &CookieJar<'_>) -> Result<String, Error> {
        let builder = jwt.token_pair("ada").refresh_expires_in(rocket_jwt_extended::Duration::ZERO);
        let pair = builder.issue()?;
        Ok(told(jwt.cookies(jar).set_pair(&pair)))
    }

    let (client, _) = clocked("", routes![pair]);
    let response = client.post("/pair").dispatch();
    assert_eq!(set_cookies(&response).len(), 0);
    assert_eq!(response.into_string().unwrap(), "expired");
}
