//! Decides from the blocklist's entries whether a token is accepted. Only this module decides about
//! the grace period and about theft.

use std::borrow::Cow;
use std::future::Future;

use rocket::time::OffsetDateTime;
use uuid::Uuid;

use super::entry_of::{exchangeable_ids, ids_of, session_of};
use super::record::{record, row_until, session_end, session_until};
use crate::blocklist::{Renewal, Standing, StoreError, TokenIds, exchange};
use crate::clock;
use crate::events::{Event, SessionEnd};
use crate::jwt::Jwt;
use crate::reason::Reason;
use crate::settings::Sessions;
use crate::token::verified::Verified;

/// Whether the blocklist in memory can say without waiting that the token is not revoked.
pub(crate) fn is_known_live(jwt: &Jwt, verified: &Verified) -> bool {
    let ids = exchangeable_ids(jwt, verified);
    matches!(jwt.blocklist().try_standing(&ids), Some(Ok(Standing::Live)))
}

/// Whether the blocklist accepts the token. With `blocklist_replica`, the replica decides about an
/// access token, and the store about a refresh token.
pub(crate) async fn check(jwt: &Jwt, verified: &Verified) -> Result<(), Reason> {
    let store = jwt.blocklist().replica_or_primary();
    let ids = exchangeable_ids(jwt, verified);
    match answer(jwt, store.standing(&ids)).await? {
        Standing::Live => Ok(()),
        Standing::Revoked => Err(Reason::Revoked),
        Standing::Exchanged { at } if is_within_grace(jwt, at) => Ok(()),
        Standing::Exchanged { .. } | Standing::Replaced => {
            if end_session(jwt, verified).await? {
                report_theft(jwt, verified);
            }
            Err(Reason::Revoked)
        }
        Standing::Newer => {
            if end_session(jwt, verified).await? {
                report_loss(jwt, verified);
            }
            Err(Reason::Revoked)
        }
    }
}

/// Whether a refresh token that was exchanged at `at`, and whose successor is unused, may be used again: a
/// response may have been lost.
fn is_within_grace(jwt: &Jwt, at: OffsetDateTime) -> bool {
    exchange::is_within(jwt.settings().rotation_grace, clock::millis(at), jwt.now())
}

/// The standing of an access token in the store itself, which with `sessions` records its renewal.
pub(crate) async fn standing_to_renew(
    jwt: &Jwt,
    verified: &Verified,
    exp: Option<OffsetDateTime>,
) -> Result<Standing, Reason> {
    let (ids, sessions) = (ids_of(verified), jwt.settings().sessions);
    let store = jwt.blocklist().session_store().filter(|_| sessions != Sessions::Off);
    let Some(store) = store else {
        let store = jwt.blocklist().primary();
        return answer(jwt, store.standing(&ids)).await;
    };
    let ids = if sessions == Sessions::On { ids.only_recorded() } else { ids };
    let until = row_until(jwt, session_until(jwt, verified), [exp]);
    let renewal = Renewal { now: jwt.now(), ends: exp, until };
    answer(jwt, store.renew(&ids, &renewal)).await
}

/// Checks that the pair with the refresh token `next`, made at `at`, may be issued again: it may not if
/// that refresh token was revoked.
pub(crate) async fn successor(
    jwt: &Jwt,
    verified: &Verified,
    sid: &str,
    next: Uuid,
    at: OffsetDateTime,
) -> Result<(), Reason> {
    let jti = next.to_string();
    let ids = TokenIds::new(Some(&jti), Some(sid), Some(verified.identity()), Some(at));
    match answer(jwt, jwt.blocklist().primary().standing(&ids)).await? {
        Standing::Live => Ok(()),
        _ => Err(Reason::Revoked),
    }
}

/// Ends the session of a refresh token that must not be used any more. Returns whether this call ended it.
async fn end_session(jwt: &Jwt, verified: &Verified) -> Result<bool, Reason> {
    let recorded = match session_end(jwt, verified) {
        Ok(entry) => record(jwt, entry, verified.request()).await,
        Err(error) => Err(error),
    };
    recorded.map_err(|error| {
        log::error!("JWT: {error}");
        Reason::StoreUnavailable
    })
}

/// Reports that a session was ended because its refresh token was reused.
pub(crate) fn report_theft(jwt: &Jwt, verified: &Verified) {
    log::warn!("JWT: a refresh token was reused, so its session has been ended");
    jwt.hooks().emit(&Event::ReuseDetected {
        identity: verified.identity().into(),
        jti: verified.jti().unwrap_or_default().into(),
        session_id: session_of(verified).map(Cow::into_owned),
        request: verified.request().cloned(),
    });
}

/// Reports that a session was ended because the store has lost the exchange of its refresh token.
pub(crate) fn report_loss(jwt: &Jwt, verified: &Verified) {
    log::error!(
        "JWT: the blocklist has lost the exchange of a refresh token, so that session has been ended"
    );
    jwt.hooks().emit(&Event::SessionEnded {
        identity: verified.identity().into(),
        session_id: session_of(verified).map(Cow::into_owned).unwrap_or_default(),
        why: SessionEnd::StoreLostData,
        request: verified.request().cloned(),
    });
}

/// The store's result, if it arrives in time; otherwise a refusal, never "not revoked".
pub(crate) async fn answer<T>(
    jwt: &Jwt,
    asked: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, Reason> {
    jwt.blocklist().bounded(asked).await.map_err(|error| {
        log::error!("JWT: the blocklist is unavailable: {error}");
        Reason::StoreUnavailable
    })
}
