//! The checks of settings against each other.

use rocket::figment::Figment;
use rocket::http::SameSite;

use super::findings::Findings;
use super::in_code::{InCode, signs};
use super::read::Config;
use super::report::Report;
use crate::settings::Settings;
use crate::token::location::Location;

/// Reports settings that contradict each other, have no effect, or leave something unchecked.
pub(crate) fn check(
    settings: &Settings,
    config: &Config,
    figment: &Figment,
    in_code: &InCode,
    report: &mut Report,
) {
    let findings = &mut Findings { config, figment, report };
    lifetimes(settings, findings);
    cookie_names(settings, findings);
    if signs(settings, config, in_code) {
        reachable(settings, findings);
    }
    renewals(settings, findings);
    unchecked(settings, findings);
}

fn lifetimes(settings: &Settings, findings: &mut Findings<'_>) {
    let Some(longest) = settings.max_token_lifetime else { return };
    for (key, kind) in
        [("access_token_expires", &settings.access), ("refresh_token_expires", &settings.refresh)]
    {
        if kind.expires.is_none_or(|expires| expires > longest) {
            findings.fault(
                key,
                "is longer than `max_token_lifetime`: shorten the one, or raise the other",
            );
        }
    }
}

fn cookie_names(settings: &Settings, findings: &mut Findings<'_>) {
    let (access, refresh) = (&settings.access, &settings.refresh);
    if access.cookie_name == refresh.cookie_name {
        findings.fault(
            "refresh_cookie_name",
            "is the name of the access cookie too: change one of the two",
        );
    }
    for (key, name) in [
        ("access_csrf_cookie_name", &access.csrf_cookie_name),
        ("refresh_csrf_cookie_name", &refresh.csrf_cookie_name),
    ] {
        if [&access.cookie_name, &refresh.cookie_name].contains(&name) {
            findings.fault(key, "is the name of a token's cookie too: change one of the two");
        }
    }
    for (key, name, path) in [
        ("access_cookie_name", &access.cookie_name, &access.cookie_path),
        ("refresh_cookie_name", &refresh.cookie_name, &refresh.cookie_path),
        ("access_csrf_cookie_name", &access.csrf_cookie_name, &access.csrf_cookie_path),
        ("refresh_csrf_cookie_name", &refresh.csrf_cookie_name, &refresh.csrf_cookie_path),
    ] {
        // Browsers ignore a longer attribute (RFC 6265bis §5.6), and keep the cookie for another path.
        if path.len() > 1024 {
            findings.fault(&key.replace("_name", "_path"), "must not be longer than 1024 bytes");
        }
        // Browsers drop a cookie that breaks its prefix's promise: say so now (RFC 6265bis §4.1.3).
        let lower = name.to_ascii_lowercase();
        if lower.starts_with("__host-")
            && (!settings.cookie_secure || path != "/" || settings.cookie_domain.is_some())
        {
            findings.fault(
                key,
                "with `__Host-` needs `cookie_secure = true`, path `/` and no `cookie_domain`, or browsers \
                 drop the cookie; change these or the name",
            );
        } else if lower.starts_with("__secure-") && !settings.cookie_secure {
            findings.fault(
                key,
                "with `__Secure-` needs `cookie_secure = true`, or browsers drop the cookie; set it, or \
                 change the name",
            );
        }
    }
}

/// Whether the tokens issued here are accepted here: not an error, as others may verify them.
fn reachable(settings: &Settings, findings: &mut Findings<'_>) {
    if let (Some(expected), issuer) = (&settings.decode_issuer, &settings.encode_issuer) {
        if issuer.as_ref().is_none_or(|issuer| !expected.contains(issuer)) {
            findings.warn("decode_issuer", refuses_own(issuer.is_some(), "encode_issuer"));
        }
    }
    if let Some(expected) = &settings.decode_audience {
        let written = settings.encode_audience.as_ref();
        if written.is_none_or(|audience| !audience.iter().any(|one| expected.contains(one))) {
            findings.warn("decode_audience", refuses_own(written.is_some(), "encode_audience"));
        }
    }
    if !settings.accepts_typ(Some("JWT")) {
        findings.warn(
            "decode_typ",
            "does not accept \"JWT\", the usual `typ` of tokens issued here: this server refuses its own \
             tokens; add it, unless only others issue tokens",
        );
    }
}

/// What is said of a check that this server's own tokens do not pass.
fn refuses_own(is_written: bool, writer: &str) -> String {
    match is_written {
        true => format!(
            "does not accept what `{writer}` writes: this server refuses its own tokens; make the two \
             agree, unless only others verify them"
        ),
        false => format!(
            "refuses this server's own tokens: `{writer}` is not set; set it to an accepted value, \
             unless only others issue tokens"
        ),
    }
}

fn renewals(settings: &Settings, findings: &mut Findings<'_>) {
    const KEY: &str = "implicit_refresh_within";
    if settings.implicit_refresh_within.is_some()
        && !settings.token_location.contains(&Location::Cookies)
    {
        findings.warn(
            KEY,
            "renews tokens in cookies only, and `token_location` has no \"cookies\": add it, unless \
             guards look there with `In<Cookies>`",
        );
    }
    match (settings.implicit_refresh_within, settings.access.expires) {
        (Some(_), None) => findings.warn(
            KEY,
            "renews nothing: access tokens never expire; set `access_token_expires`, or remove it",
        ),
        (Some(within), Some(expires)) if within >= expires => findings
            .warn(KEY, "renews at every request: set it to less than `access_token_expires`"),
        _ => (),
    }
}

/// What the settings leave unchecked, if that is not what it is for.
fn unchecked(settings: &Settings, findings: &mut Findings<'_>) {
    let expire = settings.access.expires.is_some() || settings.refresh.expires.is_some();
    if expire && !settings.required_claims.iter().any(|claim| claim.name == "exp") {
        findings.warn(
            "required_claims",
            "lacks `exp`: tokens that never expire are accepted; add \"exp\" unless you want that",
        );
    }
    let sent_anywhere = settings.cookie_samesite == SameSite::None;
    let cookies = settings.token_location.contains(&Location::Cookies);
    if cookies && sent_anywhere && !settings.cookie_csrf_protect {
        findings.warn(
            "cookie_csrf_protect",
            "is off, and `cookie_samesite = \"None\"` lets other sites send the cookies: set one of the \
             two otherwise",
        );
    }
}
