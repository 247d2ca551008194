//! Checks `decode_typ` and `required_claims`, the first requirements for a token.

use serde_json::Value;

use super::findings::Findings;
use super::identifiers;
use super::values::{OneOrMany, RequiredClaims};
use crate::settings::{RequiredClaim, bare_typ};
use crate::token::payload::slots::REGISTERED;

/// The default of `decode_typ`: the `typ` that this crate writes, tokens without `typ`, and the
/// access tokens of RFC 9068.
const USUAL_TYPS: [&str; 3] = ["", "JWT", "at+jwt"];

/// The accepted `typ`s; `None` means a header without `typ`.
pub(super) fn decode_typ(
    list: Option<&OneOrMany>,
    findings: &mut Findings<'_>,
) -> Vec<Option<String>> {
    let Some(OneOrMany(typs)) = list else { return USUAL_TYPS.map(typ).into() };
    if typs.is_empty() {
        findings.fault("decode_typ", "must not be empty");
    }
    let is_typ = |text: &String| text.bytes().all(|byte| byte.is_ascii_graphic());
    if !typs.iter().all(is_typ) || typs.iter().any(|text| typ(text).as_deref() == Some("")) {
        findings.fault(
            "decode_typ",
            "can only contain media types such as \"at+jwt\" (RFC 7515 §4.1.9)",
        );
    }
    typs.iter().map(|text| typ(text)).collect()
}

/// An empty string means no `typ`.
fn typ(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| bare_typ(text).into())
}

/// The required claims, with their accepted values.
pub(super) fn required_claims(
    required: &RequiredClaims,
    findings: &mut Findings<'_>,
) -> Vec<RequiredClaim> {
    let key = "required_claims";
    let table = match required {
        RequiredClaims::List(names) => {
            if names.iter().any(String::is_empty) {
                findings.fault(key, "must not hold an empty string");
            }
            return names.iter().map(|name| RequiredClaim::any(name)).collect();
        }
        RequiredClaims::Table(table) => table,
    };
    let mut claims = Vec::new();
    if !table.iter().any(|(name, _)| name == "exp") {
        claims.push(RequiredClaim::any("exp"));
    }
    for (name, value) in table {
        // Except `fresh`, these claims are never `true` in a token.
        let is_never_true = REGISTERED.contains(&name.as_str()) && name != "fresh";
        match value {
            Value::Bool(true) if is_never_true => claims.push(RequiredClaim::any(name)),
            Value::Bool(false) if name == "exp" => (),
            _ if ["exp", "nbf", "iat"].contains(&name.as_str()) => findings.fault(
                key,
                format_args!("has a value for `{name}`, which can only be required: write `true`"),
            ),
            Value::Bool(false) if is_never_true => findings.fault(
                key,
                format_args!("has `false` for `{name}`: only `exp` can be switched off"),
            ),
            _ => match allowed(value) {
                Some(values) if !name.is_empty() => {
                    claims.push(RequiredClaim { name: name.clone(), values: Some(values) });
                }
                _ => findings.fault(
                    key,
                    format_args!(
                        "must give `{name}` a text, a whole number or a boolean, or a list of them"
                    ),
                ),
            },
        }
    }
    identifiers::of_claims(key, &claims, findings);
    claims
}

/// The accepted values of a claim, if they can be compared.
fn allowed(value: &Value) -> Option<Vec<Value>> {
    let is_plain = |value: &Value| match value {
        Value::String(_) | Value::Bool(_) => true,
        Value::Number(number) => number.is_i64() || number.is_u64(),
        _ => false,
    };
    match value {
        Value::Array(many) if !many.is_empty() && many.iter().all(is_plain) => Some(many.clone()),
        one if is_plain(one) => Some(vec![one.clone()]),
        _ => None,
    }
}
