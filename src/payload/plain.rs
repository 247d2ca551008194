//! Payloads as nearly every issuer writes them, read without the machinery of a JSON parser.
//!
//! What is *plain*: one object without white space between its members, no escape and no control
//! character anywhere, whole numbers of at most eighteen digits, at most sixteen members. Inside a list
//! or an object anything else goes, as `serde_json` reads those. What is not plain is not refused: it is
//! read by `serde_json` alone. So all that must hold here is that a plain payload is read as
//! `serde_json` would read it.

use std::borrow::Cow;

use memchr::memchr;

use rocket::serde::de::{Deserialize, DeserializeSeed, Deserializer};

use super::members::{Members, Span};
use super::{whole_date, Payload, ReadSlot, Slot};
use crate::config::Settings;
use crate::strict::{Levels, Unique};

/// Reads a plain payload that has every name once. `None` is for the general way to judge; what was
/// written into `payload` until then is of no use.
pub(super) fn read<'a>(
    json: &'a str,
    settings: &Settings,
    payload: &mut Payload<'a>,
) -> Option<Members> {
    if !has_only_plain_bytes(json) {
        return None;
    }
    let mut members = Members::default();
    let mut cursor = Cursor { json, at: 0 };
    cursor.eat(b'{')?;
    loop {
        let name_start = cursor.at + 1;
        let name = cursor.text()?;
        let name_span = Span::new(name_start, cursor.at - 1)?;
        cursor.eat(b':')?;
        let start = cursor.at;
        match payload.slot(name, settings) {
            Some(slot) if slot.is_absent() => *slot = cursor.value()?,
            // Twice.
            Some(_) => return None,
            None => {
                if members.has(name, json) || name.starts_with('$') {
                    return None;
                }
                cursor.skip()?;
            }
        }
        members.push(name_span, Span::new(start, cursor.at)?)?;
        match cursor.next()? {
            b',' => (),
            b'}' => break,
            _ => return None,
        }
    }
    payload.complete(settings);
    (cursor.at == json.len()).then_some(members)
}

/// Whether there is no escape and no control character anywhere, so that every string ends at the next
/// quotation mark. Every byte is looked at whatever the others are, which is done many at a time.
fn has_only_plain_bytes(json: &str) -> bool {
    json.bytes().fold(true, |plain, byte| plain & (byte != b'\\') & (byte >= 0x20))
}

/// Whether claims, as they were written just now, may be a payload's own by their text: a plain object
/// of free names, in which no number and no name reads otherwise than it was meant, at any level.
pub(crate) fn is_own(json: &str, is_free: impl Fn(&str) -> bool) -> bool {
    let mut cursor = Cursor { json, at: 0 };
    has_only_plain_bytes(json)
        && cursor.object(LEVELS, is_free).is_some()
        && cursor.at == json.len()
}

/// As deep as tokens may be.
const LEVELS: u8 = 31;

struct Cursor<'a> {
    json: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a [u8] {
        self.json.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = *self.rest().first()?;
        self.at += 1;
        Some(byte)
    }

    fn eat(&mut self, expected: u8) -> Option<()> {
        (self.next()? == expected).then_some(())
    }

    /// A string, which has no escapes.
    fn text(&mut self) -> Option<&'a str> {
        self.eat(b'"')?;
        let length = memchr(b'"', self.rest())?;
        let text = self.json.get(self.at..self.at + length)?;
        self.at += length + 1;
        Some(text)
    }

    fn value(&mut self) -> Option<Slot<'a>> {
        Some(match self.rest().first()? {
            b'"' => Slot::Text(Cow::Borrowed(self.text()?)),
            b'0'..=b'9' => Slot::Number(whole_date(self.number()?)),
            b't' => self.word("true", Slot::Bool(true))?,
            b'f' => self.word("false", Slot::Bool(false))?,
            b'n' => self.word("null", Slot::Other)?,
            b'[' | b'{' => self.nested::<NestedSlot<'a>>()?.0,
            _ => return None,
        })
    }

    fn skip(&mut self) -> Option<()> {
        match self.rest().first()? {
            b'"' => self.text().map(|_| ()),
            b'0'..=b'9' => self.number().map(|_| ()),
            b't' => self.word("true", ()),
            b'f' => self.word("false", ()),
            b'n' => self.word("null", ()),
            b'[' | b'{' => self.nested::<Nested>().map(|_| ()),
            _ => None,
        }
    }

    fn word<T>(&mut self, word: &str, meaning: T) -> Option<T> {
        if !self.rest().starts_with(word.as_bytes()) {
            return None;
        }
        self.at += word.len();
        Some(meaning)
    }

    /// A whole number that is not negative. What follows it is looked at by the caller: a point or an
    /// exponent is no comma.
    fn number(&mut self) -> Option<i64> {
        let rest = self.rest();
        let mut number = 0;
        let mut digits = 0;
        while let Some(byte @ b'0'..=b'9') = rest.get(digits) {
            if digits == 18 || (digits == 1 && number == 0) {
                return None;
            }
            number = number * 10 + i64::from(byte - b'0');
            digits += 1;
        }
        self.at += digits;
        Some(number)
    }

    /// A value like the plain ones, whole numbers below zero, or a list or object of such.
    fn exact(&mut self, levels: u8) -> Option<()> {
        match self.rest().first()? {
            b'[' => {
                let levels = levels.checked_sub(1)?;
                self.items(b'[', b']', |cursor| cursor.exact(levels))
            }
            b'{' => self.object(levels.checked_sub(1)?, |_| true),
            b'-' => {
                self.at += 1;
                (self.number()? > 0).then_some(())
            }
            _ => self.skip(),
        }
    }

    /// An object of such, with every name once.
    fn object(&mut self, levels: u8, is_free: impl Fn(&str) -> bool) -> Option<()> {
        let mut names = Members::default();
        self.items(b'{', b'}', |cursor| {
            let start = cursor.at + 1;
            let name = cursor.text()?;
            if names.has(name, cursor.json) || name.starts_with('$') || !is_free(name) {
                return None;
            }
            names.push(Span::new(start, cursor.at - 1)?, Span::default())?;
            cursor.eat(b':')?;
            cursor.exact(levels)
        })
    }

    /// From `start` to `end`, with commas between the items.
    fn items(
        &mut self,
        start: u8,
        end: u8,
        mut item: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.eat(start)?;
        if self.rest().first() == Some(&end) {
            return self.eat(end);
        }
        loop {
            item(self)?;
            match self.next()? {
                b',' => (),
                byte => return (byte == end).then_some(()),
            }
        }
    }

    fn nested<T: Deserialize<'a>>(&mut self) -> Option<T> {
        let rest = self.json.get(self.at..)?;
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<T>();
        let value = stream.next()?.ok()?;
        self.at += stream.byte_offset();
        Some(value)
    }
}

/// A list or object that is a registered claim.
struct NestedSlot<'a>(Slot<'a>);

impl<'de> Deserialize<'de> for NestedSlot<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ReadSlot(Levels::INSIDE).deserialize(deserializer).map(Self)
    }
}

/// A list or object that is none.
struct Nested;

impl<'de> Deserialize<'de> for Nested {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Unique(Levels::INSIDE).deserialize(deserializer).map(|()| Self)
    }
}
