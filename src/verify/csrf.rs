//! CSRF double submit: the client sends a value that only a page of the same origin can read.

use subtle::ConstantTimeEq;

use crate::reason::CsrfHint;

/// The value sent with a cookie, to be compared with the token's `csrf` claim.
pub(crate) struct Proof {
    value: Option<String>,
    /// Whether only the beginning of the form was read, because the token is not valid.
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

    /// The value in the beginning of a form that was not parsed, because the token is forged or
    /// expired.
    pub(crate) fn partial(value: Option<String>, hint: CsrfHint) -> Self {
        Self { value, is_partial: true, hint: Some(hint) }
    }

    /// A value passed in code.
    pub(crate) fn given(value: &str) -> Self {
        Self { value: Some(value.into()), is_partial: false, hint: None }
    }

    /// Compares in constant time. An empty value never matches.
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
