//! The CSRF value of a request.

use rocket::http::Method;

use super::search::Search;
use crate::reason::{CsrfHint, Reason};
use crate::settings::{Settings, TokenNames};
use crate::verify::csrf::Proof;

/// The CSRF value sent with a cookie, if the request's method requires one. The method is the
/// route's, after Rocket has applied the `_method` field.
pub(super) fn proof(
    search: &Search<'_, '_>,
    names: &TokenNames,
    encoded: &str,
) -> Result<Option<Proof>, Reason> {
    let Search { request, settings, .. } = search;
    if !settings.cookie_csrf_protect || !is_guarded(settings, request.method()) {
        return Ok(None);
    }
    let hint = hint(settings, names, search.body.is_some());
    let mut sent = request.headers().get(&names.csrf_header_name).filter(|value| !value.is_empty());
    let value = match (sent.next(), sent.next()) {
        (Some(value), None) => Some(value.to_string()),
        (Some(_), Some(_)) => return Err(Reason::CsrfMismatch(hint)),
        (None, _) if settings.csrf_check_form => {
            match form_field(search, &names.csrf_field_name, encoded) {
                Field::Unread(Some(value)) if value.is_empty() => None,
                Field::Unread(value) => return Ok(Some(Proof::partial(value, hint))),
                Field::Read(value) => value,
            }
        }
        (None, _) => None,
    };
    match value {
        Some(value) if !value.is_empty() => Ok(Some(Proof::found(value, hint))),
        _ => Err(Reason::CsrfMissing(hint)),
    }
}

/// The hint that tells a client what to send. `reads_form` says whether the guard reads the body.
fn hint(settings: &Settings, names: &TokenNames, reads_form: bool) -> CsrfHint {
    let cookie = if settings.csrf_in_cookies { names.csrf_cookie_name.as_str() } else { "" };
    let hint = CsrfHint::new(&names.csrf_header_name, cookie);
    match settings.csrf_check_form {
        true => hint.with_field(&names.csrf_field_name, reads_form),
        false => hint,
    }
}

/// The form's CSRF field, for a token in a cookie.
enum Field {
    Read(Option<String>),
    /// The form seems to have the field, but it is too long to be parsed for a token that is not
    /// valid. The value is the one in the beginning of the form, if there is one.
    Unread(Option<String>),
}

fn form_field(search: &Search<'_, '_>, name: &str, encoded: &str) -> Field {
    let Some(body) = search.body else { return Field::Read(None) };
    if body.is_cheap() {
        return Field::Read(body.form_field(name));
    }
    match body.mentions(name) {
        false => Field::Read(None),
        true if (search.holds)(encoded) => Field::Read(body.form_field(name)),
        true => Field::Unread(body.early_field(name)),
    }
}

fn is_guarded(settings: &Settings, method: Method) -> bool {
    settings.csrf_methods.contains(&method)
}
