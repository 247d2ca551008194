//! Checks the settings about sessions.

use super::findings::Findings;
use super::read::Config;
use crate::blocklist::MAX_LISTED;
use crate::settings::{SessionLimit, Sessions};

pub(super) fn max_sessions(config: &Config, findings: &mut Findings<'_>) -> Option<usize> {
    let max = config.max_sessions.0?;
    if config.sessions.0 == Sessions::Off {
        findings
            .fault("max_sessions", "needs `sessions = true`: without it, sessions are not counted");
    }
    if !(1..=MAX_LISTED).contains(&max) {
        findings.fault(
            "max_sessions",
            format_args!("must be from 1 to {MAX_LISTED}; `false` switches it off"),
        );
    }
    Some(max)
}

pub(super) fn session_limit(config: &Config, findings: &mut Findings<'_>) -> SessionLimit {
    if config.sessions.0 == Sessions::Adopt {
        findings.warn(
            "sessions",
            "is \"adopt\": a session without a row gets one at its next exchange. Set it to \
             `true` once every server has had it for `refresh_token_expires`",
        );
    }
    match &*config.session_limit {
        "end_oldest" => SessionLimit::EndOldest,
        "refuse" => SessionLimit::Refuse,
        _ => {
            findings.fault("session_limit", "must be \"end_oldest\" or \"refuse\"");
            SessionLimit::Refuse
        }
    }
}
