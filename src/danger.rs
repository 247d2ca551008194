//! Reading unverified tokens: every use must be audited.
//!
//! The sender of a token chooses everything that these functions return. Use them to choose a key or an
//! issuer, for logs and for tests; never to authenticate a request.

use jsonwebtoken::Header;

use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::token::claims::CustomClaims;
use crate::token::compact::Parts;

/// The longest token that is read: the maximum of `max_token_length`.
const MAX_LENGTH: usize = 1 << 20;

/// The header of a token **whose signature is not checked**.
///
/// # Errors
///
/// If the token is malformed, or its header has a member that is refused.
///
/// # Example
///
/// ```rust
/// use rocket_jwt_extended::danger;
///
/// assert_eq!(danger::unverified_header("nonsense").unwrap_err().code(), "token_invalid");
/// ```
pub fn unverified_header(token: &str) -> Result<Header, Rejection> {
    Parts::split(token, MAX_LENGTH)
        .and_then(|parts| parts.header())
        .map_err(Rejection::unconfigured)
}

/// The claims of a token **whose signature is not checked**, deserialized into `C`.
///
/// # Errors
///
/// If the token is malformed, or its claims don't deserialize into `C`.
///
/// # Example
///
/// ```rust
/// use rocket_jwt_extended::{danger, Claims};
///
/// // RFC 7515 A.1, as printed there.
/// let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQo\
///              gImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEj\
///              Xk";
/// let claims = danger::unverified_claims::<Claims>(token).unwrap();
/// assert_eq!(claims["iss"], "joe");
/// ```
pub fn unverified_claims<C: CustomClaims>(token: &str) -> Result<C, Rejection> {
    Parts::split(token, MAX_LENGTH)
        .and_then(|parts| parts.claims())
        .and_then(|claims| C::deserialize(&claims).map_err(|_| Reason::CustomClaims))
        .map_err(Rejection::unconfigured)
}
