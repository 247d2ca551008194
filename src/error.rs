//! What goes wrong on the server's side: launching, issuing, storing.

use std::fmt;

use rocket::http::Status;
use rocket::response::{self, Responder};
use rocket::Request;

use crate::blocklist::StoreError;
use crate::rejection::{Reason, Rejection};

/// A failure that is not the client's: of a key, of issuing a token, of a store.
///
/// As a responder it logs itself and answers 500, or 503 where a store could not be reached; the
/// client is told nothing more. What a *client* did wrong is a [`Rejection`]; as an error it answers
/// as it does by itself.
///
/// # Example
///
/// ```rust
/// use rocket_jwt_extended::jsonwebtoken::Algorithm;
/// use rocket_jwt_extended::{Error, SigningKey};
///
/// let error = SigningKey::from_secret(Algorithm::HS512, b"too short").unwrap_err();
/// assert!(matches!(error, Error::Key(_)));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A key is unusable; the text says why, without it.
    Key(String),
    /// There is no signing key: tokens can be verified only.
    VerifyOnly,
    /// The backend failed to sign.
    Sign,
    /// The identity is empty.
    EmptyIdentity,
    /// A claim of this name is written by the crate and can't be given as a claim of one's own.
    ReservedClaim(String),
    /// A header of this name is written by the crate, or never written at all.
    ReservedHeader(String),
    /// Claims or a header can't be written as JSON, or claims are no object; the text says why.
    Serialize(String),
    /// The lifetime asked for can't be given; the text says why.
    Lifetime(&'static str),
    /// A refresh token was asked to be fresh.
    FreshRefresh,
    /// The token would be longer than it could be accepted.
    TooLong,
    /// A cookie can't be set; the text says why.
    Cookie(&'static str),
    /// A token handed over is refused.
    Rejected(Rejection),
    /// The token has no id to revoke it by.
    Nameless,
    /// The store could not do it.
    Store(StoreError),
}

impl Error {
    /// The status it answers with.
    pub fn status(&self) -> Status {
        match self {
            Self::Store(_) => Status::ServiceUnavailable,
            Self::Rejected(rejection) => rejection.status(),
            _ => Status::InternalServerError,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(text) => f.write_str(text),
            Self::VerifyOnly => f.write_str("no signing key is configured: verify only"),
            Self::Sign => f.write_str("signing failed"),
            Self::EmptyIdentity => f.write_str("the identity is empty"),
            Self::ReservedClaim(name) => write!(f, "the claim `{name}` is not free"),
            Self::ReservedHeader(name) => write!(f, "the header `{name}` is not free"),
            Self::Serialize(text) => f.write_str(text),
            Self::Lifetime(text) | Self::Cookie(text) => f.write_str(text),
            Self::FreshRefresh => f.write_str("a refresh token is never fresh"),
            Self::TooLong => f.write_str("the token would be too long to be accepted"),
            Self::Rejected(rejection) => write!(f, "the token is refused: {rejection}"),
            Self::Nameless => f.write_str("the token has neither `jti` nor `sid` to revoke it by"),
            Self::Store(error) => write!(f, "the blocklist is unavailable: {error}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Rejected(rejection) => Some(rejection),
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

/// A store out of reach is the same as one; what else is the server's fault is logged, and answered
/// with 500.
impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        match error {
            Error::Rejected(rejection) => rejection,
            other => {
                log::error!("JWT: {other}");
                Self::unconfigured(match other {
                    Error::Store(_) => Reason::StoreUnavailable,
                    _ => Reason::NotIssued,
                })
            }
        }
    }
}

/// Logs the error, which a bare status can't carry.
impl From<Error> for Status {
    fn from(error: Error) -> Self {
        log::error!("JWT: {error}");
        error.status()
    }
}

impl<'r> Responder<'r, 'static> for Error {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        match self {
            Self::Rejected(rejection) => rejection.respond_to(request),
            Self::Store(error) => {
                log::error!("JWT: the blocklist is unavailable: {error}");
                Rejection::store_unavailable().respond_to(request)
            }
            other => {
                log::error!("JWT: {other}");
                Err(other.status())
            }
        }
    }
}
