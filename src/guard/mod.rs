//! The guards: types, each of which changes one thing of the policy, and the one function that runs
//! them all.

mod access;
mod any;
mod fresh;
mod ignore_revocation;
mod looked_for_in;
mod manager;
mod optional;
mod or_forward;
mod policy;
mod refresh;
mod require;
mod user;
mod with_body;

use std::future::Future;
use std::sync::Arc;

use rocket::http::Status;
use rocket::outcome::Outcome;
use rocket::request;
use rocket::{Ignite, Request, Rocket};

use crate::blocklist::Revocation;
use crate::cache;
use crate::jwt::Jwt;
use crate::locate::{self, Body};
use crate::location::Location;
use crate::rejection::{Reason, Refusal, Rejection};
use crate::token::{OwnClaims, Token, TokenType, Verified};
use crate::verify;

pub use access::AccessToken;
pub use any::AnyToken;
pub use fresh::Fresh;
pub use ignore_revocation::IgnoreRevocation;
pub use looked_for_in::{Cookies, Headers, In, JsonBody, Locations, QueryString};
pub use optional::Optional;
pub use or_forward::OrForward;
pub use policy::{Kind, Policy};
pub use refresh::RefreshToken;
pub use require::{Permission, Require};
pub use user::{CurrentUser, LoadUser};
pub use with_body::{BodyError, BodyGuard, FromBody, WithBody};

/// A guard that lets a request in by its token.
///
/// Implemented by [`AccessToken`], [`RefreshToken`], [`AnyToken`], and by the wrappers around them,
/// which nest in any order. It is sealed: an application's own guards call one of these, and should
/// implement Rocket's `Sentinel` by it:
///
/// ```rust
/// use rocket::request::{FromRequest, Outcome};
/// use rocket::{Ignite, Request, Rocket, Sentinel};
/// use rocket_jwt_extended::{AccessToken, Rejection};
///
/// struct UserId(u64);
///
/// #[rocket::async_trait]
/// impl<'r> FromRequest<'r> for UserId {
///     type Error = Option<Rejection>;
///
///     async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
///         use rocket::http::Status;
///         use rocket::outcome::Outcome::*;
///         match request.guard::<AccessToken>().await {
///             Success(token) => match token.parse_identity() {
///                 Ok(id) => Success(UserId(id)),
///                 Err(_) => Error((Status::Unauthorized, None)),
///             },
///             Error((status, rejection)) => Error((status, Some(rejection))),
///             Forward(status) => Forward(status),
///         }
///     }
/// }
///
/// impl Sentinel for UserId {
///     fn abort(rocket: &Rocket<Ignite>) -> bool {
///         AccessToken::<rocket_jwt_extended::NoClaims>::abort(rocket)
///     }
/// }
/// ```
pub trait TokenGuard: sealed::Admit {
    /// What the token's own claims are read into.
    type Claims: OwnClaims;

    /// What is asked of a token.
    const POLICY: Policy;

    /// The token that was let in.
    fn token(&self) -> &Token<Self::Claims>;
}

/// The entry of the token that a guard let in.
impl<G: TokenGuard> From<&G> for Revocation {
    fn from(guard: &G) -> Self {
        guard.token().into()
    }
}

/// A [`TokenGuard`] that needs nothing but the token, as
/// [`Jwt::verify()`](crate::Jwt::verify) runs it without a request: all but [`CurrentUser`].
pub trait RequestFree: sealed::IntoToken {}

/// How a guard is made of a verified token. Out of reach, so that only this crate has guards.
pub(crate) mod sealed {
    use super::*;

    /// A token that passed the pipeline, on its way into a guard.
    pub struct Admission<'a, 'r> {
        pub(crate) verified: Arc<Verified>,
        pub(crate) location: Option<Location>,
        pub(crate) request: Option<&'a Request<'r>>,
    }

    #[doc(hidden)]
    pub trait Admit: Sized + Send + Sync {
        /// Reads claims, loads users.
        fn admit(admission: Admission<'_, '_>)
            -> impl Future<Output = Result<Self, Denied>> + Send;

        /// Whether every permission holds: asked after all users were loaded.
        fn permits(&self) -> bool;
    }

    /// The way out of a guard that holds nothing but its token.
    pub trait IntoToken: TokenGuard {
        #[doc(hidden)]
        fn into_token(self) -> Token<Self::Claims>;
    }

    /// Why a verified token was not let in.
    pub struct Denied(pub(crate) Reason);
}

pub(crate) use sealed::{Admission, Denied};

/// The step of every guard that follows the pipeline.
async fn admit<G: TokenGuard>(
    verified: &Arc<Verified>,
    location: Option<Location>,
    request: Option<&Request<'_>>,
) -> Result<G, Refusal> {
    let admission = Admission { verified: verified.clone(), location, request };
    let guard =
        G::admit(admission).await.map_err(|Denied(reason)| Refusal::of(reason, verified))?;
    match guard.permits() {
        true => Ok(guard),
        false => Err(Refusal::of(Reason::InsufficientScope, verified)),
    }
}

/// Runs a guard on a token's text alone.
pub(crate) async fn check<G: RequestFree>(jwt: &Jwt, encoded: &str) -> Result<G, Refusal> {
    let seen = cache::Seen::new(encoded);
    let verified = verify::verify(jwt, &seen, None, G::POLICY).await?;
    admit(verified, None, None).await
}

/// Runs a guard on a request.
pub(crate) async fn run<G: TokenGuard>(
    request: &Request<'_>,
    body: Option<&Body<'_>>,
) -> Result<G, Rejection> {
    let Some(jwt) = request.rocket().state::<Jwt>() else {
        // Sentinels see to it that this does not happen; they don't see guards called by hand.
        log::error!("JWT: a guard was called without `Jwt::fairing()` attached");
        return Err(Rejection::unconfigured(Reason::NotAttached));
    };
    attempt(jwt, request, body).await.map_err(|refusal| jwt.reject(refusal))
}

async fn attempt<G: TokenGuard>(
    jwt: &Jwt,
    request: &Request<'_>,
    body: Option<&Body<'_>>,
) -> Result<G, Refusal> {
    let cache = cache::of(request);
    let located = locate::locate(request, jwt.settings(), G::POLICY, body)?;
    let seen = cache.seen(&located.encoded);
    let verified = verify::verify(jwt, seen, located.proof.as_ref(), G::POLICY).await?;
    let guard = admit(verified, Some(located.location), Some(request)).await?;
    let is_access = verified.registered().token_type == TokenType::Access;
    if is_access && located.location == Location::Cookies {
        cache.let_in_by_cookie(verified.clone());
    }
    Ok(guard)
}

/// Keeps a refusal with its request and tells of it.
pub(crate) fn refuse(request: &Request<'_>, rejection: Rejection) -> (Status, Rejection) {
    cache::of(request).refuse(rejection.clone());
    if let Some(jwt) = request.rocket().state::<Jwt>() {
        jwt.refused(&rejection);
    }
    (rejection.status(), rejection)
}

async fn from_request<G: TokenGuard>(request: &Request<'_>) -> request::Outcome<G, Rejection> {
    match run::<G>(request, None).await {
        Ok(guard) => Outcome::Success(guard),
        Err(rejection) => Outcome::Error(refuse(request, rejection)),
    }
}

/// The one sentinel: without the fairing, or where a guard can never succeed, the launch fails. Where
/// it is the configuration that lets no request guard succeed, that is said.
fn aborts<G: TokenGuard>(rocket: &Rocket<Ignite>) -> bool {
    let Some(jwt) = Jwt::fetch(rocket) else { return is_unattached::<G>(rocket) };
    let body_alone = |places: &[Location]| places.iter().all(|place| *place == Location::JsonBody);
    match G::POLICY.locations() {
        Some(places) if body_alone(places) => {
            log::error!("the guard `{}` can never succeed.", name::<G>());
            log::info!(target: "_", "A request guard cannot read a body: use it inside `WithBody<…>`.");
            true
        }
        None if body_alone(&jwt.settings().locations) => {
            log::warn!("JWT: by `token_location` the guard `{}` can never succeed.", name::<G>());
            log::info!(target: "_", "A request guard cannot read a body: use it inside `WithBody<…>`.");
            false
        }
        _ => false,
    }
}

fn is_unattached<G>(rocket: &Rocket<Ignite>) -> bool {
    if Jwt::fetch(rocket).is_some() {
        return false;
    }
    log::error!("requested the guard `{}` without attaching `Jwt::fairing()`.", name::<G>());
    log::info!(target: "_", "Attach it with `rocket::build().attach(Jwt::fairing())`.");
    true
}

fn name<G>() -> &'static str {
    std::any::type_name::<G>()
}

/// What is the same for every guard type: being a request guard and a sentinel.
macro_rules! request_guard {
    ([$($generics:tt)*] $guard:ty) => {
        #[rocket::async_trait]
        impl<'r, $($generics)*> rocket::request::FromRequest<'r> for $guard {
            type Error = crate::rejection::Rejection;

            async fn from_request(
                request: &'r rocket::Request<'_>,
            ) -> rocket::request::Outcome<Self, Self::Error> {
                crate::guard::from_request(request).await
            }
        }

        impl<$($generics)*> rocket::Sentinel for $guard {
            fn abort(rocket: &rocket::Rocket<rocket::Ignite>) -> bool {
                crate::guard::aborts::<Self>(rocket)
            }
        }
    };
}

/// What is the same for the three guards that hold a token.
macro_rules! token_guard {
    ($guard:ident, $policy:expr) => {
        impl<C: OwnClaims> TokenGuard for $guard<C> {
            type Claims = C;

            const POLICY: Policy = $policy;

            fn token(&self) -> &Token<C> {
                &self.0
            }
        }

        impl<C: OwnClaims> RequestFree for $guard<C> {}

        impl<C: OwnClaims> IntoToken for $guard<C> {
            fn into_token(self) -> Token<C> {
                self.0
            }
        }

        impl<C: OwnClaims> Admit for $guard<C> {
            async fn admit(admission: Admission<'_, '_>) -> Result<Self, Denied> {
                let Admission { verified, location, .. } = admission;
                let claims = verified.read().map_err(Denied)?;
                Ok(Self(Token::with_claims(claims, verified, location)))
            }

            fn permits(&self) -> bool {
                true
            }
        }

        impl<C> $guard<C> {
            /// The token itself.
            pub fn into_inner(self) -> Token<C> {
                self.0
            }
        }

        impl<C> std::ops::Deref for $guard<C> {
            type Target = Token<C>;

            fn deref(&self) -> &Token<C> {
                &self.0
            }
        }

        crate::guard::request_guard!([C: OwnClaims] $guard<C>);
    };
}

/// What is the same for every wrapper around a guard: `inner` is its field.
macro_rules! wrapper {
    ([$($generics:tt)*] $guard:ty, $inner:ident: $G:ident) => {
        impl<$($generics)*> $guard {
            /// The guard inside.
            pub fn into_inner(self) -> $G {
                self.$inner
            }
        }

        impl<$($generics)*> std::ops::Deref for $guard {
            type Target = $G;

            fn deref(&self) -> &$G {
                &self.$inner
            }
        }

        crate::guard::request_guard!([$($generics)*] $guard);
    };
}

/// A wrapper that only changes the policy.
macro_rules! policy_wrapper {
    ([$($generics:tt)*] $guard:ident<$($arg:ident),*>, $change:expr) => {
        impl<$($generics)*> TokenGuard for $guard<$($arg),*> {
            type Claims = G::Claims;

            const POLICY: Policy = $change;

            fn token(&self) -> &Token<G::Claims> {
                self.inner.token()
            }
        }

        impl<$($generics)*> Admit for $guard<$($arg),*> {
            async fn admit(admission: Admission<'_, '_>) -> Result<Self, Denied> {
                Ok(Self::around(G::admit(admission).await?))
            }

            fn permits(&self) -> bool {
                self.inner.permits()
            }
        }

        crate::guard::wrapper!([$($generics)*] $guard<$($arg),*>, inner: G);
    };
}

pub(crate) use {policy_wrapper, request_guard, token_guard, wrapper};

#[cfg(test)]
mod tests {
    use std::mem::size_of_val;

    use rocket::local::blocking::Client;

    use super::*;
    use crate::Claims;

    /// Rocket boxes it for each request, and allocators have so much at hand.
    #[test]
    fn the_future_of_a_guard_is_small() {
        let client = Client::untracked(rocket::build()).expect("a client");
        let request = client.get("/");
        let future = from_request::<Fresh<AccessToken<Claims>>>(request.inner());
        assert!(size_of_val(&future) <= 512, "{}", size_of_val(&future));
        drop(future);
    }
}
