//! The guard for an access token.

use super::admit::{Admission, Admit, IntoToken, RequestFree, TokenGuard};
use super::macros::token_guard;
use crate::reason::Reason;
use crate::token::Token;
use crate::token::claims::{CustomClaims, NoClaims};
use crate::verify::policy::{AcceptedTypes, Policy};

/// Accepts a request with a valid access token, and deserializes its custom claims into `C`.
///
/// It derefs to [`Token`]. It refuses a request whose token is missing, invalid, expired, revoked
/// or of another type, with a row of [`Rejection`](crate::Rejection)'s table.
///
/// # Example
///
/// ```rust
/// # use rocket::get;
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

token_guard!(AccessToken, Policy::of(AcceptedTypes::Access));
