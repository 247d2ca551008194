//! A token in a cookie, with its CSRF value.

use std::borrow::Cow;

use rocket::http::RawStr;

use super::csrf;
use super::search::{Located, Search};
use crate::reason::Reason;
use crate::token::location::Location;

pub(super) fn find<'a>(search: &Search<'a, '_>) -> Result<Located<'a>, Reason> {
    let mut missing = String::new();
    for &token_type in search.types() {
        let names = search.settings.names(token_type);
        match value(search, &names.cookie_name)? {
            Some(encoded) => {
                let proof = csrf::proof(search, names, &encoded)?;
                return Ok(Located { encoded, location: Location::Cookies, proof });
            }
            None if missing.is_empty() => {
                missing = format!("Missing cookie \"{}\"", names.cookie_name);
            }
            None => (),
        }
    }
    Err(Reason::Missing(missing))
}

/// The value of the cookie with exactly that name, if it is not empty.
///
/// Rocket's jar percent-decodes names, so it would accept `%5f_Host-token` as `__Host-token`,
/// without the guarantee of that prefix; and of two cookies with the same name it keeps the last.
/// Therefore this reads the raw header first.
fn value<'a>(search: &Search<'a, '_>, name: &str) -> Result<Option<Cow<'a, str>>, Reason> {
    let mut literal = None;
    let mut disguised = false;
    for line in search.request.headers().get("Cookie") {
        for pair in line.split(';') {
            let Some((sent_name, value)) = pair.trim().split_once('=') else { continue };
            let (sent_name, value) = (sent_name.trim(), value.trim());
            if sent_name == name {
                if literal.is_some_and(|other| other != value) {
                    return Err(Reason::TwoTokens);
                }
                literal = Some(value);
            } else if RawStr::new(sent_name).percent_decode_lossy() == name {
                disguised = true;
            }
        }
    }
    let value = match literal {
        Some(value) => RawStr::new(value).percent_decode_lossy(),
        None if disguised => return Ok(None),
        // Rocket's local client adds cookies to the jar without sending a header line.
        None => match search.request.cookies().get(name) {
            Some(cookie) => cookie.value().to_string().into(),
            None => return Ok(None),
        },
    };
    Ok((!value.is_empty()).then_some(value))
}
