//! Settings of how long tokens live.

use crate::support::app::{App, shown};
use crate::support::*;
use rocket_jwt_extended::Duration;

fn lifetime(token: &str) -> String {
    let claims = payload(token);
    match claims["exp"].as_i64() {
        Some(exp) => (exp - claims["iat"].as_i64().unwrap()).to_string(),
        None => "for ever".into(),
    }
}

fn access(app: &App) -> String {
    lifetime(&app.jwt().access_token("ada").encode().unwrap())
}

fn refresh(app: &App) -> String {
    lifetime(&app.jwt().refresh_token("ada").encode().unwrap())
}

#[test]
fn access_token_expires_is_the_life_of_access_tokens() {
    shown("access_token_expires = 300", ["900", "300"], access);
    shown("access_token_expires = \"1h 30m\"", ["900", "5400"], access);
    shown("access_token_expires = false", ["900", "for ever"], access);
    shown("access_token_expires = 300", ["2592000", "2592000"], refresh);
}

#[test]
fn refresh_token_expires_is_the_life_of_refresh_tokens() {
    shown("refresh_token_expires = 3600", ["2592000", "3600"], refresh);
    shown("refresh_token_expires = \"7d\"", ["2592000", "604800"], refresh);
    shown("refresh_token_expires = false", ["2592000", "for ever"], refresh);
    shown("refresh_token_expires = 3600", ["900", "900"], access);
}

#[test]
fn never_to_expire_makes_exp_optional_for_that_type_alone() {
    let endless = |kind: &str| {
        let mut claims = without(&["exp"]);
        claims["type"] = kind.into();
        sign(&claims)
    };
    let missing = "401 Missing claim: exp";
    shown("access_token_expires = false", [missing, "ada"], |app| app.me(&endless("access")));
    shown("refresh_token_expires = false", [missing, missing], |app| app.me(&endless("access")));
}

#[test]
fn max_token_lifetime_is_how_long_any_token_may_live() {
    let text = "the token would outlive `max_token_lifetime`";
    shown("max_token_lifetime = \"31d\"", ["3456000", text], |app| {
        let token = app.jwt().access_token("ada").expires_in(Duration::days(40)).encode();
        token.map_or_else(|error| error.to_string(), |token| lifetime(&token))
    });
    let text = "401 The token lives longer than is allowed";
    shown("max_token_lifetime = \"31d\"", ["ada", text], |app| {
        app.me(&sign(&with(serde_json::json!({"exp": START + 40 * 86_400}))))
    });
}

#[test]
fn rotation_grace_is_how_long_a_refresh_may_be_repeated() {
    let again = |seconds: i64| {
        move |app: &App| {
            let pair = app.jwt().token_pair("ada").issue().unwrap();
            let rotate = || {
                let request = app.client.post("/rotate").header(Bearer(pair.refresh_token()));
                msg(request.dispatch())
            };
            assert_eq!(rotate(), (200, String::new()));
            app.clock.advance(Duration::seconds(seconds));
            match rotate() {
                (200, _) => "again".into(),
                (status, text) => format!("{status} {text}"),
            }
        }
    };
    shown("rotation_grace = \"0s\"", ["again", "401 Token has been revoked"], again(0));
    shown("rotation_grace = 60", ["401 Token has been revoked", "again"], again(11));
    shown("rotation_grace = 60", ["again", "again"], again(10));
    shown("rotation_grace = 60", ["401 Token has been revoked"; 2], again(61));
}

#[test]
fn implicit_refresh_within_renews_cookies_that_are_close_to_their_end() {
    let renewed = |seconds: i64| {
        move |app: &App| {
            let token = sign(&with(serde_json::json!({"exp": START + seconds})));
            let request = app.client.get("/me").cookie(("access_token_cookie", token));
            let response = request.dispatch();
            let lines: Vec<_> = response.headers().get("Set-Cookie").map(Into::into).collect();
            crate::support::app::cookie_names(&lines)
        }
    };
    let both = "access_token_cookie csrf_access_token";
    let lines = "implicit_refresh_within = \"5m\"";
    for (seconds, expected) in [(300, both), (301, "")] {
        crate::support::app::shown_beside(
            "token_location = \"cookies\"",
            lines,
            ["", expected],
            renewed(seconds),
        );
    }
}
