//! The guard for an access token.

use super::sealed::{Admit, IntoToken};
use super::{token_guard, Admission, Denied, Kind, Policy, RequestFree, TokenGuard};
use crate::token::{NoClaims, OwnClaims, Token};

/// Lets in a request with a valid access token, and reads its own claims into `C`.
///
/// It derefs to [`Token`]. Refused are missing, bad, expired and revoked tokens, and tokens of another
/// type, with the refusals of [`Rejection`](crate::Rejection)'s table.
///
/// # Example
///
/// ```rust
/// # #[macro_use] extern crate rocket;
/// use rocket::serde::Deserialize;
/// use rocket_jwt_extended::AccessToken;
///
/// #[derive(Deserialize)]
/// #[serde(crate = "rocket::serde")]
/// struct Profile { role: String }
///
/// #[get("/me")]
/// fn me(token: AccessToken<Profile>) -> String {
///     format!("{} is {}", token.identity(), token.claims.role)
/// }
/// # fn main() {}
/// ```
#[derive(Debug, Clone)]
pub struct AccessToken<C = NoClaims>(Token<C>);

token_guard!(AccessToken, Policy::of(Kind::Access));
