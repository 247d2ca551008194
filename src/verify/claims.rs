//! The checks of claims.

use rocket::time::{Duration, OffsetDateTime};

use super::csrf::{Comparison, Proof};
use super::policy::AcceptedTypes;
use crate::jwt::Jwt;
use crate::reason::Reason;
use crate::revocation::lifetime::{ends_with_session, session_expiry};
use crate::settings::{RequiredClaim, Settings};
use crate::token::kind::TokenType;
use crate::token::payload::Payload;
use crate::token::payload::raw::member;
use crate::token::registered::{Csrf, Registered};
use crate::token::verified::Verified;

/// Checks all claims except CSRF, expiry and type.
pub(super) fn check_claims(
    settings: &Settings,
    payload: &Payload<'_>,
    json: &str,
    registered: &Registered,
    now: OffsetDateTime,
) -> Result<(), Reason> {
    let latest = with_leeway(now, settings.decode_leeway);
    if registered.issued_at.is_some_and(|iat| iat > latest) {
        return Err(Reason::InvalidClaim("The token is not yet valid (iat)"));
    }
    if registered.not_before.is_some_and(|nbf| nbf > latest) {
        return Err(Reason::InvalidClaim("The token is not yet valid (nbf)"));
    }

    if let Some(expected) = &settings.decode_issuer {
        match payload.claims.iss.text() {
            None => return Err(Reason::MissingClaim("iss".into())),
            Some(issuer) if !expected.iter().any(|one| one == issuer) => {
                return Err(Reason::InvalidClaim("Invalid issuer"));
            }
            Some(_) => (),
        }
    }
    if let Some(expected) = &settings.decode_audience {
        let audience = payload.claims.aud.audience().unwrap_or_default();
        if audience.iter().all(|one| one.is_empty()) {
            return Err(Reason::MissingClaim("aud".into()));
        }
        if !audience.iter().any(|one| expected.iter().any(|other| other == one)) {
            return Err(Reason::InvalidClaim("Audience doesn't match"));
        }
    }

    check_subject(settings, payload)?;
    check_ids(payload)?;
    for claim in &settings.required_claims {
        match payload.has(&claim.name) {
            true if !has_its_value(claim, json) => {
                return Err(Reason::UnexpectedClaim(claim.name.clone()));
            }
            false if settings.requires(&claim.name, registered.token_type) => {
                return Err(Reason::MissingClaim(claim.name.clone()));
            }
            _ => (),
        }
    }
    Ok(())
}

fn has_its_value(claim: &RequiredClaim, json: &str) -> bool {
    let value = || serde_json::from_str(member(json, &claim.name)?).ok();
    claim.values.is_none() || value().is_some_and(|value| claim.fits(&value))
}

fn check_subject(settings: &Settings, payload: &Payload<'_>) -> Result<(), Reason> {
    let identity = payload.identity();
    if settings.verify_sub && !payload.claims.sub.is_text_or_absent() {
        return Err(Reason::InvalidClaim("Subject must be a string"));
    }
    match identity.text() {
        Some("") => Err(Reason::InvalidClaim("Subject must not be empty")),
        Some(_) => Ok(()),
        None if identity.is_absent() => Err(Reason::MissingClaim(settings.identity_claim.clone())),
        None if settings.verify_sub => Err(Reason::InvalidClaim("Subject must be a string")),
        None => Ok(()),
    }
}

/// An entry for the empty id would revoke all tokens that have it.
fn check_ids(payload: &Payload<'_>) -> Result<(), Reason> {
    match (payload.claims.jti.text(), payload.claims.sid.text()) {
        (Some(""), _) => Err(Reason::InvalidClaim("JWT ID must not be empty")),
        (_, Some("")) => Err(Reason::InvalidClaim("Session ID must not be empty")),
        _ => Ok(()),
    }
}

/// An entry leaves the blocklist once every token it revokes has expired. A token that outlives its
/// blocklist entry could come back to life, so it is rejected.
///
/// With `session_lifetime`, the entry of a session of ours stays until the session is over. So a
/// token that expires by then may live longer than the configured lifetimes, which may have been
/// lowered since it was issued.
pub(super) fn check_lifetime(jwt: &Jwt, verified: &Verified) -> Result<(), Reason> {
    let settings = jwt.settings();
    let of_session = verified.sid().and_then(|_| settings.longest_lifetime());
    let Some(longest) = [of_session, settings.max_token_lifetime].into_iter().flatten().min()
    else {
        return Ok(());
    };
    let registered = verified.registered();
    let (exp, lifetime) = match (registered.expires_at, registered.issued_at) {
        (Some(exp), Some(iat)) => (exp, exp - iat),
        _ => return Err(Reason::InvalidClaim("The token's lifetime is not limited")),
    };
    let exceeds_most = settings.max_token_lifetime.is_some_and(|most| lifetime > most);
    match lifetime > longest && (exceeds_most || !ends_with_session(jwt, verified, exp)) {
        true => Err(Reason::InvalidClaim("The token lives longer than is allowed")),
        false => Ok(()),
    }
}

/// Checks that the double-submit value is the token's own.
///
/// The order of checks has one exception. A multipart form that is longer than 16 KiB is not parsed
/// for an expired token, since everybody who ever had a token could cause that work: parsing a form
/// of 2 MiB with many fields takes 100 ms. If its first 16 KiB contain no complete CSRF field, the
/// token is refused as expired, regardless of the value.
pub(crate) fn check_csrf(verified: &Verified, proof: Option<&Proof>) -> Result<(), Reason> {
    let Some(proof) = proof else { return Ok(()) };
    if matches!(verified.registered().csrf, Csrf::Absent) {
        return Err(Reason::MissingClaim("csrf".into()));
    }
    match verified.csrf().map(|expected| proof.compare(expected)) {
        Some(Comparison::Equal) => Ok(()),
        // The signature is valid, or the token would have been refused earlier.
        Some(Comparison::Unknown) => Err(Reason::Expired),
        Some(Comparison::Different) | None => Err(Reason::CsrfMismatch(proof.hint())),
    }
}

/// Expired at `exp`, not after it (RFC 7519 §4.1.4); and with `session_lifetime`, when the session is over.
pub(crate) fn check_expiry(
    jwt: &Jwt,
    verified: &Verified,
    now: OffsetDateTime,
) -> Result<(), Reason> {
    let settings = jwt.settings();
    if expires_at(settings, verified).is_some_and(|end| now >= end) {
        return Err(Reason::Expired);
    }
    match session_expiry(jwt, verified)? {
        Some(end) if now >= with_leeway(end, settings.decode_leeway) => Err(Reason::SessionExpired),
        _ => Ok(()),
    }
}

/// The instant from which the token is treated as expired.
pub(crate) fn expires_at(settings: &Settings, verified: &Verified) -> Option<OffsetDateTime> {
    verified.registered().expires_at.map(|exp| with_leeway(exp, settings.decode_leeway))
}

/// Skips `OffsetDateTime` addition when there is no leeway (the default).
fn with_leeway(instant: OffsetDateTime, leeway: Duration) -> OffsetDateTime {
    match leeway.is_zero() {
        true => instant,
        false => instant.saturating_add(leeway),
    }
}

pub(super) fn check_type(verified: &Verified, types: AcceptedTypes) -> Result<(), Reason> {
    match (types, verified.registered().token_type) {
        (AcceptedTypes::Access | AcceptedTypes::Any, TokenType::Access) => Ok(()),
        (AcceptedTypes::Refresh | AcceptedTypes::Any, TokenType::Refresh) => Ok(()),
        (AcceptedTypes::Refresh, _) => Err(Reason::NotRefresh),
        (AcceptedTypes::Access | AcceptedTypes::Any, _) => Err(Reason::NotAccess),
    }
}
