//! The one pipeline from a token's text to a verified token.
//!
//! Length, header, key, signature, claims, expiry, type, freshness, blocklist, `verify_claims`:
//! this order decides which refusal a client sees. "Expired" means that all earlier checks passed.
//! No other module turns a token's text into claims.

pub(crate) mod claims;
pub(crate) mod csrf;
pub(crate) mod decoder;
pub(crate) mod memo;
pub(crate) mod policy;

use std::borrow::Cow;
use std::sync::Arc;

use jsonwebtoken::Header;
use rocket::time::OffsetDateTime;

use crate::crypto::SignatureError;
use crate::jwt::Jwt;
use crate::keys::signature_cache::SignatureCache;
use crate::keys::verifying::VerifyingKey;
use crate::reason::Reason;
use crate::rejection::CheckFailed;
use crate::revocation::check;
use crate::settings::Settings;
use crate::token::compact::{INVALID_PAYLOAD, Parts};
use crate::token::context::RequestContext;
use crate::token::payload::Payload;
use crate::token::registered::Registered;
use crate::token::verified::{PayloadJson, Verified, Voucher};

use claims::{check_claims, check_csrf, check_expiry, check_lifetime, check_type, expires_at};
use csrf::Proof;
use memo::TokenMemo;
use policy::Policy;

/// The whole pipeline except the steps that need a request: users and permissions.
pub(crate) async fn verify<'a>(
    jwt: &Jwt,
    memo: &'a TokenMemo,
    proof: Option<&Proof>,
    policy: Policy,
) -> Result<&'a Arc<Verified>, CheckFailed> {
    let now = jwt.now();
    let verified = decode_once(jwt, memo, now)?;
    let failed = |reason| CheckFailed::of(reason, verified);
    check_csrf(verified, proof).map_err(failed)?;
    // A fresh token must not be expired, even if the policy also accepts expired tokens.
    if policy.needs_fresh() || !policy.accepts_expired() {
        check_expiry(jwt, verified, now).map_err(failed)?;
    }
    check_type(verified, policy.kind()).map_err(failed)?;
    if policy.needs_fresh() && !verified.registered().fresh {
        return Err(failed(Reason::NotFresh));
    }
    if policy.asks_blocklist() {
        check_revocation(jwt, memo, verified).await.map_err(failed)?;
    }
    let hooks = jwt.hooks();
    if hooks.verify_claims.is_some() && !*memo.accepted.get_or_init(|| hooks.accept(verified)) {
        return Err(failed(Reason::ClaimsRejected));
    }
    Ok(verified)
}

/// Whether the token passes all checks that need nothing but the token, and has not expired, unless
/// the policy accepts expired tokens.
pub(crate) fn holds(jwt: &Jwt, memo: &TokenMemo, policy: Policy) -> bool {
    let now = jwt.now();
    decode_once(jwt, memo, now)
        .is_ok_and(|verified| policy.accepts_expired() || check_expiry(jwt, verified, now).is_ok())
}

/// Whether the token is revoked; the blocklist is queried once per request.
async fn check_revocation(jwt: &Jwt, memo: &TokenMemo, verified: &Verified) -> Result<(), Reason> {
    if let Some(known) = memo.standing.get() {
        return known.clone();
    }
    if check::is_known_live(jwt, verified) {
        return memo.standing.get_or_init(|| Ok(())).clone();
    }
    // Boxed so that this rare path does not enlarge every guard's future, which Rocket heap-allocates
    // per request.
    Box::pin(memo.standing_or_ask(|| check::check(jwt, verified))).await
}

fn decode_once<'a>(
    jwt: &Jwt,
    memo: &'a TokenMemo,
    now: OffsetDateTime,
) -> Result<&'a Arc<Verified>, CheckFailed> {
    memo.decoded
        .get_or_init(|| decode(jwt, &memo.encoded, memo.request.as_ref(), now))
        .as_ref()
        .map_err(Clone::clone)
}

/// The pipeline up to the required claims.
pub(crate) fn decode(
    jwt: &Jwt,
    encoded: &Arc<str>,
    request: Option<&RequestContext>,
    now: OffsetDateTime,
) -> Result<Arc<Verified>, CheckFailed> {
    let settings = jwt.settings();
    let parts = Parts::split(encoded, settings.max_token_length)?;
    let (header, key, voucher) = header_and_key(jwt, &parts)?;
    let cache = jwt.signature_cache().zip(key.cache_id());
    let cached = cache.and_then(|(cache, key)| cache.get(encoded, key, now));
    let is_new = cached.is_none();
    let json = match cached {
        Some(json) => PayloadJson::Cached(json),
        None => {
            key.verifies(parts.signed.as_bytes(), parts.signature).map_err(signature_reason)?;
            PayloadJson::Decoded(parts.json()?)
        }
    };
    let mut payload = Payload::default();
    payload.read(&json, &settings.identity_claim).map_err(|_| INVALID_PAYLOAD)?;
    let (identity_claim, verify_sub) = (&settings.identity_claim, settings.verify_sub);
    let (registered, mistyped) = Registered::of(&payload, &json, identity_claim, verify_sub, now);
    let checked =
        mistyped.map_or_else(|| check_claims(settings, &payload, &json, &registered, now), Err);
    let spans = payload.spans();
    drop(payload);
    let encoded = encoded.clone();
    let request = request.cloned();
    let verified =
        Arc::new(Verified::new(encoded, voucher, header, json, spans, registered, request));
    match checked.and_then(|()| check_lifetime(jwt, &verified)) {
        Ok(()) => {
            if let (true, Some((cache, key))) = (is_new, cache) {
                remember_signature(settings, cache, key, &verified, now);
            }
            Ok(verified)
        }
        Err(reason) => Err(CheckFailed::of(reason, &verified)),
    }
}

/// Caches a verified signature until the token expires; a token that never expires is not cached.
fn remember_signature(
    settings: &Settings,
    cache: &SignatureCache,
    key: u64,
    verified: &Verified,
    now: OffsetDateTime,
) {
    match expires_at(settings, verified) {
        Some(until) if now < until => {
            cache.insert(verified.encoded(), key, verified.json(), until);
        }
        _ => (),
    }
}

/// The header, the key for it, and the source of that key. The header's algorithm must be the key's
/// own (RFC 8725 §3.1).
fn header_and_key<'a>(
    jwt: &'a Jwt,
    parts: &Parts<'_>,
) -> Result<(Arc<Header>, Cow<'a, VerifyingKey>, Voucher), Reason> {
    let keys = jwt.keys();
    let refused_typ = Reason::ForbiddenHeader("The specified typ value is not allowed");
    if jwt.hooks().verifying_key.is_none() {
        // Most tokens are our own. Their header was parsed at launch.
        if let Some(known) = keys.known_headers.iter().find(|known| known.encoded == parts.header) {
            return match jwt.settings().accepts_own_typ {
                true => {
                    Ok((known.header.clone(), Cow::Borrowed(&known.key), Voucher::Configuration))
                }
                false => Err(refused_typ),
            };
        }
    }
    let header = Arc::new(parts.header()?);
    if !jwt.settings().accepts_typ(header.typ.as_deref()) {
        return Err(refused_typ);
    }
    let refused = Reason::WrongAlgorithm("The specified alg value is not allowed");
    if let Some(hook) = &jwt.hooks().verifying_key {
        if let Some(key) = hook(&header, &parts.claims()?) {
            return match key.algorithm() == header.alg {
                true => Ok((header, Cow::Owned(key), Voucher::Hook)),
                false => Err(refused),
            };
        }
        if keys.verifying.is_empty() {
            return Err(Reason::UnknownKey);
        }
    }
    match keys.verifying(header.alg) {
        Some(key) => Ok((header, Cow::Borrowed(key), Voucher::Configuration)),
        None => Err(refused),
    }
}

fn signature_reason(error: SignatureError) -> Reason {
    match error {
        SignatureError::Encoding => Reason::Malformed("Invalid crypto padding"),
        SignatureError::Mismatch => Reason::BadSignature,
    }
}
