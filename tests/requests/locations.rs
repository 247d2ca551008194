//! Several locations: their order, what is final, and the text when there is nothing anywhere.

use crate::support::common::*;
use crate::support::*;
use rocket::http::{ContentType, Header};
use rocket::local::blocking::{Client, LocalRequest};
use rocket_jwt_extended::{AccessToken, Cookies, Headers, In, JsonBody, QueryString, WithBody};
use serde_json::json;

#[get("/")]
fn get(token: AccessToken) -> String {
    told(&token)
}
#[post("/")]
fn post(token: AccessToken) -> String {
    told(&token)
}
#[post("/body", data = "<body>")]
fn body(body: WithBody) -> String {
    told(&body.token)
}
#[get("/header")]
fn header(token: In<Headers>) -> String {
    told(&token)
}
#[get("/cookie_header")]
fn cookie_header(token: In<(Cookies, Headers)>) -> String {
    told(&token)
}
#[get("/header_cookie")]
fn header_cookie(token: In<(Headers, Cookies)>) -> String {
    told(&token)
}
#[post("/four", data = "<body>")]
fn four(body: WithBody<In<(JsonBody, QueryString, Cookies, Headers)>>) -> String {
    told(&body.token)
}

fn told(token: &AccessToken) -> String {
    let place = token.location().map(|location| location.to_string());
    format!("{} by {}", token.identity(), place.unwrap_or_default())
}

fn app(locations: &str) -> Client {
    let toml = format!("{FLASK}token_location = {locations}");
    clocked(&toml, routes![get, post, body, header, cookie_header, header_cookie, four]).0
}

fn of(identity: &str) -> String {
    sign(&with(json!({"sub": identity})))
}

fn ok(text: &str) -> (u16, String) {
    (200, text.into())
}

fn dispatch(request: LocalRequest<'_>) -> (u16, String) {
    said(request.dispatch())
}

#[test]
fn the_first_place_that_holds_a_token_decides() {
    let all = |client: &Client| {
        let uri = format!("/body?jwt={}", of("query"));
        let request = client.post(uri).header(Bearer(&of("header"))).header(csrf_header());
        let request = request.cookie(in_cookie(&of("cookie"))).header(ContentType::JSON);
        dispatch(request.body(format!(r#"{{"access_token": "{}"}}"#, of("body"))))
    };
    for (locations, expected) in [
        (r#"["headers", "cookies", "query_string", "json"]"#, "header by headers"),
        (r#"["cookies", "headers", "query_string", "json"]"#, "cookie by cookies"),
        (r#"["query_string", "cookies", "headers", "json"]"#, "query by query_string"),
        (r#"["json", "query_string", "cookies", "headers"]"#, "body by json"),
        (r#""json""#, "body by json"),
    ] {
        assert_eq!(all(&app(locations)), ok(expected), "{locations}");
    }
}

#[test]
fn only_no_token_at_all_moves_on_to_the_next_place() {
    let client = app(r#"["headers", "cookies"]"#);
    let cookie = || client.get("/").cookie(in_cookie(&of("cookie")));
    let basic = Header::new("Authorization", "Basic x");
    assert_eq!(dispatch(cookie()), ok("cookie by cookies"));
    assert_eq!(dispatch(cookie().header(basic)), ok("cookie by cookies"));
    assert_eq!(dispatch(cookie().header(Bearer("bad"))), (422, "Not enough segments".into()));
    let expired = sign(&with(json!({"exp": START})));
    assert_eq!(dispatch(cookie().header(Bearer(&expired))), (401, "Token has expired".into()));
    let empty = "Bad Authorization header. Expected 'Authorization: Bearer <JWT>'";
    assert_eq!(dispatch(cookie().header(Bearer(""))), (422, empty.into()));

    let client = app(r#"["cookies", "headers"]"#);
    let request = client.get("/").header(Bearer("bad")).cookie(in_cookie(&of("cookie")));
    assert_eq!(dispatch(request), ok("cookie by cookies"));
    let request = client.get("/").header(Bearer(&of("header"))).cookie(in_cookie("bad"));
    assert_eq!(dispatch(request), (422, "Not enough segments".into()));
    let request = client.get("/").header(Bearer(&of("header"))).cookie(in_cookie(""));
    assert_eq!(dispatch(request), ok("header by headers"));
}

#[test]
fn a_cookie_without_its_csrf_value_gives_way_to_a_token_in_the_header() {
    let missing = (401, "Missing CSRF token".to_string());
    for locations in [r#"["cookies", "headers"]"#, r#"["cookies", "query_string", "headers"]"#] {
        let client = app(locations);
        let cookie = || client.post("/").cookie(in_cookie(&of("cookie")));
        let both = cookie().header(Bearer(&of("header")));
        assert_eq!(dispatch(both), ok("header by headers"), "{locations}");
        assert_eq!(dispatch(cookie()), missing, "{locations}");
        let basic = cookie().header(Header::new("Authorization", "Basic x"));
        assert_eq!(dispatch(basic), missing, "{locations}");
        // A wrong value is no missing one.
        let wrong = cookie().header(Bearer(&of("header"))).header(Header::new("X-CSRF-TOKEN", "x"));
        let mismatch = (401, "CSRF double submit tokens do not match".to_string());
        assert_eq!(dispatch(wrong), mismatch, "{locations}");
    }
    // What another site can send is no way around.
    let client = app(r#"["cookies", "query_string"]"#);
    let uri = format!("/?jwt={}", of("query"));
    assert_eq!(dispatch(client.post(uri).cookie(in_cookie(&of("cookie")))), missing);
}

#[test]
fn a_guard_that_names_its_places_looks_in_those_only_and_in_that_order() {
    let client = app(r#""query_string""#);
    let both = |uri: &'static str| {
        client.get(uri).header(Bearer(&of("header"))).cookie(in_cookie(&of("cookie")))
    };
    assert_eq!(dispatch(both("/header")), ok("header by headers"));
    assert_eq!(dispatch(both("/cookie_header")), ok("cookie by cookies"));
    assert_eq!(dispatch(both("/header_cookie")), ok("header by headers"));
    assert_eq!(dispatch(both("/")), (401, "Missing 'jwt' query parameter".into()));
    let only_cookie = client.get("/header").cookie(in_cookie(&of("cookie")));
    assert_eq!(dispatch(only_cookie), (401, "Missing Authorization Header".into()));
    let text = "Missing JWT in json, query_string, cookies or headers \
                (Invalid content-type. Must be application/json.; Missing 'jwt' query parameter; \
                Missing cookie \"access_token_cookie\"; Missing Authorization Header)";
    assert_eq!(dispatch(client.post("/four")), (401, text.into()));
    let last = client.post("/four").header(Bearer(&of("header")));
    assert_eq!(dispatch(last), ok("header by headers"));
}

#[test]
fn the_text_names_every_place_and_what_was_missing_there() {
    const HEADER: &str = "Missing Authorization Header";
    const COOKIE: &str = "Missing cookie \"access_token_cookie\"";
    const QUERY: &str = "Missing 'jwt' query parameter";
    const JSON: &str = "Invalid content-type. Must be application/json.";
    for (locations, expected) in [
        (r#""headers""#, HEADER.to_string()),
        (r#"["cookies"]"#, COOKIE.into()),
        (r#"["query_string"]"#, QUERY.into()),
        (r#"["json"]"#, JSON.into()),
        (
            r#"["cookies", "headers"]"#,
            format!("Missing JWT in cookies or headers ({COOKIE}; {HEADER})"),
        ),
        (
            r#"["json", "query_string"]"#,
            format!("Missing JWT in json or query_string ({JSON}; {QUERY})"),
        ),
        (
            r#"["headers", "cookies", "json"]"#,
            format!("Missing JWT in headers, cookies or json ({HEADER}; {COOKIE}; {JSON})"),
        ),
        (
            r#"["headers", "cookies", "query_string", "json"]"#,
            format!(
                "Missing JWT in headers, cookies, query_string or json \
                 ({HEADER}; {COOKIE}; {QUERY}; {JSON})"
            ),
        ),
    ] {
        assert_eq!(dispatch(app(locations).post("/body")), (401, expected), "{locations}");
    }
}

#[test]
fn a_place_that_is_named_twice_or_unknown_fails_the_launch() {
    // The configuration knows lists only, so that the order is always what was written.
    for locations in [r#"["headers", "headers"]"#, r#"["header"]"#, "[]", r#""""#, "{ a = 1 }"] {
        assert!(!launches(&format!("token_location = {locations}")), "{locations}");
    }
    assert!(launches(r#"token_location = ["json", "query_string", "cookies", "headers"]"#));
}

#[test]
fn a_token_without_custom_claims_is_a_token() {
    let client = app(r#"["headers", "cookies"]"#);
    let bare = sign(&json!({"sub": "ada", "exp": START + 1}));
    assert_eq!(dispatch(client.get("/").header(Bearer(&bare))), ok("ada by headers"));
    let empty = sign_text(r#"{"alg":"HS256"}"#, "{}");
    let refused = (422, "Missing claim: sub".to_string());
    let request = client.get("/").header(Bearer(&empty)).cookie(in_cookie(&of("cookie")));
    assert_eq!(dispatch(request), refused);
}
