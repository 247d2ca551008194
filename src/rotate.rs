//! Exchanging a refresh token for a new pair (RFC 9700 §4.14.2).

use std::future::IntoFuture;

use rocket::futures::future::BoxFuture;
use rocket::serde::Serialize;
use rocket::time::{OffsetDateTime, PrimitiveDateTime};
use uuid::Builder;

use crate::blocklist::{TokenIds, UseUp};
use crate::claims;
use crate::clock;
use crate::error::Error;
use crate::events::Event;
use crate::guard::RefreshToken;
use crate::issue::{carried_audience, carried_lifetime, Freshness, Ids, Spec};
use crate::jwt::Jwt;
use crate::keys::signing::SigningKey;
use crate::pair::TokenPair;
use crate::rejection::{Reason, Refusal, Rejection};
use crate::store::Stores;
use crate::token::{OwnClaims, TokenType, Verified};
use crate::verify;
use crate::Claims;

/// An exchange of a refresh token, to be awaited: by [`Jwt::rotate()`].
#[must_use = "a rotation does nothing before `.await`"]
pub struct Rotation<'a, C> {
    jwt: &'a Jwt,
    token: RefreshToken<C>,
    // A spec only to gather claims in.
    given: Option<Spec>,
}

impl Jwt {
    /// Exchanges a refresh token for a new pair of the same session. The token presented is used up:
    /// of many concurrent exchanges exactly one is the first.
    ///
    /// The pair has the refresh token's own claims unless [`.claims()`](Rotation::claims) gives
    /// others, the hooks run again, and it is never fresh. An exchange that is repeated within
    /// `rotation_grace`, while nobody used the new refresh token, gets the same pair again, so that
    /// neither a lost answer nor a second browser tab ends a session. Any other use of a used token is
    /// theft: the session is revoked, [`Event::ReuseDetected`](crate::Event::ReuseDetected) fires, and
    /// the answer is `token_revoked`.
    ///
    /// Servers that share a blocklist must share the signing key, too, to make the same pair.
    ///
    /// # Errors
    ///
    /// `token_revoked` as said, `token_invalid` for a token without `jti`, `store_unavailable`.
    ///
    /// # Example
    ///
    /// ```rust
    /// # #[macro_use] extern crate rocket;
    /// use rocket_jwt_extended::{Jwt, RefreshToken, Rejection, TokenPair};
    ///
    /// #[post("/refresh")]
    /// async fn refresh(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
    ///     jwt.rotate(token).await
    /// }
    /// # fn main() {}
    /// ```
    pub fn rotate<C>(&self, token: RefreshToken<C>) -> Rotation<'_, C> {
        Rotation { jwt: self, token, given: None }
    }
}

impl<C> Rotation<'_, C> {
    /// The own claims of the new pair, instead of the old token's. Repeated calls merge.
    pub fn claims(mut self, claims: &impl Serialize) -> Self {
        self.given.get_or_insert_with(|| Spec::new(TokenType::Access, &"")).add_claims(claims);
        self
    }
}

impl<'a, C: OwnClaims> IntoFuture for Rotation<'a, C> {
    type Output = Result<TokenPair, Rejection>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { jwt, token, given } = self;
            let verified = token.verified().clone();
            exchange(jwt, &verified, given).await.map_err(|reason| {
                let rejection = jwt.reject(Refusal::of(reason, &verified));
                jwt.refused(&rejection);
                rejection
            })
        })
    }
}

async fn exchange(
    jwt: &Jwt,
    verified: &Verified,
    given: Option<Spec>,
) -> Result<TokenPair, Reason> {
    if verified.jti().is_none() {
        return Err(Reason::MissingClaim("jti".into()));
    }
    // The guard saw to it; but it may have been held for long.
    verify::check_expiry(jwt.settings(), verified, jwt.now())?;
    let not_issued = |error: Error| {
        log::error!("JWT: a refresh token can't be exchanged: {error}");
        Reason::NotIssued
    };
    // The new pair is made before the old token is used up, so that what keeps it from being made
    // does not cost the session.
    let now = jwt.issue_instant(jwt.now());
    let successor = Successor::of(jwt, verified, now).map_err(not_issued)?;
    let (pair, issued) = successor.issue(jwt, verified, given.clone()).map_err(not_issued)?;

    let until = verified
        .registered()
        .expires_at
        .and_then(|exp| exp.checked_add(jwt.margin()))
        .unwrap_or(END_OF_TIME);
    let ids = verified.ids();
    let use_up = |stores: &Stores| {
        let store = stores.recorder();
        async move { store.use_up(&ids, now, until).await }
    };
    match jwt.store_answer(use_up).await? {
        UseUp::First => {
            issued.iter().flatten().for_each(|event| jwt.hooks().emit(event));
            Ok(pair)
        }
        UseUp::Again { first } => {
            let successor = jwt.judge_used(verified, first).await?;
            // The pair that was issued then: there is nothing new to tell.
            successor.issue(jwt, verified, given).map(|(pair, _)| pair).map_err(not_issued)
        }
        UseUp::Revoked => Err(Reason::Revoked),
    }
}

/// The last instant that can be written down: when the mark of a token without end may leave.
const END_OF_TIME: OffsetDateTime = PrimitiveDateTime::MAX.assume_utc();

/// What a refresh token is exchanged for. All of it follows from the token's `jti`, the instant of
/// its first use, and the server's key: the same question has the same answer, on every server, and
/// nothing is stored.
pub(crate) struct Successor {
    at: OffsetDateTime,
    sid: String,
    access: Ids,
    refresh: Ids,
}

impl Successor {
    /// Of the token that was used for the first time at `first`.
    pub(crate) fn of(jwt: &Jwt, verified: &Verified, first: OffsetDateTime) -> Result<Self, Error> {
        let key = jwt.signing_key(verified.identity())?;
        let millis = clock::millis(first);
        let at = clock::from_millis(millis).unwrap_or(first);
        let jti = verified.jti().unwrap_or_default().as_bytes();
        let derive = |label: &str| {
            let bytes = key.derive(label, &[&millis.to_be_bytes(), jti].concat())?;
            bytes.first_chunk::<16>().copied().ok_or(Error::Sign)
        };
        // UUIDv7 of the first use, so that a cut-off sees when the pair was made.
        let id = |label: &str| {
            let [tail @ .., _, _, _, _, _, _] = derive(label)?;
            let millis = u64::try_from(millis).unwrap_or_default();
            let uuid = Builder::from_unix_timestamp_millis(millis, &tail).into_uuid();
            Ok::<_, Error>(uuid.to_string())
        };
        let csrf = |label: &str| {
            Ok::<_, Error>(Builder::from_random_bytes(derive(label)?).into_uuid().to_string())
        };
        let sid = match verified.sid() {
            Some(sid) => sid.to_string(),
            None => session_of(&key, jti, verified.ids().issued_millis())?,
        };
        let ids = |kind: &str| {
            Ok::<_, Error>(Ids {
                jti: Some(id(&format!("{kind} jti"))?),
                sid: Some(sid.clone()),
                csrf: Some(csrf(&format!("{kind} csrf"))?),
                at: Some(at),
                exact: true,
            })
        };
        Ok(Self { at, access: ids("access")?, refresh: ids("refresh")?, sid })
    }

    /// What the blocklist is asked of the new refresh token.
    pub(crate) fn refresh_ids<'a>(&'a self, verified: &'a Verified) -> TokenIds<'a> {
        let identity = Some(verified.identity());
        TokenIds::new(self.refresh.jti.as_deref(), Some(&self.sid), identity, Some(self.at))
    }

    fn issue(
        &self,
        jwt: &Jwt,
        verified: &Verified,
        given: Option<Spec>,
    ) -> Result<(TokenPair, [Option<Event>; 2]), Error> {
        let mut access = given.map_or_else(
            || {
                let mut spec = Spec::new(TokenType::Access, &"");
                spec.carried = claims::own(verified.claims(), jwt.settings());
                spec
            },
            |mut spec| {
                spec.carried = Claims::new();
                spec
            },
        );
        access.identity = verified.identity().into();
        access.fresh = Freshness::No;
        access.audience = carried_audience(verified);
        access.ids = self.access.clone();
        let mut refresh = access.clone();
        refresh.kind = TokenType::Refresh;
        refresh.ids = self.refresh.clone();
        refresh.expires = carried_lifetime(jwt, verified);
        TokenPair::make(jwt, access, refresh)
    }
}

/// The session that a refresh token without one begins when it is exchanged.
pub(crate) fn session_begun(jwt: &Jwt, verified: &Verified) -> Option<String> {
    if verified.sid().is_some() || verified.registered().token_type != TokenType::Refresh {
        return None;
    }
    let key = jwt.signing_key(verified.identity()).ok()?;
    session_of(&key, verified.jti()?.as_bytes(), verified.ids().issued_millis()).ok()
}

/// The same for every exchange.
fn session_of(key: &SigningKey, jti: &[u8], issued: Option<i64>) -> Result<String, Error> {
    let bytes = key.derive("session", jti)?;
    let tail = bytes.first_chunk().ok_or(Error::Sign)?;
    let millis = issued.and_then(|millis| u64::try_from(millis).ok()).unwrap_or_default();
    Ok(Builder::from_unix_timestamp_millis(millis, tail).into_uuid().to_string())
}
