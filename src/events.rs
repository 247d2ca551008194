//! Events for audit logs and metrics.

use crate::blocklist::Revocation;
use crate::rejection::Rejection;
use crate::token::kind::TokenType;

/// An event in the life of a token, passed to [`JwtFairing::on_event`](crate::JwtFairing::on_event).
///
/// No event contains a token's text, except through [`Rejection::token()`].
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
        /// The identity it was issued to.
        identity: String,
        /// Its `jti`.
        jti: String,
        /// Its `sid`, if it belongs to a session.
        session_id: Option<String>,
    },
    /// A guard refused a request, or [`Jwt::verify()`](crate::Jwt::verify) a token.
    #[non_exhaustive]
    Refused {
        /// The reason.
        rejection: Rejection,
    },
    /// An entry was recorded, and the blocklist acknowledged it.
    #[non_exhaustive]
    Revoked {
        /// The entry.
        revocation: Revocation,
    },
    /// A refresh token was reused: it, or its successor, was stolen (RFC 9700 §4.14). Its session was
    /// revoked.
    ///
    /// For a token of a session it is emitted once, or a few times if several uses overlap:
    /// afterwards the session is known to be revoked. For a refresh token without a session it may
    /// be emitted at each replay.
    #[non_exhaustive]
    ReuseDetected {
        /// The identity the token was issued to.
        identity: String,
        /// The token's `jti`.
        jti: String,
        /// The session that was revoked.
        session_id: Option<String>,
    },
}
