//! Checks settings against each other.

use rocket::figment::Figment;
use rocket::http::{Method, SameSite};

use super::browser_rules::MAX_ATTRIBUTE;
use super::findings::Findings;
use super::in_code::{BlocklistKind, InCode, signs};
use super::own_tokens;
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
    header_names(settings, findings);
    match signs(settings, config, in_code) {
        true => own_tokens::check(settings, findings),
        false => audience(settings, in_code, findings),
    }
    renewals(settings, findings);
    blocklist(settings, in_code, findings);
    csrf_methods(settings, findings);
    unchecked(settings, findings);
}

fn lifetimes(settings: &Settings, findings: &mut Findings<'_>) {
    // `false` is deliberate.
    if let (Some(access), Some(refresh)) = (settings.access.expires, settings.refresh.expires)
        && access > refresh
    {
        findings.warn(
            "access_token_expires",
            "is longer than `refresh_token_expires`, so that an access token is still valid when its \
             session can no longer be refreshed: shorten this, or raise the other",
        );
    }
    let Some(longest) = settings.max_token_lifetime else { return };
    for (key, kind) in
        [("access_token_expires", &settings.access), ("refresh_token_expires", &settings.refresh)]
    {
        if kind.expires.is_none_or(|expires| expires > longest) {
            findings.fault(
                key,
                "is longer than `max_token_lifetime`: shorten this, or raise `max_token_lifetime`",
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
    // One cookie would overwrite the other, and the value of one token fails the check of the other.
    if access.csrf_cookie_name == refresh.csrf_cookie_name {
        let key = ["refresh_csrf_cookie_name", "access_csrf_cookie_name"];
        let key = key.into_iter().find(|key| findings.config.is_written(key)).unwrap_or(key[0]);
        findings.fault(
            key,
            "is the name of both CSRF cookies, so that a value is overwritten and the CSRF check \
             refuses every write: change one of `access_csrf_cookie_name` and `refresh_csrf_cookie_name`",
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
        // Browsers ignore a longer attribute (RFC 6265bis §5.6), and would store the cookie with
        // another path.
        if path.len() > MAX_ATTRIBUTE {
            findings.fault(&key.replace("_name", "_path"), "must not be longer than 1024 bytes");
        }
        // Browsers silently drop a cookie that violates the rules of its prefix (RFC 6265bis
        // §4.1.3), so the launch reports it.
        let lower = name.to_ascii_lowercase();
        let has_prefix = |prefix| lower.starts_with(prefix);
        let breaks_host =
            !settings.cookie_secure || path != "/" || settings.cookie_domain.is_some();
        let is_of_csrf = key.contains("csrf");
        if is_of_csrf && (has_prefix("__http-") || has_prefix("__host-http-")) {
            findings.fault(
                key,
                "with `__Http-` is for cookies that no script reads, or browsers drop it, while the page must \
                 read this one; change the name",
            );
        } else if has_prefix("__host-") && breaks_host {
            findings.fault(
                key,
                "with `__Host-` needs `cookie_secure = true`, path `/` and no `cookie_domain`, or browsers \
                 drop the cookie; change these or the name",
            );
        } else if !settings.cookie_secure && (has_prefix("__secure-") || has_prefix("__http-")) {
            let prefix = if has_prefix("__http-") { "__Http-" } else { "__Secure-" };
            findings.fault(
                key,
                format_args!(
                    "with `{prefix}` needs `cookie_secure = true`, or browsers drop the cookie; \
                     set it, or change the name"
                ),
            );
        }
    }
}

/// If both had the same name, the CSRF value sent with a cookie would be read as a token.
fn header_names(settings: &Settings, findings: &mut Findings<'_>) {
    let is_read = |location| settings.token_location.contains(&location);
    if !is_read(Location::Headers) || !is_read(Location::Cookies) || !settings.cookie_csrf_protect {
        return;
    }
    for (key, names) in [
        ("access_csrf_header_name", &settings.access),
        ("refresh_csrf_header_name", &settings.refresh),
    ] {
        if !names.csrf_header_name.eq_ignore_ascii_case(&settings.header_name) {
            continue;
        }
        let text = "is the header of tokens and of CSRF values: change `header_name`, or the \
         other setting";
        let is_written = findings.config.is_written(key);
        findings.fault(if is_written { key } else { "header_name" }, text);
        return;
    }
}

/// The issuer that a verify-only server trusts usually serves other audiences too.
fn audience(settings: &Settings, in_code: &InCode, findings: &mut Findings<'_>) {
    let is_required =
        settings.required_claims.iter().any(|claim| claim.name == "aud" && claim.values.is_some());
    if settings.decode_audience.is_none() && !is_required && !in_code.verify_claims {
        findings.warn(
            "decode_audience",
            "is not set: this server only verifies tokens, and also accepts those that its issuer \
             made for other services (RFC 8725 §3.9); set it to this service's name",
        );
    }
}

fn renewals(settings: &Settings, findings: &mut Findings<'_>) {
    const KEY: &str = "implicit_refresh_within";
    if settings.implicit_refresh_within.is_some()
        && !settings.token_location.contains(&Location::Cookies)
    {
        findings.warn(
            KEY,
            "renews tokens in cookies only, and `token_location` has no \"cookies\": add it, \
             unless guards look there with `In<Cookies>`",
        );
    }
    match (settings.implicit_refresh_within, settings.access.expires) {
        (Some(_), None) => findings.warn(
            KEY,
            "renews nothing, since access tokens never expire; set `access_token_expires`, or \
             remove it",
        ),
        (Some(within), Some(expires)) if within >= expires => findings.warn(
            KEY,
            "renews the token at every request: set it to less than `access_token_expires`",
        ),
        _ => (),
    }
}

/// Warns about durations of the blocklist that defeat other settings.
fn blocklist(settings: &Settings, in_code: &InCode, findings: &mut Findings<'_>) {
    let grace = settings.rotation_grace;
    // Zero is deliberate: it allows no second use at all.
    let may_repeat = grace.is_positive() && in_code.blocklist != BlocklistKind::Memory;
    if may_repeat && grace <= settings.blocklist_timeout {
        findings.warn(
            "rotation_grace",
            "is not longer than `blocklist_timeout`: a client that waits for a 503 and repeats its \
             exchange may be taken for a thief, which ends its session; raise this, or lower the other",
        );
    }
    if let (Some(interval), Some(expires)) = (settings.blocklist_replica, settings.access.expires)
        && interval >= expires
    {
        findings.warn(
            "blocklist_replica",
            "is not shorter than `access_token_expires`: access tokens that another server revokes may \
             be accepted until they expire; shorten this",
        );
    }
}

/// Another site's form can send the cookies with any method that is missing, if the cookies are not
/// restricted to the site.
fn csrf_methods(settings: &Settings, findings: &mut Findings<'_>) {
    if !settings.token_location.contains(&Location::Cookies) || !settings.cookie_csrf_protect {
        return;
    }
    let writing = [Method::Post, Method::Put, Method::Patch, Method::Delete];
    let missing: Vec<_> = writing
        .iter()
        .filter(|method| !settings.csrf_methods.contains(method))
        .map(|method| method.as_str())
        .collect();
    if !missing.is_empty() && !settings.csrf_methods.is_empty() {
        findings.warn(
            "csrf_methods",
            format_args!(
                "lacks {}: such requests with a token in a cookie need no CSRF value; add it, unless no \
                 route changes anything with it",
                missing.join(", ")
            ),
        );
    }
}

/// Warns about checks that the settings switch off, unless switching them off is the setting's
/// purpose.
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
