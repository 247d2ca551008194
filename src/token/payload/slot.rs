//! One claim of a payload, by its JSON type.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use rocket::serde::de::{self, DeserializeSeed, Deserializer};
use rocket::serde::de::{MapAccess, SeqAccess, Visitor};
use rocket::time::{Duration, OffsetDateTime};
use serde_json::Number;

use super::unique::{DepthLimit, NUMBER, NUMBERS_ARE_OBJECTS, Name, SeenKeys, Unique};

/// A claim's value.
#[derive(Debug, Default)]
pub(crate) enum Slot<'a> {
    #[default]
    Absent,
    Text(Cow<'a, str>),
    /// A number, and the NumericDate it represents, if any.
    Number(Option<OffsetDateTime>),
    Bool(bool),
    /// A list of strings.
    Texts(Vec<Cow<'a, str>>),
    Other,
}

impl<'a> Slot<'a> {
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    pub(crate) fn is_text_or_absent(&self) -> bool {
        matches!(self, Self::Absent | Self::Text(_))
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The date, or `None` if the claim is absent; an error if it is not a NumericDate.
    pub(crate) fn date(&self) -> Result<Option<OffsetDateTime>, ()> {
        match self {
            Self::Absent => Ok(None),
            Self::Number(Some(date)) => Ok(Some(*date)),
            _ => Err(()),
        }
    }

    /// The audiences (RFC 7519 §4.1.3); an error if the claim has another type.
    pub(crate) fn audience(&self) -> Result<&[Cow<'a, str>], ()> {
        match self {
            Self::Absent => Ok(&[]),
            Self::Text(one) => Ok(std::slice::from_ref(one)),
            Self::Texts(many) => Ok(many),
            _ => Err(()),
        }
    }
}

/// Reads one claim of any type.
pub(super) struct ReadSlot(pub(super) DepthLimit);

impl<'de> DeserializeSeed<'de> for ReadSlot {
    type Value = Slot<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ReadSlot {
    type Value = Slot<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a claim")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Slot::Bool(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Slot::Number(i64::try_from(value).ok().and_then(whole_date)))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Slot::Number(whole_date(value)))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Slot::Number(fractional_date(value)))
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Slot::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Slot::Text(Cow::Owned(text.into())))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(Slot::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let levels = self.0.deeper()?;
        let mut texts = Some(Vec::new());
        while let Some(slot) = list.next_element_seed(ReadSlot(levels))? {
            match (slot, &mut texts) {
                (Slot::Text(text), Some(texts)) => texts.push(text),
                _ => texts = None,
            }
        }
        Ok(texts.map_or(Slot::Other, Slot::Texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let levels = self.0.deeper()?;
        let mut names = SeenKeys::default();
        let mut number = None;
        while let Some(name) = map.next_key_seed(Name)? {
            if *NUMBERS_ARE_OBJECTS && name == NUMBER && names.is_empty() {
                number = map.next_value::<String>()?.parse::<Number>().ok();
                names.add(name)?;
                continue;
            }
            names.add(name)?;
            map.next_value_seed(Unique(levels))?;
        }
        Ok(number.map_or(Slot::Other, |number| Slot::Number(number_date(&number))))
    }
}

fn number_date(number: &Number) -> Option<OffsetDateTime> {
    match number.as_i64() {
        Some(seconds) => whole_date(seconds),
        None => fractional_date(number.as_f64()?),
    }
}

/// A NumericDate (RFC 7519 §2) of whole seconds: not negative, and at most the year 9999.
pub(super) fn whole_date(seconds: i64) -> Option<OffsetDateTime> {
    match seconds >= 0 {
        true => OffsetDateTime::from_unix_timestamp(seconds).ok(),
        false => None,
    }
}

/// A NumericDate with a fraction, which is kept: nothing is rounded up.
pub(super) fn fractional_date(seconds: f64) -> Option<OffsetDateTime> {
    if !(0.0..=253_402_300_799.0).contains(&seconds) {
        return None;
    }
    OffsetDateTime::UNIX_EPOCH.checked_add(Duration::checked_seconds_f64(seconds)?)
}

/// A string of the payload: its position, or a copy if it contains escapes.
#[derive(Debug, Clone)]
pub(crate) enum Text {
    At(Range<usize>),
    Own(Box<str>),
}

impl Text {
    /// The string in `slot`, which was read from `json`.
    pub(crate) fn of(slot: &Slot<'_>, json: &str) -> Option<Self> {
        match slot {
            Slot::Text(Cow::Borrowed(text)) => {
                let start = (text.as_ptr() as usize).checked_sub(json.as_ptr() as usize)?;
                Some(Self::At(start..start + text.len()))
            }
            Slot::Text(Cow::Owned(text)) => Some(Self::Own(text.as_str().into())),
            _ => None,
        }
    }

    pub(crate) fn as_str<'a>(&'a self, json: &'a str) -> &'a str {
        match self {
            Self::At(range) => json.get(range.clone()).unwrap_or_default(),
            Self::Own(text) => text,
        }
    }
}
