//! The value types of the table, with the values that they accept and their errors.

use std::fmt;

use rocket::serde::de::{self, Deserialize, Deserializer, Unexpected, Visitor};
use rocket::time::Duration;
use secrecy::{ExposeSecret, SecretString};

use crate::settings::Sessions;

/// The longest duration accepted: a hundred years. The sum of the current time and a configured
/// duration then stays in the range of `time`.
const LONGEST: Duration = Duration::days(36_525);

/// A duration: whole seconds, or text such as `"15m"`, `"30d"`, `"1h 30m"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(pub Duration);

/// A duration, or `false` for no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OptionalSpan(pub Option<Duration>);

/// A number, or `false` for no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OptionalCount(pub Option<usize>);

/// `true`, `false` or `"adopt"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionsMode(pub Sessions);

/// A string or a list of strings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OneOrMany(pub Vec<String>);

/// A string that is never shown: errors describe it without quoting it.
#[derive(Clone, Debug)]
pub(crate) struct Secret(SecretString);

impl Secret {
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

fn whole_seconds<E: de::Error>(seconds: i64) -> Result<Duration, E> {
    within_bounds(Duration::seconds(seconds))
}

fn within_bounds<E: de::Error>(duration: Duration) -> Result<Duration, E> {
    if duration.is_negative() {
        return Err(E::custom("must not be negative"));
    }
    if duration > LONGEST {
        return Err(E::custom("must not be longer than a hundred years"));
    }
    Ok(duration)
}

/// Units without a fixed length. `humantime` reads `M` as a month, which is easily written for `m`.
const CALENDAR_UNITS: [&str; 8] = ["M", "month", "months", "y", "yr", "yrs", "year", "years"];

fn text_span<E: de::Error>(text: &str) -> Result<Duration, E> {
    let mut units = text.split(|c: char| !c.is_alphabetic());
    if let Some(unit) = units.find(|unit| CALENDAR_UNITS.contains(unit)) {
        return Err(E::custom(format_args!(
            "has the unit `{unit}`, which is not accepted: `m` is minutes; write days for months and \
             years, such as \"30d\""
        )));
    }
    let parsed = humantime::parse_duration(text)
        .map_err(|e| E::custom(format_args!("is not a duration such as \"15m\": {e}")))?;
    within_bounds(Duration::try_from(parsed).unwrap_or(Duration::MAX))
}

struct SpanVisitor {
    or_false: bool,
}

impl Visitor<'_> for SpanVisitor {
    type Value = Option<Duration>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("whole seconds or a duration such as \"15m\"")?;
        if self.or_false {
            f.write_str(", or false")?;
        }
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Self::Value, E> {
        whole_seconds(seconds).map(Some)
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Self::Value, E> {
        whole_seconds(i64::try_from(seconds).unwrap_or(i64::MAX)).map(Some)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        text_span(text).map(Some)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
        match value {
            false if self.or_false => Ok(None),
            _ => Err(E::invalid_type(de::Unexpected::Bool(value), &self)),
        }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_any(SpanVisitor { or_false: false })? {
            Some(duration) => Ok(Self(duration)),
            None => Err(de::Error::custom("must be a duration")),
        }
    }
}

impl<'de> Deserialize<'de> for OptionalSpan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SpanVisitor { or_false: true }).map(Self)
    }
}

struct CountVisitor;

impl Visitor<'_> for CountVisitor {
    type Value = OptionalCount;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number or false")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<OptionalCount, E> {
        match value {
            false => Ok(OptionalCount(None)),
            true => Err(E::invalid_type(Unexpected::Bool(true), &self)),
        }
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<OptionalCount, E> {
        usize::try_from(number).map(Some).map(OptionalCount).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<OptionalCount, E> {
        let number = usize::try_from(number).map_err(|_| E::custom("must not be negative"))?;
        Ok(OptionalCount(Some(number)))
    }
}

impl<'de> Deserialize<'de> for OptionalCount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CountVisitor)
    }
}

struct SessionsVisitor;

impl Visitor<'_> for SessionsVisitor {
    type Value = SessionsMode;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false or \"adopt\"")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<SessionsMode, E> {
        Ok(SessionsMode(if value { Sessions::On } else { Sessions::Off }))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<SessionsMode, E> {
        match text {
            "adopt" => Ok(SessionsMode(Sessions::Adopt)),
            _ => Err(E::custom("must be true, false or \"adopt\"")),
        }
    }
}

impl<'de> Deserialize<'de> for SessionsMode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SessionsVisitor)
    }
}

struct OneOrManyVisitor;

impl<'de> Visitor<'de> for OneOrManyVisitor {
    type Value = OneOrMany;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of strings")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany, E> {
        Ok(OneOrMany(vec![text.into()]))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany, A::Error> {
        let mut many = Vec::new();
        while let Some(text) = list.next_element()? {
            many.push(text);
        }
        Ok(OneOrMany(many))
    }
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrManyVisitor)
    }
}

/// The claims that a token must have: a list of their names, or a table with their accepted values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RequiredClaims {
    List(Vec<String>),
    Table(Vec<(String, serde_json::Value)>),
}

struct RequiredClaimsVisitor;

impl<'de> Visitor<'de> for RequiredClaimsVisitor {
    type Value = RequiredClaims;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of names, or a table such as { typ = \"Bearer\" }")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(RequiredClaims::List(vec![name.into()]))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        OneOrManyVisitor.visit_seq(list).map(|OneOrMany(names)| RequiredClaims::List(names))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut table: A) -> Result<Self::Value, A::Error> {
        let mut claims = Vec::new();
        while let Some(claim) = table.next_entry()? {
            claims.push(claim);
        }
        Ok(RequiredClaims::Table(claims))
    }
}

impl<'de> Deserialize<'de> for RequiredClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RequiredClaimsVisitor)
    }
}

struct SecretVisitor;

/// Refuses every other type without showing the value, which the default methods would show.
macro_rules! refuse_unseen {
    ($($visit:ident: $ty:ty),*) => {$(
        fn $visit<E: de::Error>(self, _: $ty) -> Result<Secret, E> {
            Err(E::custom("must be a string in quotes"))
        }
    )*};
}

impl<'de> Visitor<'de> for SecretVisitor {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string in quotes")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Secret, E> {
        Ok(Secret(SecretString::from(text)))
    }

    refuse_unseen!(
        visit_bool: bool, visit_i64: i64, visit_i128: i128, visit_u64: u64, visit_u128: u128,
        visit_f64: f64, visit_char: char, visit_bytes: &[u8]
    );

    fn visit_seq<A: de::SeqAccess<'de>>(self, _: A) -> Result<Secret, A::Error> {
        Err(de::Error::custom("must be a string in quotes"))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, _: A) -> Result<Secret, A::Error> {
        Err(de::Error::custom("must be a string in quotes"))
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecretVisitor)
    }
}
