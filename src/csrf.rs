//! CSRF double submit: a value that only a page of the same origin can have read.

use subtle::ConstantTimeEq;

use rocket::http::Method;
use rocket::Request;

use crate::config::{KindNames, Settings};
use crate::locate::Body;
use crate::rejection::{CsrfHint, Reason};

/// The value that came beside a cookie, to be compared with the token's `csrf` claim.
pub(crate) struct Proof {
    value: String,
    hint: Option<CsrfHint>,
}

impl Proof {
    /// A value given in code.
    pub(crate) fn given(value: &str) -> Self {
        Self { value: value.into(), hint: None }
    }

    /// Compares in a time that does not depend on where the texts differ. An empty value equals none.
    pub(crate) fn equals(&self, expected: &str) -> bool {
        let (sent, expected) = (self.value.as_bytes(), expected.as_bytes());
        !sent.is_empty() && bool::from(sent.ct_eq(expected))
    }

    pub(crate) fn hint(&self) -> CsrfHint {
        self.hint
            .clone()
            .unwrap_or_else(|| CsrfHint { header: String::new(), cookie: String::new() })
    }
}

/// The proof a request owes for a cookie-borne token, if its method makes it owe one. The method is
/// that of the route, after Rocket's `_method` rewriting.
pub(crate) fn proof(
    request: &Request<'_>,
    settings: &Settings,
    names: &KindNames,
    body: Option<&Body<'_>>,
) -> Result<Option<Proof>, Reason> {
    if !settings.csrf_protect || !is_guarded(settings, request.method()) {
        return Ok(None);
    }
    let hint =
        CsrfHint { header: names.csrf_header_name.clone(), cookie: names.csrf_cookie_name.clone() };
    let mut sent = request.headers().get(&names.csrf_header_name).filter(|value| !value.is_empty());
    let value = match (sent.next(), sent.next()) {
        (Some(value), None) => Some(value.to_string()),
        (Some(_), Some(_)) => return Err(Reason::CsrfMismatch(hint)),
        (None, _) if settings.csrf_check_form => {
            body.and_then(|body| body.form_field(&names.csrf_field_name))
        }
        (None, _) => None,
    };
    match value {
        Some(value) if !value.is_empty() => Ok(Some(Proof { value, hint: Some(hint) })),
        _ => Err(Reason::CsrfMissing(hint)),
    }
}

fn is_guarded(settings: &Settings, method: Method) -> bool {
    settings.csrf_methods.contains(&method)
}
