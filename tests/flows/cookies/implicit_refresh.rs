//! Implicit refresh: a cookie-borne access token close to its end is renewed in the answer.

use rocket::http::Header;
use rocket::local::blocking::Client;
use rocket_jwt_extended::{
    AccessToken, AnyToken, Claims, Fresh, In, Jwt, JwtFairing, NoClaims, Optional, WithBody,
};
use serde_json::json;

use crate::support::ask::*;
use crate::support::*;

pub const COOKIES: &str = "token_location = [\"cookies\", \"headers\"]\n\
                           implicit_refresh_within = \"5m\"\n";

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().into()
}

#[get("/maybe")]
fn maybe(token: Optional) -> String {
    token.token().map(|token| token.identity().to_string()).unwrap_or_default()
}

#[get("/any")]
fn any(token: AnyToken) -> String {
    token.identity().into()
}

#[get("/cookies")]
fn cookies(token: In<rocket_jwt_extended::Cookies>) -> String {
    token.identity().into()
}

#[post("/body", data = "<body>")]
fn body(body: WithBody<AccessToken, &[u8]>) -> String {
    body.token.identity().into()
}

#[get("/fresh")]
fn fresh(token: Fresh) -> String {
    token.identity().into()
}

fn site(toml: &str, fairing: JwtFairing) -> (Client, ManualClock) {
    let clock = clock_at_start();
    let routes = routes![me, maybe, any, cookies, body, fresh];
    let toml = format!("{COOKIES}{toml}");
    (client(&toml, fairing.clock(clock.clone()), routes), clock)
}

const NAMES: [&str; 2] = ["access_token_cookie", "csrf_access_token"];

#[test]
fn a_token_is_renewed_from_five_minutes_before_its_end_until_it() {
    for (age, renewed, status) in
        [(0, false, 200), (599, false, 200), (600, true, 200), (899, true, 200), (900, false, 401)]
    {
        let (client, clock) = site("", Jwt::fairing());
        let token = jwt(&client).access_token("ada").encode().unwrap();
        clock.set(unix(START + age));
        let response = by_cookie(client.get("/me"), &token).dispatch();
        assert_eq!(response.status().code, status, "{age}");
        let expected: &[&str] = if renewed { &NAMES } else { &[] };
        assert_eq!(names_set(&response), expected, "{age}");
    }
}

#[test]
fn the_new_token_is_the_old_one_later() {
    let (client, clock) = site("decode_audience = [\"web\", \"api\"]", Jwt::fairing());
    let pair = jwt(&client).token_pair("ada").audience("web").claims(&json!({"role": "admin"}));
    let pair = pair.fresh().issue().unwrap();
    let old = payload(pair.access_token());
    clock.set(unix(START + 700));
    let response = by_cookie(client.get("/fresh"), pair.access_token()).dispatch();
    let (token, _) = set_cookie(&response, "access_token_cookie");
    let (csrf, _) = set_cookie(&response, "csrf_access_token");
    let new = payload(&token);

    for claim in ["sub", "sid", "aud", "role", "type"] {
        assert_eq!(new[claim], old[claim], "{claim}");
    }
    assert_eq!(new["iat"], START + 700);
    assert_eq!(new["exp"], START + 1600);
    assert_ne!(new["jti"], old["jti"]);
    // The page knows this value already.
    assert_eq!(new["csrf"], old["csrf"]);
    assert_eq!(new["csrf"], csrf);
    // A login is what makes a token fresh.
    assert_eq!((&old["fresh"], &new["fresh"]), (&json!(true), &json!(false)));
    let request = by_cookie(client.get("/fresh"), &token);
    assert_eq!(code(request.dispatch()), (401, "fresh_token_required".into()));
}

#[test]
fn the_new_cookies_have_every_attribute_that_is_configured() {
    let toml = "cookie_secure = true\ncookie_samesite = \"Strict\"\nsession_cookie = false\n\
                cookie_domain = \"example.com\"\naccess_cookie_path = \"/app\"\n";
    let (client, clock) = site(toml, Jwt::fairing());
    let token = jwt(&client).access_token("ada").encode().unwrap();
    clock.set(unix(START + 800));
    let response = by_cookie(client.get("/me"), &token).dispatch();
    let (_, attributes) = set_cookie(&response, "access_token_cookie");
    let expires = "Expires=Fri, 15 Jan 2027 08:28:20 GMT";
    let common = ["Domain=example.com", expires];
    let expected =
        [&common[..], &["HttpOnly", "Max-Age=900", "Path=/app", "SameSite=Strict", "Secure"]];
    assert_eq!(attributes, expected.concat());
    let (_, attributes) = set_cookie(&response, "csrf_access_token");
    let expected = [&common[..], &["Max-Age=900", "Path=/", "SameSite=Strict", "Secure"]];
    assert_eq!(attributes, expected.concat());
}

#[test]
fn a_session_lasts_for_as_long_as_it_is_used_and_ends_as_one() {
    let (client, clock) = site("", Jwt::fairing());
    let pair = jwt(&client).token_pair("ada").issue().unwrap();
    let mut tokens = vec![pair.access_token().to_string()];
    for _ in 0..20 {
        clock.advance(rocket_jwt_extended::Duration::minutes(14));
        let response = by_cookie(client.get("/me"), tokens.last().unwrap()).dispatch();
        tokens.push(set_cookie(&response, "access_token_cookie").0);
    }
    let last = tokens.last().unwrap();
    let session = jwt(&client).decode::<NoClaims>(last).unwrap();
    rocket::execute(jwt(&client).revoke_session(&session)).unwrap();
    let request = by_cookie(client.get("/me"), last);
    assert_eq!(code(request.dispatch()), (401, "token_revoked".into()));
}

#[test]
fn every_guard_that_lets_the_cookie_in_renews_it() {
    let (client, clock) = site("", Jwt::fairing());
    let token = jwt(&client).access_token("ada").encode().unwrap();
    clock.set(unix(START + 700));
    for path in ["/me", "/maybe", "/any", "/cookies"] {
        let response = by_cookie(client.get(path), &token).dispatch();
        assert_eq!(names_set(&response), NAMES, "{path}");
    }
    let response = by_cookie(client.post("/body").body("x"), &token).dispatch();
    assert_eq!(names_set(&response), NAMES);
}

#[test]
fn the_hooks_run_again() {
    let fairing = Jwt::fairing()
        .additional_claims(|_| Claims::from_iter([("site".to_string(), "new".into())]));
    let (client, clock) = site("", fairing);
    let old = sign(&with(json!({"site": "old", "role": "admin", "exp": START + 900})));
    clock.set(unix(START + 700));
    let response = by_cookie(client.get("/me"), &old).dispatch();
    let new = payload(&set_cookie(&response, "access_token_cookie").0);
    assert_eq!((&new["site"], &new["role"]), (&json!("new"), &json!("admin")));
}

#[test]
fn without_a_csrf_cookie_the_token_alone_is_renewed() {
    for toml in ["csrf_in_cookies = false", "cookie_csrf_protect = false"] {
        let (client, clock) = site(toml, Jwt::fairing());
        let token = jwt(&client).access_token("ada").encode().unwrap();
        clock.set(unix(START + 700));
        let response = by_cookie(client.get("/me"), &token).dispatch();
        assert_eq!(names_set(&response), ["access_token_cookie"], "{toml}");
    }
}

#[test]
fn other_cookies_of_the_answer_stay() {
    use rocket::http::CookieJar;

    #[get("/theme")]
    fn theme(_token: AccessToken, jar: &CookieJar<'_>) {
        jar.add(("theme", "dark"));
    }

    let (client, clock) = clocked(COOKIES, routes![theme]);
    let token = jwt(&client).access_token("ada").encode().unwrap();
    clock.set(unix(START + 700));
    let request = by_cookie(client.get("/theme"), &token);
    let response = request.header(Header::new("Cookie", "theme=light")).dispatch();
    assert_eq!(names_set(&response), ["access_token_cookie", "csrf_access_token", "theme"]);
}

#[test]
fn without_a_csrf_cookie_every_post_after_a_silent_renewal_works() {
    use crate::support::browser::{Browser, Identity};
    use rocket::http::{CookieJar, Method};

    #[post("/hello")]
    fn hello(jwt: &Jwt, jar: &CookieJar<'_>) -> Result<String, rocket_jwt_extended::Error> {
        let pair = jwt.token_pair("ada").issue()?;
        jwt.cookies(jar).set_pair(&pair)?;
        Ok(pair.csrf().unwrap_or_default().into())
    }

    #[post("/note")]
    fn note(token: AccessToken) -> String {
        token.identity().into()
    }

    for toml in ["csrf_in_cookies = false", "csrf_in_cookies = true"] {
        let clock = clock_at_start();
        let fairing = Jwt::fairing().clock(clock.clone());
        let app = client(&format!("{COOKIES}{toml}"), fairing, routes![hello, me, note]);
        let mut browser = Browser::new(&clock, Identity::Rfc6265Bis);
        let [hello, me, note] =
            ["hello", "me", "note"].map(|path| format!("https://app.example.test/{path}"));
        let value = browser.post(&app, &hello, "").into_string().unwrap();
        assert_eq!(value.len(), 36, "it is there");
        for _ in 0..5 {
            clock.advance(rocket_jwt_extended::Duration::minutes(12));
            let before = browser.cookie_line(&me);
            assert_eq!(browser.get(&app, &me).into_string().unwrap(), "ada");
            assert_ne!(browser.cookie_line(&me), before, "it was renewed");
            // Also a request that the page prepared before the renewal.
            let headers = [("X-CSRF-TOKEN", value.clone())];
            let response = browser.send(&app, Method::Post, &note, &headers, "");
            assert_eq!(response.into_string().unwrap(), "ada", "{toml}");
        }
    }
}

#[test]
fn a_token_without_a_csrf_value_of_its_own_gets_one() {
    for csrf in [json!(""), json!(5), json!(null)] {
        let (client, clock) = site("", Jwt::fairing());
        let old = sign(&with(json!({"csrf": csrf})));
        clock.set(unix(START + 700));
        let response = by_cookie(client.get("/me"), &old).dispatch();
        let new = text(&set_cookie(&response, "access_token_cookie").0, "csrf");
        assert_eq!(new.len(), 36, "{csrf}");
        assert_eq!(set_cookie(&response, "csrf_access_token").0, new);
    }
}

#[test]
fn a_renewed_token_without_a_session_begins_the_one_derived_from_it() {
    let (client, clock) = site("", Jwt::fairing());
    let jwt = jwt(&client);
    let old = jwt.access_token("ada").encode().unwrap();
    assert_eq!(payload(&old).get("sid"), None);
    clock.set(unix(START + 700));
    let [first, second] = [(); 2].map(|()| {
        set_cookie(&by_cookie(client.get("/me"), &old).dispatch(), "access_token_cookie").0
    });
    assert_eq!(text(&first, "sid"), text(&second, "sid"));
    // So a logout by the old token reaches what was made of it.
    let token = jwt.decode::<rocket_jwt_extended::NoClaims>(&old).unwrap();
    rocket::execute(jwt.revoke_session(&token)).unwrap();
    for token in [&old, &first, &second] {
        let refused = code(by_cookie(client.get("/me"), token).dispatch());
        assert_eq!(refused, (401, "token_revoked".into()));
    }
}

#[test]
fn a_login_and_a_rotation_change_the_csrf_value() {
    use rocket_jwt_extended::{RefreshToken, Rejection, TokenPair};

    #[post("/rotate")]
    async fn rotate(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
        jwt.rotate(token).await
    }

    let (client, _) = clocked("", routes![rotate]);
    let [first, second] = [(); 2].map(|()| jwt(&client).token_pair("ada").issue().unwrap());
    let [rotated, _] = pair(post(&client, "/rotate", first.refresh_token()));
    let values = [first.csrf().unwrap(), second.csrf().unwrap(), &text(&rotated, "csrf")];
    assert!(values[0] != values[1] && values[0] != values[2], "{values:?}");
}
