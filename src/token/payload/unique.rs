//! JSON with unique names and limited depth: the only JSON that tokens may contain.
//!
//! Parsers disagree on which of two members with the same name counts (RFC 8259 §4), so a check
//! could read another value than the application does. Therefore duplicate names are refused at
//! every level.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use rocket::serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::token::claims::Claims;

/// The number of nesting levels that are left.
#[derive(Clone, Copy)]
pub(crate) struct DepthLimit(u8);

impl DepthLimit {
    /// Outside the outermost object, which is the first of 32 levels.
    const OUTSIDE: Self = Self(32);
    /// Inside the outermost object.
    pub(crate) const INSIDE: Self = Self(31);

    pub(crate) fn deeper<E: de::Error>(self) -> Result<Self, E> {
        self.0.checked_sub(1).map(Self).ok_or_else(|| E::custom("too deep"))
    }
}

const PRIVATE: &str = "$serde_json::private::";

/// The name under which `serde_json` passes numbers when its feature `arbitrary_precision` is on.
pub(crate) const NUMBER: &str = "$serde_json::private::Number";

/// Whether that feature is on. Only then can a number that is too large for an `f64` be read.
pub(crate) static NUMBERS_ARE_OBJECTS: LazyLock<bool> =
    LazyLock::new(|| serde_json::from_str::<Value>("1e999").is_ok());

/// The names seen in one object, each of which may occur once. The first sixteen need no allocation.
#[derive(Default)]
pub(crate) struct SeenKeys<'a> {
    few: [Cow<'a, str>; 16],
    count: usize,
    many: HashSet<Cow<'a, str>>,
}

impl<'a> SeenKeys<'a> {
    pub(crate) fn add<E: de::Error>(&mut self, name: Cow<'a, str>) -> Result<(), E> {
        if self.has(&name) {
            return Err(E::custom("a duplicate name"));
        }
        // `serde_json` uses these names internally to mark the type of a value. With some of its
        // features, which any crate in the tree can switch on, the same text would have two
        // meanings.
        if name.starts_with(PRIVATE) && !(*NUMBERS_ARE_OBJECTS && name == NUMBER) {
            return Err(E::custom("a private name"));
        }
        match self.few.get_mut(self.count) {
            Some(free) => *free = name,
            None => {
                self.many.insert(name);
            }
        }
        self.count += 1;
        Ok(())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.few.iter().take(self.count).any(|other| other == name) || self.many.contains(name)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// Parses an object. The error never shows its content.
pub(crate) fn parse_object(json: &[u8]) -> Result<Claims, Malformed> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    Unique(DepthLimit::OUTSIDE).deserialize(&mut reader).map_err(|_| Malformed)?;
    reader.end().map_err(|_| Malformed)?;
    match serde_json::from_slice(json) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(Malformed),
    }
}

/// The text is not an object, or is ambiguous.
#[derive(Debug)]
pub(crate) struct Malformed;

/// Walks a value and fails at the first duplicate name or when the nesting is too deep.
pub(crate) struct Unique(pub(crate) DepthLimit);

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
        let levels = self.0.deeper()?;
        while list.next_element_seed(Unique(levels))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let levels = self.0.deeper()?;
        let mut names = SeenKeys::default();
        while let Some(name) = map.next_key_seed(Name)? {
            names.add(name)?;
            map.next_value_seed(Unique(levels))?;
        }
        Ok(())
    }
}

/// A member's name, borrowed if it contains no escapes.
pub(crate) struct Name;

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
    use super::parse_object;

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
            (r#"{"a":{"$serde_json::private::RawValue":"1"}}"#.into(), false),
            (r#"{"a":{"$serde_json::private::Number":"1"}}"#.into(), false),
            (deep(32), true),
            (deep(33), false),
        ] {
            assert_eq!(parse_object(json.as_bytes()).is_ok(), accepted, "{json}");
        }
        assert!(parse_object(b"{\"a\":\"\xff\"}").is_err());
        assert!(parse_object(&[0xff, 0xfe, b'{', 0, b'}', 0]).is_err());
    }
}
