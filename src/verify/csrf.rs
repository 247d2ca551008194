//! CSRF double submit: a value that only a page of the same origin can have read.

use subtle::ConstantTimeEq;

use crate::reason::CsrfHint;

/// The value that was sent beside a cookie, to be compared with the token's `csrf` claim.
pub(crate) struct Proof {
    value: String,
    hint: Option<CsrfHint>,
}

impl Proof {
    /// A value found in a request.
    pub(crate) fn found(value: String, hint: CsrfHint) -> Self {
        Self { value, hint: Some(hint) }
    }

    /// A value given in code.
    pub(crate) fn given(value: &str) -> Self {
        Self { value: value.into(), hint: None }
    }

    /// Compares in constant time. An empty value equals nothing.
    pub(crate) fn equals(&self, expected: &str) -> bool {
        let (sent, expected) = (self.value.as_bytes(), expected.as_bytes());
        !sent.is_empty() && bool::from(sent.ct_eq(expected))
    }

    pub(crate) fn hint(&self) -> CsrfHint {
        self.hint.clone().unwrap_or_else(|| CsrfHint::new("", ""))
    }
}
