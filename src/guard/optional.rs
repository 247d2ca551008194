//! The guard for routes where a token is optional.

use std::ops::Deref;

use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Ignite, Request, Rocket, Sentinel};

use super::access::AccessToken;
use super::admit::TokenGuard;
use super::run::{refuse, run};
use crate::rejection::Rejection;
use crate::token::Token;

/// Accepts what `G` accepts, and a request without a token: derefs to `Option<G>`.
///
/// It is `None` only when the request has no token. `G` refuses a token that is invalid, expired,
/// revoked or of the wrong type.
///
/// **Do not write `Option<AccessToken>`**: Rocket turns every failure of a guard into `None`, so
/// the route would also run for a forged or revoked token.
///
/// # Example
///
/// ```rust
/// # use rocket::get;
/// use rocket_jwt_extended::Optional;
///
/// #[get("/")]
/// fn index(token: Optional) -> String {
///     match token.token() {
///         Some(token) => format!("hello, {}", token.identity()),
///         None => "hello, whoever you are".into(),
///     }
/// }
/// # fn main() {}
/// ```
///
/// It must be outermost: `Optional<Fresh>` means "fresh, if there is a token". The reverse order
/// would accept a request without a token, and does not compile:
///
/// ```rust,compile_fail,E0277
/// # use rocket::get;
/// use rocket_jwt_extended::{Fresh, Optional};
///
/// #[get("/")]
/// fn index(token: Fresh<Optional>) {}
/// # fn main() {}
/// ```
#[derive(Debug, Clone)]
pub struct Optional<G = AccessToken>(Option<G>);

impl<G> Optional<G> {
    /// The guard, if the request has a token.
    pub fn into_inner(self) -> Option<G> {
        self.0
    }
}

impl<G: TokenGuard> Optional<G> {
    /// The token, if the request has one.
    pub fn token(&self) -> Option<&Token<G::Claims>> {
        self.0.as_ref().map(TokenGuard::token)
    }

    /// Turns "no token" into `None`, and no other refusal.
    pub(super) fn of(result: Result<G, Rejection>) -> Result<Self, Rejection> {
        match result {
            Ok(guard) => Ok(Self(Some(guard))),
            Err(rejection) if rejection.is_missing() => Ok(Self(None)),
            Err(rejection) => Err(rejection),
        }
    }
}

impl<G> Deref for Optional<G> {
    type Target = Option<G>;

    fn deref(&self) -> &Option<G> {
        &self.0
    }
}

#[rocket::async_trait]
impl<'r, G: TokenGuard> FromRequest<'r> for Optional<G> {
    type Error = Rejection;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Rejection> {
        match Self::of(run(request, None).await) {
            Ok(optional) => Outcome::Success(optional),
            Err(rejection) => Outcome::Error(refuse(request, rejection)),
        }
    }
}

impl<G: TokenGuard> Sentinel for Optional<G> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        super::sentinel::aborts::<G>(rocket)
    }
}
