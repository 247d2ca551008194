//! The types of settings, with a description of their values and an example for launch messages.

use rocket::figment::error::Kind;
use rocket::figment::value::Value;
use rocket::serde::de::DeserializeOwned;

use super::values::{
    OneOrMany, OptionalCount, OptionalSpan, RequiredClaims, Secret, SessionsMode, Span,
};
use crate::keys::reference;

/// A type of setting. Examples are made from defaults, which are public, never from configured
/// values.
pub(super) trait Setting: DeserializeOwned {
    /// The description of accepted values: follows "must be".
    const EXPECTED: &'static str;

    /// Whether it is a key or its path, which have separate checks.
    const IS_SECRET: bool = false;

    /// An example value as an operator would write it; `self` is the default.
    fn example(&self) -> String;
}

const STRING: &str = "a string in quotes";
const STRINGS: &str = "a string or a list of strings, each in quotes";
const SPAN: &str = "whole seconds or a duration such as \"15m\"";
const BOOL: &str = "true or false, without quotes";

/// A string that only the operator knows.
const ANY_STRING: &str = "\"…\"";

impl Setting for String {
    const EXPECTED: &'static str = STRING;

    fn example(&self) -> String {
        match self.is_empty() {
            true => ANY_STRING.into(),
            false => format!("{self:?}"),
        }
    }
}

impl Setting for Option<String> {
    const EXPECTED: &'static str = STRING;

    fn example(&self) -> String {
        ANY_STRING.into()
    }
}

impl Setting for Option<Secret> {
    const EXPECTED: &'static str = STRING;
    const IS_SECRET: bool = true;

    fn example(&self) -> String {
        ANY_STRING.into()
    }
}

impl Setting for RequiredClaims {
    const EXPECTED: &'static str = "a list of names, or a table such as { typ = \"Bearer\" }";

    fn example(&self) -> String {
        match self {
            Self::List(names) => format!("{names:?}"),
            Self::Table(_) => "{ typ = \"Bearer\" }".into(),
        }
    }
}

impl Setting for OneOrMany {
    const EXPECTED: &'static str = STRINGS;

    fn example(&self) -> String {
        format!("{:?}", self.0)
    }
}

impl Setting for Option<OneOrMany> {
    const EXPECTED: &'static str = STRINGS;

    fn example(&self) -> String {
        ANY_STRING.into()
    }
}

impl Setting for Span {
    const EXPECTED: &'static str = SPAN;

    fn example(&self) -> String {
        span_example(self.0)
    }
}

impl Setting for OptionalSpan {
    const EXPECTED: &'static str = "whole seconds or a duration such as \"15m\", or false";

    fn example(&self) -> String {
        span_example(self.0.unwrap_or_default())
    }
}

fn span_example(span: rocket::time::Duration) -> String {
    match span.is_positive() {
        true => format!("{:?}", humantime::format_duration(span.unsigned_abs()).to_string()),
        false => "\"5s\"".into(),
    }
}

impl Setting for OptionalCount {
    const EXPECTED: &'static str = "a whole number, or false";

    fn example(&self) -> String {
        self.0.unwrap_or(5).to_string()
    }
}

impl Setting for SessionsMode {
    const EXPECTED: &'static str = "true, false or \"adopt\"";

    fn example(&self) -> String {
        true.to_string()
    }
}

impl Setting for bool {
    const EXPECTED: &'static str = BOOL;

    fn example(&self) -> String {
        self.to_string()
    }
}

impl Setting for Option<bool> {
    const EXPECTED: &'static str = BOOL;

    fn example(&self) -> String {
        true.to_string()
    }
}

impl Setting for u16 {
    const EXPECTED: &'static str = "a whole number from 0 to 65535, without quotes";

    fn example(&self) -> String {
        self.to_string()
    }
}

impl Setting for usize {
    const EXPECTED: &'static str = "a whole number, not negative and without quotes";

    fn example(&self) -> String {
        self.to_string()
    }
}

/// Reads a value, or reports which values `key` accepts. The message never shows the value, which
/// may be a secret in the wrong place.
pub(super) fn read<T: Setting>(key: &str, value: &Value, default: &T) -> Result<T, String> {
    if let Some(quotes) = stray_quotes(value) {
        return Err(format!(
            "is in {quotes}, which are part of the value; write `{key} = {}` with plain quotes: \"",
            default.example()
        ));
    }
    if !T::IS_SECRET && has_placeholder(value) {
        return Err(format!(
            "has a placeholder that nothing replaced, and a configuration has no variables; write the \
             value itself, or set it by ROCKET_JWT='{{{key}={}}}'",
            default.example()
        ));
    }
    value.deserialize().map_err(|error| match error.kind {
        Kind::Message(message) => message,
        _ => format!(
            "must be {}, such as `{key} = {}`; it is {}",
            T::EXPECTED,
            default.example(),
            found(value)
        ),
    })
}

/// Quotes that word processors and chat programs insert, and that no format treats as quotes.
fn stray_quotes(value: &Value) -> Option<&'static str> {
    const TYPOGRAPHIC: &[char] = &[
        '“', '”', '„', '‟', '«', '»', '‹', '›', '‘', '’', '‚', '‛', '″', '′', '＂', '＇', '「',
        '」',
    ];
    match value {
        Value::String(_, text) => {
            let text = text.trim();
            let inner = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
            match inner {
                _ if text.starts_with(TYPOGRAPHIC) || text.ends_with(TYPOGRAPHIC) => {
                    Some("typographic quotes")
                }
                // A random password may begin and end with quotes, but has other symbols between
                // them.
                Some(inner)
                    if inner
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || "+/=_-.: ".contains(c)) =>
                {
                    Some("single quotes")
                }
                _ => None,
            }
        }
        Value::Array(_, elements) => elements.iter().find_map(stray_quotes),
        Value::Dict(_, table) => table.values().find_map(stray_quotes),
        _ => None,
    }
}

/// Whether a text of the value has a variable or template that was not replaced.
fn has_placeholder(value: &Value) -> bool {
    match value {
        Value::String(_, text) => reference::has_placeholder(text),
        Value::Array(_, elements) => elements.iter().any(has_placeholder),
        Value::Dict(_, table) => table
            .iter()
            .any(|(name, value)| reference::has_placeholder(name) || has_placeholder(value)),
        _ => false,
    }
}

/// The type of a value.
fn found(value: &Value) -> String {
    match value {
        Value::String(..) => "a string".into(),
        Value::Char(..) => "a character".into(),
        Value::Bool(..) => "true or false".into(),
        Value::Num(_, number) if number.to_i128().is_some() || number.to_u128().is_some() => {
            "a whole number".into()
        }
        Value::Num(..) => "a number with a fraction".into(),
        Value::Empty(..) => "empty".into(),
        Value::Dict(..) => "a table".into(),
        Value::Array(_, elements) => {
            match elements.iter().find(|element| !matches!(element, Value::String(..))) {
                Some(other) => format!("a list with {} in it", found(other)),
                None => "a list".into(),
            }
        }
    }
}
