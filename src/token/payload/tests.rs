use std::fmt::Debug;

use proptest::collection::vec;
use proptest::prelude::*;
use rocket::serde::Deserialize;
use rocket::serde::de::DeserializeOwned;
use serde_json::Value;

use super::deserialize::deserialize;
use super::slot::{fractional_date, whole_date};
use super::spans::Spans;
use super::{Payload, fast_path};
use crate::clock::millis;
use crate::token::claims::Claims;

#[test]
fn a_date_is_in_range_and_is_not_rounded_up() {
    for (seconds, date) in [
        (0, Some(0)),
        (1_700_000_000, Some(1_700_000_000_000)),
        (253_402_300_799, Some(253_402_300_799_000)),
        (253_402_300_800, None),
        (i64::MAX, None),
        (-1, None),
    ] {
        assert_eq!(whole_date(seconds).map(millis), date, "{seconds}");
    }
    for (seconds, date) in [
        (1_700_000_000.25, Some(1_700_000_000_250)),
        (1_700_000_000.999_9, Some(1_700_000_000_999)),
        (1.7e9, Some(1_700_000_000_000)),
        (-0.5, None),
        (1e20, None),
        (1e308, None),
        (f64::NAN, None),
    ] {
        assert_eq!(fractional_date(seconds).map(millis), date, "{seconds}");
    }
}

/// Parts from which payloads are built: plain ones, unusual ones, and invalid ones.
const NAMES: [&str; 14] = [
    "\"sub\"",
    "\"exp\"",
    "\"iat\"",
    "\"jti\"",
    "\"type\"",
    "\"fresh\"",
    "\"aud\"",
    "\"csrf\"",
    "\"role\"",
    "\"n\"",
    "\"\"",
    "\"r\\u006fle\"",
    "\"gr\u{fc}n\"",
    "\"$serde_json::private::Number\"",
];
const VALUES: [&str; 30] = [
    "\"ada\"",
    "\"\"",
    "\"gr\u{fc}n\"",
    "\"a\\nb\"",
    "\"a\nb\"",
    "\"\\ud800\"",
    "\"\u{7f}\"",
    "0",
    "1",
    "01",
    "-1",
    "-0",
    "1764000000",
    "999999999999999999",
    "1000000000000000000",
    "99999999999999999999",
    "1.5",
    "1e3",
    "1e999",
    "true",
    "false",
    "null",
    "tru",
    "[]",
    "[\"a\",\"b\"]",
    "[1,\"b\"]",
    "{\"a\":1}",
    "{\"a\":1,\"a\":2}",
    "[{\"a\":[{}]}]",
    "[1e999]",
];

#[derive(Debug, PartialEq, Deserialize)]
#[serde(crate = "rocket::serde")]
struct Custom {
    role: String,
    n: Option<f64>,
    exp: Option<i64>,
    #[serde(flatten)]
    rest: Claims,
}

/// Whether a payload is plain; if so, checks that both parsers agree.
fn is_plain(json: &str, identity_claim: &str) -> bool {
    let mut plain = Payload::default();
    let Some(spans) = fast_path::read(json, identity_claim, &mut plain.claims) else {
        return false;
    };
    let general =
        Payload::read_any(json, identity_claim).unwrap_or_else(|_| panic!("{json} is no payload"));
    assert_eq!(format!("{:?}", plain.claims), format!("{:?}", general.claims), "{json}");
    for name in NAMES {
        let name = name.trim_matches('"');
        assert_eq!(spans.has(name, json), general.has(name), "{name} in {json}");
    }
    agree::<Value>(json, &spans);
    agree::<Custom>(json, &spans);
    agree::<Option<Custom>>(json, &spans);
    agree::<String>(json, &spans);
    agree::<()>(json, &spans);
    assert!(agree::<Claims>(json, &spans).is_some(), "{json}");
    true
}

fn agree<T>(json: &str, spans: &Spans) -> Option<T>
where
    T: DeserializeOwned + Send + Sync + PartialEq + Debug + 'static,
{
    let known = deserialize::<T>(json, Some(spans));
    assert_eq!(known, deserialize::<T>(json, None), "{json}");
    known
}

#[test]
fn what_an_issuer_writes_is_plain_and_what_is_unusual_is_not() {
    for (json, expected) in [
        (
            r#"{"sub":"ada","exp":1764000900,"fresh":false,"aud":["a","b"],"role":"admin","n":{"a":[1.5]}}"#,
            true,
        ),
        (r#"{"sub":"ada"}"#, true),
        ("{}", false),
        (r#"{"sub":"ada","sub":"ada"}"#, false),
        (r#"{"role":"a","role":"a"}"#, false),
        (r#"{"sub": "ada"}"#, false),
        (r#"{"sub":"ada"} "#, false),
        (r#"{"sub":"ada"}{}"#, false),
        (r#"{"sub":"ada",}"#, false),
        (r#"{"sub":"ada""#, false),
        (r#"{"exp":1764000900.5}"#, false),
        (r#"{"exp":01}"#, false),
        (r#"{"exp":-1}"#, false),
        (r#"{"sub":"a\u0064a"}"#, false),
        (r#"{"role":{"a":1,"a":2}}"#, false),
        (r#"{"$serde_json::private::RawValue":"1"}"#, false),
        (r#"["sub"]"#, false),
    ] {
        assert_eq!(is_plain(json, "sub"), expected, "{json}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_plain_payload_is_read_as_any_other(
        members in vec((0..NAMES.len(), 0..VALUES.len()), 0..20),
        cut in any::<proptest::sample::Index>(),
        put in "[\\x20-\\x7e]?",
        broken in any::<bool>(),
        identity in prop_oneof![Just("sub"), Just("n")],
    ) {
        let members: Vec<_> =
            members.iter().map(|(name, value)| format!("{}:{}", NAMES[*name], VALUES[*value])).collect();
        let mut json: Vec<char> = format!("{{{}}}", members.join(",")).chars().collect();
        if broken {
            let at = cut.index(json.len());
            json.splice(at..at + 1, put.chars());
        }
        is_plain(&json.into_iter().collect::<String>(), identity);
    }

    #[test]
    fn a_payload_of_plain_pieces_is_plain(order in Just((0..9).collect::<Vec<usize>>()).prop_shuffle()) {
        let members: Vec<_> = order.iter().map(|at| format!("{}:{}", NAMES[*at], VALUES[at % 2])).collect();
        let json = format!("{{{}}}", members.join(","));
        assert!(is_plain(&json, "sub"), "{json}");
    }
}
