//! The guard for a refresh token.

use super::sealed::{Admit, IntoToken};
use super::{token_guard, Admission, Denied, Kind, Policy, RequestFree, TokenGuard};
use crate::token::{NoClaims, OwnClaims, Token};

/// Lets in a request with a valid refresh token, and reads its own claims into `C`.
///
/// It is looked for in the refresh cookie and under the refresh key of a JSON body, and derefs to
/// [`Token`].
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
#[derive(Debug, Clone)]
pub struct RefreshToken<C = NoClaims>(Token<C>);

token_guard!(RefreshToken, Policy::of(Kind::Refresh));
