//! The `WWW-Authenticate` header of a refused request (RFC 6750 §3).

use rocket::Response;
use rocket::http::Status;

use crate::reason::Challenge;
use crate::rejection::Rejection;

/// The header's value, if the refusal needs one. `scheme` is `header_type`.
pub(crate) fn value(rejection: &Rejection, scheme: &str) -> Option<String> {
    let scheme = if scheme.is_empty() { "Bearer" } else { scheme };
    match rejection.reason().challenge() {
        Challenge::No => None,
        Challenge::Bare => Some(scheme.into()),
        Challenge::Error(code) => Some(format!("{scheme} error=\"{code}\"")),
    }
}

/// Adds the challenge to a refused request's response that lacks one, so that the application's own
/// catchers need not set it.
pub(crate) fn add(rejection: &Rejection, scheme: &str, response: &mut Response<'_>) {
    let status = response.status();
    let is_refusal = status == rejection.status() || status == Status::Unauthorized;
    if !is_refusal || response.headers().contains("WWW-Authenticate") {
        return;
    }
    if let Some(value) = value(rejection, scheme) {
        response.set_raw_header("WWW-Authenticate", value);
    }
}
