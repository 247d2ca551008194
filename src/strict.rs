//! JSON as tokens must write it: one object, every name once, not deep.
//!
//! A duplicate name is read one way here and another way there (RFC 8259 §4), so that a check would
//! see another value than the application. Hence they are refused, at every level.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use rocket::serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::Claims;

/// Levels of nesting; the object itself is the first.
const DEPTH: u8 = 32;

/// Reads an object. The error says nothing of what was in it.
pub(crate) fn object(json: &[u8]) -> Result<Claims, Malformed> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    Unique { levels: DEPTH }.deserialize(&mut reader).map_err(|_| Malformed)?;
    reader.end().map_err(|_| Malformed)?;
    match serde_json::from_slice(json) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(Malformed),
    }
}

/// Not an object, or not one without ambiguity.
#[derive(Debug)]
pub(crate) struct Malformed;

/// Walks a value and fails at the first name that comes twice or the first level too deep.
struct Unique {
    levels: u8,
}

impl Unique {
    fn deeper<E: de::Error>(&self) -> Result<u8, E> {
        self.levels.checked_sub(1).ok_or_else(|| E::custom("too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Unique {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

macro_rules! accept {
    ($($visit:ident: $ty:ty),*) => {$(
        fn $visit<E: de::Error>(self, _: $ty) -> Result<(), E> {
            Ok(())
        }
    )*};
}

impl<'de> Visitor<'de> for Unique {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    accept!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let levels = self.deeper()?;
        while list.next_element_seed(Unique { levels })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let levels = self.deeper()?;
        let mut names = HashSet::new();
        while let Some(name) = map.next_key_seed(Name)? {
            if !names.insert(name) {
                return Err(de::Error::custom("a name twice"));
            }
            map.next_value_seed(Unique { levels })?;
        }
        Ok(())
    }
}

/// A member's name, borrowed where it has no escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: de::Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::object;

    #[test]
    fn what_is_ambiguous_or_no_object_is_refused() {
        let deep =
            |levels: usize| format!("{}{}", "{\"a\":".repeat(levels), "1") + &"}".repeat(levels);
        for (json, accepted) in [
            (r#"{"a":1,"b":[1,2.5,null,true,"x"]}"#.to_string(), true),
            ("{}".into(), true),
            (r#"{"a":1,"a":1}"#.into(), false),
            (r#"{"a":1,"\u0061":1}"#.into(), false),
            (r#"{"a":{"b":1,"b":2}}"#.into(), false),
            (r#"{"a":[{"b":1,"b":2}]}"#.into(), false),
            (r#"{"a":[{"b":1},{"b":2}]}"#.into(), true),
            ("[]".into(), false),
            ("null".into(), false),
            ("".into(), false),
            ("{} {}".into(), false),
            ("\u{feff}{}".into(), false),
            (r#"{"a":NaN}"#.into(), false),
            (r#"{"a":1e999}"#.into(), false),
            (r#"{"a":"\ud800"}"#.into(), false),
            (deep(32), true),
            (deep(33), false),
        ] {
            assert_eq!(object(json.as_bytes()).is_ok(), accepted, "{json}");
        }
        assert!(object(b"{\"a\":\"\xff\"}").is_err());
        assert!(object(&[0xff, 0xfe, b'{', 0, b'}', 0]).is_err());
    }
}
