//! What the launch says of sessions, and where it fails.

use rocket::local::blocking::Client;
use rocket::time::OffsetDateTime;
use rocket_jwt_extended::{
    Blocklist, Exchange, Exchanged, Jwt, JwtFairing, MemoryBlocklist, Revocation, Standing,
    StoreError, TokenIds,
};

use crate::support::log::{install, logged};
use crate::support::*;

/// A store that lists no sessions.
#[derive(Default)]
struct Plain(MemoryBlocklist);

#[rocket::async_trait]
impl Blocklist for Plain {
    async fn revoke(&self, entry: &Revocation) -> Result<bool, StoreError> {
        self.0.revoke(entry).await
    }

    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        self.0.standing(ids).await
    }

    async fn exchange(
        &self,
        ids: &TokenIds<'_>,
        exchange: &Exchange,
    ) -> Result<Exchanged, StoreError> {
        self.0.exchange(ids, exchange).await
    }

    async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        self.0.prune(now).await
    }
}

/// Whether it launches, and what is logged.
fn launch(toml: &str, fairing: JwtFairing) -> (bool, String) {
    install();
    logged(|| match Client::untracked(app(toml, fairing, vec![])) {
        Ok(_) => true,
        Err(error) => {
            // An error that nobody looks at panics.
            let _ = error.kind();
            false
        }
    })
}

#[test]
fn a_store_that_lists_no_sessions_fails_the_launch_that_needs_it() {
    for (toml, launches) in [
        ("", true),
        ("sessions = false", true),
        ("sessions = \"adopt\"", false),
        ("sessions = true", false),
    ] {
        let fairing = Jwt::fairing().blocklist(Plain::default());
        let (is_launched, log) = launch(toml, fairing);
        assert_eq!(is_launched, launches, "{toml}: {log}");
        assert_eq!(log.contains("implement `SessionStore` for it"), !launches, "{log}");
        assert!(launch(toml, Jwt::fairing()).0, "{toml}");
    }
}

#[test]
fn a_limit_needs_sessions_and_a_number() {
    for (toml, fault) in [
        ("max_sessions = 5", Some("`default.jwt.max_sessions` needs `sessions = true`")),
        ("max_sessions = 5\nsessions = false", Some("needs `sessions = true`")),
        ("max_sessions = 0\nsessions = true", Some("must be from 1 to 1000")),
        ("max_sessions = 1001\nsessions = true", Some("must be from 1 to 1000")),
        ("max_sessions = -1\nsessions = true", Some("must not be negative")),
        ("max_sessions = true\nsessions = true", Some("max_sessions")),
        ("max_sessions = \"5\"\nsessions = true", Some("max_sessions")),
        ("session_limit = \"oldest\"\nsessions = true", Some("\"end_oldest\" or \"refuse\"")),
        ("sessions = \"yes\"", Some("true, false or \"adopt\"")),
        ("sessions = 1", Some("true, false or \"adopt\"")),
        ("session_lifetime = 0", Some("session_lifetime")),
        ("session_lifetime = \"-1h\"", Some("session_lifetime")),
        ("session_lifetime = true", Some("session_lifetime")),
        ("max_sessions = false", None),
        ("max_sessions = 1\nsessions = \"adopt\"", None),
        ("max_sessions = 1000\nsessions = true", None),
        ("session_lifetime = false", None),
    ] {
        let (is_launched, log) = launch(toml, Jwt::fairing());
        assert_eq!(is_launched, fault.is_none(), "{toml}: {log}");
        assert!(fault.is_none_or(|fault| log.contains(fault)), "{toml}: {log}");
    }
}

#[test]
fn a_policy_without_a_limit_has_no_effect_and_the_launch_says_so() {
    for (toml, warns) in [
        ("session_limit = \"refuse\"\nsessions = true", true),
        ("session_limit = \"refuse\"\nsessions = true\nmax_sessions = 2", false),
        ("sessions = true", false),
    ] {
        let (is_launched, log) = launch(toml, Jwt::fairing());
        assert!(is_launched, "{toml}: {log}");
        assert_eq!(log.contains("session_limit` has no effect"), warns, "{toml}: {log}");
    }
}

#[test]
fn adopting_is_said_at_each_launch() {
    for (mode, says) in [("\"adopt\"", true), ("true", false), ("false", false)] {
        let (_, log) = launch(&format!("sessions = {mode}"), Jwt::fairing());
        assert_eq!(log.contains("WARN: JWT: `sessions = \"adopt\"`"), says, "{mode}: {log}");
        assert_eq!(log.contains("sessions: each has a row"), mode == "true", "{log}");
    }
}
