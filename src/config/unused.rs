//! Warns about settings that have no effect, one line each, since the operator expects an effect.

use jsonwebtoken::AlgorithmFamily;
use rocket::figment::Figment;

use super::findings::Findings;
use super::in_code::{BlocklistKind, InCode, signs};
use super::read::Config;
use super::report::Report;
use crate::settings::Settings;
use crate::token::location::Location;

/// The settings of each token location, and the code that uses them even without the location.
/// `header_type` is not listed, as every `WWW-Authenticate` contains it, nor is
/// `implicit_refresh_within`, which has a separate check.
const OF_LOCATIONS: &[(Location, &str, &[&str])] = &[
    (Location::Headers, "`In<Headers, …>`", &["header_name"]),
    (
        Location::QueryString,
        "`In<QueryString, …>`",
        &["query_string_name", "query_string_value_prefix"],
    ),
    (Location::JsonBody, "`In<JsonBody, …>`", &["json_key", "refresh_json_key"]),
    (
        Location::Cookies,
        "`In<Cookies, …>` and `Jwt::cookies()`",
        &[
            "access_cookie_name",
            "refresh_cookie_name",
            "access_cookie_path",
            "refresh_cookie_path",
            "cookie_domain",
            "cookie_secure",
            "cookie_samesite",
            "session_cookie",
            "cookie_csrf_protect",
        ],
    ),
    (Location::Cookies, "`In<Cookies, …>` and `Jwt::cookies()`", OF_CSRF),
];

/// The settings of the CSRF check for cookies.
const OF_CSRF: &[&str] = &[
    "csrf_methods",
    "csrf_in_cookies",
    "csrf_check_form",
    "access_csrf_cookie_name",
    "refresh_csrf_cookie_name",
    "access_csrf_cookie_path",
    "refresh_csrf_cookie_path",
    "access_csrf_header_name",
    "refresh_csrf_header_name",
    "access_csrf_field_name",
    "refresh_csrf_field_name",
];

const OF_CSRF_COOKIES: &[&str] = &[
    "access_csrf_cookie_name",
    "refresh_csrf_cookie_name",
    "access_csrf_cookie_path",
    "refresh_csrf_cookie_path",
];

const OF_CSRF_FORMS: &[&str] = &["access_csrf_field_name", "refresh_csrf_field_name"];

/// The settings for issued tokens.
const OF_ISSUING: &[&str] =
    &["encode_audience", "encode_issuer", "encode_nbf", "implicit_refresh_within"];

/// Warns about each setting that has no effect.
pub(crate) fn check(
    settings: &Settings,
    config: &Config,
    figment: &Figment,
    in_code: &InCode,
    report: &mut Report,
) {
    let mut unused = Unused { config, findings: Findings { config, figment, report } };
    unused.locations(settings);
    unused.csrf(settings);
    unused.keys(settings, in_code);
    unused.blocklist(settings, in_code);
    unused.expiry(settings);
    unused.sessions(settings);
}

struct Unused<'a> {
    config: &'a Config,
    findings: Findings<'a>,
}

impl Unused<'_> {
    /// Warns about each of these keys that is set.
    fn all(&mut self, keys: &[&str], why: impl std::fmt::Display) {
        for key in keys.iter().filter(|key| self.config.is_written(key)) {
            self.findings.warn(key, format_args!("has no effect: {why}"));
        }
    }

    fn locations(&mut self, settings: &Settings) {
        for (location, guards, keys) in OF_LOCATIONS {
            if settings.token_location.contains(location) {
                continue;
            }
            for key in keys.iter().filter(|key| self.config.is_written(key)) {
                self.findings.warn(
                    key,
                    format_args!(
                        "is used by {guards} alone, as `token_location` lacks \"{location}\"; add that, \
                         or remove the setting"
                    ),
                );
            }
        }
    }

    fn csrf(&mut self, settings: &Settings) {
        if !settings.token_location.contains(&Location::Cookies) {
            return;
        }
        if !settings.cookie_csrf_protect {
            self.all(
                OF_CSRF,
                "`cookie_csrf_protect = false` switches all of CSRF protection off; remove one of \
                 the two",
            );
            return;
        }
        if !settings.csrf_in_cookies {
            self.all(
                OF_CSRF_COOKIES,
                "with `csrf_in_cookies = false` there are no such cookies; remove one of the two",
            );
        }
        if !settings.csrf_check_form {
            self.all(
                OF_CSRF_FORMS,
                "form fields are not read; set `csrf_check_form = true`, or remove it",
            );
        }
    }

    fn keys(&mut self, settings: &Settings, in_code: &InCode) {
        if !signs(settings, self.config, in_code) {
            self.all(
                OF_ISSUING,
                "there is no signing key, so this server issues no tokens; set one, or remove it",
            );
        }
        if settings.algorithm.family() == AlgorithmFamily::Hmac && settings.token_cache > 0 {
            self.all(
                &["token_cache"],
                "only signatures of RSA, ECDSA and EdDSA keys are cached; remove it, or change \
                 `algorithm`",
            );
        } else if in_code.verifying_key && settings.token_cache > 0 {
            self.all(
                &["token_cache"],
                "with a `verifying_key` hook, signatures are not cached, as its keys may change; \
                 remove it",
            );
        }
    }

    /// `exp` is not required if issued tokens lack it.
    fn expiry(&mut self, settings: &Settings) {
        const KEY: &str = "required_claims";
        let is_wanted = settings.required_claims.iter().any(|claim| claim.name == "exp");
        if !is_wanted || !self.config.is_written(KEY) {
            return;
        }
        for (key, names) in [
            ("access_token_expires", &settings.access),
            ("refresh_token_expires", &settings.refresh),
        ] {
            if names.expires.is_none() {
                self.findings.warn(
                    KEY,
                    format_args!(
                        "does not require \"exp\" of every token, as `{key}` is false; set a lifetime, or \
                         remove \"exp\""
                    ),
                );
            }
        }
    }

    fn sessions(&mut self, settings: &Settings) {
        if settings.max_sessions.is_none() {
            self.all(
                &["session_limit"],
                "the number of sessions is not limited; set `max_sessions`, or remove it",
            );
        }
    }

    fn blocklist(&mut self, settings: &Settings, in_code: &InCode) {
        match in_code.blocklist {
            BlocklistKind::Memory if settings.blocklist_replica.is_none() => self.all(
                &["blocklist_timeout"],
                "the blocklist is in memory, where lookups do not wait; remove it, or choose a \
                 store with `Jwt::fairing().database_blocklist::<Db>()`",
            ),
            // The task still prunes a replica and the signature cache.
            BlocklistKind::SelfPruning
                if settings.blocklist_replica.is_none() && !has_cache(settings, in_code) =>
            {
                self.all(
                    &["blocklist_prune_interval"],
                    "Redis removes expired entries itself; remove it",
                );
            }
            _ => (),
        }
    }
}

fn has_cache(settings: &Settings, in_code: &InCode) -> bool {
    settings.algorithm.family() != AlgorithmFamily::Hmac
        && settings.token_cache > 0
        && !in_code.verifying_key
}
