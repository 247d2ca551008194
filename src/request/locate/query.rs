//! A token in the query string (RFC 6750 §2.3).

use super::search::{Located, Search};
use crate::reason::Reason;
use crate::request::cache::RequestCache;
use crate::token::location::Location;

pub(super) fn find<'a>(search: &Search<'a, '_>) -> Result<Located<'a>, Reason> {
    let (name, prefix) =
        (&search.settings.query_string_name, &search.settings.query_string_value_prefix);
    let mut sent = search
        .request
        .query_fields()
        .filter(|field| field.name.source().as_str() == name)
        .map(|field| field.value);
    let value = match (sent.next(), sent.next()) {
        (Some(_), Some(_)) => return Err(Reason::TwoTokens),
        (Some(value), None) if !value.is_empty() => value,
        // Flask-JWT-Extended misspells this text.
        _ => return Err(Reason::Missing(format!("Missing '{name}' query parameter"))),
    };
    RequestCache::of(search.request).mark_in_query();
    let encoded = value.strip_prefix(prefix.as_str()).ok_or_else(|| {
        Reason::Misplaced(format!(
            "Invalid value for query parameter '{name}'. \
             Expected the value to start with '{prefix}'"
        ))
    })?;
    Ok(Located { encoded: encoded.into(), location: Location::QueryString, proof: None })
}
