//! Claims, read in one pass over their JSON: every name once, registered claims by type, the rest
//! only walked.

mod members;
mod own;
mod plain;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use rocket::serde::de::{self, DeserializeSeed, Deserializer};
use rocket::serde::de::{MapAccess, SeqAccess, Visitor};
use rocket::time::{Duration, OffsetDateTime};
use serde_json::Number;

use crate::config::Settings;
use crate::strict::{Levels, Malformed, Name, Names, Unique, NUMBER, NUMBERS_ARE_OBJECTS};

pub(crate) use members::Members;
pub(crate) use own::own;
pub(crate) use plain::is_own;

/// A claim as it was found.
#[derive(Debug, Default)]
pub(crate) enum Slot<'a> {
    #[default]
    Absent,
    Text(Cow<'a, str>),
    /// A number, and the NumericDate it is, if it is one.
    Number(Option<OffsetDateTime>),
    Bool(bool),
    /// A list of nothing but texts.
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

    /// The date, `None` without one; an error for what is none.
    pub(crate) fn date(&self) -> Result<Option<OffsetDateTime>, ()> {
        match self {
            Self::Absent => Ok(None),
            Self::Number(Some(date)) => Ok(Some(*date)),
            _ => Err(()),
        }
    }

    /// The audiences (RFC 7519 §4.1.3); an error for what are none.
    pub(crate) fn audience(&self) -> Result<&[Cow<'a, str>], ()> {
        match self {
            Self::Absent => Ok(&[]),
            Self::Text(one) => Ok(std::slice::from_ref(one)),
            Self::Texts(many) => Ok(many),
            _ => Err(()),
        }
    }
}

/// What the checks look at.
#[derive(Default)]
pub(crate) struct Payload<'a> {
    pub(crate) sub: Slot<'a>,
    /// The claim that `identity_claim` names, where that is not `sub`.
    identity: Option<Slot<'a>>,
    pub(crate) iss: Slot<'a>,
    pub(crate) aud: Slot<'a>,
    pub(crate) exp: Slot<'a>,
    pub(crate) nbf: Slot<'a>,
    pub(crate) iat: Slot<'a>,
    pub(crate) jti: Slot<'a>,
    pub(crate) sid: Slot<'a>,
    pub(crate) csrf: Slot<'a>,
    pub(crate) kind: Slot<'a>,
    pub(crate) fresh: Slot<'a>,
    json: &'a str,
    found: Found<'a>,
}

/// The names of a payload, by the way it was read.
enum Found<'a> {
    Plain(Members),
    Read(Box<Names<'a>>),
}

impl Default for Found<'_> {
    fn default() -> Self {
        Self::Plain(Members::default())
    }
}

impl<'a> Payload<'a> {
    /// Reads the payload into this one, which must be new.
    pub(crate) fn read(&mut self, json: &'a str, settings: &Settings) -> Result<(), Malformed> {
        self.json = json;
        match plain::read(json, settings, self) {
            Some(members) => self.found = Found::Plain(members),
            None => *self = Self::read_any(json, settings)?,
        }
        Ok(())
    }

    /// Reads what is not plain, too.
    fn read_any(json: &'a str, settings: &Settings) -> Result<Self, Malformed> {
        let mut reader = serde_json::Deserializer::from_str(json);
        let payload = ReadPayload(settings).deserialize(&mut reader).map_err(|_| Malformed)?;
        reader.end().map_err(|_| Malformed)?;
        Ok(payload)
    }

    pub(crate) fn identity(&self) -> &Slot<'a> {
        self.identity.as_ref().unwrap_or(&self.sub)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        match &self.found {
            Found::Plain(members) => members.has(name, self.json),
            Found::Read(names) => names.has(name),
        }
    }

    /// Where the members stand, if the payload is plain.
    pub(crate) fn members(&self) -> Option<Members> {
        match &self.found {
            Found::Plain(members) => Some(*members),
            Found::Read(_) => None,
        }
    }

    /// Where the identity has a claim of its own, it is never that of `sub`.
    fn complete(&mut self, settings: &Settings) {
        if settings.identity_claim != "sub" {
            self.identity.get_or_insert_default();
        }
    }

    /// Where a claim of that name belongs, if it is one that is looked at.
    fn slot(&mut self, name: &str, settings: &Settings) -> Option<&mut Slot<'a>> {
        Some(match name {
            "sub" => &mut self.sub,
            "exp" => &mut self.exp,
            "iat" => &mut self.iat,
            "nbf" => &mut self.nbf,
            "jti" => &mut self.jti,
            "sid" => &mut self.sid,
            "csrf" => &mut self.csrf,
            "type" => &mut self.kind,
            "fresh" => &mut self.fresh,
            "iss" => &mut self.iss,
            "aud" => &mut self.aud,
            other if other == settings.identity_claim => self.identity.get_or_insert_default(),
            _ => return None,
        })
    }
}

struct ReadPayload<'s>(&'s Settings);

impl<'de> DeserializeSeed<'de> for ReadPayload<'_> {
    type Value = Payload<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ReadPayload<'_> {
    type Value = Payload<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Payload<'de>, A::Error> {
        let mut payload = Payload::default();
        let mut names = Box::<Names<'de>>::default();
        let levels = Levels::INSIDE;
        while let Some(name) = map.next_key_seed(Name)? {
            match payload.slot(&name, self.0) {
                Some(slot) => {
                    names.add(name)?;
                    *slot = map.next_value_seed(ReadSlot(levels))?;
                }
                None => {
                    names.add(name)?;
                    map.next_value_seed(Unique(levels))?;
                }
            }
        }
        payload.complete(self.0);
        payload.found = Found::Read(names);
        Ok(payload)
    }
}

/// Reads one claim, whatever it is.
struct ReadSlot(Levels);

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
        let mut names = Names::default();
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

/// A NumericDate (RFC 7519 §2) of whole seconds: not negative, and in this calendar.
fn whole_date(seconds: i64) -> Option<OffsetDateTime> {
    match seconds >= 0 {
        true => OffsetDateTime::from_unix_timestamp(seconds).ok(),
        false => None,
    }
}

/// A NumericDate with a fraction, which counts: nothing is rounded up.
fn fractional_date(seconds: f64) -> Option<OffsetDateTime> {
    if !(0.0..=253_402_300_799.0).contains(&seconds) {
        return None;
    }
    OffsetDateTime::UNIX_EPOCH.checked_add(Duration::checked_seconds_f64(seconds)?)
}

/// A text of the payload: where it stands, or itself where it was written with escapes.
#[derive(Debug, Clone)]
pub(crate) enum Text {
    At(Range<usize>),
    Own(Box<str>),
}

impl Text {
    /// Of `slot`, which was read from `json`.
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
