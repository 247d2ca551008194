//! Exchanging a refresh token for a new pair (RFC 9700 §4.14.2).

use std::future::IntoFuture;

use rocket::futures::future::BoxFuture;
use rocket::serde::Serialize;

use crate::blocklist::entry::uuid_v7_millis;
use crate::blocklist::{Exchange, Exchanged};
use crate::error::Error;
use crate::events::Event;
use crate::guard::refresh::RefreshToken;
use crate::issue::pair::{TokenPair, sign_pair};
use crate::issue::spec::{Freshness, TokenSpec, inherited_audience, inherited_lifetime};
use crate::jwt::Jwt;
use crate::provenance::is_ours;
use crate::reason::Reason;
use crate::rejection::{CheckFailed, Rejection};
use crate::revocation::check;
use crate::revocation::entry_of::{exchangeable_ids, session_of};
use crate::revocation::record::{row_until, session_until};
use crate::revocation::successor::Successor;
use crate::settings::Sessions;
use crate::token::claims::{Claims, CustomClaims};
use crate::token::ids::next_and_seed;
use crate::token::kind::TokenType;
use crate::token::registered::custom;
use crate::token::verified::Verified;
use crate::verify::claims::check_expiry;

/// An exchange of a refresh token, made with [`Jwt::rotate()`]: await it.
#[must_use = "a rotation does nothing before `.await`"]
pub struct Rotation<'a, C> {
    jwt: &'a Jwt,
    token: RefreshToken<C>,
    // Only collects claims.
    given: Option<TokenSpec>,
}

impl Jwt {
    /// Exchanges a refresh token for a new pair of the same session. The presented token then
    /// counts as used: of any number of concurrent exchanges, exactly one is the first.
    ///
    /// The pair has the refresh token's custom claims unless [`.claims()`](Rotation::claims) gives
    /// others, the hooks run again, and it is never fresh. An exchange that is repeated within
    /// `rotation_grace`, while nobody used the new refresh token, gets the same pair again, so that
    /// neither a lost response nor a second browser tab ends a session. Any other use of a used
    /// token is theft: the session ends, [`Event::ReuseDetected`](crate::Event::ReuseDetected)
    /// fires once, and the answer is `token_revoked`. A refresh token issued alone belongs to a
    /// session derived from its `jti`, which its first exchange begins.
    ///
    /// The store keeps one row for the session, and the exchange updates it. With the setting
    /// `sessions`, the login inserts the row, and a refresh token whose session has no row is
    /// refused.
    ///
    /// The access token gets the configured lifetime. So does the refresh token, unless the
    /// presented one was issued with a shorter lifetime: then its successor gets that lifetime
    /// again.
    ///
    /// The claims are copied, so a user's role stays as it was at login for as long as the user
    /// refreshes. If claims can change, read them again:
    ///
    /// ```rust
    /// # use rocket::post;
    /// # use rocket::serde::Serialize;
    /// # use rocket_jwt_extended::{Jwt, RefreshToken, Rejection, TokenPair};
    /// # #[derive(Serialize)]
    /// # #[serde(crate = "rocket::serde")]
    /// # struct Profile { role: String }
    /// # async fn profile_of(_: &str) -> Profile { Profile { role: "user".into() } }
    /// #[post("/refresh")]
    /// async fn refresh(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
    ///     let now = profile_of(token.identity()).await;
    ///     jwt.rotate(token).claims(&now).await
    /// }
    /// # fn main() {}
    /// ```
    ///
    /// A repeated exchange makes a pair with the same ids, times and CSRF values on every server
    /// that shares the blocklist: they are derived from a random seed in the row, and not from a
    /// signing key, so keys may change in between. Clock skew makes the grace longer or shorter by
    /// the difference.
    ///
    /// # Errors
    ///
    /// `token_revoked` as described, `token_expired` for a token that has expired since the guard
    /// accepted it or whose session has reached `session_lifetime`, `store_unavailable`, and
    /// `token_invalid` for a token without `jti` or one that is not ours: signed neither by a
    /// configured key nor by the one that the [`signing_key`](crate::JwtFairing::signing_key) hook
    /// gives for its identity. A token that only the
    /// [`verifying_key`](crate::JwtFairing::verifying_key) hook accepts is never turned into one of
    /// ours.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::post;
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
    /// The custom claims of the new pair, instead of the old token's. Repeated calls are merged.
    pub fn claims(mut self, claims: &impl Serialize) -> Self {
        self.given.get_or_insert_with(|| TokenSpec::new(TokenType::Access, &"")).add_claims(claims);
        self
    }
}

impl<'a, C: CustomClaims> IntoFuture for Rotation<'a, C> {
    type Output = Result<TokenPair, Rejection>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { jwt, token, given } = self;
            let verified = token.verified().clone();
            exchange(jwt, &verified, given).await.map_err(|reason| {
                let rejection = jwt.reject(CheckFailed::of(reason, &verified));
                jwt.emit_refused(&rejection, verified.request().cloned());
                rejection
            })
        })
    }
}

async fn exchange(
    jwt: &Jwt,
    verified: &Verified,
    given: Option<TokenSpec>,
) -> Result<TokenPair, Reason> {
    if verified.jti().is_none() {
        return Err(Reason::MissingClaim("jti".into()));
    }
    // The guard checked the expiry, but the route may have waited since.
    check_expiry(jwt, verified, jwt.now())?;
    let tells_beginning = verified.sid().is_none_or(|sid| uuid_v7_millis(sid).is_some());
    if jwt.settings().session_lifetime.is_some() && !tells_beginning {
        return Err(Reason::InvalidClaim("The beginning of the session is unknown"));
    }
    // Without a signing key no token can be issued. This is an error of the server, not of the
    // token.
    if jwt.signing_key(verified.identity()).is_ok() && !is_ours(jwt, verified) {
        return Err(Reason::UnknownKey);
    }
    let not_issued = |error: Error| {
        log::error!("JWT: a refresh token can't be exchanged: {error}");
        Reason::NotIssued
    };
    let failed = || not_issued(Error::Signing);
    let (ids, sid) = (exchangeable_ids(jwt, verified), session_of(verified));
    let sid = sid.ok_or_else(|| Reason::MissingClaim("jti".into()))?;
    // In whole milliseconds, as the row keeps it. The time is later than the token's own, so that the times
    // in a session's ids increase regardless of clock skew.
    let (now, time) = jwt.issue_instant_after(ids.raw_millis()).await;
    let (next, seed) = next_and_seed(time).ok_or_else(failed)?;
    // The new pair is made before the exchange, so that the session survives if making it fails.
    let successor = Successor::new(&sid, next, &seed, now).map_err(not_issued)?;
    let (pair, issued) = issue(&successor, jwt, verified, given.clone()).map_err(not_issued)?;
    // Within the leeway after the session's end, there is no time left for another token.
    if pair.refresh_expires_at().is_some_and(|exp| exp <= now) {
        return Err(Reason::SessionExpired);
    }

    let mut exchange = Exchange::new(
        next,
        seed,
        now,
        jwt.settings().rotation_grace,
        row_until(
            jwt,
            session_until(jwt, verified),
            [verified.registered().expires_at, pair.refresh_expires_at()],
        ),
    );
    let sessions = jwt.settings().sessions;
    if sessions != Sessions::Off {
        exchange = exchange.owned_by(&ids, pair.refresh_expires_at());
    }
    if sessions == Sessions::On {
        exchange = exchange.only_recorded();
    }
    let store = jwt.blocklist().replica_or_primary();
    match check::answer(jwt, store.exchange(&ids, &exchange)).await? {
        Exchanged::First => {
            issued.iter().flatten().for_each(|event| jwt.hooks().emit(event));
            Ok(pair)
        }
        Exchanged::Repeated { next, seed, at } => {
            check::successor(jwt, verified, &sid, next, at).await?;
            let successor = Successor::new(&sid, next, &seed, at).map_err(not_issued)?;
            // The same pair was issued at the first exchange, so no event is emitted.
            let (pair, _) = issue(&successor, jwt, verified, given).map_err(not_issued)?;
            jwt.hooks().emit(&Event::Repeated {
                identity: verified.identity().into(),
                jti: verified.jti().unwrap_or_default().into(),
                session_id: Some(sid.into_owned()),
                request: verified.request().cloned(),
            });
            Ok(pair)
        }
        Exchanged::Reused { ended_now } => {
            if ended_now {
                check::report_theft(jwt, verified);
            }
            Err(Reason::Revoked)
        }
        Exchanged::Newer { ended_now } => {
            if ended_now {
                check::report_loss(jwt, verified);
            }
            Err(Reason::Revoked)
        }
        Exchanged::Ended => Err(Reason::Revoked),
    }
}

/// Issues the successor with the claims of `verified`, or with the given claims.
fn issue(
    successor: &Successor,
    jwt: &Jwt,
    verified: &Verified,
    given: Option<TokenSpec>,
) -> Result<(TokenPair, [Option<Event>; 2]), Error> {
    let mut access = given.map_or_else(
        || {
            let mut spec = TokenSpec::new(TokenType::Access, &"");
            spec.inherited = custom(verified.claims(), &jwt.settings().identity_claim);
            spec
        },
        |mut spec| {
            spec.inherited = Claims::new();
            spec
        },
    );
    access.identity = verified.identity().into();
    access.fresh = Freshness::No;
    access.audience = inherited_audience(verified);
    access.ids = successor.access.clone();
    access.request = verified.request().cloned();
    let mut refresh = access.clone();
    refresh.token_type = TokenType::Refresh;
    refresh.ids = successor.refresh.clone();
    refresh.expires = inherited_lifetime(jwt, verified);
    sign_pair(jwt, access, refresh)
}
