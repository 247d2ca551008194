//! Events for audit logs and metrics.

use crate::blocklist::Revocation;
use crate::rejection::Rejection;
use crate::token::context::RequestContext;
use crate::token::kind::TokenType;

/// An event in the life of a token, passed to [`JwtFairing::on_event`](crate::JwtFairing::on_event).
///
/// No event contains a token's text, except through [`Rejection::token()`]. An event of a request
/// has its context: [`Event::request()`].
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
        /// The request it happened in, if that is known.
        request: Option<RequestContext>,
    },
    /// A guard refused a request, or [`Jwt::verify()`](crate::Jwt::verify) a token.
    #[non_exhaustive]
    Refused {
        /// The reason.
        rejection: Rejection,
        /// The request it happened in, if that is known.
        request: Option<RequestContext>,
    },
    /// An entry was recorded, and the blocklist acknowledged it.
    #[non_exhaustive]
    Revoked {
        /// The entry.
        revocation: Revocation,
        /// The request it happened in, if that is known.
        request: Option<RequestContext>,
    },
    /// A session was begun, and the store has its row: with `sessions`.
    #[non_exhaustive]
    SessionBegan {
        /// The identity of the login.
        identity: String,
        /// Its id.
        session_id: String,
        /// The request it happened in, if that is known.
        request: Option<RequestContext>,
    },
    /// A session was ended, and neither [`Jwt::revoke_session()`](crate::Jwt::revoke_session) nor the
    /// reuse of a refresh token was the reason.
    #[non_exhaustive]
    SessionEnded {
        /// The identity that owned it.
        identity: String,
        /// Its id.
        session_id: String,
        /// The reason.
        why: SessionEnd,
        /// The request it happened in, if that is known.
        request: Option<RequestContext>,
    },
    /// A refresh token was exchanged again within `rotation_grace`, and the same pair was issued again.
    /// The reason may be a lost response, a second browser tab, or a theft.
    #[non_exhaustive]
    Repeated {
        /// The identity the token was issued to.
        identity: String,
        /// The token's `jti`.
        jti: String,
        /// Its session.
        session_id: Option<String>,
        /// The request it happened in, if that is known.
        request: Option<RequestContext>,
    },
    /// A refresh token was reused: it, or its successor, was stolen (RFC 9700 §4.14). Its session was
    /// revoked.
    ///
    /// It is emitted at most once for a session: by the use that ended it.
    #[non_exhaustive]
    ReuseDetected {
        /// The identity the token was issued to.
        identity: String,
        /// The token's `jti`.
        jti: String,
        /// The session that was revoked.
        session_id: Option<String>,
        /// The request it happened in, if that is known.
        request: Option<RequestContext>,
    },
}

impl Event {
    /// The request in which it happened. It is known to guards, to calls with a token that a guard
    /// has accepted ([`rotate(token)`](crate::Jwt::rotate), `revoke(&token)`,
    /// `revoke_session(&token)`, `end_other_sessions(&token)`), and to the renewal in a response. A
    /// login passes it with [`request()`](crate::TokenPairBuilder::request). Calls with an identity
    /// or an id alone have none.
    pub fn request(&self) -> Option<&RequestContext> {
        match self {
            Self::Issued { request, .. }
            | Self::Refused { request, .. }
            | Self::Revoked { request, .. }
            | Self::SessionBegan { request, .. }
            | Self::SessionEnded { request, .. }
            | Self::Repeated { request, .. }
            | Self::ReuseDetected { request, .. } => request.as_ref(),
        }
    }
}

/// Why a session was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionEnd {
    /// [`Jwt::end_session()`](crate::Jwt::end_session) or
    /// [`Jwt::end_other_sessions()`](crate::Jwt::end_other_sessions) was called.
    Requested,
    /// A later login exceeded `max_sessions`.
    Limit,
    /// The store has lost the exchange of a refresh token, and perhaps a logout with it.
    StoreLostData,
}
