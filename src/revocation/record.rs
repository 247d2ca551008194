//! Recording an entry in the blocklist.

use rocket::time::OffsetDateTime;

use super::entry_of::session_of;
use crate::blocklist::Revocation;
use crate::error::Error;
use crate::events::Event;
use crate::jwt::Jwt;
use crate::token::verified::Verified;
use crate::verify::session::session_end as session_over;

/// Records the entry, and emits the event. Returns whether that changed more than the entry's expiry.
pub(super) async fn record(jwt: &Jwt, entry: Revocation) -> Result<bool, Error> {
    let entry = entry.recorded(jwt.now());
    let blocklist = jwt.blocklist();
    let is_change = blocklist.bounded(blocklist.replica_or_primary().revoke(&entry)).await?;
    jwt.hooks().emit(&Event::Revoked { revocation: entry });
    Ok(is_change)
}

/// The entry that ends a token's session.
pub(crate) fn session_end(jwt: &Jwt, verified: &Verified) -> Result<Revocation, Error> {
    let own = verified.registered().expires_at.map(|exp| exp.saturating_add(jwt.margin()));
    let until = own.zip(session_until(jwt, verified)).map(|(own, others)| own.max(others));
    let sid = session_of(verified).ok_or(Error::NoTokenId)?;
    Ok(Revocation::session(sid, until))
}

/// When the last token that the session of this one can issue until now will have expired. With
/// `session_lifetime`, its tokens may be older than the configured lifetimes, but none is accepted after
/// the session is over.
pub(crate) fn session_until(jwt: &Jwt, verified: &Verified) -> Option<OffsetDateTime> {
    let last = jwt.now().saturating_add(jwt.settings().longest_lifetime()?);
    let end = session_over(jwt, verified).ok().flatten();
    Some(end.map_or(last, |end| last.max(end)).saturating_add(jwt.margin()))
}
