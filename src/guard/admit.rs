//! Building a guard from a verified token.

use std::future::Future;
use std::sync::Arc;

use rocket::Request;

use crate::blocklist::Revocation;
use crate::error::Error;
use crate::reason::Reason;
use crate::revocation::entry_of::IntoRevocation;
use crate::token::Token;
use crate::token::claims::CustomClaims;
use crate::token::context::RequestContext;
use crate::token::location::Location;
use crate::token::verified::Verified;
use crate::verify::policy::Policy;

/// A guard that accepts or refuses a request by its token.
///
/// [`AccessToken`](crate::AccessToken), [`RefreshToken`](crate::RefreshToken),
/// [`AnyToken`](crate::AnyToken) and the wrappers around them implement it. The trait is sealed: a
/// custom guard calls one of these guards, and should delegate Rocket's `Sentinel` to it:
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
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a guard that a wrapper or `Jwt::verify()` accepts",
    note = "`Optional` and `OrForward` must be outermost: write `Optional<Fresh<…>>`, not `Fresh<Optional<…>>`",
    note = "the claims type must be `Deserialize`, and the same as that of the permission or the user"
)]
pub trait TokenGuard: Admit {
    /// The type of the token's custom claims.
    type Claims: CustomClaims;

    /// The requirements for a token.
    const POLICY: Policy;

    /// The accepted token.
    fn token(&self) -> &Token<Self::Claims>;
}

/// Makes the revocation entry of an accepted token.
impl<G: TokenGuard> IntoRevocation for &G {
    fn into_revocation(self, margin: rocket::time::Duration) -> Result<Revocation, Error> {
        self.token().into_revocation(margin)
    }

    fn request(&self) -> Option<RequestContext> {
        self.token().request()
    }
}

/// A [`TokenGuard`] that needs only the token, so that [`Jwt::verify()`](crate::Jwt::verify) can
/// run it without a request: every guard except [`CurrentUser`](crate::CurrentUser).
#[diagnostic::on_unimplemented(
    message = "`{Self}` needs a request",
    note = "`CurrentUser` loads its user with the request: verify `AccessToken<…>`, and load the user yourself"
)]
pub trait RequestFree: IntoToken {}

/// A token that passed the pipeline, from which a guard is built.
pub struct Admission<'a, 'r> {
    pub(crate) verified: Arc<Verified>,
    pub(crate) location: Option<Location>,
    /// Whether the blocklist was queried for it.
    pub(crate) blocklist_asked: bool,
    pub(crate) request: Option<&'a Request<'r>>,
}

/// The steps after the pipeline. The trait is public but not exported, so that only this crate can
/// define guards.
#[doc(hidden)]
pub trait Admit: Sized + Send + Sync {
    /// Deserializes claims and loads users. The error is the reason why the token is refused.
    fn admit(admission: Admission<'_, '_>) -> impl Future<Output = Result<Self, Reason>> + Send;

    /// Whether every permission is granted: called after all users are loaded.
    fn permits(&self) -> bool;
}

/// Unwraps a guard into its token.
pub trait IntoToken: TokenGuard {
    #[doc(hidden)]
    fn into_token(self) -> Token<Self::Claims>;
}
