//! Revokes tokens, sessions and subjects.

pub(crate) mod check;
pub(crate) mod entry_of;
pub(crate) mod lifetime;
pub(crate) mod record;
pub(crate) mod successor;

use std::time::Duration as StdDuration;

use rocket::time::OffsetDateTime;
use rocket::tokio::time;

use crate::blocklist::Revocation;
use crate::clock;
use crate::error::Error;
use crate::events::Event;
use crate::jwt::Jwt;
use crate::token::Token;
use crate::token::identity::Identity;

use entry_of::IntoRevocation;
use record::{record, session_end};

impl Jwt {
    /// Revokes `&token`, or a [`Revocation`]. Once it returns `Ok`, every guard refuses it, on every server
    /// that shares the blocklist; with `blocklist_replica`, other servers refuse it within the replica's
    /// bound.
    ///
    /// # Errors
    ///
    /// If the blocklist did not acknowledge it, or the token has no `jti`.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::delete;
    /// use rocket_jwt_extended::{AnyToken, Error, Jwt};
    ///
    /// #[delete("/token")]
    /// async fn revoke(jwt: &Jwt, token: AnyToken) -> Result<(), Error> {
    ///     jwt.revoke(&token).await
    /// }
    /// # fn main() {}
    /// ```
    pub async fn revoke(&self, revocation: impl IntoRevocation) -> Result<(), Error> {
        let request = revocation.request();
        record(self, revocation.into_revocation(self.margin())?, request.as_ref()).await.map(|_| ())
    }

    /// Ends the session of a token: revokes its access and refresh tokens, and all tokens that
    /// rotation and renewal made from them. A token without `sid` belongs to a session derived from
    /// its `jti`, like all tokens that were made from it.
    ///
    /// A token that only the [`verifying_key`](crate::JwtFairing::verifying_key) hook accepts may name a
    /// session of this issuer in its `sid`. It ends no session: the call revokes the token alone.
    ///
    /// # Errors
    ///
    /// If the blocklist did not acknowledge it, or the token has neither `sid` nor `jti`.
    pub async fn revoke_session<C>(&self, token: &Token<C>) -> Result<(), Error> {
        let verified = token.verified();
        record(self, session_end(self, verified)?, verified.request()).await.map(|_| ())
    }

    /// Revokes every token of `identity` issued until now: log out everywhere. A login immediately
    /// afterwards, in the same second, is not affected.
    ///
    /// It waits until the current millisecond has passed. Across servers, "until now" is exact up
    /// to their clock skew. If the clock is set back afterwards, the identity's new tokens are
    /// refused until it has caught up, since the server never issues tokens with a time in the
    /// future.
    ///
    /// # Errors
    ///
    /// If the blocklist did not acknowledge it.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::post;
    /// use rocket_jwt_extended::{Error, Fresh, Jwt, TokenPair};
    ///
    /// #[post("/password")]
    /// async fn change_password(jwt: &Jwt, token: Fresh) -> Result<TokenPair, Error> {
    ///     // … store the new password; then log out every device except this one.
    ///     jwt.revoke_all(token.identity()).await?;
    ///     jwt.token_pair(token.identity()).fresh().issue()
    /// }
    /// # fn main() {}
    /// ```
    pub async fn revoke_all(&self, identity: impl Identity) -> Result<(), Error> {
        let identity = identity.identity();
        if identity.is_empty() {
            return Err(Error::EmptyIdentity);
        }
        cut_off(self, |at, until| Revocation::subject(&*identity, at, until)).await
    }

    /// Revokes every token of all identities issued until now: for example after the database has
    /// leaked, or after a bug in the application has issued wrong tokens. A login immediately
    /// afterwards is not affected.
    ///
    /// It does not help against a leaked key, as an attacker can forge tokens with any time of
    /// issue: replace the key first.
    ///
    /// Like [`revoke_all()`](Jwt::revoke_all), it waits until the current millisecond has passed,
    /// and across servers it is exact up to their clock skew.
    ///
    /// # Errors
    ///
    /// If the blocklist did not acknowledge it.
    ///
    /// # Example
    ///
    /// ```rust
    /// use rocket::post;
    /// use rocket_jwt_extended::{Error, Fresh, Jwt, Require};
    /// # use rocket_jwt_extended::{NoClaims, Permission, Token};
    /// # struct Operator;
    /// # impl Permission for Operator {
    /// #     type Claims = NoClaims;
    /// #     fn permits(_: &Token<NoClaims>) -> bool { true }
    /// # }
    ///
    /// #[post("/revoke-everything")]
    /// async fn revoke_everything(jwt: &Jwt, _operator: Fresh<Require<Operator>>) -> Result<(), Error> {
    ///     jwt.revoke_everything().await
    /// }
    /// ```
    pub async fn revoke_everything(&self) -> Result<(), Error> {
        cut_off(self, Revocation::everything).await
    }

    /// Removes expired entries from the blocklist. The fairing does so every
    /// `blocklist_prune_interval`; call this to do it manually. Unlike the fairing's task, it
    /// trusts the clock even if it has jumped ahead since the launch.
    ///
    /// # Errors
    ///
    /// If the blocklist could not be reached.
    pub async fn prune(&self) -> Result<u64, Error> {
        // There is no time limit, since no request waits for it.
        Ok(self.blocklist().replica_or_primary().prune(self.now()).await?)
    }
}

/// Records a cut-off twice. A rotation that queried the store before the first entry was recorded
/// issues its pair before the second cut-off, so the second entry revokes that pair.
async fn cut_off(
    jwt: &Jwt,
    entry: impl Fn(OffsetDateTime, Option<OffsetDateTime>) -> Revocation,
) -> Result<(), Error> {
    record_cut_off(jwt, &entry).await?;
    let entry = record_cut_off(jwt, &entry).await?;
    let cut_off = entry.cut_off();
    jwt.hooks().emit(&Event::Revoked { revocation: entry, request: None });
    if let Some(cut_off) = cut_off {
        wait_past(jwt, cut_off).await;
    }
    Ok(())
}

async fn record_cut_off(
    jwt: &Jwt,
    entry: impl Fn(OffsetDateTime, Option<OffsetDateTime>) -> Revocation,
) -> Result<Revocation, Error> {
    let cut_off = jwt.cut_off().await;
    let until = jwt
        .settings()
        .max_token_lifetime
        .map(|longest| cut_off.saturating_add(longest + jwt.margin()));
    let entry = entry(cut_off, until).recorded(jwt.now());
    let blocklist = jwt.blocklist();
    blocklist.bounded(blocklist.replica_or_primary().revoke(&entry)).await?;
    Ok(entry)
}

/// Waits until a token issued on another server with the same clock is later than the cut-off.
async fn wait_past(jwt: &Jwt, cut_off: OffsetDateTime) {
    // The wait is bounded, since a test may stop the clock.
    for _ in 0..5 {
        if clock::millis(jwt.now()) > clock::millis(cut_off) {
            return;
        }
        time::sleep(StdDuration::from_millis(1)).await;
    }
}
