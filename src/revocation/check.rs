//! What the blocklist's facts mean for a token. Only this module decides about grace and theft.

use std::future::Future;

use rocket::time::OffsetDateTime;

use super::entry_of::ids_of;
use super::record::{record, session_end, session_until};
use super::successor::{Successor, session_begun};
use crate::blocklist::{Revocation, Standing, StoreError, TokenIds};
use crate::events::Event;
use crate::jwt::Jwt;
use crate::provenance::is_ours;
use crate::reason::Reason;
use crate::token::verified::Verified;

/// Whether the blocklist in memory knows, without waiting, that nothing is recorded against the token.
pub(crate) fn is_known_live(jwt: &Jwt, verified: &Verified) -> bool {
    matches!(jwt.blocklist().try_standing(&ids_of(verified)), Some(Ok(Standing::Live)))
}

/// Whether the blocklist lets a token pass; with `blocklist_replica`, by the replica's knowledge.
pub(crate) async fn check(jwt: &Jwt, verified: &Verified) -> Result<(), Reason> {
    let store = jwt.blocklist().replica_or_primary();
    let standing = answer(jwt, store.standing(&ids_of(verified))).await?;
    match standing {
        Standing::Live => Ok(()),
        Standing::Revoked => Err(Reason::Revoked),
        // A foreign token with the `jti` of one of ours must not end the session it names.
        Standing::Used { .. } if !is_ours(jwt, verified) => Err(Reason::Revoked),
        Standing::Used { first } => resolve_reuse(jwt, verified, first).await.map(|_| ()),
    }
}

/// How the token stands in the store itself.
pub(crate) async fn standing_now(jwt: &Jwt, ids: TokenIds<'_>) -> Result<Standing, Reason> {
    let store = jwt.blocklist().primary();
    answer(jwt, store.standing(&ids)).await
}

/// Decides whether a used refresh token may be used again: within the grace, as long as its successor is
/// unused. If so, returns the successor; if not, it is theft (RFC 9700 §4.14.2).
pub(crate) async fn resolve_reuse(
    jwt: &Jwt,
    verified: &Verified,
    first: OffsetDateTime,
) -> Result<Successor, Reason> {
    let grace = jwt.settings().rotation_grace;
    if grace.is_positive() && jwt.now() - first <= grace {
        let successor = Successor::of(jwt, verified, first).map_err(|error| {
            // The successor's ids can't be derived without the signing key.
            log::warn!("JWT: cannot decide about a used refresh token: {error}");
            Reason::Revoked
        })?;
        // From the store itself: another server may have exchanged it a moment ago.
        if standing_now(jwt, successor.refresh_ids(verified)).await? == Standing::Live {
            return Ok(successor);
        }
    }
    end_stolen_session(jwt, verified).await?;
    Err(Reason::Revoked)
}

/// Ends the session of a refresh token that was reused.
async fn end_stolen_session(jwt: &Jwt, verified: &Verified) -> Result<(), Reason> {
    log::warn!("JWT: a used refresh token was presented again: its session is revoked");
    let begun = session_begun(jwt, verified);
    let entry = match &begun {
        Some(begun) => Ok(Revocation::session(begun, session_until(jwt))),
        None => session_end(jwt, verified),
    };
    let recorded = match entry {
        Ok(entry) => record(jwt, entry).await,
        Err(error) => Err(error),
    };
    recorded.map_err(|error| {
        log::error!("JWT: {error}");
        Reason::StoreUnavailable
    })?;
    jwt.hooks().emit(&Event::ReuseDetected {
        identity: verified.identity().into(),
        jti: verified.jti().unwrap_or_default().into(),
        session_id: verified.sid().map(Into::into).or(begun),
    });
    Ok(())
}

/// The store's answer in time, or a refusal: never "not revoked".
pub(crate) async fn answer<T>(
    jwt: &Jwt,
    asked: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, Reason> {
    jwt.blocklist().bounded(asked).await.map_err(|error| {
        log::error!("JWT: the blocklist is unavailable: {error}");
        Reason::StoreUnavailable
    })
}
