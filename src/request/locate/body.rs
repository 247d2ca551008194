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
        match search.body.and_then(|body| member(body.bytes, key)) {
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

/// One member of a JSON object, the last with its name; `None` if the body is anything else.
fn member(json: &[u8], key: &str) -> Option<Value> {
    struct Member<'k>(&'k str);

    impl<'de> Visitor<'de> for Member<'_> {
        type Value = Option<Value>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = None;
            while let Some(name) = map.next_key::<String>()? {
                if name == self.0 {
                    found = Some(map.next_value()?);
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(found)
        }
    }

    let mut reader = serde_json::Deserializer::from_slice(json);
    let found = reader.deserialize_map(Member(key)).ok()?;
    reader.end().ok()?;
    found
}
