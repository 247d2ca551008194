//! The guard for a refresh token.

use super::admit::{Admission, Admit, IntoToken, RequestFree, TokenGuard};
use super::macros::token_guard;
use crate::reason::Reason;
use crate::token::Token;
use crate::token::claims::{CustomClaims, NoClaims};
use crate::verify::policy::{AcceptedTypes, Policy};

/// Accepts a request with a valid refresh token, and deserializes its custom claims into `C`.
///
/// It looks in the refresh cookie and under the refresh key of a JSON body, and derefs to [`Token`].
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
#[derive(Debug, Clone)]
pub struct RefreshToken<C = NoClaims>(Token<C>);

token_guard!(RefreshToken, Policy::of(AcceptedTypes::Refresh));
