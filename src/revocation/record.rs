//! Recording an entry in the blocklist.

use rocket::time::OffsetDateTime;

use super::entry_of::session_of;
use super::lifetime::session_expiry;
use crate::blocklist::Revocation;
use crate::blocklist::entry::uuid_v7_millis;
use crate::clock;
use crate::error::Error;
use crate::events::Event;
use crate::jwt::Jwt;
use crate::provenance::is_ours;
use crate::token::context::RequestContext;
use crate::token::verified::Verified;

/// Records the entry, and emits the event. Returns whether that changed more than the entry's expiry.
pub(super) async fn record(
    jwt: &Jwt,
    entry: Revocation,
    request: Option<&RequestContext>,
) -> Result<bool, Error> {
    let entry = entry.recorded(jwt.now());
    let blocklist = jwt.blocklist();
    let is_change = blocklist.bounded(blocklist.replica_or_primary().revoke(&entry)).await?;
    jwt.hooks().emit(&Event::Revoked { revocation: entry, request: request.cloned() });
    Ok(is_change)
}

/// The entry that ends a token's session. Another issuer's token may name a session of ours, which it must
/// not end: then the entry revokes the token alone.
pub(crate) fn session_end(jwt: &Jwt, verified: &Verified) -> Result<Revocation, Error> {
    let own = verified.registered().expires_at.map(|exp| exp.saturating_add(jwt.margin()));
    if verified.sid().is_some() && !is_ours(jwt, verified) {
        return Ok(Revocation::token(verified.jti().ok_or(Error::NoTokenId)?, own));
    }
    let until = own.zip(session_until(jwt, verified)).map(|(own, others)| own.max(others));
    let sid = session_of(verified).ok_or(Error::NoTokenId)?;
    Ok(Revocation::session(sid, until))
}

/// When all tokens issued so far in this token's session will have expired. With `session_lifetime`, a
/// token may have been issued with a longer lifetime than the configured ones, but no token is accepted
/// after the session's end.
///
/// If the session's id has a later time than this token, other tokens of the session end later.
pub(crate) fn session_until(jwt: &Jwt, verified: &Verified) -> Option<OffsetDateTime> {
    let over = session_expiry(jwt, verified).ok().flatten();
    let sid = session_of(verified).filter(|_| is_ours(jwt, verified));
    let others = sid.and_then(|sid| session_over_of(jwt, &sid));
    until(jwt, over.max(others))
}

/// Like [`session_until()`], for a session id.
pub(crate) fn session_until_of(jwt: &Jwt, sid: &str) -> Option<OffsetDateTime> {
    until(jwt, session_over_of(jwt, sid))
}

fn session_over_of(jwt: &Jwt, sid: &str) -> Option<OffsetDateTime> {
    session_over_from(jwt, uuid_v7_millis(sid).and_then(clock::from_millis))
}

/// Like [`session_until()`], for a session that began at this time.
pub(crate) fn session_until_from(
    jwt: &Jwt,
    began: Option<OffsetDateTime>,
) -> Option<OffsetDateTime> {
    until(jwt, session_over_from(jwt, began))
}

fn session_over_from(jwt: &Jwt, began: Option<OffsetDateTime>) -> Option<OffsetDateTime> {
    let (began, lifetime) = began.zip(jwt.settings().session_lifetime)?;
    Some(began.saturating_add(lifetime))
}

fn until(jwt: &Jwt, over: Option<OffsetDateTime>) -> Option<OffsetDateTime> {
    let last = jwt.now().saturating_add(jwt.settings().longest_lifetime()?);
    Some(over.map_or(last, |over| last.max(over)).saturating_add(jwt.margin()))
}

/// When the row of a live session expires: not before its refresh tokens with these `exp`s, nor
/// before any other token of the session. It is rounded up to a tenth of that time, so that most
/// exchanges do not change it.
pub(crate) fn row_until<const N: usize>(
    jwt: &Jwt,
    others: Option<OffsetDateTime>,
    expiries: [Option<OffsetDateTime>; N],
) -> Option<OffsetDateTime> {
    let mut until = others?;
    for exp in expiries {
        until = until.max(exp?.saturating_add(jwt.margin()));
    }
    let (now, until) = (clock::millis(jwt.now()), clock::millis(until));
    let step = (until.saturating_sub(now) / 10).max(1);
    clock::from_millis(until.div_euclid(step).saturating_add(1).saturating_mul(step))
}
