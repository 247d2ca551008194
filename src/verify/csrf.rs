//! CSRF double submit: a value that only a page of the same origin can have read.

use subtle::ConstantTimeEq;

use crate::reason::CsrfHint;

/// The value that was sent beside a cookie, to be compared with the token's `csrf` claim.
pub(crate) struct Proof {
    value: Option<String>,
    /// Only the beginning of the form was read, since the token does not hold.
    is_partial: bool,
    hint: Option<CsrfHint>,
}

/// How a value compares with the token's.
pub(crate) enum Comparison {
    Equal,
    Different,
    /// The value may be in the part of a form that was not read, or again there.
    Unknown,
}

impl Proof {
    /// A value found in a request.
    pub(crate) fn found(value: String, hint: CsrfHint) -> Self {
        Self { value: Some(value), is_partial: false, hint: Some(hint) }
    }

    /// What the beginning holds of a form that is not parsed for a token that is forged or has expired.
    pub(crate) fn partial(value: Option<String>, hint: CsrfHint) -> Self {
        Self { value, is_partial: true, hint: Some(hint) }
    }

    /// A value given in code.
    pub(crate) fn given(value: &str) -> Self {
        Self { value: Some(value.into()), is_partial: false, hint: None }
    }

    /// Compares in constant time. An empty value equals nothing.
    pub(crate) fn compare(&self, expected: &str) -> Comparison {
        let sent = self.value.as_deref().unwrap_or_default().as_bytes();
        match !sent.is_empty() && bool::from(sent.ct_eq(expected.as_bytes())) {
            true if !self.is_partial => Comparison::Equal,
            false if !self.is_partial || self.value.is_some() => Comparison::Different,
            _ => Comparison::Unknown,
        }
    }

    pub(crate) fn hint(&self) -> CsrfHint {
        self.hint.clone().unwrap_or_else(|| CsrfHint::new("", ""))
    }
}
