//! What happened, for audit logs and metrics.

use crate::blocklist::Revocation;
use crate::rejection::Rejection;
use crate::token::TokenType;

/// Something that happened to a token. Given to [`JwtFairing::on_event`](crate::JwtFairing::on_event).
///
/// No event holds a token's text but by way of [`Rejection::token()`].
///
/// # Example
///
/// ```rust
/// use rocket_jwt_extended::{Event, Jwt};
///
/// let fairing = Jwt::fairing().on_event(|event| match event {
///     Event::ReuseDetected { identity, .. } => eprintln!("stolen from {identity}"),
///     Event::Refused { rejection, .. } => eprintln!("refused: {}", rejection.code()),
///     _ => (),
/// });
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// A token was issued.
    #[non_exhaustive]
    Issued {
        /// Its type.
        token_type: TokenType,
        /// Whom it was issued to.
        identity: String,
        /// Its `jti`.
        jti: String,
        /// Its `sid`, if it belongs to a session.
        session_id: Option<String>,
    },
    /// A guard refused a request, or [`Jwt::verify()`](crate::Jwt::verify) a token.
    #[non_exhaustive]
    Refused {
        /// Why.
        rejection: Rejection,
    },
    /// Something was revoked, and the blocklist acknowledged it.
    #[non_exhaustive]
    Revoked {
        /// What.
        revocation: Revocation,
    },
    /// A refresh token came a second time: it was stolen, or its successor was (RFC 9700 §4.14). Its
    /// session was revoked.
    #[non_exhaustive]
    ReuseDetected {
        /// Whom the token was issued to.
        identity: String,
        /// The token's `jti`.
        jti: String,
        /// The session that was revoked.
        session_id: Option<String>,
    },
}
