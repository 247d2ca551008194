//! Claims, as an application uses them.

use rocket::serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny};
use serde_json::Value;

/// A whole payload, or header parameters, as a JSON object.
pub type Claims = serde_json::Map<String, Value>;

/// The requirements for a claims type `C`: it can be deserialized, and shared across threads.
///
/// Implemented for every such type, so there is nothing to implement.
pub trait CustomClaims: DeserializeOwned + Send + Sync + 'static {}

impl<T: DeserializeOwned + Send + Sync + 'static> CustomClaims for T {}

/// The claims type that reads no claims.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoClaims;

impl<'de> Deserialize<'de> for NoClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// The value of an `aud` claim: one audience, or several (RFC 7519 §4.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience(Vec<String>);

impl Audience {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &String> {
        self.0.iter()
    }

    pub(crate) fn to_value(&self) -> Value {
        match self.0.as_slice() {
            [one] => Value::from(one.as_str()),
            many => Value::from(many),
        }
    }
}

impl From<&str> for Audience {
    fn from(one: &str) -> Self {
        Self(vec![one.into()])
    }
}

impl From<String> for Audience {
    fn from(one: String) -> Self {
        Self(vec![one])
    }
}

impl From<Vec<String>> for Audience {
    fn from(many: Vec<String>) -> Self {
        Self(many)
    }
}

impl From<&[&str]> for Audience {
    fn from(many: &[&str]) -> Self {
        Self(many.iter().map(|&one| one.into()).collect())
    }
}

impl<const N: usize> From<[&str; N]> for Audience {
    fn from(many: [&str; N]) -> Self {
        Self::from(&many[..])
    }
}

impl From<&String> for Audience {
    fn from(one: &String) -> Self {
        Self(vec![one.clone()])
    }
}

impl From<&[String]> for Audience {
    fn from(many: &[String]) -> Self {
        Self(many.to_vec())
    }
}

impl<const N: usize> From<[String; N]> for Audience {
    fn from(many: [String; N]) -> Self {
        Self(many.into())
    }
}

impl<const N: usize> From<&[&str; N]> for Audience {
    fn from(many: &[&str; N]) -> Self {
        Self::from(&many[..])
    }
}

impl From<Vec<&str>> for Audience {
    fn from(many: Vec<&str>) -> Self {
        Self::from(&many[..])
    }
}

/// The audiences of a token.
pub(crate) fn audience(claims: &Claims) -> Vec<&str> {
    match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}
