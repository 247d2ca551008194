//! CSRF double submit: the client sends a value that only a page of the same origin can read.

use subtle::ConstantTimeEq;

use crate::reason::CsrfHint;

/// The value sent with a cookie, to be compared with the token's `csrf` claim.
pub(crate) struct Proof {
    /// `None` if it was not read because the token is not valid.
    value: Option<String>,
    hint: Option<CsrfHint>,
}

impl Proof {
    /// A value found in a request.
    pub(crate) fn found(value: String, hint: CsrfHint) -> Self {
        Self { value: Some(value), hint: Some(hint) }
    }

    /// A value in a form that was not parsed, because the token is forged or expired.
    pub(crate) fn unread(hint: CsrfHint) -> Self {
        Self { value: None, hint: Some(hint) }
    }

    pub(crate) fn is_unread(&self) -> bool {
        self.value.is_none()
    }

    /// A value passed in code.
    pub(crate) fn given(value: &str) -> Self {
        Self { value: Some(value.into()), hint: None }
    }

    /// Compares in constant time. An empty value never matches.
    pub(crate) fn equals(&self, expected: &str) -> bool {
        let sent = self.value.as_deref().unwrap_or_default().as_bytes();
        let expected = expected.as_bytes();
        !sent.is_empty() && bool::from(sent.ct_eq(expected))
    }

    pub(crate) fn hint(&self) -> CsrfHint {
        self.hint.clone().unwrap_or_else(|| CsrfHint::new("", ""))
    }
}
