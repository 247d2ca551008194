//! A token in a JSON body, and a CSRF value in a form: for the data guard alone, as a request guard
//! cannot read bodies.

use std::fmt;

use rocket::futures::FutureExt;
use rocket::http::ContentType;
use rocket::serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::{Located, Search};
use crate::location::Location;
use crate::rejection::Reason;

/// A request's body, read.
pub(crate) struct Body<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) content_type: Option<&'a ContentType>,
}

pub(super) fn find<'a>(search: &Search<'a, '_>) -> Result<Located<'a>, Reason> {
    if !search.request.content_type().is_some_and(is_json) {
        let text = "Invalid content-type. Must be application/json.";
        return Err(Reason::Missing(text.into()));
    }
    let mut missing = String::new();
    for &kind in search.kinds() {
        let key = search.settings.kind(kind).json_key.as_str();
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

/// `application/json`, and types with the suffix `+json` (RFC 6839 §3.1).
pub(crate) fn is_json(content_type: &ContentType) -> bool {
    let sub = content_type.sub();
    content_type.top() == "application"
        && (sub == "json" || sub.as_str().to_ascii_lowercase().ends_with("+json"))
}

/// One member of a JSON object, the last of its name; nothing where the body is anything else.
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

impl Body<'_> {
    /// The fields of a form, urlencoded or multipart, that are text.
    pub(crate) fn form_fields(&self) -> Option<Vec<(String, String)>> {
        let content_type = self.content_type?;
        if content_type.is_form() {
            Some(form_urlencoded::parse(self.bytes).into_owned().collect())
        } else if content_type.is_form_data() {
            self.multipart_fields(content_type)
        } else {
            None
        }
    }

    /// A form field's value, if there is exactly one of that name.
    pub(crate) fn form_field(&self, name: &str) -> Option<String> {
        let mut values = self.form_fields()?.into_iter().filter(|(n, _)| n == name);
        let (_, value) = values.next()?;
        values.next().is_none().then_some(value)
    }

    fn multipart_fields(&self, content_type: &ContentType) -> Option<Vec<(String, String)>> {
        let boundary = content_type.param("boundary")?;
        let bytes = rocket::futures::stream::iter([Ok::<_, std::io::Error>(self.bytes.to_vec())]);
        let mut form = multer::Multipart::new(bytes, boundary);
        // Everything is in memory, so that the first poll brings the end.
        async {
            let mut fields = Vec::new();
            while let Some(field) = form.next_field().await.ok()? {
                let is_file = field.file_name().is_some();
                let name = field.name().map(ToString::to_string);
                let value = field.text().await.ok()?;
                if let (Some(name), false) = (name, is_file) {
                    fields.push((name, value));
                }
            }
            Some(fields)
        }
        .now_or_never()?
    }
}
