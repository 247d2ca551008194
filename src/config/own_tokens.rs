//! Whether this server accepts the tokens that it issues. If it does not, every login is useless,
//! although no single setting is wrong.
//!
//! Most findings are warnings, since other servers may issue or verify the tokens.

use serde_json::Value;

use super::browser_rules::MAX_PAIR;
use super::findings::Findings;
use crate::settings::{RequiredClaim, Settings};
use crate::token::compact::OWN_TYP;
use crate::token::kind::TokenType;
use crate::token::location::Location;
use crate::token::payload::slots::REGISTERED;

/// The lengths of the two tokens of a pair with a one-letter identity and no custom claims, and of
/// a CSRF value.
pub(crate) struct LeastLengths {
    pub(crate) access: usize,
    pub(crate) refresh: usize,
    pub(crate) csrf: usize,
}

/// Reports each check that every token issued here fails.
pub(super) fn check(settings: &Settings, findings: &mut Findings<'_>) {
    let issuer = settings.encode_issuer.as_ref();
    if let Some(expected) = &settings.decode_issuer
        && issuer.is_none_or(|issuer| !expected.contains(issuer))
    {
        findings.warn("decode_issuer", refuses_own(issuer.is_some(), "encode_issuer"));
    }
    if let Some(expected) = &settings.decode_audience {
        let written = settings.encode_audience.as_ref();
        if written.is_none_or(|audience| !audience.iter().any(|one| expected.contains(one))) {
            findings.warn("decode_audience", refuses_own(written.is_some(), "encode_audience"));
        }
    }
    if !settings.accepts_typ(Some(OWN_TYP)) {
        findings.warn(
            "decode_typ",
            "does not accept \"JWT\", the usual `typ` of tokens issued here: this server refuses its own \
             tokens; add it, unless only others issue tokens",
        );
    }
    for claim in &settings.required_claims {
        if let Some(text) = lacks(settings, claim) {
            findings.warn("required_claims", text);
        }
    }
}

/// The text about a check that this server's own tokens fail.
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

/// The text about a required claim that tokens issued here lack, or have with another value.
fn lacks(settings: &Settings, claim: &RequiredClaim) -> Option<String> {
    let name = &*claim.name;
    let has_values = claim.values.is_some();
    let written_by = |setting: &str, value: Option<Value>| match value {
        Some(value) if claim.fits(&value) => None,
        Some(_) => Some(format!(
            "does not accept the `{name}` that `{setting}` writes: this server refuses its own tokens; \
             make the two agree, unless only others verify them"
        )),
        None => Some(format!(
            "has `{name}`, but `{setting}` is not set: this server refuses its own tokens; set it, or \
             remove `{name}`, unless only others issue tokens"
        )),
    };
    let never = |why: &str| {
        Some(format!(
            "has `{name}`, {why}: this server refuses its own tokens; remove it, unless only others \
             issue tokens"
        ))
    };
    let fits_text = |text: &str| claim.fits(&text.into());
    match name {
        "iss" => written_by("encode_issuer", settings.encode_issuer.clone().map(Value::from)),
        "aud" => {
            let audience = settings.encode_audience.as_ref();
            written_by("encode_audience", audience.map(|audience| audience.to_value()))
        }
        "nbf" if !settings.encode_nbf => {
            never("which tokens issued here lack, as `encode_nbf` is false")
        }
        "csrf" if !settings.cookie_csrf_protect => {
            never("which tokens issued here lack, as `cookie_csrf_protect` is false")
        }
        "jti" | "sid" | "csrf" if has_values => {
            never("with a value, while each token issued here has another one")
        }
        "type" => {
            let refused = [TokenType::Access, TokenType::Refresh]
                .map(TokenType::as_claim)
                .into_iter()
                .find(|text| !fits_text(text))?;
            Some(format!(
                "does not accept \"{refused}\" as `type`: this server refuses its own {refused} tokens; \
                 add it, unless there are none"
            ))
        }
        "fresh" if !claim.fits(&false.into()) => Some(
            "does not accept false as `fresh`: this server refuses its own refresh tokens, which are \
             never fresh; remove it, and use the guard `Fresh`"
                .into(),
        ),
        identity if identity == settings.identity_claim => {
            let is_text = |value: &Value| value.is_string();
            let texts = claim.values.as_ref().is_none_or(|values| values.iter().any(is_text));
            if texts { None } else { never("which is a text in tokens issued here") }
        }
        registered if REGISTERED.contains(&registered) => match registered {
            "sub" => never("while the identity is in another claim, as `identity_claim` says"),
            _ => None,
        },
        _ => Some(format!(
            "has `{name}`, which a token issued here has only if `.claims()`, its identity or the \
             `additional_claims` hook adds it{}: without it, this server refuses its own tokens",
            if has_values { " with that value" } else { "" }
        )),
    }
}

/// Reports a limit that every token issued here exceeds.
pub(super) fn check_lengths(
    settings: &Settings,
    lengths: &LeastLengths,
    findings: &mut Findings<'_>,
) {
    let longest = lengths.access.max(lengths.refresh);
    // Zero has been reported as an error.
    if (1..longest).contains(&settings.max_token_length) {
        findings.fault(
            "max_token_length",
            format_args!(
                "is too short for any login: the shortest pair of tokens issued here needs {longest}, and \
                 identity and claims come on top; raise it"
            ),
        );
    }
    if !settings.token_location.contains(&Location::Cookies) {
        return;
    }
    for (key, name, value) in [
        ("access_cookie_name", &settings.access.cookie_name, lengths.access),
        ("refresh_cookie_name", &settings.refresh.cookie_name, lengths.refresh),
        ("access_csrf_cookie_name", &settings.access.csrf_cookie_name, lengths.csrf),
        ("refresh_csrf_cookie_name", &settings.refresh.csrf_cookie_name, lengths.csrf),
    ] {
        if name.len() + value > MAX_PAIR {
            findings.fault(
                key,
                format_args!(
                    "is too long: browsers drop a cookie of more than {MAX_PAIR} bytes of name and value, \
                     and the shortest value has {value}; shorten it"
                ),
            );
        }
    }
}
