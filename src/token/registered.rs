//! The claims that this crate itself reads and writes.

use rocket::time::OffsetDateTime;

use super::claims::Claims;
use super::kind::TokenType;
use super::payload::Payload;
use super::payload::raw::{compact, member};
use super::payload::slot::{Slot, Text};
use super::payload::slots::REGISTERED;
use crate::reason::Reason;

/// Whether the name is reserved, so that no custom claim can have it.
pub(crate) fn is_registered(name: &str, identity_claim: &str) -> bool {
    REGISTERED.contains(&name) || name == identity_claim
}

/// The custom claims among `claims`.
pub(crate) fn custom(claims: &Claims, identity_claim: &str) -> Claims {
    claims
        .iter()
        .filter(|(name, _)| !is_registered(name, identity_claim))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The registered claims of a token that are kept after its checks.
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

/// A `csrf` claim. One that is not a string never matches the value that a client sends.
#[derive(Debug, Clone, Default)]
pub(crate) enum Csrf {
    #[default]
    Absent,
    Value(Text),
    Other,
}

impl Registered {
    /// Extracts the claims from a payload, and returns the first one that has the wrong type, if any.
    /// A claim of the wrong type counts as absent.
    pub(crate) fn of(
        payload: &Payload<'_>,
        json: &str,
        identity_claim: &str,
        verify_sub: bool,
        now: OffsetDateTime,
    ) -> (Self, Option<Reason>) {
        let mut fault = None;
        let mut date = |slot: &Slot<'_>, mistyped, out_of_range| {
            slot.date().unwrap_or_else(|()| {
                fault.get_or_insert(Reason::InvalidClaim(match slot {
                    Slot::Number(_) => out_of_range,
                    _ => mistyped,
                }));
                None
            })
        };
        let registered = Self {
            identity: identity(payload.identity(), json, identity_claim, verify_sub),
            jti: Text::of(&payload.claims.jti, json),
            sid: Text::of(&payload.claims.sid, json),
            csrf: match Text::of(&payload.claims.csrf, json) {
                Some(text) => Csrf::Value(text),
                None if payload.claims.csrf.is_absent() => Csrf::Absent,
                None => Csrf::Other,
            },
            expires_at: date(
                &payload.claims.exp,
                "Expiration Time claim (exp) must be an integer.",
                "Expiration Time claim (exp) is out of range: seconds since 1970 are expected.",
            ),
            not_before: date(
                &payload.claims.nbf,
                "Not Before claim (nbf) must be an integer.",
                "Not Before claim (nbf) is out of range: seconds since 1970 are expected.",
            ),
            issued_at: date(
                &payload.claims.iat,
                "Issued At claim (iat) must be an integer.",
                "Issued At claim (iat) is out of range: seconds since 1970 are expected.",
            ),
            token_type: match &payload.claims.kind {
                // A token without `type` is an access token.
                Slot::Absent => TokenType::Access,
                kind => kind.text().map_or(TokenType::Other, TokenType::from_claim),
            },
            // `true`, or a time in the future. Leeway is for clock skew and does not extend
            // freshness.
            fresh: match payload.claims.fresh {
                Slot::Bool(fresh) => fresh,
                Slot::Number(Some(until)) => now < until,
                _ => false,
            },
        };
        (registered, fault.or_else(|| mistyped(payload)))
    }
}

fn mistyped(payload: &Payload<'_>) -> Option<Reason> {
    if !payload.claims.jti.is_text_or_absent() {
        Some(Reason::InvalidClaim("JWT ID must be a string"))
    } else if !payload.claims.iss.is_text_or_absent() {
        Some(Reason::InvalidClaim("Issuer must be a string"))
    } else if payload.claims.aud.audience().is_err()
        || !payload.claims.kind.is_text_or_absent()
        || !payload.claims.sid.is_text_or_absent()
    {
        Some(Reason::InvalidClaim("Invalid claim format in token"))
    } else {
        None
    }
}

/// An identity as text: a string unchanged, any other value as its JSON text without white space. A
/// parsed number would not be exact: beyond 64 bits, different numbers would become equal.
fn identity(slot: &Slot<'_>, json: &str, identity_claim: &str, verify_sub: bool) -> Option<Text> {
    if slot.is_text_or_absent() || verify_sub {
        return Text::of(slot, json);
    }
    Some(Text::Own(compact(member(json, identity_claim)?).into()))
}
