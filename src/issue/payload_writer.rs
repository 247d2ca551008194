//! Writing a payload.

use rocket::serde::Serialize;

use crate::error::Error;
use crate::token::claims::Claims;

/// Most payloads fit into this many bytes.
const ROOM: usize = 512;

/// A JSON object without its closing brace. The caller ensures that each member's name is unique.
#[derive(Clone)]
pub(crate) struct PayloadWriter(Vec<u8>);

impl PayloadWriter {
    /// Begins a payload with these claims, if `is_right` accepts their JSON.
    pub(super) fn of(claims: &impl Serialize, is_right: impl FnOnce(&str) -> bool) -> Option<Self> {
        let mut json = Vec::with_capacity(ROOM);
        serde_json::to_writer(&mut json, claims).ok()?;
        let is_right = is_right(std::str::from_utf8(&json).ok()?);
        (is_right && json.pop() == Some(b'}')).then_some(Self(json))
    }

    pub(super) fn of_map(claims: &Claims) -> Result<Self, Error> {
        let mut writer = Self(Vec::with_capacity(ROOM));
        writer.0.push(b'{');
        claims.iter().try_for_each(|(name, value)| writer.member(name, value))?;
        Ok(writer)
    }

    pub(super) fn member(&mut self, name: &str, value: impl Serialize) -> Result<(), Error> {
        self.name(name)?;
        serde_json::to_writer(&mut self.0, &value).map_err(cannot_write)
    }

    pub(super) fn text_member(&mut self, name: &str, text: &str) -> Result<(), Error> {
        self.name(name)?;
        self.text(text)
    }

    fn name(&mut self, name: &str) -> Result<(), Error> {
        if self.0.last() != Some(&b'{') {
            self.0.push(b',');
        }
        self.text(name)?;
        self.0.push(b':');
        Ok(())
    }

    /// Passes text that needs escapes to `serde_json`, which checks one byte at a time.
    fn text(&mut self, text: &str) -> Result<(), Error> {
        let is_special = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
        if text.bytes().fold(false, |found, byte| found | is_special(byte)) {
            return serde_json::to_writer(&mut self.0, text).map_err(cannot_write);
        }
        self.0.reserve(text.len() + 2);
        self.0.push(b'"');
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(b'"');
        Ok(())
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }

    pub(super) fn into_map(self) -> Result<Claims, serde_json::Error> {
        serde_json::from_slice(&self.finish())
    }
}

pub(super) fn cannot_write(error: serde_json::Error) -> Error {
    Error::Serialize(format!("the token can't be written: {error}"))
}
