//! Tokens that can't be set as cookies: none of their cookies is set then.

use rocket::http::CookieJar;
use rocket::local::blocking::Client;
use rocket_jwt_extended::{Error, Jwt, Reason};
use serde_json::json;

use crate::ask::*;
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
    clock.set(START + 900);
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
