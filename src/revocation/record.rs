//! Recording an entry in the blocklist.

use rocket::time::OffsetDateTime;

use crate::blocklist::Revocation;
use crate::error::Error;
use crate::events::Event;
use crate::jwt::Jwt;
use crate::token::verified::Verified;

/// Records the entry, and emits the event.
pub(super) async fn record(jwt: &Jwt, entry: Revocation) -> Result<(), Error> {
    let entry = entry.recorded(jwt.now());
    let blocklist = jwt.blocklist();
    blocklist.bounded(blocklist.replica_or_primary().revoke(&entry)).await?;
    jwt.hooks().emit(&Event::Revoked { revocation: entry });
    Ok(())
}

/// The entry that ends a token's session, or revokes a token without one.
pub(super) fn session_end(jwt: &Jwt, verified: &Verified) -> Result<Revocation, Error> {
    let expiry = verified.registered().expires_at;
    let own = expiry.map(|exp| exp.saturating_add(jwt.margin()));
    match (verified.sid(), verified.jti()) {
        (Some(sid), _) => {
            let others = session_until(jwt);
            let until = own.zip(others).map(|(own, others)| own.max(others));
            Ok(Revocation::session(sid, until))
        }
        (None, Some(jti)) => Ok(Revocation::token(jti, own)),
        (None, None) => Err(Error::NoTokenId),
    }
}

/// When the last token that a session can issue until now will have expired.
pub(super) fn session_until(jwt: &Jwt) -> Option<OffsetDateTime> {
    let longest = jwt.settings().longest_lifetime()?;
    Some(jwt.now().saturating_add(longest + jwt.margin()))
}
