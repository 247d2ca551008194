//! The custom claims that a builder was given.

use rocket::serde::Serialize;
use serde_json::Value;

use super::payload_writer::PayloadWriter;
use crate::token::claims::Claims;
use crate::token::payload::fast_path::is_custom;
use crate::token::payload::slots::REGISTERED;

/// A layer of custom claims. Usually the claims are given once and nothing is merged with them, so
/// their serialized text can be copied into the payload.
#[derive(Clone)]
pub(crate) enum ClaimLayer {
    /// The beginning of a payload. Its names are not registered, except that one may be
    /// `identity_claim`.
    Text(PayloadWriter),
    Map(Claims),
}

impl Default for ClaimLayer {
    fn default() -> Self {
        Self::Map(Claims::new())
    }
}

impl ClaimLayer {
    /// Adds claims, which override earlier ones. The error is a message.
    pub(crate) fn add(&mut self, claims: &impl Serialize) -> Result<(), String> {
        let is_first = matches!(self, Self::Map(earlier) if earlier.is_empty());
        if let Some(text) = is_first.then(|| as_text(claims)).flatten() {
            *self = Self::Text(text);
            return Ok(());
        }
        let cannot = |error| format!("claims can't be written: {error}");
        // The general case, which also reports all errors.
        match serde_json::to_value(claims).map_err(cannot)? {
            Value::Object(claims) => {
                let mut all = std::mem::take(self).into_map().map_err(cannot)?;
                all.extend(claims);
                *self = Self::Map(all);
                Ok(())
            }
            // `()` and unit structs have no claims.
            Value::Null => Ok(()),
            _ => Err("claims are no object".into()),
        }
    }

    pub(super) fn into_map(self) -> Result<Claims, serde_json::Error> {
        match self {
            Self::Text(text) => text.into_map(),
            Self::Map(claims) => Ok(claims),
        }
    }
}

fn as_text(claims: &impl Serialize) -> Option<PayloadWriter> {
    PayloadWriter::of(claims, |json| is_custom(json, |name| !REGISTERED.contains(&name)))
}
