//! The payload, parsed in one pass: names must be unique, registered claims are read by type, and
//! all other claims are only validated.

pub(crate) mod deserialize;
pub(crate) mod failure;
pub(crate) mod fast_path;
pub(crate) mod raw;
pub(crate) mod slot;
pub(crate) mod slots;
pub(crate) mod spans;
#[cfg(test)]
mod tests;
pub(crate) mod unique;

use std::fmt;

use rocket::serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};

use slot::{ReadSlot, Slot};
use slots::Slots;
use spans::Spans;
use unique::{DepthLimit, Malformed, Name, SeenKeys, Unique};

/// A parsed payload.
#[derive(Default)]
pub(crate) struct Payload<'a> {
    pub(crate) claims: Slots<'a>,
    json: &'a str,
    names: Names<'a>,
}

/// The names of a payload's members, in a form that depends on the parser.
enum Names<'a> {
    FastPath(Spans),
    General(Box<SeenKeys<'a>>),
}

impl Default for Names<'_> {
    fn default() -> Self {
        Self::FastPath(Spans::default())
    }
}

impl<'a> Payload<'a> {
    /// Parses the payload into `self`, which must be new.
    pub(crate) fn read(&mut self, json: &'a str, identity_claim: &str) -> Result<(), Malformed> {
        self.json = json;
        match fast_path::read(json, identity_claim, &mut self.claims) {
            Some(spans) => self.names = Names::FastPath(spans),
            None => *self = Self::read_any(json, identity_claim)?,
        }
        Ok(())
    }

    /// Parses any payload.
    fn read_any(json: &'a str, identity_claim: &str) -> Result<Self, Malformed> {
        let mut reader = serde_json::Deserializer::from_str(json);
        let payload = ReadPayload(identity_claim).deserialize(&mut reader);
        let payload = payload.map_err(|_| Malformed)?;
        reader.end().map_err(|_| Malformed)?;
        Ok(payload)
    }

    pub(crate) fn identity(&self) -> &Slot<'a> {
        self.claims.identity.as_ref().unwrap_or(&self.claims.sub)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        match &self.names {
            Names::FastPath(spans) => spans.has(name, self.json),
            Names::General(names) => names.has(name),
        }
    }

    /// The positions of the members, if the fast path found them.
    pub(crate) fn spans(&self) -> Option<Spans> {
        match &self.names {
            Names::FastPath(spans) => Some(*spans),
            Names::General(_) => None,
        }
    }
}

/// Parses a payload with `serde_json`. It contains `identity_claim`.
struct ReadPayload<'s>(&'s str);

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
        let mut names = Box::<SeenKeys<'de>>::default();
        let levels = DepthLimit::INSIDE;
        while let Some(name) = map.next_key_seed(Name)? {
            match payload.claims.slot(&name, self.0) {
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
        payload.claims.complete(self.0);
        payload.names = Names::General(names);
        Ok(payload)
    }
}
