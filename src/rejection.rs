//! A refused token or request.

use std::fmt;
use std::sync::Arc;

use rocket::http::Status;

use crate::reason::Reason;
use crate::token::Token;
use crate::token::claims::Claims;
use crate::token::verified::Verified;

/// Why a request, or a token, is refused.
///
/// Exact here, coarse on the wire: [`reason()`](Rejection::reason) tells which check failed; the body
/// has a stable [`code()`](Rejection::code) and a text. A rejection never shows the token in its
/// `Debug` or `Display`.
///
/// A guard's rejection is kept with the request, where any catcher finds it with
/// [`Rejection::of()`].
#[derive(Clone)]
pub struct Rejection {
    reason: Reason,
    /// `invalid_token_status`, if the configuration was at hand.
    invalid_status: Option<Status>,
    token: Option<Arc<Token<Claims>>>,
}

/// A failed check, with the token if its signature was good.
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

    /// A rejection where no configuration is at hand: from `danger`, or without the fairing.
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

    /// The status of the response. What [`danger`](crate::danger) refuses is answered with
    /// `invalid_token_status` as well, but is 401 here, since it does not know the configuration.
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

/// What Rocket logs of a guard that failed: the check, never the token.
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
