//! The guard for a token of either type.

use super::admit::{Admission, Admit, IntoToken, RequestFree, TokenGuard};
use super::macros::token_guard;
use crate::reason::Reason;
use crate::token::Token;
use crate::token::claims::{CustomClaims, NoClaims};
use crate::verify::policy::{AcceptedTypes, Policy};

/// Accepts a request with a valid access or refresh token, and deserializes its custom claims into
/// `C`.
///
/// In cookies and JSON bodies it looks for the access token first, then for the refresh token. It
/// derefs to [`Token`].
///
/// # Example
///
/// ```rust
/// # use rocket::delete;
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

token_guard!(AnyToken, Policy::of(AcceptedTypes::Any));
