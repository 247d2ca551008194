//! Finding the token of a request.

mod body;
mod cookie;
mod csrf;
mod header;
mod query;
mod search;

use rocket::Request;

use super::body::Body;
use crate::reason::Reason;
use crate::settings::Settings;
use crate::token::location::Location;
use crate::verify::policy::Policy;

use search::{Located, Search};

/// Searches the locations of the policy, or the configured ones if the policy has none, in order.
/// The first location that contains anything decides; the search continues only while a location
/// contains no token. One exception: if a cookie has no CSRF value, the header is tried too, since
/// no other site can send it.
///
/// `holds` says whether a token has a valid signature and has not expired. Expensive work is done
/// only for such a token, so that nobody without one can cause it.
pub(crate) fn locate<'a>(
    request: &'a Request<'_>,
    settings: &'a Settings,
    policy: Policy,
    body: Option<&'a Body<'a>>,
    holds: &'a dyn Fn(&str) -> bool,
) -> Result<Located<'a>, Reason> {
    let search = Search { request, settings, types: policy.kind(), body, holds };
    let locations = policy.locations().unwrap_or(&settings.token_location);
    let mut missing = Vec::new();
    for (index, &location) in locations.iter().enumerate() {
        match at(&search, location) {
            Err(Reason::Missing(text)) => missing.push(text),
            Err(refusal @ Reason::CsrfMissing(_)) => {
                let header = locations.iter().skip(index).any(|later| *later == Location::Headers);
                let found = header.then(|| at(&search, Location::Headers));
                return match found {
                    Some(Ok(located)) => Ok(located),
                    _ => Err(refusal),
                };
            }
            other => return other,
        }
    }
    Err(Reason::Missing(missing_text(locations, &missing)))
}

fn at<'a>(search: &Search<'a, '_>, location: Location) -> Result<Located<'a>, Reason> {
    match location {
        Location::Headers => header::find(search),
        Location::Cookies => cookie::find(search),
        Location::QueryString => query::find(search),
        Location::JsonBody => body::find(search),
    }
}

/// Flask's texts: for one location its own text, for several one text that lists them all.
fn missing_text(locations: &[Location], texts: &[String]) -> String {
    if let [text] = texts {
        return text.clone();
    }
    let names: Vec<_> = locations.iter().map(ToString::to_string).collect();
    let names = match names.split_last() {
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    };
    format!("Missing JWT in {names} ({})", texts.join("; "))
}
