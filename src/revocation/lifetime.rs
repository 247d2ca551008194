//! How long a session may last: `session_lifetime`.

use rocket::time::OffsetDateTime;
use serde_json::Value;

use crate::blocklist::entry::uuid_v7_millis;
use crate::clock;
use crate::jwt::Jwt;
use crate::provenance::is_ours;
use crate::reason::Reason;
use crate::token::verified::Verified;

/// When the token's session ends, if `session_lifetime` is set.
///
/// # Errors
///
/// If the beginning of the session is unknown.
pub(crate) fn session_expiry(
    jwt: &Jwt,
    verified: &Verified,
) -> Result<Option<OffsetDateTime>, Reason> {
    let Some(lifetime) = jwt.settings().session_lifetime else { return Ok(None) };
    let began = began_at(jwt, verified)?;
    Ok(Some(began.saturating_add(lifetime)))
}

/// The beginning of the token's session. For our own tokens, it is the time in the `sid`, or
/// without `sid` the token's time of issue. The ids of other issuers have no such meaning: for
/// their tokens, it is `auth_time` (OpenID Connect Core §2), or else `iat`. It is never later than
/// `iat`.
fn began_at(jwt: &Jwt, verified: &Verified) -> Result<OffsetDateTime, Reason> {
    let issued = verified.registered().issued_at;
    let time_of = |id: Option<&str>| id.and_then(uuid_v7_millis).and_then(clock::from_millis);
    let own = match (is_ours(jwt, verified), verified.sid()) {
        (false, _) => None,
        (true, Some(sid)) => time_of(Some(sid)),
        (true, None) => time_of(verified.jti()).or(issued),
    };
    let began = match own {
        Some(own) => Some(own),
        None => auth_time(verified)?.or(issued),
    };
    let began = began.ok_or(Reason::InvalidClaim("The beginning of the session is unknown"))?;
    Ok(issued.map_or(began, |issued| began.min(issued)))
}

/// Whether a token expires, at `exp`, before its session is over. The entry that ends a session of
/// ours stays in the blocklist until then, whichever of its tokens was used to end it. This applies
/// only if the time in the `sid` is not later than `iat`: then all tokens of the session have the
/// same beginning.
pub(crate) fn ends_with_session(jwt: &Jwt, verified: &Verified, exp: OffsetDateTime) -> bool {
    let Some(lifetime) = jwt.settings().session_lifetime else { return false };
    let began = verified.sid().and_then(uuid_v7_millis);
    let Some((began, issued)) = began.zip(verified.registered().issued_at) else { return false };
    // An `iat` is a whole second.
    let is_first = began <= clock::millis(issued).saturating_add(999);
    let end = clock::from_millis(began).map(|began| began.saturating_add(lifetime));
    is_first && end.is_some_and(|end| exp <= end) && is_ours(jwt, verified)
}

fn auth_time(verified: &Verified) -> Result<Option<OffsetDateTime>, Reason> {
    let invalid = || Reason::InvalidClaim("The claim auth_time must be a time");
    let Some(time) = verified.claims().get("auth_time") else { return Ok(None) };
    let seconds = time.as_i64().or_else(|| time.as_f64().map(|seconds| seconds.floor() as i64));
    let seconds = seconds.filter(|_| matches!(time, Value::Number(_))).ok_or_else(invalid)?;
    OffsetDateTime::from_unix_timestamp(seconds).map(Some).map_err(|_| invalid())
}
