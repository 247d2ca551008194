//! Settings of sessions: their length, their list, their number.

use crate::support::app::{App, shown, shown_beside};
use crate::support::*;

fn refresh(app: &App) -> String {
    let token = app.jwt().refresh_token("ada").encode();
    token.map_or_else(
        |error| error.to_string(),
        |token| {
            let claims = payload(&token);
            (claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap()).to_string()
        },
    )
}

/// How many sessions two logins leave, or why the last one fails.
fn two_logins(app: &App) -> String {
    let login = || rocket::execute(app.jwt().token_pair("ada").begin());
    if let Err(error) = login().and_then(|_| login()) {
        return error.to_string();
    }
    match rocket::execute(app.jwt().sessions("ada")) {
        Ok(sessions) => sessions.len().to_string(),
        Err(_) => "no list".into(),
    }
}

#[test]
fn session_lifetime_ends_every_token_of_a_session() {
    shown("session_lifetime = \"1h\"", ["2592000", "3600"], refresh);
    shown("session_lifetime = false", ["2592000", "2592000"], refresh);
}

#[test]
fn sessions_lists_what_begin_has_recorded() {
    let needed = "with `sessions`, a session is begun with `token_pair(…).begin().await`";
    for mode in ["true", "\"adopt\""] {
        shown(&format!("sessions = {mode}"), ["no list", "2"], two_logins);
        shown(&format!("sessions = {mode}"), ["2592000", needed], refresh);
    }
    shown("sessions = false", ["no list", "no list"], two_logins);
}

#[test]
fn max_sessions_is_how_many_there_are_and_session_limit_what_happens_beyond() {
    let on = "sessions = true";
    shown_beside(on, "max_sessions = 1", ["2", "1"], two_logins);
    shown_beside(on, "max_sessions = 2", ["2", "2"], two_logins);
    shown_beside(on, "max_sessions = false", ["2", "2"], two_logins);
    let on = "sessions = true\nmax_sessions = 1";
    shown_beside(on, "session_limit = \"end_oldest\"", ["1", "1"], two_logins);
    let refused = "the identity has too many sessions";
    shown_beside(on, "session_limit = \"refuse\"", ["1", refused], two_logins);
}
