//! Recording an entry in the blocklist.

use rocket::time::OffsetDateTime;

use super::entry_of::session_of;
use crate::blocklist::Revocation;
use crate::error::Error;
use crate::events::Event;
use crate::jwt::Jwt;
use crate::token::verified::Verified;

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
    let until = own.zip(session_until(jwt)).map(|(own, others)| own.max(others));
    let sid = session_of(verified).ok_or(Error::NoTokenId)?;
    Ok(Revocation::session(sid, until))
}

/// When the last token that a session can issue until now will have expired.
pub(crate) fn session_until(jwt: &Jwt) -> Option<OffsetDateTime> {
    let longest = jwt.settings().longest_lifetime()?;
    Some(jwt.now().saturating_add(longest + jwt.margin()))
}
