//! CSRF double submit: what a cookie-borne token needs beside it.

use crate::support::common::*;
use crate::support::*;
use rocket::futures::future::BoxFuture;
use rocket::http::{Header, Method};
use rocket::local::blocking::Client;
use rocket::outcome::Outcome::{Error, Forward, Success};
use rocket::route::Outcome;
use rocket::{Data, Request, Route};
use rocket_jwt_extended::{AccessToken, AnyToken, Optional, RefreshToken};
use serde_json::{Value, json};

#[get("/")]
fn get(token: AccessToken) -> String {
    token.identity().into()
}
#[post("/")]
fn post(token: AccessToken) -> String {
    token.identity().into()
}
#[put("/")]
fn put(token: AccessToken) -> String {
    token.identity().into()
}
#[patch("/")]
fn patch(token: AccessToken) -> String {
    token.identity().into()
}
#[delete("/")]
fn delete(token: AccessToken) -> String {
    token.identity().into()
}
#[options("/")]
fn options(token: AccessToken) -> String {
    token.identity().into()
}
#[post("/optional")]
fn optional(token: Optional) -> String {
    token.token().map_or("nobody", |token| token.identity()).into()
}
#[post("/any")]
fn either(token: AnyToken) -> String {
    format!("{} {}", token.identity(), token.token_type())
}
#[post("/refresh")]
fn refreshed(token: RefreshToken) -> String {
    token.identity().into()
}

const UNSAFE: [Method; 4] = [Method::Post, Method::Put, Method::Patch, Method::Delete];
const SAFE: [Method; 3] = [Method::Get, Method::Options, Method::Trace];

fn app(toml: &str) -> Client {
    let toml = format!("{FLASK}token_location = [\"cookies\"]\n{toml}");
    let mut routes = routes![get, post, put, patch, delete, options, optional, either, refreshed];
    // The attributes don't know TRACE.
    routes.push(Route::new(Method::Trace, "/", trace));
    clocked(&toml, routes).0
}

fn trace<'r>(request: &'r Request<'_>, _: Data<'r>) -> BoxFuture<'r, Outcome<'r>> {
    Box::pin(async move {
        match request.guard::<AccessToken>().await {
            Success(token) => Outcome::from(request, token.identity().to_string()),
            Error((status, _)) | Forward(status) => Outcome::error(status),
        }
    })
}

fn ask(client: &Client, method: Method, token: &str, values: &[&str]) -> (u16, String) {
    let request = client.req(method, "/").cookie(in_cookie(token));
    said(with_lines(request, "X-CSRF-TOKEN", values).dispatch())
}

fn missing() -> (u16, String) {
    (401, "Missing CSRF token".into())
}

fn mismatch() -> (u16, String) {
    (401, "CSRF double submit tokens do not match".into())
}

#[test]
fn safe_methods_need_no_value_and_ignore_a_wrong_one() {
    let client = app("");
    for method in SAFE {
        assert_eq!(ask(&client, method, &access(), &[]), let_in("ada"), "{method}");
        assert_eq!(ask(&client, method, &access(), &["wrong"]), let_in("ada"), "{method}");
        let bare = sign(&without(&["csrf"]));
        assert_eq!(ask(&client, method, &bare, &[]), let_in("ada"), "{method}");
    }
    // The body of a HEAD is not sent.
    assert_eq!(ask(&client, Method::Head, &access(), &[]), (200, "".into()));
}

#[test]
fn unsafe_methods_need_the_value_of_the_token() {
    let client = app("");
    let token = access();
    for method in UNSAFE {
        assert_eq!(ask(&client, method, &token, &[]), missing(), "{method}");
        assert_eq!(ask(&client, method, &token, &[""]), missing(), "{method}");
        assert_eq!(ask(&client, method, &token, &["the-csrf-value"]), let_in("ada"), "{method}");
        for wrong in ["The-CSRF-Value", "the-csrf-valu", "the-csrf-value2", "x", " ", "ß", "\u{0}"]
        {
            assert_eq!(ask(&client, method, &token, &[wrong]), mismatch(), "{method} {wrong:?}");
        }
    }
}

#[test]
fn the_header_of_the_value_is_found_in_any_case_and_counts_once() {
    let client = app("");
    for name in ["X-CSRF-TOKEN", "x-csrf-token", "X-Csrf-Token"] {
        let request = client.post("/").cookie(in_cookie(&access()));
        let response = request.header(Header::new(name, "the-csrf-value")).dispatch();
        assert_eq!(said(response), let_in("ada"), "{name}");
    }
    let token = access();
    for values in [["the-csrf-value", "x"], ["x", "the-csrf-value"], ["the-csrf-value"; 2]] {
        assert_eq!(ask(&client, Method::Post, &token, &values), mismatch(), "{values:?}");
    }
    assert_eq!(ask(&client, Method::Post, &token, &["", "the-csrf-value"]), let_in("ada"));
}

#[test]
fn a_token_without_a_value_of_its_own_is_no_use_for_an_unsafe_method() {
    let client = app("");
    let bare = sign(&without(&["csrf"]));
    let refused = (422, "Missing claim: csrf".to_string());
    assert_eq!(ask(&client, Method::Post, &bare, &["the-csrf-value"]), refused);
    assert_eq!(ask(&client, Method::Post, &bare, &[]), missing());
    let list = json!(["the-csrf-value"]);
    for odd in [json!(null), json!(5), json!(true), list, json!({}), json!("")] {
        let token = sign(&with(json!({"csrf": odd})));
        for value in ["the-csrf-value", "5", "null", "true", "{}"] {
            assert_eq!(ask(&client, Method::Post, &token, &[value]), mismatch(), "{odd} {value}");
        }
    }
    let umlaut = sign(&with(json!({"csrf": "ä"})));
    assert_eq!(ask(&client, Method::Post, &umlaut, &["ä"]), let_in("ada"));
    assert_eq!(ask(&client, Method::Post, &umlaut, &["a"]), mismatch());
}

#[test]
fn the_value_is_bound_to_the_token_not_to_another_cookie() {
    let client = app("");
    let mine = jwt(&client).token_pair("ada").issue().unwrap();
    let other = jwt(&client).token_pair("eve").issue().unwrap();
    let value = |token: &str| payload(token)["csrf"].as_str().unwrap().to_string();
    for (sent, expected) in [
        (value(mine.access_token()), let_in("ada")),
        (value(mine.refresh_token()), mismatch()),
        (value(other.access_token()), mismatch()),
    ] {
        let request = client.post("/").cookie(in_cookie(mine.access_token()));
        // A cookie and a header that agree are no proof: another site of the domain can set both.
        let request = request.cookie(("csrf_access_token", sent.clone()));
        let response = request.header(Header::new("X-CSRF-TOKEN", sent.clone())).dispatch();
        assert_eq!(said(response), expected, "{sent}");
    }
}

#[test]
fn a_header_borne_token_never_needs_a_value() {
    for order in ["[\"headers\", \"cookies\"]", "[\"cookies\", \"headers\"]"] {
        let toml = format!("token_location = {order}");
        let (client, _) = clocked(&toml, routes![post, put, patch, delete]);
        for method in UNSAFE {
            let response = client.req(method, "/").header(Bearer(&access())).dispatch();
            assert_eq!(said(response), let_in("ada"), "{method} {order}");
        }
    }
}

#[test]
fn presence_comes_first_equality_after_the_claims_expiry_last() {
    let client = app("");
    let expired = sign(&with(json!({"exp": START - 1})));
    for (token, values, expected) in [
        (expired.clone(), &[][..], missing()),
        (expired.clone(), &["wrong"], mismatch()),
        (expired, &["the-csrf-value"], (401, "Token has expired".into())),
        ("garbage".into(), &[], missing()),
        ("garbage".into(), &["the-csrf-value"], (422, "Not enough segments".into())),
        ("garbage".into(), &["a", "b"], mismatch()),
    ] {
        assert_eq!(ask(&client, Method::Post, &token, values), expected, "{token} {values:?}");
    }
}

#[test]
fn an_optional_token_in_a_cookie_needs_its_value_and_without_a_cookie_nothing_does() {
    let client = app("");
    let with_cookie = client.post("/optional").cookie(in_cookie(&access()));
    assert_eq!(said(with_cookie.clone().dispatch()), missing());
    let request = client.post("/optional").cookie(in_cookie(&access()));
    assert_eq!(said(request.header(csrf_header()).dispatch()), let_in("ada"));
    assert_eq!(said(client.post("/optional").dispatch()), let_in("nobody"));
    let stray = client.post("/optional").header(csrf_header());
    assert_eq!(said(stray.dispatch()), let_in("nobody"));
}

#[test]
fn a_refusal_names_header_and_cookie_and_never_the_value() {
    let client = app("access_csrf_header_name = \"X-A\"\naccess_csrf_cookie_name = \"csrf_a\"");
    let ask = |request: rocket::local::blocking::LocalRequest<'_>| answer(request.dispatch()).1;
    let hint = "send the value of the cookie `csrf_a` in the header `X-A`";
    let body = ask(client.post("/").cookie(in_cookie(&access())));
    let expected = json!({"msg": "Missing CSRF token", "code": "csrf_missing", "hint": hint});
    assert_eq!(body, expected);
    let request = client.post("/").cookie(in_cookie(&access())).header(Header::new("X-A", "x"));
    let body: Value = ask(request);
    let text = "CSRF double submit tokens do not match";
    assert_eq!(body, json!({"msg": text, "code": "csrf_mismatch", "hint": hint}));
}

#[test]
fn the_hint_names_no_cookie_that_is_not_set() {
    for (toml, hint) in [
        (
            "csrf_in_cookies = false",
            "send the CSRF value of the token in the header `X-CSRF-TOKEN`",
        ),
        (
            "csrf_in_cookies = false\ncsrf_check_form = true",
            "send the CSRF value of the token in the header `X-CSRF-TOKEN`; this route does not read \
             the form field `csrf_token`",
        ),
    ] {
        let client = app(toml);
        for values in [&[][..], &["x"]] {
            let request = client.post("/").cookie(in_cookie(&access()));
            let (_, body) = answer(with_lines(request, "X-CSRF-TOKEN", values).dispatch());
            assert_eq!(body["hint"], hint, "{toml} {values:?}");
        }
    }
}

#[test]
fn a_value_given_in_code_hints_at_no_header() {
    let client = app("");
    let decoder = jwt(&client).decoder().csrf("x");
    let rejection = decoder.decode::<rocket_jwt_extended::NoClaims>(&access()).unwrap_err();
    let debug = format!("{rejection:?}");
    assert!(debug.ends_with("; send the CSRF value of the token"), "{debug}");
}

#[test]
fn access_and_refresh_tokens_have_names_of_their_own() {
    let client = app("access_csrf_header_name = \"X-A\"\nrefresh_csrf_header_name = \"X-R\"");
    let ask = |uri: &'static str, name: &'static str| {
        let request = client.post(uri).cookie(in_cookie(&access()));
        let request = request.cookie(in_refresh_cookie(&refresh()));
        said(request.header(Header::new(name, "the-csrf-value")).dispatch())
    };
    assert_eq!(ask("/", "X-A"), let_in("ada"));
    assert_eq!(ask("/refresh", "X-R"), let_in("ada"));
    assert_eq!(ask("/", "X-R"), missing());
    assert_eq!(ask("/refresh", "X-A"), missing());
    assert_eq!(ask("/", "X-CSRF-TOKEN"), missing());

    // For either kind, the names go by the cookie that the token is in.
    let either = |cookie: rocket::http::Cookie<'static>, name: &'static str| {
        let request = client.post("/any").cookie(cookie);
        said(request.header(Header::new(name, "the-csrf-value")).dispatch())
    };
    assert_eq!(either(in_cookie(&access()), "X-A"), let_in("ada access"));
    assert_eq!(either(in_cookie(&access()), "X-R"), missing());
    assert_eq!(either(in_refresh_cookie(&refresh()), "X-R"), let_in("ada refresh"));
    assert_eq!(either(in_refresh_cookie(&refresh()), "X-A"), missing());
}
