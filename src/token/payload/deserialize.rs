//! Custom claims, deserialized into a type.

use rocket::serde::de::value::BorrowedStrDeserializer;
use rocket::serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::Error;

use super::spans::{Span, Spans};
use crate::token::claims::{CustomClaims, NoClaims};

/// Deserializes `C` from the payload. If the positions of the members are known, only the members
/// that `C` reads are parsed again.
pub(crate) fn deserialize<C: CustomClaims>(json: &str, spans: Option<&Spans>) -> Option<C> {
    // Fast path for `NoClaims`, the default.
    let mut nothing = Some(NoClaims);
    if let Some(claims) = (&mut nothing as &mut dyn std::any::Any).downcast_mut::<Option<C>>() {
        return claims.take();
    }
    match spans {
        Some(spans) => C::deserialize(Object { json, spans }).ok(),
        None => serde_json::from_str(json).ok(),
    }
}

/// A payload whose members' positions are known.
struct Object<'de, 'm> {
    json: &'de str,
    spans: &'m Spans,
}

/// The JSON of one valid value; a string has no escapes.
struct Raw<'de> {
    json: &'de str,
    span: Span,
}

impl<'de> Raw<'de> {
    /// Computed lazily, since most members are never read.
    fn json(&self) -> &'de str {
        self.span.of(self.json)
    }

    fn text(&self) -> Option<&'de str> {
        self.json().strip_prefix('"')?.strip_suffix('"')
    }
}

/// Delegates the other methods to `serde_json`.
macro_rules! by_serde_json {
    ($json:ident: $($method:ident($($arg:ident: $ty:ty),*)),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, $($arg: $ty,)* visitor: V) -> Result<V::Value, Error> {
            serde_json::Deserializer::from_str(self.$json()).$method($($arg,)* visitor)
        }
    )*};
}

macro_rules! most_by_serde_json {
    ($json:ident) => {
        by_serde_json! { $json:
            deserialize_bool(), deserialize_i8(), deserialize_i16(), deserialize_i32(),
            deserialize_i64(), deserialize_i128(), deserialize_u8(), deserialize_u16(),
            deserialize_u32(), deserialize_u64(), deserialize_u128(), deserialize_f32(),
            deserialize_f64(), deserialize_char(),
            deserialize_bytes(), deserialize_byte_buf(), deserialize_option(), deserialize_unit(),
            deserialize_unit_struct(name: &'static str),
            deserialize_newtype_struct(name: &'static str),
            deserialize_seq(), deserialize_tuple(len: usize),
            deserialize_tuple_struct(name: &'static str, len: usize),
            deserialize_enum(name: &'static str, variants: &'static [&'static str]),
            deserialize_identifier(),
        }

        fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.visit_unit()
        }
    };
}

impl<'de> Object<'de, '_> {
    fn json(&self) -> &'de str {
        self.json
    }
}

impl<'de> Deserializer<'de> for Object<'de, '_> {
    type Error = Error;

    most_by_serde_json!(json);

    by_serde_json! { json: deserialize_str(), deserialize_string() }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Self { json, spans } = self;
        visitor.visit_map(Access { json, spans: spans.iter(json), value: Span::default() })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }
}

impl<'de> Deserializer<'de> for Raw<'de> {
    type Error = Error;

    most_by_serde_json!(json);

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.text() {
            Some(text) => visitor.visit_borrowed_str(text),
            None => serde_json::Deserializer::from_str(self.json()).deserialize_str(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    by_serde_json! { json:
        deserialize_any(),
        deserialize_map(),
        deserialize_struct(name: &'static str, fields: &'static [&'static str]),
    }
}

struct Access<'de, I> {
    json: &'de str,
    spans: I,
    // The position of the last name's value.
    value: Span,
}

impl<'de, I: ExactSizeIterator<Item = (&'de str, Span)>> MapAccess<'de> for Access<'de, I> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((name, value)) = self.spans.next() else { return Ok(None) };
        self.value = value;
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(Raw { json: self.json, span: self.value })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.spans.len())
    }
}
