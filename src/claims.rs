//! The claims this crate reads and writes itself.

use rocket::time::OffsetDateTime;
use serde_json::Value;

use crate::config::Settings;
use crate::payload::{Payload, Slot, Text};
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

impl From<&String> for Audience {
    fn from(one: &String) -> Self {
        Self(vec![one.clone()])
    }
}

impl From<&[String]> for Audience {
    fn from(many: &[String]) -> Self {
        Self(many.to_vec())
    }
}

impl<const N: usize> From<[String; N]> for Audience {
    fn from(many: [String; N]) -> Self {
        Self(many.into())
    }
}

impl<const N: usize> From<&[&str; N]> for Audience {
    fn from(many: &[&str; N]) -> Self {
        Self::from(&many[..])
    }
}

impl From<Vec<&str>> for Audience {
    fn from(many: Vec<&str>) -> Self {
        Self::from(&many[..])
    }
}

/// What is kept of a token's registered claims.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registered {
    pub(crate) identity: Option<Text>,
    pub(crate) jti: Option<Text>,
    pub(crate) sid: Option<Text>,
    pub(crate) csrf: Csrf,
    pub(crate) expires_at: Option<OffsetDateTime>,
    pub(crate) not_before: Option<OffsetDateTime>,
    pub(crate) issued_at: Option<OffsetDateTime>,
    pub(crate) token_type: TokenType,
    pub(crate) fresh: bool,
}

/// A `csrf` claim. One that is no text equals nothing that is sent.
#[derive(Debug, Clone, Default)]
pub(crate) enum Csrf {
    #[default]
    Absent,
    Value(Text),
    Other,
}

impl Registered {
    /// Takes what is kept out of a payload, and names the first claim that is not of its type. What is
    /// not of its type counts as absent.
    pub(crate) fn of(
        payload: &Payload<'_>,
        json: &str,
        settings: &Settings,
        now: OffsetDateTime,
    ) -> (Self, Option<Reason>) {
        let mut fault = None;
        let mut date = |slot: &Slot<'_>, text| {
            slot.date().unwrap_or_else(|()| {
                fault.get_or_insert(Reason::Claim(text));
                None
            })
        };
        let registered = Self {
            identity: identity(payload.identity(), json, settings),
            jti: Text::of(&payload.jti, json),
            sid: Text::of(&payload.sid, json),
            csrf: match Text::of(&payload.csrf, json) {
                Some(text) => Csrf::Value(text),
                None if payload.csrf.is_absent() => Csrf::Absent,
                None => Csrf::Other,
            },
            expires_at: date(&payload.exp, "Expiration Time claim (exp) must be an integer."),
            not_before: date(&payload.nbf, "Not Before claim (nbf) must be an integer."),
            issued_at: date(&payload.iat, "Issued At claim (iat) must be an integer."),
            token_type: match &payload.kind {
                // A token without `type` counts as access.
                Slot::Absent => TokenType::Access,
                kind => kind.text().map_or(TokenType::Other, TokenType::from_claim),
            },
            // `true`, or a time that is still to come. Leeway is for clocks, not for freshness.
            fresh: match payload.fresh {
                Slot::Bool(fresh) => fresh,
                Slot::Number(Some(until)) => now < until,
                _ => false,
            },
        };
        (registered, fault.or_else(|| mistyped(payload)))
    }
}

fn mistyped(payload: &Payload<'_>) -> Option<Reason> {
    if !payload.jti.is_text_or_absent() {
        Some(Reason::Claim("JWT ID must be a string"))
    } else if !payload.iss.is_text_or_absent() {
        Some(Reason::Claim("Issuer must be a string"))
    } else if payload.aud.audience().is_err()
        || !payload.kind.is_text_or_absent()
        || !payload.sid.is_text_or_absent()
    {
        Some(Reason::Claim("Invalid claim format in token"))
    } else {
        None
    }
}

/// An identity as text: a string as it is, anything else as JSON.
fn identity(slot: &Slot<'_>, json: &str, settings: &Settings) -> Option<Text> {
    if slot.is_text_or_absent() || settings.verify_sub {
        return Text::of(slot, json);
    }
    let claims: Claims = serde_json::from_str(json).ok()?;
    let value = claims.get(&settings.identity_claim)?;
    Some(Text::Own(value.to_string().into()))
}

/// The audiences of a token.
pub(crate) fn audience(claims: &Claims) -> Vec<&str> {
    match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}
