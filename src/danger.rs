//! What must be audited: reading tokens that nothing vouches for.
//!
//! Whoever sends a token chooses everything these functions return. They are for choosing a key or
//! an issuer to ask, for logs and for tests; never to let somebody in.

use jsonwebtoken::Header;

use crate::rejection::{Reason, Rejection};
use crate::token::OwnClaims;
use crate::verify::Parts;

/// The longest token that is read: the most that `max_token_length` can be.
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

/// The claims of a token **whose signature is not checked**, read into `C`.
///
/// # Errors
///
/// If the token is malformed, or its claims don't read into `C`.
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
pub fn unverified_claims<C: OwnClaims>(token: &str) -> Result<C, Rejection> {
    Parts::split(token, MAX_LENGTH)
        .and_then(|parts| parts.claims())
        .and_then(|claims| C::deserialize(&claims).map_err(|_| Reason::OwnClaims))
        .map_err(Rejection::unconfigured)
}
