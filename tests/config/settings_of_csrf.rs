//! Settings of the CSRF double submit.

use crate::support::app::{App, said, shown_beside};
use crate::support::*;
use rocket::http::{ContentType, Header, Method};
use serde_json::json;

const BASE: &str = "token_location = \"cookies\"";
const MISSING: &str = "401 Missing CSRF token";

fn cookie(uri: &str) -> (&'static str, String) {
    match uri.contains("renew") {
        true => ("refresh_token_cookie", sign(&with(json!({"type": "refresh"})))),
        false => ("access_token_cookie", sign(&claims())),
    }
}

/// What a request with the cookie and no CSRF value is told.
fn bare(method: Method, uri: &'static str) -> impl Fn(&App) -> String {
    move |app| said(app.client.req(method, uri).cookie(cookie(uri)).dispatch())
}

fn by_header(uri: &'static str, name: &'static str) -> impl Fn(&App) -> String {
    move |app| {
        let header = Header::new(name, "the-csrf-value");
        said(app.client.post(uri).cookie(cookie(uri)).header(header).dispatch())
    }
}

fn by_field(uri: &'static str, field: &'static str) -> impl Fn(&App) -> String {
    move |app| {
        let request = app.client.post(uri).cookie(cookie(uri)).header(ContentType::Form);
        said(request.body(format!("{field}=the-csrf-value")).dispatch())
    }
}

#[test]
fn cookie_csrf_protect_off_asks_for_no_value_and_writes_none() {
    let lines = "cookie_csrf_protect = false";
    shown_beside(BASE, lines, [MISSING, "ada"], bare(Method::Post, "/me"));
    shown_beside(BASE, lines, ["true", "false"], |app| {
        let token = app.jwt().access_token("ada").encode().unwrap();
        payload(&token)["csrf"].is_string().to_string()
    });
    let four = "access_token_cookie csrf_access_token csrf_refresh_token refresh_token_cookie";
    let expected = [four, "access_token_cookie refresh_token_cookie"];
    shown_beside(BASE, lines, expected, App::cookies);
}

#[test]
fn the_csrf_claim_is_written_for_headers_too() {
    shown_beside("", "cookie_csrf_protect = false", ["true", "false"], |app| {
        let pair = app.jwt().token_pair("ada").issue().unwrap();
        let both = [pair.access_token(), pair.refresh_token()];
        both.iter().all(|token| payload(token)["csrf"].is_string()).to_string()
    });
}

#[test]
fn csrf_methods_are_the_methods_that_need_the_value() {
    for name in ["DELETE", "delete"] {
        let lines = format!("csrf_methods = [\"{name}\"]");
        shown_beside(BASE, &lines, [MISSING, "ada"], bare(Method::Post, "/me"));
        shown_beside(BASE, &lines, [MISSING, MISSING], bare(Method::Delete, "/me"));
        shown_beside(BASE, &lines, ["ada", "ada"], bare(Method::Get, "/me"));
    }
    shown_beside(BASE, "csrf_methods = \"GET\"", ["ada", MISSING], bare(Method::Get, "/me"));
}

#[test]
fn csrf_in_cookies_off_sets_no_csrf_cookie_and_still_asks_for_the_value() {
    let lines = "csrf_in_cookies = false";
    let four = "access_token_cookie csrf_access_token csrf_refresh_token refresh_token_cookie";
    let expected = [four, "access_token_cookie refresh_token_cookie"];
    shown_beside(BASE, lines, expected, App::cookies);
    shown_beside(BASE, lines, [MISSING, MISSING], bare(Method::Post, "/me"));
    shown_beside(BASE, lines, ["true", "true"], |app| {
        let token = app.jwt().access_token("ada").encode().unwrap();
        let token = app.jwt().decode::<rocket_jwt_extended::NoClaims>(&token).unwrap();
        token.csrf().is_some().to_string()
    });
}

#[test]
fn csrf_check_form_lets_a_form_field_carry_the_value() {
    let lines = "csrf_check_form = true";
    shown_beside(BASE, lines, [MISSING, "ada"], by_field("/body", "csrf_token"));
    shown_beside(BASE, lines, [MISSING, "ada"], by_field("/renew-body", "csrf_token"));
    // A request guard cannot read a body.
    shown_beside(BASE, lines, [MISSING, MISSING], by_field("/me", "csrf_token"));
}

#[test]
fn the_csrf_cookies_have_names_of_their_own() {
    let four = "access_token_cookie csrf_access_token csrf_refresh_token refresh_token_cookie";
    for (key, set) in [
        (
            "access_csrf_cookie_name",
            "access_token_cookie csrf_refresh_token refresh_token_cookie x",
        ),
        (
            "refresh_csrf_cookie_name",
            "access_token_cookie csrf_access_token refresh_token_cookie x",
        ),
    ] {
        shown_beside(BASE, &format!("{key} = \"x\""), [four, set], App::cookies);
    }
}

#[test]
fn each_type_of_token_has_a_csrf_header_of_its_own() {
    for (key, uri, other) in [
        ("access_csrf_header_name", "/me", "/renew"),
        ("refresh_csrf_header_name", "/renew", "/me"),
    ] {
        let lines = format!("{key} = \"X-Own\"");
        shown_beside(BASE, &lines, [MISSING, "ada"], by_header(uri, "X-Own"));
        shown_beside(BASE, &lines, ["ada", MISSING], by_header(uri, "X-CSRF-TOKEN"));
        shown_beside(BASE, &lines, ["ada", "ada"], by_header(other, "X-CSRF-TOKEN"));
    }
}

#[test]
fn each_type_of_token_has_a_csrf_form_field_of_its_own() {
    let base = format!("{BASE}\ncsrf_check_form = true");
    for (key, uri, other) in [
        ("access_csrf_field_name", "/body", "/renew-body"),
        ("refresh_csrf_field_name", "/renew-body", "/body"),
    ] {
        let lines = format!("{key} = \"own\"");
        shown_beside(&base, &lines, [MISSING, "ada"], by_field(uri, "own"));
        shown_beside(&base, &lines, ["ada", MISSING], by_field(uri, "csrf_token"));
        shown_beside(&base, &lines, ["ada", "ada"], by_field(other, "csrf_token"));
    }
}
