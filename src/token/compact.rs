//! The compact serialization (RFC 7515 §3.1): its three parts, reading and writing a header, base64url.

use base64_simd::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Header};
use serde_json::Value;

use super::claims::Claims;
use super::payload::unique::parse_object;
use crate::reason::Reason;

/// A header whose base64url text is longer than this is refused without being parsed. A header is
/// parsed before the signature is verified, so anybody could cause this work.
pub(crate) const MAX_HEADER_LENGTH: usize = 4096;

pub(crate) const INVALID_PAYLOAD: Reason = Reason::Malformed("Invalid payload string");

/// Parses a header's base64url text, checking every parameter.
pub(crate) fn header(encoded: &str) -> Result<Header, Reason> {
    let json = base64(encoded, "Invalid header padding")?;
    let invalid = || Reason::Malformed("Invalid header string");
    let members = parse_object(&json).map_err(|_| invalid())?;
    match members.get("alg") {
        None => return Err(Reason::WrongAlgorithm("Algorithm not specified")),
        // An object such as `{"HS256":null}` would also deserialize into the enum below.
        Some(Value::String(name)) if name.parse::<Algorithm>().is_ok() => (),
        Some(_) => return Err(Reason::WrongAlgorithm("The specified alg value is not allowed")),
    }
    for (name, refusal) in [
        // No extension is supported, so every `crit` list is refused (RFC 7515 §4.1.11).
        ("crit", "Unsupported critical extension"),
        ("b64", "Unsupported header parameter b64"),
        ("zip", "Unsupported header parameter zip"),
        ("enc", "Unsupported header parameter enc"),
    ] {
        if members.contains_key(name) {
            return Err(Reason::ForbiddenHeader(refusal));
        }
    }
    if !members.get("kid").is_none_or(Value::is_string) {
        return Err(Reason::ForbiddenHeader("Key ID header parameter must be a string"));
    }
    serde_json::from_value(Value::Object(members)).map_err(|_| invalid())
}

/// The `typ` of the headers that this crate writes, unless the application sets another one.
pub(crate) const OWN_TYP: &str = "JWT";

/// The three parts of a compact serialization (RFC 7515 §3.1), not yet decoded.
pub(crate) struct Parts<'a> {
    pub(crate) signed: &'a str,
    pub(crate) header: &'a str,
    payload: &'a str,
    pub(crate) signature: &'a str,
}

impl<'a> Parts<'a> {
    pub(crate) fn split(encoded: &'a str, max_length: usize) -> Result<Self, Reason> {
        if encoded.len() > max_length {
            return Err(Reason::TooLong);
        }
        let few = || Reason::Malformed("Not enough segments");
        let mut dots = memchr::memchr_iter(b'.', encoded.as_bytes());
        let (Some(first), Some(second)) = (dots.next(), dots.next()) else { return Err(few()) };
        if dots.next().is_some() {
            return Err(Reason::Malformed("Too many segments"));
        }
        let (signed, signature) = encoded.split_at(second);
        let (header, payload) = signed.split_at(first);
        let (payload, signature) = (&payload[1..], &signature[1..]);
        if header.len() > MAX_HEADER_LENGTH {
            return Err(Reason::TooLong);
        }
        Ok(Self { signed, header, payload, signature })
    }

    pub(crate) fn header(&self) -> Result<Header, Reason> {
        header(self.header)
    }

    /// The claims, which are untrusted until the signature is verified.
    pub(crate) fn claims(&self) -> Result<Claims, Reason> {
        parse_object(self.json()?.as_bytes()).map_err(|_| INVALID_PAYLOAD)
    }

    pub(crate) fn json(&self) -> Result<String, Reason> {
        let json = base64(self.payload, "Invalid payload padding")?;
        String::from_utf8(json).map_err(|_| INVALID_PAYLOAD)
    }
}

/// Decodes base64url without padding, in its canonical form only (RFC 7515 §2).
fn base64(part: &str, refusal: &'static str) -> Result<Vec<u8>, Reason> {
    URL_SAFE_NO_PAD.decode_to_vec(part).map_err(|_| Reason::Malformed(refusal))
}

/// The parameters of a token's header, without additional ones.
pub(crate) fn header_of(algorithm: Algorithm) -> Claims {
    let algorithm = format!("{algorithm:?}");
    Claims::from_iter([("alg".into(), algorithm.into()), ("typ".into(), OWN_TYP.into())])
}

/// A header's base64url text.
pub(crate) fn encode_header(header: &Claims) -> Result<String, serde_json::Error> {
    Ok(URL_SAFE_NO_PAD.encode_to_string(serde_json::to_vec(header)?))
}
