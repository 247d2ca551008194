//! The guard that forwards requests without a token to another route.

use std::ops::Deref;

use rocket::http::Status;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Ignite, Request, Rocket, Sentinel};

use super::admit::TokenGuard;
use super::run::{refuse, run};
use crate::rejection::Rejection;
use crate::request::cache::RequestCache;

/// Accepts what `G` accepts, and forwards a request without a token to the next route.
///
/// `G` refuses an invalid token; a request with an invalid token is never forwarded.
///
/// # Example
///
/// ```rust
/// # use rocket::get;
/// use rocket_jwt_extended::{AccessToken, OrForward};
///
/// #[get("/")]
/// fn home(token: OrForward<AccessToken>) -> String {
///     format!("hello, {}", token.identity())
/// }
///
/// #[get("/", rank = 2)]
/// fn welcome() -> &'static str {
///     "please log in"
/// }
/// # fn main() {}
/// ```
#[derive(Debug, Clone)]
pub struct OrForward<G>(G);

impl<G> OrForward<G> {
    /// The guard inside.
    pub fn into_inner(self) -> G {
        self.0
    }
}

impl<G> Deref for OrForward<G> {
    type Target = G;

    fn deref(&self) -> &G {
        &self.0
    }
}

#[rocket::async_trait]
impl<'r, G: TokenGuard> FromRequest<'r> for OrForward<G> {
    type Error = Rejection;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Rejection> {
        match run(request, None).await {
            Ok(guard) => Outcome::Success(Self(guard)),
            Err(rejection) if rejection.is_missing() => {
                // For the catcher, in case no other route matches.
                RequestCache::of(request).forward(request, rejection);
                Outcome::Forward(Status::Unauthorized)
            }
            Err(rejection) => Outcome::Error(refuse(request, rejection)),
        }
    }
}

impl<G: TokenGuard> Sentinel for OrForward<G> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        super::sentinel::aborts::<G>(rocket)
    }
}
