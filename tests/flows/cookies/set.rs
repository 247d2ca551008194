//! Tokens set as cookies, as the browser gets them.

use rocket::http::CookieJar;
use rocket::local::blocking::{Client, LocalResponse};
use rocket_jwt_extended::{Duration, Error, Jwt};

use crate::support::ask::*;
use crate::support::*;

#[post("/access")]
fn access(jwt: &Jwt, jar: &CookieJar<'_>) -> Result<String, Error> {
    let token = jwt.access_token("ada").encode()?;
    jwt.cookies(jar).set_access(&token)?;
    Ok(token)
}

#[post("/refresh")]
fn refresh(jwt: &Jwt, jar: &CookieJar<'_>) -> Result<String, Error> {
    let token = jwt.refresh_token("ada").encode()?;
    jwt.cookies(jar).set_refresh(&token)?;
    Ok(token)
}

#[post("/pair")]
fn login(jwt: &Jwt, jar: &CookieJar<'_>) -> Result<(), Error> {
    let pair = jwt.token_pair("ada").issue()?;
    jwt.cookies(jar).set_pair(&pair)
}

#[post("/short?<expires>&<age>")]
fn short(jwt: &Jwt, jar: &CookieJar<'_>, expires: i64, age: Option<i64>) -> Result<(), Error> {
    let token = jwt.access_token("ada").expires_in(Duration::seconds(expires)).encode()?;
    let writer = jwt.cookies(jar);
    match age {
        Some(age) => writer.max_age(Duration::seconds(age)).set_access(&token),
        None => writer.set_access(&token),
    }
}

#[post("/endless")]
fn endless(jwt: &Jwt, jar: &CookieJar<'_>) -> Result<(), Error> {
    let token = jwt.access_token("ada").never_expires().encode()?;
    jwt.cookies(jar).set_access(&token)
}

#[post("/domain")]
fn domain(jwt: &Jwt, jar: &CookieJar<'_>) -> Result<(), Error> {
    let pair = jwt.token_pair("ada").issue()?;
    jwt.cookies(jar).domain("sub.example.org").set_pair(&pair)
}

fn site(toml: &str) -> Client {
    clocked(toml, routes![access, refresh, login, short, endless, domain]).0
}

fn ok<'c>(client: &'c Client, path: &str) -> LocalResponse<'c> {
    let response = post(client, path, "");
    assert_eq!(response.status().code, 200, "{path}");
    response
}

const ALL: [&str; 4] =
    ["access_token_cookie", "csrf_access_token", "csrf_refresh_token", "refresh_token_cookie"];

#[test]
fn by_default_a_tokens_cookie_is_for_http_alone_and_its_csrf_value_for_scripts() {
    let client = site("");
    for (path, token, csrf) in [
        ("/access", "access_token_cookie", "csrf_access_token"),
        ("/refresh", "refresh_token_cookie", "csrf_refresh_token"),
    ] {
        let response = ok(&client, path);
        assert_eq!(names_set(&response), [token.min(csrf), token.max(csrf)]);
        let (encoded, attributes) = set_cookie(&response, token);
        assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Lax"]);
        let (value, attributes) = set_cookie(&response, csrf);
        assert_eq!(attributes, ["Path=/", "SameSite=Lax"]);
        assert_eq!(value, text(&encoded, "csrf"));
        assert_eq!(response.into_string().unwrap(), encoded);
    }
    assert_eq!(names_set(&ok(&client, "/pair")), ALL);
}

#[test]
fn outside_the_debug_profile_cookies_are_secure() {
    let toml = format!("[release.jwt]\nsecret_key = \"{}\"", secret());
    let figment = raw_figment(&toml).select("release");
    let rocket = rocket::custom(figment).attach(Jwt::fairing()).mount("/", routes![login]);
    let client = Client::untracked(rocket).unwrap();
    let response = ok(&client, "/pair");
    for name in ALL {
        let (_, attributes) = set_cookie(&response, name);
        assert!(attributes.contains(&"Secure".to_string()), "{name}: {attributes:?}");
    }
}

#[test]
fn secure_samesite_and_domain_go_for_all_four() {
    for samesite in ["Strict", "Lax", "None"] {
        let client = site(&format!(
            "cookie_secure = true\ncookie_samesite = \"{samesite}\"\n\
             cookie_domain = \"example.com\""
        ));
        let response = ok(&client, "/pair");
        let samesite = format!("SameSite={samesite}");
        for name in ALL {
            let (_, attributes) = set_cookie(&response, name);
            let mut expected = vec!["Domain=example.com", "Path=/", &samesite, "Secure"];
            if name.ends_with("_cookie") {
                expected.insert(1, "HttpOnly");
            }
            assert_eq!(attributes, expected, "{name}");
        }
    }
}

#[test]
fn names_and_paths_of_all_four_are_configured() {
    let client = site(
        "access_cookie_name = \"a\"\naccess_cookie_path = \"/a\"\n\
         refresh_cookie_name = \"r\"\nrefresh_cookie_path = \"/r\"\n\
         access_csrf_cookie_name = \"ac\"\naccess_csrf_cookie_path = \"/ac\"\n\
         refresh_csrf_cookie_name = \"rc\"\nrefresh_csrf_cookie_path = \"/rc\"\n",
    );
    let response = ok(&client, "/pair");
    assert_eq!(names_set(&response), ["a", "ac", "r", "rc"]);
    for name in ["a", "ac", "r", "rc"] {
        let (_, attributes) = set_cookie(&response, name);
        assert!(attributes.contains(&format!("Path=/{name}")), "{name}: {attributes:?}");
        assert_eq!(attributes.contains(&"HttpOnly".to_string()), name.len() == 1);
    }
}

#[test]
fn a_max_age_of_the_call_wins_over_session_and_token() {
    for toml in ["session_cookie = true", "session_cookie = false"] {
        let client = site(toml);
        for (age, expires) in [(5, "08:00:05"), (0, "08:00:00"), (-3, "08:00:00")] {
            let response = ok(&client, &format!("/short?expires=60&age={age}"));
            for name in ["access_token_cookie", "csrf_access_token"] {
                let (_, attributes) = set_cookie(&response, name);
                let expires = format!("Expires=Fri, 15 Jan 2027 {expires} GMT");
                assert!(attributes.contains(&expires), "{attributes:?}");
                let max_age = format!("Max-Age={}", age.max(0));
                assert!(attributes.contains(&max_age), "{attributes:?}");
            }
        }
    }
}

#[test]
fn cookies_that_are_not_for_the_session_stay_as_long_as_their_token_lives() {
    let client = site("session_cookie = false\nrequired_claims = []");
    for (path, max_age, expires) in [
        ("/short?expires=60", 60, "Fri, 15 Jan 2027 08:01:00 GMT"),
        ("/access", 900, "Fri, 15 Jan 2027 08:15:00 GMT"),
        // No browser keeps a cookie for longer (RFC 6265bis §5.5).
        ("/endless", 400 * 86_400, "Sat, 19 Feb 2028 08:00:00 GMT"),
    ] {
        let response = ok(&client, path);
        for name in ["access_token_cookie", "csrf_access_token"] {
            let (_, attributes) = set_cookie(&response, name);
            let ages: Vec<_> = attributes
                .iter()
                .filter(|one| one.contains("Expires") || one.contains("Age"))
                .collect();
            assert_eq!(ages, [&format!("Expires={expires}"), &format!("Max-Age={max_age}")]);
        }
    }
    let (_, attributes) = set_cookie(&ok(&client, "/pair"), "refresh_token_cookie");
    assert!(attributes.contains(&"Max-Age=2592000".to_string()), "{attributes:?}");
}

#[test]
fn a_csrf_cookie_is_set_only_with_protection_and_in_cookies() {
    for (protect, in_cookies, count) in
        [(true, true, 2), (true, false, 1), (false, true, 1), (false, false, 1)]
    {
        let client =
            site(&format!("cookie_csrf_protect = {protect}\ncsrf_in_cookies = {in_cookies}"));
        for path in ["/access", "/refresh"] {
            let response = ok(&client, path);
            assert_eq!(set_cookies(&response).len(), count, "{protect} {in_cookies}");
            let token = response.into_string().unwrap();
            assert_eq!(payload(&token).get("csrf").is_some(), protect);
        }
    }
}

#[test]
fn a_domain_of_the_call_wins_over_the_configured_one() {
    for toml in ["", "cookie_domain = \"example.com\""] {
        let client = site(toml);
        let response = ok(&client, "/domain");
        for name in ALL {
            let (_, attributes) = set_cookie(&response, name);
            let domains: Vec<_> = attributes.iter().filter(|one| one.contains("Domain")).collect();
            assert_eq!(domains, ["Domain=sub.example.org"]);
        }
    }
}
