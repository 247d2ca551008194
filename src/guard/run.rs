//! Running a guard on a request, or on a token alone.

use std::sync::Arc;

use rocket::Request;
use rocket::http::Status;
use rocket::outcome::Outcome;
use rocket::request;

use super::admit::{Admission, RequestFree, TokenGuard};
use crate::jwt::Jwt;
use crate::provenance::is_ours;
use crate::reason::Reason;
use crate::rejection::{CheckFailed, Rejection};
use crate::request::body::Body;
use crate::request::cache::RequestCache;
use crate::request::context::context;
use crate::request::locate::locate;
use crate::token::Token;
use crate::token::kind::TokenType;
use crate::token::location::Location;
use crate::token::verified::Verified;
use crate::verify::memo::TokenMemo;
use crate::verify::policy::Policy;
use crate::verify::{holds, verify};

impl Jwt {
    /// Runs all checks of the guard `G` on a token, without a request: for WebSockets, queues and
    /// tests. `G` is any guard except `CurrentUser`, which needs a request.
    ///
    /// # Errors
    ///
    /// The same rejections as the guard's.
    ///
    /// # Example
    ///
    /// ```rust
    /// use rocket_jwt_extended::{AccessToken, Claims, Jwt, Rejection};
    ///
    /// async fn whose(jwt: &Jwt, token: &str) -> Result<String, Rejection> {
    ///     let token = jwt.verify::<AccessToken<Claims>>(token).await?;
    ///     Ok(token.identity().to_string())
    /// }
    /// ```
    ///
    /// `CurrentUser` needs a request, so this does not compile:
    ///
    /// ```rust,compile_fail,E0277
    /// use rocket_jwt_extended::{CurrentUser, Jwt, LoadUser, Rejection};
    ///
    /// async fn who<U: LoadUser>(jwt: &Jwt, token: &str) -> Result<(), Rejection> {
    ///     jwt.verify::<CurrentUser<U>>(token).await.map(|_| ())
    /// }
    /// ```
    pub async fn verify<G: RequestFree>(&self, token: &str) -> Result<Token<G::Claims>, Rejection> {
        match check::<G>(self, token).await {
            Ok(guard) => Ok(guard.into_token()),
            Err(failed) => {
                let rejection = self.reject(failed);
                self.emit_refused(&rejection, None);
                Err(rejection)
            }
        }
    }
}

/// Runs a guard on a token's text, without a request.
async fn check<G: RequestFree>(jwt: &Jwt, encoded: &str) -> Result<G, CheckFailed> {
    let memo = TokenMemo::new(encoded, None);
    let verified = verify(jwt, &memo, None, G::POLICY).await?;
    admit(verified, None, None).await
}

/// Runs a guard on a request.
pub(super) async fn run<G: TokenGuard>(
    request: &Request<'_>,
    body: Option<&Body<'_>>,
) -> Result<G, Rejection> {
    let Some(jwt) = request.rocket().state::<Jwt>() else {
        // Sentinels prevent this for guards in routes, but cannot detect guards that are called in
        // code.
        log::error!("JWT: a guard was called without `Jwt::fairing()` attached");
        return Err(Rejection::unconfigured(Reason::NotAttached));
    };
    attempt(jwt, request, body).await.map_err(|failed| jwt.reject(failed))
}

async fn attempt<G: TokenGuard>(
    jwt: &Jwt,
    request: &Request<'_>,
    body: Option<&Body<'_>>,
) -> Result<G, CheckFailed> {
    let cache = RequestCache::of(request);
    let context = || context(jwt.hooks(), request);
    let holds = |encoded: &str| holds(jwt, cache.memo(encoded, context), G::POLICY);
    let located = locate(request, jwt.settings(), G::POLICY, body, &holds)?;
    let memo = cache.memo(&located.encoded, context);
    let verified = verify(jwt, memo, located.proof.as_ref(), G::POLICY).await?;
    let guard = admit(verified, Some(located.location), Some(request)).await?;
    if located.location == Location::Cookies && is_renewable(jwt, verified, G::POLICY) {
        cache.set_renewable(verified.clone());
    }
    Ok(guard)
}

/// Whether the response may renew the token.
fn is_renewable(jwt: &Jwt, verified: &Verified, policy: Policy) -> bool {
    jwt.settings().implicit_refresh_within.is_some()
        && verified.registered().token_type == TokenType::Access
        && !policy.accepts_expired()
        && is_ours(jwt, verified)
}

/// The steps after the pipeline, the same for every guard.
async fn admit<G: TokenGuard>(
    verified: &Arc<Verified>,
    location: Option<Location>,
    request: Option<&Request<'_>>,
) -> Result<G, CheckFailed> {
    let blocklist_asked = G::POLICY.asks_blocklist();
    let admission = Admission { verified: verified.clone(), location, blocklist_asked, request };
    let failed = |reason| CheckFailed::of(reason, verified);
    let guard = G::admit(admission).await.map_err(failed)?;
    match guard.permits() {
        true => Ok(guard),
        false => Err(failed(Reason::InsufficientScope)),
    }
}

/// Stores a rejection in the request's cache, and emits the event.
pub(super) fn refuse(request: &Request<'_>, rejection: Rejection) -> (Status, Rejection) {
    RequestCache::of(request).refuse(rejection.clone());
    if let Some(jwt) = request.rocket().state::<Jwt>() {
        jwt.emit_refused(&rejection, context(jwt.hooks(), request));
    }
    (rejection.status(), rejection)
}

pub(super) async fn from_request<G: TokenGuard>(
    request: &Request<'_>,
) -> request::Outcome<G, Rejection> {
    match run::<G>(request, None).await {
        Ok(guard) => Outcome::Success(guard),
        Err(rejection) => Outcome::Error(refuse(request, rejection)),
    }
}
