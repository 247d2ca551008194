//! The server's own errors: at launch, when issuing tokens, and from stores.

use std::fmt;

use rocket::http::Status;

use crate::blocklist::StoreError;
use crate::reason::Reason;
use crate::rejection::Rejection;

/// An error of the server: of a key, of issuing a token, or of a store.
///
/// As a responder it logs itself and answers 500, or 503 if a store was unavailable. The client
/// learns nothing more. An error of the *client* is a [`Rejection`]; inside an `Error` it is
/// answered in the same way as alone, and so is a token that has no id to revoke.
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
    /// A key is unusable; the text says why, without showing the key.
    Key(String),
    /// There is no signing key: tokens can only be verified.
    NoSigningKey,
    /// The backend failed to sign.
    Signing,
    /// The identity is empty.
    EmptyIdentity,
    /// The `jti` passed in is empty: such tokens could only be revoked together.
    EmptyTokenId,
    /// The crate writes the claim with this name, so it can't be a custom claim.
    ReservedClaim(String),
    /// The crate writes the header parameter with this name, or refuses to write it.
    ReservedHeader(String),
    /// Claims or a header can't be serialized, or the claims are not an object; the text says why.
    Serialize(String),
    /// The requested lifetime is not allowed; the text says why.
    Lifetime(&'static str),
    /// A refresh token was requested as fresh.
    FreshRefresh,
    /// The token would be longer than `max_token_length`.
    TooLong,
    /// The `jti` passed in is a UUIDv7 whose time is later than the instant of issue.
    FutureTokenId,
    /// The session of the token passed to `.session()` can't be joined; the text says why.
    Session(&'static str),
    /// With `sessions`, a session is begun with [`begin()`](crate::TokenPairBuilder::begin): a refresh token
    /// without a row would not be accepted.
    NeedsSession,
    /// The identity has `max_sessions` sessions, and `session_limit` is `"refuse"`.
    TooManySessions,
    /// A cookie can't be set; the text says why.
    Cookie(&'static str),
    /// A token that was passed in is refused.
    Rejected(Rejection),
    /// The token has no id by which it can be revoked. Its client is at fault, so it is answered as a
    /// refused token is: `token_invalid`, with `invalid_token_status`.
    NoTokenId,
    /// The store failed.
    Store(StoreError),
}

impl Error {
    /// The status of the response. That of [`NoTokenId`](Self::NoTokenId) is 401 here, since an error does
    /// not know the configuration; the response to it has `invalid_token_status`.
    pub fn status(&self) -> Status {
        match self {
            Self::Store(_) => Status::ServiceUnavailable,
            Self::TooManySessions => Status::Conflict,
            Self::Rejected(rejection) => rejection.status(),
            Self::NoTokenId => no_token_id().status(),
            _ => Status::InternalServerError,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(text) => f.write_str(text),
            Self::NoSigningKey => f.write_str("no signing key is configured: verify only"),
            Self::Signing => f.write_str("signing failed"),
            Self::EmptyIdentity => f.write_str("the identity is empty"),
            Self::EmptyTokenId => f.write_str("the `jti` is empty"),
            Self::ReservedClaim(name) => write!(f, "the claim name `{name}` is reserved"),
            Self::ReservedHeader(name) => write!(f, "the header name `{name}` is reserved"),
            Self::Serialize(text) => f.write_str(text),
            Self::Lifetime(text) | Self::Cookie(text) | Self::Session(text) => f.write_str(text),
            Self::FutureTokenId => f.write_str("the time in the `jti`, a UUIDv7, is in the future"),
            Self::NeedsSession => f.write_str(
                "with `sessions`, a session is begun with `token_pair(…).begin().await`",
            ),
            Self::TooManySessions => f.write_str("the identity has too many sessions"),
            Self::FreshRefresh => f.write_str("a refresh token is never fresh"),
            Self::TooLong => f.write_str(
                "the token would be longer than `max_token_length`, or its header than 4096 bytes, and so \
                 be refused: put less into it, or raise `max_token_length`",
            ),
            Self::Rejected(rejection) => write!(f, "the token is refused: {rejection}"),
            Self::NoTokenId => f.write_str("the token has neither `jti` nor `sid` to revoke it by"),
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

/// The refusal of a token that cannot be revoked.
pub(crate) fn no_token_id() -> Rejection {
    Rejection::unconfigured(Reason::MissingClaim("jti".into()))
}

/// A failed store becomes `store_unavailable`, and a token without an id `token_invalid`; any other failure
/// is logged, and becomes a 500.
impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        match error {
            Error::Rejected(rejection) => rejection,
            Error::NoTokenId => no_token_id(),
            Error::TooManySessions => Self::unconfigured(Reason::TooManySessions),
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

/// Logs the error, since a bare status can't contain it.
impl From<Error> for Status {
    fn from(error: Error) -> Self {
        log::error!("JWT: {error}");
        error.status()
    }
}
