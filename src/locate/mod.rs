//! Finding the token of a request.

mod body;
mod cookie;
mod header;
mod query;

use std::borrow::Cow;

use rocket::Request;

use crate::config::Settings;
use crate::csrf::Proof;
use crate::guard::{Kind, Policy};
use crate::location::Location;
use crate::rejection::Reason;
use crate::token::TokenType;

pub(crate) use body::{is_json, Body};

/// A token's text, where it was, and what came with it.
pub(crate) struct Located<'a> {
    pub(crate) encoded: Cow<'a, str>,
    pub(crate) location: Location,
    pub(crate) proof: Option<Proof>,
}

/// A place that may hold the token of a kind.
struct Search<'a, 'r> {
    request: &'a Request<'r>,
    settings: &'a Settings,
    kind: Kind,
    body: Option<&'a Body<'a>>,
}

/// Looks in each place of the policy, or else of the configuration, in order. The first that holds
/// something decides; only "no token here" moves on to the next. With one exception: a cookie that
/// lacks its CSRF value gives way to a header, which no other site can send.
pub(crate) fn locate<'a>(
    request: &'a Request<'_>,
    settings: &'a Settings,
    policy: Policy,
    body: Option<&'a Body<'a>>,
) -> Result<Located<'a>, Reason> {
    let search = Search { request, settings, kind: policy.kind(), body };
    let locations = policy.locations().unwrap_or(&settings.locations);
    let mut missing = Vec::new();
    for (index, &location) in locations.iter().enumerate() {
        match search.at(location) {
            Err(Reason::Missing(text)) => missing.push(text),
            Err(refusal @ Reason::CsrfMissing(_)) => {
                let header = locations.iter().skip(index).any(|later| *later == Location::Headers);
                let found = header.then(|| search.at(Location::Headers));
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

impl<'a> Search<'a, '_> {
    fn at(&self, location: Location) -> Result<Located<'a>, Reason> {
        match location {
            Location::Headers => header::find(self),
            Location::Cookies => cookie::find(self),
            Location::QueryString => query::find(self),
            Location::JsonBody => body::find(self),
        }
    }

    /// The kinds whose names are looked for, in order.
    fn kinds(&self) -> &'static [TokenType] {
        match self.kind {
            Kind::Access => &[TokenType::Access],
            Kind::Refresh => &[TokenType::Refresh],
            Kind::Any => &[TokenType::Access, TokenType::Refresh],
        }
    }
}

/// Flask's texts: the plain one for one place, a frame around all of them for several.
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
