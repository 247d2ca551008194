//! Settings of the cookies that tokens travel in.

use crate::support::app::{App, said, shown_beside};
use crate::support::*;
use serde_json::json;

const BASE: &str = "token_location = \"cookies\"";

/// What a GET says to a token in that cookie.
fn by_cookie(uri: &'static str, cookie: &'static str) -> impl Fn(&App) -> String {
    move |app| {
        let kind = if uri == "/renew" { "refresh" } else { "access" };
        let token = sign(&with(json!({"type": kind})));
        said(app.client.get(uri).cookie((cookie, token)).dispatch())
    }
}

fn attribute(cookie: &'static str, attribute: &'static str) -> impl Fn(&App) -> String {
    move |app| app.attribute(cookie, attribute)
}

const FOUR: [&str; 4] =
    ["access_token_cookie", "csrf_access_token", "csrf_refresh_token", "refresh_token_cookie"];

#[test]
fn access_cookie_name_is_the_cookie_set_and_read() {
    let lines = "access_cookie_name = \"a\"";
    let set = "a csrf_access_token csrf_refresh_token refresh_token_cookie";
    shown_beside(BASE, lines, [&FOUR.join(" "), set], App::cookies);
    let missing = "401 Missing cookie \"access_token_cookie\"";
    shown_beside(BASE, lines, [missing, "ada"], by_cookie("/me", "a"));
    let missing = "401 Missing cookie \"a\"";
    shown_beside(BASE, lines, ["ada", missing], by_cookie("/me", "access_token_cookie"));
    shown_beside(BASE, lines, ["ada", "ada"], by_cookie("/renew", "refresh_token_cookie"));
}

#[test]
fn refresh_cookie_name_is_the_cookie_set_and_read() {
    let lines = "refresh_cookie_name = \"r\"";
    let set = "access_token_cookie csrf_access_token csrf_refresh_token r";
    shown_beside(BASE, lines, [&FOUR.join(" "), set], App::cookies);
    let missing = "401 Missing cookie \"refresh_token_cookie\"";
    shown_beside(BASE, lines, [missing, "ada"], by_cookie("/renew", "r"));
    let missing = "401 Missing cookie \"r\"";
    shown_beside(BASE, lines, ["ada", missing], by_cookie("/renew", "refresh_token_cookie"));
    shown_beside(BASE, lines, ["ada", "ada"], by_cookie("/me", "access_token_cookie"));
}

#[test]
fn names_with_a_prefix_that_browsers_enforce_work_where_their_promise_is_kept() {
    let base = format!("{BASE}\ncookie_secure = true");
    let lines = "access_cookie_name = \"__Host-a\"\nrefresh_cookie_name = \"__Secure-r\"";
    let set = "__Host-a __Secure-r csrf_access_token csrf_refresh_token";
    shown_beside(&base, lines, [&FOUR.join(" "), set], App::cookies);
    let missing = "401 Missing cookie \"access_token_cookie\"";
    shown_beside(&base, lines, [missing, "ada"], by_cookie("/me", "__Host-a"));
    let missing = "401 Missing cookie \"refresh_token_cookie\"";
    shown_beside(&base, lines, [missing, "ada"], by_cookie("/renew", "__Secure-r"));
}

#[test]
fn each_of_the_four_cookies_has_a_path_of_its_own() {
    for (key, cookie) in [
        ("access_cookie_path", "access_token_cookie"),
        ("refresh_cookie_path", "refresh_token_cookie"),
        ("access_csrf_cookie_path", "csrf_access_token"),
        ("refresh_csrf_cookie_path", "csrf_refresh_token"),
    ] {
        let lines = format!("{key} = \"/somewhere\"");
        for other in FOUR {
            let expected = if other == cookie { "/somewhere" } else { "/" };
            shown_beside(BASE, &lines, ["/", expected], attribute(other, "Path"));
        }
    }
}

#[test]
fn cookie_domain_is_the_domain_of_all_four() {
    for cookie in FOUR {
        let lines = "cookie_domain = \"example.org\"";
        shown_beside(BASE, lines, ["no", "example.org"], attribute(cookie, "Domain"));
    }
}

#[test]
fn cookie_secure_is_off_in_debug_alone() {
    for cookie in FOUR {
        let lines = "cookie_secure = true";
        shown_beside(BASE, lines, ["no", "yes"], attribute(cookie, "Secure"));
    }
    for profile in ["release", "staging", "default"] {
        let figment = figment(BASE).select(profile);
        let app = crate::support::app::launch(figment).unwrap();
        assert_eq!(FOUR.map(|cookie| app.attribute(cookie, "Secure")), ["yes"; 4], "{profile}");

        let figment = figment_of(profile);
        let app = crate::support::app::launch(figment).unwrap();
        assert_eq!(FOUR.map(|cookie| app.attribute(cookie, "Secure")), ["no"; 4], "{profile}");
    }
}

fn figment_of(profile: &str) -> rocket::figment::Figment {
    figment(&format!("{BASE}\ncookie_secure = false")).select(profile)
}

#[test]
fn cookie_samesite_is_lax_unless_told_otherwise() {
    for cookie in FOUR {
        for (lines, expected) in [
            ("cookie_samesite = \"Strict\"", "Strict"),
            ("cookie_samesite = \"Lax\"", "Lax"),
            ("cookie_samesite = \"None\"\ncookie_secure = true", "None"),
        ] {
            shown_beside(BASE, lines, ["Lax", expected], attribute(cookie, "SameSite"));
        }
    }
}

#[test]
fn session_cookie_off_keeps_cookies_as_long_as_their_tokens_live() {
    let lines = "session_cookie = false";
    for (cookie, seconds) in FOUR.into_iter().zip(["900", "900", "2592000", "2592000"]) {
        shown_beside(BASE, lines, ["no", seconds], attribute(cookie, "Max-Age"));
    }
    let expires = "Fri, 15 Jan 2027 08:15:00 GMT";
    shown_beside(BASE, lines, ["no", expires], attribute("access_token_cookie", "Expires"));
}

#[test]
fn a_token_without_end_is_kept_for_the_four_hundred_days_browsers_allow() {
    let base = format!("{BASE}\naccess_token_expires = false");
    let lines = "session_cookie = false";
    shown_beside(&base, lines, ["no", "34560000"], attribute("access_token_cookie", "Max-Age"));
}
