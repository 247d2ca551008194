//! The one pipeline: everything that happens to a token's text before it is let in.
//!
//! Length, header, key, signature, claims, expiry, type, freshness, blocklist, `verify_claims`: in
//! this order, which decides which refusal a client sees. That a token has expired says that all else
//! about it was right. No other module turns a token's text into claims.

use std::borrow::Cow;
use std::sync::Arc;

use base64_simd::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Header};
use rocket::time::{Duration, OffsetDateTime};
use serde_json::Value;

use crate::blocklist::Standing;
use crate::cache::Seen;
use crate::claims::{Csrf, Registered};
use crate::config::Settings;
use crate::crypto::SignatureError;
use crate::csrf::Proof;
use crate::guard::{Kind, Policy};
use crate::jwt::Jwt;
use crate::keys::signature_cache::SignatureCache;
use crate::keys::verifying::VerifyingKey;
use crate::payload::Payload;
use crate::rejection::{Reason, Refusal};
use crate::strict;
use crate::token::{TokenType, Verified};
use crate::Claims;

/// Base64 text of a header beyond this is refused unread: what is parsed before the signature holds
/// is what anybody can make a server parse.
pub(crate) const MAX_HEADER_LENGTH: usize = 4096;

/// The whole pipeline but for what needs a request: users and permissions.
pub(crate) async fn verify<'a>(
    jwt: &Jwt,
    seen: &'a Seen,
    proof: Option<&Proof>,
    policy: Policy,
) -> Result<&'a Arc<Verified>, Refusal> {
    let now = jwt.now();
    let verified = decode_once(jwt, seen, now)?;
    let refuse = |reason| Refusal::of(reason, verified);
    check_csrf(verified, proof).map_err(refuse)?;
    check_expiry(jwt.settings(), verified, now).map_err(refuse)?;
    check_type(verified, policy.kind()).map_err(refuse)?;
    if policy.needs_fresh() && !verified.registered().fresh {
        return Err(refuse(Reason::NotFresh));
    }
    if policy.asks_blocklist() {
        judge(jwt, seen, verified).await.map_err(refuse)?;
    }
    let hooks = jwt.hooks();
    if hooks.verify_claims.is_some() && !*seen.accepted.get_or_init(|| hooks.accept(verified)) {
        return Err(refuse(Reason::ClaimsRejected));
    }
    Ok(verified)
}

/// Whether the blocklist lets the token pass, asked once for a request.
async fn judge(jwt: &Jwt, seen: &Seen, verified: &Verified) -> Result<(), Reason> {
    if let Some(known) = seen.standing.get() {
        return known.clone();
    }
    match jwt.standing_at_once(verified) {
        Some(Ok(Standing::Live)) => seen.standing.get_or_init(|| Ok(())).clone(),
        // On the heap, as it is rare: else each guard's future had room for it, and is boxed by Rocket.
        known => Box::pin(seen.standing_by(|| jwt.judge(verified, known))).await,
    }
}

fn decode_once<'a>(
    jwt: &Jwt,
    seen: &'a Seen,
    now: OffsetDateTime,
) -> Result<&'a Arc<Verified>, Refusal> {
    seen.decoded.get_or_init(|| decode(jwt, &seen.encoded, now)).as_ref().map_err(Clone::clone)
}

/// Everything up to the required claims.
pub(crate) fn decode(
    jwt: &Jwt,
    encoded: &Arc<str>,
    now: OffsetDateTime,
) -> Result<Arc<Verified>, Refusal> {
    let settings = jwt.settings();
    let parts = Parts::split(encoded, settings.max_token_length)?;
    let (header, key) = header_and_key(jwt, &parts)?;
    let cached = jwt.signature_cache().zip(key.cache_id());
    let known = cached.and_then(|(cache, key)| cache.get(encoded, key, now));
    let is_new = known.is_none();
    let json = match known {
        Some(json) => json.as_ref().into(),
        None => {
            key.verifies(parts.signed.as_bytes(), parts.signature).map_err(signature_reason)?;
            parts.json()?
        }
    };
    let mut payload = Payload::default();
    payload.read(&json, settings).map_err(|_| INVALID_PAYLOAD)?;
    let (registered, mistyped) = Registered::of(&payload, &json, settings, now);
    let checked = mistyped.map_or_else(|| check_claims(settings, &payload, &registered, now), Err);
    let members = payload.members();
    drop(payload);
    let verified = Arc::new(Verified::new(encoded.clone(), header, json, members, registered));
    match checked {
        Ok(()) => {
            if let (true, Some((cache, key))) = (is_new, cached) {
                remember_signature(settings, cache, key, &verified, now);
            }
            Ok(verified)
        }
        Err(reason) => Err(Refusal::of(reason, &verified)),
    }
}

/// Remembers that the signature is valid, until the token has expired. A token that never expires is
/// not remembered.
fn remember_signature(
    settings: &Settings,
    cache: &SignatureCache,
    key: u64,
    verified: &Verified,
    now: OffsetDateTime,
) {
    match expired_from(settings, verified) {
        Some(until) if now < until => {
            cache.insert(verified.encoded(), key, verified.json(), until);
        }
        _ => (),
    }
}

/// The header, and the key for it: its algorithm must be the key's own (RFC 8725 §3.1).
fn header_and_key<'a>(
    jwt: &'a Jwt,
    parts: &Parts<'_>,
) -> Result<(Arc<Header>, Cow<'a, VerifyingKey>), Reason> {
    let keys = jwt.keys();
    if jwt.hooks().verifying_key.is_none() {
        // Most tokens are our own and have a header that was parsed when this server launched.
        if let Some(known) = keys.known_headers.iter().find(|known| known.encoded == parts.header) {
            return Ok((known.header.clone(), Cow::Borrowed(&known.key)));
        }
    }
    let header = Arc::new(parts.header()?);
    let refused = Reason::Algorithm("The specified alg value is not allowed");
    if let Some(hook) = &jwt.hooks().verifying_key {
        if let Some(key) = hook(&header, &parts.claims()?) {
            return match key.algorithm() == header.alg {
                true => Ok((header, Cow::Owned(key))),
                false => Err(refused),
            };
        }
        if keys.verifying.is_empty() {
            return Err(Reason::UnknownKey);
        }
    }
    match keys.verifying(header.alg) {
        Some(key) => Ok((header, Cow::Borrowed(key))),
        None => Err(refused),
    }
}

const INVALID_PAYLOAD: Reason = Reason::Malformed("Invalid payload string");

/// A header by itself.
pub(crate) fn header(encoded: &str) -> Result<Header, Reason> {
    Parts { signed: "", header: encoded, payload: "", signature: "" }.header()
}

/// The three parts of a compact serialization (RFC 7515 §3.1), not decoded yet.
pub(crate) struct Parts<'a> {
    signed: &'a str,
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    pub(crate) fn split(encoded: &'a str, max_length: usize) -> Result<Self, Reason> {
        if encoded.len() > max_length {
            return Err(Reason::TooLong);
        }
        let few = || Reason::Malformed("Not enough segments");
        let mut dots = memchr::memchr_iter(b'.', encoded.as_bytes());
        let (Some(first), Some(second)) = (dots.next(), dots.next()) else { return Err(few()) };
        if dots.next().is_some() {
            return Err(Reason::Malformed("Too many segments"));
        }
        let (signed, signature) = encoded.split_at(second);
        let (header, payload) = signed.split_at(first);
        let (payload, signature) = (&payload[1..], &signature[1..]);
        if header.len() > MAX_HEADER_LENGTH {
            return Err(Reason::TooLong);
        }
        Ok(Self { signed, header, payload, signature })
    }

    /// The header, every member of which was looked at.
    pub(crate) fn header(&self) -> Result<Header, Reason> {
        let json = base64(self.header, "Invalid header padding")?;
        let invalid = || Reason::Malformed("Invalid header string");
        let members = strict::object(&json).map_err(|_| invalid())?;
        match members.get("alg") {
            None => return Err(Reason::Algorithm("Algorithm not specified")),
            // As an object, `{"HS256":null}` would pass for the enum below.
            Some(Value::String(name)) if name.parse::<Algorithm>().is_ok() => (),
            Some(_) => return Err(Reason::Algorithm("The specified alg value is not allowed")),
        }
        for (name, refusal) in [
            // No extension is understood, so every list of them is refused (RFC 7515 §4.1.11).
            ("crit", "Unsupported critical extension"),
            ("b64", "Unsupported header parameter b64"),
            ("zip", "Unsupported header parameter zip"),
            ("enc", "Unsupported header parameter enc"),
        ] {
            if members.contains_key(name) {
                return Err(Reason::Header(refusal));
            }
        }
        if !members.get("kid").is_none_or(Value::is_string) {
            return Err(Reason::Header("Key ID header parameter must be a string"));
        }
        serde_json::from_value(Value::Object(members)).map_err(|_| invalid())
    }

    /// The claims. Nothing vouches for them unless the signature was checked.
    pub(crate) fn claims(&self) -> Result<Claims, Reason> {
        strict::object(self.json()?.as_bytes()).map_err(|_| INVALID_PAYLOAD)
    }

    fn json(&self) -> Result<String, Reason> {
        let json = base64(self.payload, "Invalid payload padding")?;
        String::from_utf8(json).map_err(|_| INVALID_PAYLOAD)
    }
}

/// Base64url without padding, in its one canonical spelling (RFC 7515 §2).
fn base64(part: &str, refusal: &'static str) -> Result<Vec<u8>, Reason> {
    URL_SAFE_NO_PAD.decode_to_vec(part).map_err(|_| Reason::Malformed(refusal))
}

fn signature_reason(error: SignatureError) -> Reason {
    match error {
        SignatureError::Encoding => Reason::Malformed("Invalid crypto padding"),
        SignatureError::Mismatch => Reason::Signature,
    }
}

fn check_claims(
    settings: &Settings,
    payload: &Payload<'_>,
    registered: &Registered,
    now: OffsetDateTime,
) -> Result<(), Reason> {
    let latest = later(now, settings.leeway);
    if registered.issued_at.is_some_and(|iat| iat > latest) {
        return Err(Reason::Claim("The token is not yet valid (iat)"));
    }
    if registered.not_before.is_some_and(|nbf| nbf > latest) {
        return Err(Reason::Claim("The token is not yet valid (nbf)"));
    }

    if let Some(expected) = &settings.decode_issuer {
        match payload.iss.text() {
            None => return Err(Reason::MissingClaim("iss".into())),
            Some(issuer) if !expected.iter().any(|one| one == issuer) => {
                return Err(Reason::Claim("Invalid issuer"));
            }
            Some(_) => (),
        }
    }
    if let Some(expected) = &settings.decode_audience {
        let audience = payload.aud.audience().unwrap_or_default();
        if audience.iter().all(|one| one.is_empty()) {
            return Err(Reason::MissingClaim("aud".into()));
        }
        if !audience.iter().any(|one| expected.iter().any(|other| other == one)) {
            return Err(Reason::Claim("Audience doesn't match"));
        }
    }

    check_subject(settings, payload)?;
    for name in &settings.required_claims {
        if !payload.has(name) && settings.requires(name, registered.token_type) {
            return Err(Reason::MissingClaim(name.clone()));
        }
    }
    check_lifetime(settings, registered)
}

fn check_subject(settings: &Settings, payload: &Payload<'_>) -> Result<(), Reason> {
    let identity = payload.identity();
    if settings.verify_sub && !payload.sub.is_text_or_absent() {
        return Err(Reason::Claim("Subject must be a string"));
    }
    match identity.text() {
        Some("") => Err(Reason::Claim("Subject must not be empty")),
        Some(_) => Ok(()),
        None if identity.is_absent() => Err(Reason::MissingClaim(settings.identity_claim.clone())),
        None if settings.verify_sub => Err(Reason::Claim("Subject must be a string")),
        None => Ok(()),
    }
}

/// Entries leave the blocklist when no token they are about can be alive. So a token that lives
/// longer than that is none that may be accepted.
fn check_lifetime(settings: &Settings, registered: &Registered) -> Result<(), Reason> {
    let session = registered.sid.as_ref().and_then(|_| settings.session_lifetime());
    let Some(longest) = [session, settings.max_token_lifetime].into_iter().flatten().min() else {
        return Ok(());
    };
    let lifetime = match (registered.expires_at, registered.issued_at) {
        (Some(exp), Some(iat)) => exp - iat,
        _ => return Err(Reason::Claim("The token's lifetime is not limited")),
    };
    match lifetime > longest {
        true => Err(Reason::Claim("The token lives longer than is allowed")),
        false => Ok(()),
    }
}

/// The double-submit value must be the token's own.
pub(crate) fn check_csrf(verified: &Verified, proof: Option<&Proof>) -> Result<(), Reason> {
    let Some(proof) = proof else { return Ok(()) };
    match (&verified.registered().csrf, verified.csrf()) {
        (Csrf::Absent, _) => Err(Reason::MissingClaim("csrf".into())),
        (_, Some(expected)) if proof.equals(expected) => Ok(()),
        _ => Err(Reason::CsrfMismatch(proof.hint())),
    }
}

/// Expired at `exp`, not after it (RFC 7519 §4.1.4).
pub(crate) fn check_expiry(
    settings: &Settings,
    verified: &Verified,
    now: OffsetDateTime,
) -> Result<(), Reason> {
    match expired_from(settings, verified) {
        Some(end) if now >= end => Err(Reason::Expired),
        _ => Ok(()),
    }
}

fn expired_from(settings: &Settings, verified: &Verified) -> Option<OffsetDateTime> {
    verified.registered().expires_at.map(|exp| later(exp, settings.leeway))
}

/// Calendar arithmetic costs more than all comparisons, and the default leeway is none.
fn later(instant: OffsetDateTime, leeway: Duration) -> OffsetDateTime {
    match leeway.is_zero() {
        true => instant,
        false => instant.saturating_add(leeway),
    }
}

fn check_type(verified: &Verified, kind: Kind) -> Result<(), Reason> {
    match (kind, verified.registered().token_type) {
        (Kind::Access | Kind::Any, TokenType::Access) => Ok(()),
        (Kind::Refresh | Kind::Any, TokenType::Refresh) => Ok(()),
        (Kind::Refresh, _) => Err(Reason::NotRefresh),
        (Kind::Access | Kind::Any, _) => Err(Reason::NotAccess),
    }
}
