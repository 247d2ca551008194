//! Tokens. An input that begins with `{` is a header up to the first line's end, and the payload after it:
//! they are signed with the application's secret. Any other input is the token's text.

use std::collections::HashSet;
use std::fmt;

use rocket::local::blocking::Client;
use rocket::serde::de::{Deserializer, MapAccess, Visitor};
use rocket_jwt_extended::testing::Bearer;
use rocket_jwt_extended::{Claims, Error, danger};
use serde_json::Value;

use super::application::{START, ask, client, jwt, secret, sign, tokens};

thread_local! {
    static CLIENT: Client = client("");
}

pub fn run(input: &[u8]) -> bool {
    CLIENT.with(|client| match input.first() {
        Some(b'{') => signed(client, input),
        _ => unsigned(client, &tokens().expand(input)),
    })
}

/// Only the exact token is valid: no byte of it can be changed.
fn unsigned(client: &Client, token: &str) -> bool {
    let is_good = token == tokens().access;
    let is_decoded = jwt(client).decode::<Claims>(token).is_ok();
    assert_eq!(is_decoded, is_good || token == tokens().refresh, "{token}");
    // In a header, spaces around a token don't count.
    let words: Vec<&str> = token.split_ascii_whitespace().collect();
    let is_let_in = ask(client.get("/access").header(Bearer(token))).is_let_in();
    assert_eq!(is_let_in, words == [&tokens().access], "{token}");
    if words == [token] {
        accepted(client, token);
    }
    is_good
}

fn signed(client: &Client, input: &[u8]) -> bool {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (header, payload) = input.split_at(end);
    let payload = payload.get(1..).unwrap_or_default();
    let token = sign(header, payload, secret());
    let identity = accepted(client, &token);
    // Parsers disagree about a duplicate name, so it is refused (RFC 7519 §4).
    let unique = |json| members(json).filter(|members| is_unique(members));
    let (header, payload) = (unique(header), unique(payload));
    if let Some(identity) = &identity {
        assert!(header.is_some_and(|members| is_good_header(&members)), "{token}");
        let is_good = payload.as_ref().is_some_and(|members| is_good(members, identity));
        assert!(is_good, "{identity} {payload:?}");
    }
    reissued(client, payload.unwrap_or_default());
    identity.is_some()
}

/// The identity, if an access guard accepts the token. All other ways to read a token must agree.
fn accepted(client: &Client, token: &str) -> Option<String> {
    let answer = ask(client.get("/access").header(Bearer(token)));
    ask(client.get("/many").header(Bearer(token)));
    ask(client.get("/refresh").header(Bearer(token)));
    let jwt = jwt(client);
    let decoded = jwt.decode::<Claims>(token);
    let expired = jwt.decoder().allow_expired().decode::<Claims>(token);
    let (header, claims) =
        (danger::unverified_header(token), danger::unverified_claims::<Claims>(token));
    let identity = (answer.status == 200).then_some(answer.text);
    if let Some(identity) = &identity {
        assert_eq!(decoded.as_ref().expect("it is decoded").identity(), identity);
    }
    if let Ok(decoded) = decoded {
        assert!(header.is_ok());
        assert_eq!(decoded.claims, claims.expect("the claims are readable"));
        assert_eq!(decoded.claims, expired.expect("it is not even expired").claims);
    }
    identity
}

/// Decoding returns the claims with which a token was issued: here the members of a payload, as
/// custom claims.
fn reissued(client: &Client, payload: Vec<(String, Value)>) {
    let jwt = jwt(client);
    let claims: Claims = payload.into_iter().collect();
    let identity = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
    let issue = |claims: &Claims| jwt.access_token(identity).claims(claims).encode();
    let is_own = |name: &String| !REGISTERED.contains(&name.as_str());
    if !claims.keys().all(is_own) {
        assert!(issue(&claims).is_err(), "a registered claim is written twice");
    }
    let own: Claims = claims.iter().filter(|(name, _)| is_own(name)).map(owned).collect();
    match issue(&own) {
        Err(error) => assert!(identity.is_empty() || matches!(error, Error::TooLong), "{error}"),
        Ok(token) => {
            let decoded = jwt.decode::<Claims>(&token).expect("what is issued is decoded");
            assert_eq!(decoded.identity(), identity);
            for (name, value) in &own {
                // The number is written and parsed again first, since the last bit of a float may
                // differ.
                let value: Value = serde_json::from_str(&value.to_string()).expect("it is JSON");
                assert_eq!(decoded.claims.get(name), Some(&value), "{name}");
            }
        }
    }
}

fn owned((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}

/// The claims that the crate itself writes.
const REGISTERED: [&str; 11] =
    ["aud", "csrf", "exp", "fresh", "iat", "iss", "jti", "nbf", "sid", "sub", "type"];

/// The members of a JSON object, in order.
pub fn members(json: &[u8]) -> Option<Vec<(String, Value)>> {
    struct Members;

    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, Value)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members: Self::Value = Vec::new();
            while let Some(member) = map.next_entry::<String, Value>()? {
                members.push(member);
            }
            Ok(members)
        }
    }

    let mut reader = serde_json::Deserializer::from_slice(json);
    let members = reader.deserialize_map(Members).ok()?;
    reader.end().ok()?;
    Some(members)
}

/// Whether all names are unique.
fn is_unique(members: &[(String, Value)]) -> bool {
    let names: HashSet<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    names.len() == members.len()
}

/// The names of RFC 7515 §4.1, and those that this crate refuses in every header.
fn is_good_header(members: &[(String, Value)]) -> bool {
    let refused = ["crit", "b64", "zip", "enc"];
    members.iter().any(|(name, value)| name == "alg" && value == "HS256")
        && !members.iter().any(|(name, _)| refused.contains(&name.as_str()))
}

/// Whether an access guard may accept these claims for `identity` at [`START`] (RFC 7519 §4.1).
fn is_good(members: &[(String, Value)], identity: &str) -> bool {
    let get = |name: &str| members.iter().find(|(other, _)| other == name).map(|(_, value)| value);
    let is_date = |name: &str, holds: fn(f64) -> bool| match get(name) {
        None => true,
        Some(value) => value.as_f64().is_some_and(holds),
    };
    let is_text = |name: &str| get(name).is_none_or(Value::is_string);
    get("exp").is_some()
        && is_date("exp", |exp| exp > START as f64)
        && is_date("nbf", |nbf| nbf <= START as f64)
        && is_date("iat", |iat| iat <= START as f64)
        && !identity.is_empty()
        && get("sub").is_some_and(|sub| sub == identity)
        && get("type").is_none_or(|token_type| token_type == "access")
        && ["jti", "iss", "sid"].into_iter().all(is_text)
}
