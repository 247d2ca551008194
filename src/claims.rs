//! The claims this crate reads and writes itself.

use rocket::time::{Duration, OffsetDateTime};
use serde_json::Value;

use crate::config::Settings;
use crate::rejection::Reason;
use crate::token::TokenType;
use crate::Claims;

/// The claims with a meaning of their own here: RFC 7519 §4.1, OIDC's `sid`, and the three that make
/// token types, freshness and CSRF double submit.
pub(crate) const REGISTERED: [&str; 11] =
    ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "type", "fresh", "csrf", "sid"];

/// Whether an application's own claims must not have this name.
pub(crate) fn is_registered(name: &str, settings: &Settings) -> bool {
    REGISTERED.contains(&name) || name == settings.identity_claim
}

/// The claims of `claims` that are the application's own.
pub(crate) fn own(claims: &Claims, settings: &Settings) -> Claims {
    claims
        .iter()
        .filter(|(name, _)| !is_registered(name, settings))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The value of an `aud` claim: one audience, or several (RFC 7519 §4.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience(Vec<String>);

impl Audience {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &String> {
        self.0.iter()
    }

    pub(crate) fn to_value(&self) -> Value {
        match self.0.as_slice() {
            [one] => Value::from(one.as_str()),
            many => Value::from(many),
        }
    }
}

impl From<&str> for Audience {
    fn from(one: &str) -> Self {
        Self(vec![one.into()])
    }
}

impl From<String> for Audience {
    fn from(one: String) -> Self {
        Self(vec![one])
    }
}

impl From<Vec<String>> for Audience {
    fn from(many: Vec<String>) -> Self {
        Self(many)
    }
}

impl From<&[&str]> for Audience {
    fn from(many: &[&str]) -> Self {
        Self(many.iter().map(|&one| one.into()).collect())
    }
}

impl<const N: usize> From<[&str; N]> for Audience {
    fn from(many: [&str; N]) -> Self {
        Self::from(&many[..])
    }
}

impl From<Vec<&str>> for Audience {
    fn from(many: Vec<&str>) -> Self {
        Self::from(&many[..])
    }
}

/// What the checks need of a token's claims, read once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registered {
    pub(crate) identity: String,
    pub(crate) expires_at: Option<OffsetDateTime>,
    pub(crate) not_before: Option<OffsetDateTime>,
    pub(crate) issued_at: Option<OffsetDateTime>,
    pub(crate) token_type: TokenType,
    pub(crate) fresh: bool,
}

impl Registered {
    /// Reads the claims, and names the first that is not of its type. What is not of its type counts
    /// as absent in what is returned.
    pub(crate) fn read(
        claims: &Claims,
        settings: &Settings,
        now: OffsetDateTime,
    ) -> (Self, Option<Reason>) {
        let mut fault = None;
        let mut date = |name, text| {
            let date = claims.get(name).map(numeric_date)?;
            if date.is_none() {
                fault.get_or_insert(Reason::Claim(text));
            }
            date
        };
        let registered = Self {
            identity: claims.get(&settings.identity_claim).map(identity_text).unwrap_or_default(),
            expires_at: date("exp", "Expiration Time claim (exp) must be an integer."),
            not_before: date("nbf", "Not Before claim (nbf) must be an integer."),
            issued_at: date("iat", "Issued At claim (iat) must be an integer."),
            token_type: match claims.get("type") {
                // A token without `type` counts as access.
                None => TokenType::Access,
                Some(value) => value.as_str().map_or(TokenType::Other, TokenType::from_claim),
            },
            fresh: claims.get("fresh").is_some_and(|fresh| is_fresh(fresh, now)),
        };
        let fault = fault.or_else(|| mistyped(claims));
        (registered, fault)
    }
}

fn mistyped(claims: &Claims) -> Option<Reason> {
    let is_text = |name| claims.get(name).is_none_or(Value::is_string);
    if !is_text("jti") {
        Some(Reason::Claim("JWT ID must be a string"))
    } else if !is_text("iss") {
        Some(Reason::Claim("Issuer must be a string"))
    } else if !claims.get("aud").is_none_or(is_audience) || !is_text("type") || !is_text("sid") {
        Some(Reason::Claim("Invalid claim format in token"))
    } else {
        None
    }
}

fn is_audience(aud: &Value) -> bool {
    match aud {
        Value::String(_) => true,
        Value::Array(many) => many.iter().all(Value::is_string),
        _ => false,
    }
}

/// The audiences of a token.
pub(crate) fn audience(claims: &Claims) -> Vec<&str> {
    match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// An identity as text: a string as it is, anything else as JSON.
fn identity_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `true`, or a time that is still to come. Leeway is for clocks, not for freshness.
fn is_fresh(fresh: &Value, now: OffsetDateTime) -> bool {
    match fresh {
        Value::Bool(fresh) => *fresh,
        other => numeric_date(other).is_some_and(|until| now < until),
    }
}

/// A NumericDate (RFC 7519 §2): a number of seconds that is not negative and in this calendar.
/// Fractions count; nothing is rounded up.
fn numeric_date(value: &Value) -> Option<OffsetDateTime> {
    let Value::Number(number) = value else { return None };
    if let Some(seconds) = number.as_i64() {
        return (seconds >= 0).then(|| OffsetDateTime::from_unix_timestamp(seconds).ok())?;
    }
    let seconds = number.as_f64()?;
    if !(0.0..=253_402_300_799.0).contains(&seconds) {
        return None;
    }
    OffsetDateTime::UNIX_EPOCH.checked_add(Duration::checked_seconds_f64(seconds)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::numeric_date;

    #[test]
    fn a_date_is_a_number_in_range_and_is_not_rounded_up() {
        for (value, millis) in [
            (json!(0), Some(0)),
            (json!(1_700_000_000), Some(1_700_000_000_000)),
            (json!(1_700_000_000.25), Some(1_700_000_000_250)),
            (json!(1.7e9), Some(1_700_000_000_000)),
            (json!(253_402_300_799_i64), Some(253_402_300_799_000)),
            (json!(253_402_300_800_i64), None),
            (json!(-1), None),
            (json!(-0.5), None),
            (json!(u64::MAX), None),
            (json!(i64::MAX), None),
            (json!(1e20), None),
            (json!(1e308), None),
            (json!("1700000000"), None),
            (json!(true), None),
            (json!(null), None),
            (json!([1]), None),
            (json!({"n": 1}), None),
        ] {
            assert_eq!(numeric_date(&value).map(crate::clock::millis), millis, "{value}");
        }
    }
}
