//! The reason why custom claims do not deserialize: for the log, without any value of the token.

use std::borrow::Cow;
use std::cell::RefCell;

use rocket::serde::de::value::{CowStrDeserializer, MapAccessDeserializer};
use rocket::serde::de::{DeserializeSeed, MapAccess};
use serde_json::Error;

use super::raw::Members;
use crate::token::claims::CustomClaims;

/// The message of `serde` about the claims, with the names of fields but without values.
pub(crate) fn failure<C: CustomClaims>(json: &str) -> String {
    let failed = RefCell::new(None);
    let access = Access { members: Members::of(json), value: "", name: "".into(), failed: &failed };
    let text = match C::deserialize(MapAccessDeserializer::new(access)) {
        Ok(_) => "no reason was given".into(),
        Err(error) => without_values(&error.to_string()),
    };
    match failed.into_inner() {
        Some(name) => format!("{text}, in the claim `{}`", name.escape_debug()),
        None => text,
    }
}

/// The kinds of values that the messages of `serde` name before they quote the value.
const KINDS: [&str; 16] = [
    "boolean",
    "integer",
    "floating point",
    "character",
    "string",
    "byte array",
    "unit value",
    "null",
    "Option value",
    "newtype struct",
    "sequence",
    "map",
    "enum",
    "unit variant",
    "newtype variant",
    "tuple variant",
];

/// A message of `serde`, reduced to the parts that come from the application's types. Any other
/// text may come from the application's own code, and quote the token.
fn without_values(message: &str) -> String {
    let message = message.split_once(" at line ").map_or(message, |(message, _)| message);
    let expected = message.rsplit_once(", expected ").map(|(_, expected)| expected);
    let expected = expected.map_or_else(String::new, |text| format!(", expected {text}"));
    let begins = |start: &str| message.strip_prefix(start);
    if begins("missing field `").or(begins("duplicate field `")).is_some() {
        // The name comes from the type, not from the token.
        return message.into();
    }
    for start in ["invalid type", "invalid value"] {
        if let Some(found) = begins(start).and_then(|rest| rest.strip_prefix(": ")) {
            let kind = KINDS.iter().find(|kind| found.starts_with(**kind));
            return format!("{start}: {}{expected}", kind.unwrap_or(&"another value"));
        }
    }
    for start in ["invalid length", "unknown variant", "unknown field"] {
        if begins(start).is_some() {
            return format!("{start}{expected}");
        }
    }
    "the type's own code returned an error".into()
}

struct Access<'de, 'c> {
    members: Members<'de>,
    value: &'de str,
    name: Cow<'de, str>,
    /// The member whose value was refused.
    failed: &'c RefCell<Option<String>>,
}

impl Access<'_, '_> {
    fn note(&self) {
        *self.failed.borrow_mut() = Some(self.name.to_string());
    }
}

impl<'de> MapAccess<'de> for Access<'de, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((name, value)) = self.members.next() else { return Ok(None) };
        (self.name, self.value) = (name.clone(), value);
        let key = seed.deserialize(CowStrDeserializer::new(name)).inspect_err(|_| self.note())?;
        Ok(Some(key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let mut reader = serde_json::Deserializer::from_str(self.value);
        seed.deserialize(&mut reader).inspect_err(|_| self.note())
    }
}

#[cfg(test)]
mod tests {
    use rocket::serde::de::Error as _;
    use rocket::serde::{Deserialize, Deserializer};

    use super::failure;

    #[derive(Deserialize, Debug)]
    #[serde(crate = "rocket::serde")]
    #[allow(dead_code)]
    enum Role {
        Admin,
        User,
    }

    #[derive(Deserialize)]
    #[serde(crate = "rocket::serde", deny_unknown_fields)]
    #[allow(dead_code)]
    struct Profile {
        team: String,
        level: u8,
        role: Role,
        #[serde(default)]
        own: Option<Own>,
    }

    struct Own;

    impl<'de> Deserialize<'de> for Own {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let text = String::deserialize(deserializer)?;
            Err(D::Error::custom(format_args!("a bad {text}, expected {text}")))
        }
    }

    #[test]
    fn the_log_names_the_field_and_never_shows_a_value() {
        for (json, expected) in [
            (r#"{"level":1,"role":"User"}"#, "missing field `team`"),
            (
                r#"{"team":"s3cret","level":"s3cret, expected s3cret"}"#,
                "invalid type: string, expected u8, in the claim `level`",
            ),
            (
                r#"{"level":3.5e9}"#,
                "invalid type: floating point, expected u8, in the claim `level`",
            ),
            (r#"{"level":300}"#, "invalid value: integer, expected u8, in the claim `level`"),
            (r#"{"team":null}"#, "invalid type: null, expected a string, in the claim `team`"),
            (r#"{"role":"s3cret` at line s3cret"}"#, "unknown variant, in the claim `role`"),
            (
                r#"{"role":"s3cret"}"#,
                "unknown variant, expected `Admin` or `User`, in the claim `role`",
            ),
            (
                r#"{"department":"s3cret"}"#,
                "unknown field, expected one of `team`, `level`, `role`, `own`, in the claim \
                 `department`",
            ),
            (r#"{"own":"s3cret"}"#, "the type's own code returned an error, in the claim `own`"),
        ] {
            let text = failure::<Profile>(json);
            assert_eq!(text, expected, "{json}");
            assert!(!text.contains("s3cret"), "{text}");
        }
    }
}
