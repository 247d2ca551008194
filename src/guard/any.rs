//! The guard for a token of either type.

use super::sealed::{Admit, IntoToken};
use super::{token_guard, Admission, Denied, Kind, Policy, RequestFree, TokenGuard};
use crate::token::{NoClaims, OwnClaims, Token};

/// Lets in a request with a valid access or refresh token, and reads its own claims into `C`.
///
/// Cookies and JSON bodies are looked into under the access token's name first, then under the refresh
/// token's. It derefs to [`Token`].
///
/// # Example
///
/// ```rust
/// # #[macro_use] extern crate rocket;
/// use rocket_jwt_extended::{AnyToken, Error, Jwt};
///
/// #[delete("/logout")]
/// async fn logout(jwt: &Jwt, token: AnyToken) -> Result<String, Error> {
///     jwt.revoke_session(&token).await?;
///     Ok(format!("logged out by the {} token", token.token_type()))
/// }
/// # fn main() {}
/// ```
#[derive(Debug, Clone)]
pub struct AnyToken<C = NoClaims>(Token<C>);

token_guard!(AnyToken, Policy::of(Kind::Any));
