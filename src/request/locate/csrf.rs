//! The CSRF value of a request.

use rocket::http::Method;
use rocket::Request;

use crate::reason::{CsrfHint, Reason};
use crate::request::body::Body;
use crate::settings::{Settings, TokenNames};
use crate::verify::csrf::Proof;

/// The CSRF value that a request must send beside its cookie, if its method requires one. The method is
/// the route's, after Rocket's `_method` rewriting.
pub(crate) fn proof(
    request: &Request<'_>,
    settings: &Settings,
    names: &TokenNames,
    body: Option<&Body<'_>>,
) -> Result<Option<Proof>, Reason> {
    if !settings.cookie_csrf_protect || !is_guarded(settings, request.method()) {
        return Ok(None);
    }
    let hint = hint(settings, names, body.is_some());
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
        Some(value) if !value.is_empty() => Ok(Some(Proof::found(value, hint))),
        _ => Err(Reason::CsrfMissing(hint)),
    }
}

/// What was expected. `reads_form` is whether the guard reads bodies.
fn hint(settings: &Settings, names: &TokenNames, reads_form: bool) -> CsrfHint {
    let cookie = if settings.csrf_in_cookies { names.csrf_cookie_name.as_str() } else { "" };
    let hint = CsrfHint::new(&names.csrf_header_name, cookie);
    match settings.csrf_check_form {
        true => hint.with_field(&names.csrf_field_name, reads_form),
        false => hint,
    }
}

fn is_guarded(settings: &Settings, method: Method) -> bool {
    settings.csrf_methods.contains(&method)
}
