//! Revoking, and what the blocklist's facts mean: grace and theft are judged here alone.

use std::future::{poll_fn, ready, Future};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration as StdDuration;

use rocket::time::OffsetDateTime;
use rocket::tokio::time;

use crate::blocklist::{Blocklist, Revocation, Standing, StoreError, TokenIds};
use crate::clock;
use crate::error::Error;
use crate::events::Event;
use crate::jwt::Jwt;
use crate::rejection::Reason;
use crate::rotate::{session_begun, Successor};
use crate::store::Stores;
use crate::token::{Token, Verified};

impl Jwt {
    /// Revokes what is given: `&token`, or a [`Revocation`]. When it returns Ok, no guard lets it in
    /// any more, on any server that shares the blocklist; with `blocklist_replica`, on the others when
    /// its bound has passed.
    ///
    /// # Errors
    ///
    /// If the blocklist did not acknowledge it, or the token has no `jti`.
    ///
    /// # Example
    ///
    /// ```rust
    /// # #[macro_use] extern crate rocket;
    /// use rocket_jwt_extended::{AnyToken, Error, Jwt};
    ///
    /// #[delete("/token")]
    /// async fn revoke(jwt: &Jwt, token: AnyToken) -> Result<(), Error> {
    ///     jwt.revoke(&token).await
    /// }
    /// # fn main() {}
    /// ```
    pub async fn revoke(&self, revocation: impl Into<Revocation>) -> Result<(), Error> {
        self.record(revocation.into().with_margin(self.margin())).await
    }

    /// Ends the session of a token: its access and refresh tokens, and all that rotation made of them.
    /// Of a token without `sid` it revokes the `jti`, and what a refresh token was exchanged for.
    ///
    /// # Errors
    ///
    /// If the blocklist did not acknowledge it, or the token has neither `sid` nor `jti`.
    pub async fn revoke_session<C>(&self, token: &Token<C>) -> Result<(), Error> {
        let verified = token.verified();
        // A lone refresh token that was exchanged has a session that it does not know of.
        if let Some(begun) = session_begun(self, verified) {
            self.record(Revocation::session(begun, self.session_until())).await?;
        }
        self.record(self.session_end(verified)).await
    }

    /// Revokes every token of `identity` issued until now: log out everywhere. A login right
    /// afterwards, in the same second, works.
    ///
    /// It returns when its millisecond is over. Across servers "until now" is exact up to the
    /// difference of their clocks.
    ///
    /// # Errors
    ///
    /// If the blocklist did not acknowledge it.
    ///
    /// # Example
    ///
    /// ```rust
    /// # #[macro_use] extern crate rocket;
    /// use rocket_jwt_extended::{Error, Fresh, Jwt, TokenPair};
    ///
    /// #[post("/password")]
    /// async fn change_password(jwt: &Jwt, token: Fresh) -> Result<TokenPair, Error> {
    ///     // … the new one is stored; then every device is logged out but this one.
    ///     jwt.revoke_all(token.identity()).await?;
    ///     jwt.token_pair(token.identity()).fresh().issue()
    /// }
    /// # fn main() {}
    /// ```
    pub async fn revoke_all(&self, identity: impl crate::Identity) -> Result<(), Error> {
        let identity = identity.identity();
        if identity.is_empty() {
            return Err(Error::EmptyIdentity);
        }
        // Twice: a rotation that asked the store before the first entry was there makes its pair
        // from an instant before the second's cut-off.
        self.cut_off_until_now(&identity).await?;
        let entry = self.cut_off_until_now(&identity).await?;
        self.hooks().emit(&Event::Revoked { revocation: entry.clone() });
        if let Some(cut_off) = entry.cut_off() {
            self.pass(cut_off).await;
        }
        Ok(())
    }

    async fn cut_off_until_now(&self, identity: &str) -> Result<Revocation, Error> {
        let cut_off = self.cut_off();
        let until = self
            .settings()
            .max_token_lifetime
            .map(|longest| cut_off.saturating_add(longest + self.margin()));
        let entry = Revocation::subject(identity, cut_off, until);
        self.bounded(self.ask_stores()?.recorder().revoke(&entry)).await?;
        Ok(entry)
    }

    /// Removes entries from the blocklist that no living token needs. The fairing does so every
    /// `blocklist_prune_interval`; this is for doing it by hand.
    ///
    /// # Errors
    ///
    /// If the blocklist could not be reached.
    pub async fn prune(&self) -> Result<u64, Error> {
        // Not bounded in time: no request waits for it.
        Ok(self.ask_stores()?.recorder().prune(self.now()).await?)
    }

    async fn record(&self, entry: Revocation) -> Result<(), Error> {
        if entry.is_nameless() {
            return Err(Error::Nameless);
        }
        self.bounded(self.ask_stores()?.recorder().revoke(&entry)).await?;
        self.hooks().emit(&Event::Revoked { revocation: entry });
        Ok(())
    }

    fn session_end(&self, verified: &Verified) -> Revocation {
        let expiry = verified.registered().expires_at;
        let own = expiry.map(|exp| exp.saturating_add(self.margin()));
        match (verified.sid(), verified.jti()) {
            (Some(sid), _) => {
                let others = self.session_until();
                Revocation::session(sid, own.zip(others).map(|(own, others)| own.max(others)))
            }
            (None, Some(jti)) => Revocation::token(jti, own),
            (None, None) => Revocation::nameless(),
        }
    }

    /// When the last token of a session that goes on until now is dead.
    fn session_until(&self) -> Option<OffsetDateTime> {
        let longest = self.settings().session_lifetime()?;
        Some(self.now().saturating_add(longest + self.margin()))
    }

    /// Waits until a token issued on another server, by the same clock, is after the cut-off.
    async fn pass(&self, cut_off: OffsetDateTime) {
        // A clock that stands still, as in a test, is not waited for.
        for _ in 0..5 {
            if clock::millis(self.now()) > clock::millis(cut_off) {
                return;
            }
            time::sleep(StdDuration::from_millis(1)).await;
        }
    }

    /// Whether the blocklist lets a token pass, as far as it is known here: with `blocklist_replica`,
    /// not to the moment. `known` is what could be [told at once](Self::try_standing()).
    pub(crate) async fn judge(
        &self,
        verified: &Verified,
        known: Option<Result<Standing, StoreError>>,
    ) -> Result<(), Reason> {
        let standing = match known {
            Some(known) => self.store_answer(|_| ready(known)).await?,
            None => self.standing(verified.ids(), Stores::nearest).await?,
        };
        match standing {
            Standing::Live => Ok(()),
            Standing::Revoked => Err(Reason::Revoked),
            Standing::Used { first } => self.judge_used(verified, first).await.map(|_| ()),
        }
    }

    /// How a token stands, if that can be told without waiting.
    pub(crate) fn try_standing(&self, verified: &Verified) -> Option<Result<Standing, StoreError>> {
        self.stores()?.at_once(&verified.ids())
    }

    /// Whether a used-up refresh token may be used again: within the grace, as long as nobody used
    /// what it was exchanged for. If so, what that is; if not, it is theft (RFC 9700 §4.14.2).
    pub(crate) async fn judge_used(
        &self,
        verified: &Verified,
        first: OffsetDateTime,
    ) -> Result<Successor, Reason> {
        let grace = self.settings().rotation_grace;
        if grace.is_positive() && self.now() - first <= grace {
            let successor = Successor::of(self, verified, first).map_err(|error| {
                // Without the signing key nobody here can tell what the token was exchanged for.
                log::warn!("JWT: a used refresh token can't be judged: {error}");
                Reason::Revoked
            })?;
            // Another server may have exchanged it a moment ago.
            if self.standing_now(successor.refresh_ids(verified)).await? == Standing::Live {
                return Ok(successor);
            }
        }
        self.end_stolen_session(verified).await?;
        Err(Reason::Revoked)
    }

    /// Ends the session of a used token that came again.
    async fn end_stolen_session(&self, verified: &Verified) -> Result<(), Reason> {
        log::warn!("JWT: a used refresh token came again: its session is revoked");
        let begun = session_begun(self, verified);
        let entry = match &begun {
            Some(begun) => Revocation::session(begun, self.session_until()),
            None => self.session_end(verified),
        };
        self.record(entry).await.map_err(|error| {
            log::error!("JWT: {error}");
            Reason::StoreUnavailable
        })?;
        self.hooks().emit(&Event::ReuseDetected {
            identity: verified.identity().into(),
            jti: verified.jti().unwrap_or_default().into(),
            session_id: verified.sid().map(Into::into).or(begun),
        });
        Ok(())
    }

    /// How a token of these ids stands, by the store itself.
    pub(crate) async fn standing_now(&self, ids: TokenIds<'_>) -> Result<Standing, Reason> {
        self.standing(ids, Stores::truth).await
    }

    async fn standing(
        &self,
        ids: TokenIds<'_>,
        of: fn(&Stores) -> Arc<dyn Blocklist>,
    ) -> Result<Standing, Reason> {
        let ask = |stores: &Stores| {
            let store = of(stores);
            async move { (*store).standing(&ids).await }
        };
        self.store_answer(ask).await
    }

    /// An answer of the store in time, or a refusal: never "not revoked".
    pub(crate) async fn store_answer<T, F>(
        &self,
        ask: impl FnOnce(&Stores) -> F,
    ) -> Result<T, Reason>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let answer = async { self.bounded(ask(self.ask_stores()?)).await };
        answer.await.map_err(|error| {
            log::error!("JWT: the blocklist is unavailable: {error}");
            Reason::StoreUnavailable
        })
    }

    fn ask_stores(&self) -> Result<&Stores, StoreError> {
        self.stores().ok_or_else(|| StoreError::new("it was never set up"))
    }

    async fn bounded<T>(
        &self,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        // A store in memory answers at once, and needs no timer.
        let mut answer = pin!(answer);
        let at_once = poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await;
        if let Poll::Ready(answer) = at_once {
            return answer;
        }
        let limit = self.settings().blocklist_timeout.unsigned_abs();
        time::timeout(limit, answer)
            .await
            .unwrap_or_else(|_| Err(StoreError::new(format!("no answer within {limit:?}"))))
    }
}
