//! A refused token or request.

use std::fmt;
use std::sync::Arc;

use rocket::http::Status;

use crate::reason::Reason;
use crate::token::Token;
use crate::token::claims::Claims;
use crate::token::verified::Verified;

/// The reason why a request, or a token, is refused.
///
/// It is exact in code, and coarse in the response: [`reason()`](Rejection::reason) tells which
/// check failed, while the body only has a stable [`code()`](Rejection::code) and a text. The
/// `Debug` and `Display` of a rejection never show the token.
///
/// A guard's rejection is stored with the request, and any catcher can get it with
/// [`Rejection::of()`].
#[derive(Clone)]
pub struct Rejection {
    reason: Reason,
    /// `invalid_token_status`, if the configuration was available.
    invalid_status: Option<Status>,
    token: Option<Arc<Token<Claims>>>,
}

/// A failed check, with the token if its signature was valid.
#[derive(Clone)]
pub(crate) struct CheckFailed {
    pub(crate) reason: Reason,
    pub(crate) verified: Option<Arc<Verified>>,
}

impl CheckFailed {
    pub(crate) fn of(reason: Reason, verified: &Arc<Verified>) -> Self {
        Self { reason, verified: Some(verified.clone()) }
    }
}

impl From<Reason> for CheckFailed {
    fn from(reason: Reason) -> Self {
        Self { reason, verified: None }
    }
}

impl Rejection {
    pub(crate) fn new(failed: CheckFailed, invalid_status: Status) -> Self {
        Self::of_check(failed, Some(invalid_status))
    }

    fn of_check(failed: CheckFailed, invalid_status: Option<Status>) -> Self {
        let CheckFailed { reason, verified } = failed;
        let token = verified.map(|verified| {
            Arc::new(Token::with_claims(verified.claims().clone(), verified, None))
        });
        Self { reason, invalid_status, token }
    }

    /// A rejection made without the configuration: by `danger`, or without the fairing.
    pub(crate) fn unconfigured(reason: Reason) -> Self {
        Self::of_check(reason.into(), None)
    }

    /// The rejection with `invalid_token_status`, if it lacks it.
    pub(crate) fn configured(mut self, invalid_status: Status) -> Self {
        self.invalid_status.get_or_insert(invalid_status);
        self
    }

    /// The check that failed.
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// The status of the response. A rejection from [`danger`](crate::danger) is 401 here, since
    /// that module does not know the configuration; the response to it has `invalid_token_status`.
    pub fn status(&self) -> Status {
        let invalid = || self.invalid_status.unwrap_or(Status::Unauthorized);
        self.reason.status().unwrap_or_else(invalid)
    }

    /// The stable code for machines, such as `token_expired`.
    pub fn code(&self) -> &'static str {
        self.reason.code()
    }

    /// The token, if it was refused after its signature had been verified.
    pub fn token(&self) -> Option<&Token<Claims>> {
        self.token.as_deref()
    }

    pub(crate) fn is_missing(&self) -> bool {
        matches!(self.reason, Reason::Missing(_))
    }
}

/// Two rejections are equal if the same check failed for the same token.
impl PartialEq for Rejection {
    fn eq(&self, other: &Self) -> bool {
        self.reason == other.reason
            && self.status() == other.status()
            && self.token().map(Token::encoded) == other.token().map(Token::encoded)
    }
}

impl Eq for Rejection {}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

/// Rocket logs this for a guard that failed: it shows the check, never the token.
impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.reason)?;
        if let Reason::CsrfMissing(hint) | Reason::CsrfMismatch(hint) = &self.reason {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Rejection {}

impl From<Rejection> for Status {
    fn from(rejection: Rejection) -> Self {
        rejection.status()
    }
}
