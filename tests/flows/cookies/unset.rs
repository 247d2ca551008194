//! Cookies unset: with every attribute they were set with, whether the request had them or not.

use rocket::http::CookieJar;
use rocket::local::blocking::Client;
use rocket_jwt_extended::{Error, Jwt, NoClaims};

use crate::support::ask::*;
use crate::support::store_stub::StoreStub;
use crate::support::*;

#[post("/login")]
fn login(jwt: &Jwt, jar: &CookieJar<'_>) -> Result<(), Error> {
    let pair = jwt.token_pair("ada").issue()?;
    jwt.cookies(jar).set_pair(&pair)
}

#[post("/unset/access")]
fn unset_access(jwt: &Jwt, jar: &CookieJar<'_>) {
    jwt.cookies(jar).unset_access();
}

#[post("/unset/refresh")]
fn unset_refresh(jwt: &Jwt, jar: &CookieJar<'_>) {
    jwt.cookies(jar).unset_refresh();
}

#[post("/unset")]
fn unset(jwt: &Jwt, jar: &CookieJar<'_>) {
    jwt.cookies(jar).unset();
}

#[post("/unset/domain")]
fn unset_domain(jwt: &Jwt, jar: &CookieJar<'_>) {
    jwt.cookies(jar).domain("sub.example.org").unset();
}

/// A second thought in one answer.
#[post("/login/unset")]
fn login_unset(jwt: &Jwt, jar: &CookieJar<'_>) -> Result<(), Error> {
    login(jwt, jar)?;
    jwt.cookies(jar).unset();
    Ok(())
}

fn site(toml: &str) -> Client {
    let routes = routes![login, unset_access, unset_refresh, unset, unset_domain, login_unset];
    clocked(toml, routes).0
}

const ALL: [&str; 4] =
    ["access_token_cookie", "csrf_access_token", "csrf_refresh_token", "refresh_token_cookie"];

const GONE: [&str; 2] = ["Expires=Thu, 01 Jan 1970 00:00:00 GMT", "Max-Age=0"];

#[test]
fn each_of_the_three_unsets_what_it_says() {
    let client = site("");
    for (path, names) in [
        ("/unset/access", &["access_token_cookie", "csrf_access_token"][..]),
        ("/unset/refresh", &["csrf_refresh_token", "refresh_token_cookie"]),
        ("/unset", &ALL),
    ] {
        let response = post(&client, path, "");
        assert_eq!(names_set(&response), names, "{path}");
        for name in names {
            let (value, attributes) = set_cookie(&response, name);
            assert_eq!(value, "");
            for gone in GONE {
                assert!(attributes.contains(&gone.to_string()), "{name}: {attributes:?}");
            }
        }
    }
}

#[test]
fn a_cookie_is_unset_with_the_attributes_it_was_set_with() {
    let client = site(
        "cookie_secure = true\ncookie_samesite = \"None\"\ncookie_domain = \"example.com\"\n\
         access_cookie_path = \"/app\"\nrefresh_cookie_path = \"/app/refresh\"\n\
         access_csrf_cookie_path = \"/page\"\nrefresh_csrf_cookie_path = \"/page/refresh\"\n",
    );
    let set = post(&client, "/login", "");
    for request in
        [client.post("/unset"), client.post("/unset").cookies(set.cookies().iter().cloned())]
    {
        let unset = request.dispatch();
        for name in ALL {
            let (_, expected) = set_cookie(&set, name);
            let (value, attributes) = set_cookie(&unset, name);
            let (gone, others): (Vec<_>, Vec<_>) =
                attributes.into_iter().partition(|one| GONE.contains(&one.as_str()));
            assert_eq!(others, expected, "{name}");
            assert_eq!((value.as_str(), gone.len()), ("", 2), "{name}");
        }
    }
}

#[test]
fn a_domain_of_the_call_is_unset_there() {
    let client = site("cookie_domain = \"example.com\"");
    let response = post(&client, "/unset/domain", "");
    for name in ALL {
        let (_, attributes) = set_cookie(&response, name);
        let domains: Vec<_> = attributes.iter().filter(|one| one.contains("Domain")).collect();
        assert_eq!(domains, ["Domain=sub.example.org"]);
    }
}

#[test]
fn a_csrf_cookie_of_earlier_times_is_unset_too() {
    for toml in ["csrf_in_cookies = false", "cookie_csrf_protect = false"] {
        let client = site(toml);
        assert_eq!(names_set(&post(&client, "/login", "")).len(), 2, "{toml}");
        assert_eq!(names_set(&post(&client, "/unset", "")), ALL, "{toml}");
    }
}

#[test]
fn what_is_unset_after_it_was_set_is_unset() {
    let client = site("");
    let response = post(&client, "/login/unset", "");
    for name in ALL {
        assert_eq!(set_cookie(&response, name).0, "");
    }
}

#[test]
fn a_browser_forgets_what_is_unset() {
    let rocket = app("", Jwt::fairing(), routes![login, unset]);
    let client = Client::tracked(rocket).unwrap();
    client.post("/login").dispatch();
    assert_eq!(client.cookies().iter().count(), 4);
    client.post("/unset").dispatch();
    assert_eq!(client.cookies().iter().count(), 0);
}

#[test]
fn a_logout_unsets_the_cookies_though_the_session_can_not_be_ended() {
    #[delete("/session")]
    async fn logout(jwt: &Jwt, jar: &CookieJar<'_>) -> Result<(), Error> {
        jwt.cookies(jar).unset();
        let sent = jar.get("access_token_cookie").map(|cookie| cookie.value()).unwrap();
        let token = jwt.decoder().allow_expired().decode::<NoClaims>(sent)?;
        jwt.revoke_session(&token).await
    }

    let clock = clock_at_start();
    let fairing = Jwt::fairing().clock(clock.clone()).blocklist(StoreStub::unreachable());
    let client = client("token_location = \"cookies\"", fairing, routes![logout]);
    let pair = jwt(&client).token_pair("ada").issue().unwrap();
    for (token, status) in [(pair.access_token(), 503), ("x", 401)] {
        let request = client.delete("/session").cookie(("access_token_cookie", token.to_string()));
        let response = request.dispatch();
        assert_eq!(response.status().code, status);
        assert_eq!(names_set(&response), ALL, "{status}");
    }
}

#[test]
fn what_is_unset_is_unset_in_every_scope_that_the_configuration_makes_stale() {
    let toml = "cookie_domain = \"example.com\"\nrefresh_cookie_path = \"/refresh\"";
    let client = site(toml);
    let response = post(&client, "/unset", "");
    let scopes = |name: &str| {
        let lines = set_cookies(&response).into_iter().filter(|(other, _)| other == name);
        let mut scopes: Vec<_> = lines
            .map(|(_, line)| {
                assert!(line.contains("Max-Age=0"), "{line}");
                let mut parts: Vec<_> = line
                    .split("; ")
                    .filter(|part| part.contains("="))
                    .map(str::to_string)
                    .collect();
                parts.retain(|part| part.starts_with("Domain") || part.starts_with("Path"));
                parts.sort();
                parts.join(" ")
            })
            .collect();
        scopes.sort();
        scopes
    };
    assert_eq!(scopes("access_token_cookie"), ["Domain=example.com Path=/", "Path=/"]);
    let expected = [
        "Domain=example.com Path=/",
        "Domain=example.com Path=/refresh",
        "Path=/",
        "Path=/refresh",
    ];
    assert_eq!(scopes("refresh_token_cookie"), expected);
}
