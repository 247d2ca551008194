//! The own claims that a builder is given.

use rocket::serde::Serialize;
use serde_json::Value;

use super::written::Written;
use crate::claims::REGISTERED;
use crate::payload::is_own;
use crate::Claims;

/// Own claims. Nearly always they are given once and nothing is merged with them; then the text that
/// they are written as is all that is needed.
#[derive(Clone)]
pub(crate) enum Given {
    /// The beginning of a payload. Its names are free, but for that of the identity.
    Text(Written),
    Map(Claims),
}

impl Default for Given {
    fn default() -> Self {
        Self::Map(Claims::new())
    }
}

impl Given {
    /// Adds claims, which win over those that are there. The error is a text.
    pub(crate) fn add(&mut self, claims: &impl Serialize) -> Result<(), String> {
        let is_first = matches!(self, Self::Map(earlier) if earlier.is_empty());
        if let Some(text) = is_first.then(|| as_text(claims)).flatten() {
            *self = Self::Text(text);
            return Ok(());
        }
        let cannot = |error| format!("claims can't be written: {error}");
        // Anything unusual, and all errors.
        match serde_json::to_value(claims).map_err(cannot)? {
            Value::Object(claims) => {
                let mut all = std::mem::take(self).into_map().map_err(cannot)?;
                all.extend(claims);
                *self = Self::Map(all);
                Ok(())
            }
            // `()` and unit structs: no claims.
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

fn as_text(claims: &impl Serialize) -> Option<Written> {
    Written::of(claims, |json| is_own(json, |name| !REGISTERED.contains(&name)))
}
