//! Settings of sessions.

use crate::support::app::{App, shown, shown_beside};
use crate::support::*;

/// Lifetimes of the tokens of a login, in seconds.
fn lifetimes(app: &App) -> String {
    let pair = app.jwt().token_pair("ada").issue().unwrap();
    let lifetimes = [pair.access_token(), pair.refresh_token()].map(|token| {
        let claims = payload(token);
        (claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap()).to_string()
    });
    lifetimes.join(" ")
}

/// What a login that records its session comes to.
fn begin(app: &App) -> String {
    match rocket::execute(app.jwt().token_pair("ada").begin()) {
        Ok(_) => "begun".into(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn session_lifetime_is_how_long_a_session_may_last() {
    shown("session_lifetime = \"10m\"", ["900 2592000", "600 600"], lifetimes);
    shown("session_lifetime = 86400", ["900 2592000", "900 86400"], lifetimes);
    shown("session_lifetime = false", ["900 2592000"; 2], lifetimes);
}

#[test]
fn sessions_is_whether_a_login_records_its_session() {
    let listed = |app: &App| {
        begin(app);
        rocket::execute(app.jwt().sessions("ada"))
            .map_or_else(|_| "none".into(), |sessions| sessions.len().to_string())
    };
    shown("sessions = true", ["none", "1"], listed);
    shown("sessions = \"adopt\"", ["none", "1"], listed);
    let refused = "with `sessions`, a session is begun with `token_pair(…).begin().await`";
    let issued = |app: &App| {
        let pair = app.jwt().token_pair("ada").issue();
        pair.map_or_else(|error| error.to_string(), |_| "issued".into())
    };
    shown("sessions = true", ["issued", refused], issued);
    shown("sessions = \"adopt\"", ["issued", refused], issued);
    shown("sessions = false", ["issued"; 2], issued);
    // A refresh token whose session has no row.
    let lone = sign(&with(serde_json::json!({"type": "refresh"})));
    let look = |app: &App| {
        app.client.get("/renew").header(Bearer(&lone)).dispatch().status().code.to_string()
    };
    shown("sessions = true", ["200", "401"], look);
    shown("sessions = \"adopt\"", ["200", "200"], look);
}

#[test]
fn max_sessions_is_how_many_are_live() {
    let live = |app: &App| {
        (0..4).for_each(|_| assert_eq!(begin(app), "begun"));
        rocket::execute(app.jwt().sessions("ada")).unwrap().len().to_string()
    };
    shown_beside("sessions = true", "max_sessions = 2", ["4", "2"], live);
    shown_beside("sessions = true", "max_sessions = false", ["4", "4"], live);
}

#[test]
fn session_limit_is_what_a_login_does_that_exceeds_it() {
    let base = "sessions = true\nmax_sessions = 1";
    let second = |app: &App| {
        assert_eq!(begin(app), "begun");
        begin(app)
    };
    let refused = "the identity has too many sessions";
    shown_beside(base, "session_limit = \"refuse\"", ["begun", refused], second);
    shown_beside(base, "session_limit = \"end_oldest\"", ["begun", "begun"], second);
}
