//! A token in a JSON body.

use std::fmt;

use rocket::serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::search::{Located, Search};
use crate::reason::Reason;
use crate::request::body::is_json;
use crate::token::location::Location;

pub(super) fn find<'a>(search: &Search<'a, '_>) -> Result<Located<'a>, Reason> {
    if !search.request.content_type().is_some_and(is_json) {
        let text = "Invalid content-type. Must be application/json.";
        return Err(Reason::Missing(text.into()));
    }
    let mut missing = String::new();
    for &token_type in search.types() {
        let key = search.settings.names(token_type).json_key.as_str();
        let found = match search.body.map(|body| member(body.bytes, key)) {
            Some(Members::One(value)) => Some(value),
            Some(Members::Several) => return Err(Reason::TwoTokens),
            Some(Members::None) | None => None,
        };
        match found {
            None | Some(Value::Null) if missing.is_empty() => {
                missing = format!("Missing \"{key}\" key in json data.");
            }
            None | Some(Value::Null) => (),
            Some(Value::String(text)) if text.is_empty() => {
                missing = format!("Missing \"{key}\" key in json data.");
            }
            Some(Value::String(encoded)) => {
                let encoded = encoded.into();
                return Ok(Located { encoded, location: Location::JsonBody, proof: None });
            }
            Some(_) => return Err(Reason::Misplaced("Token must be a string".into())),
        }
    }
    Err(Reason::Missing(missing))
}

/// The members with a given name.
enum Members {
    None,
    One(Value),
    /// Parsers disagree on which duplicate counts (RFC 8259 §4).
    Several,
}

/// The members of a JSON object with that name; none if the body is not an object.
fn member(json: &[u8], key: &str) -> Members {
    struct Member<'k>(&'k str);

    impl<'de> Visitor<'de> for Member<'_> {
        type Value = Members;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = Members::None;
            while let Some(name) = map.next_key::<String>()? {
                if name == self.0 {
                    let value = map.next_value()?;
                    found = match found {
                        Members::None => Members::One(value),
                        _ => Members::Several,
                    };
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(found)
        }
    }

    let mut reader = serde_json::Deserializer::from_slice(json);
    match reader.deserialize_map(Member(key)) {
        Ok(found) if reader.end().is_ok() => found,
        _ => Members::None,
    }
}
