//! Arbitrary tokens: forged ones, broken ones, and well-signed ones with arbitrary contents.

use crate::support::arbitrary::{app, ask, check, text_of};
use crate::support::common::*;
use crate::support::*;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

#[test]
fn a_text_that_is_no_token_of_ours_is_refused() {
    let client = app();
    let parts = access();
    let parts: Vec<&str> = parts.split('.').collect();
    let pieces = [".", "..", "e30", "eyJhbGciOiJub25lIn0", "AAAA", "=", "-", "_"];
    let mut pieces = pieces.map(String::from).to_vec();
    pieces.extend(parts[..2].iter().map(|part| part.to_string()));
    check(600, text_of(pieces), |token| {
        for path in ["/access", "/any", "/many"] {
            let (status, _) = ask(client.get(path).header(Bearer(&token)))?;
            prop_assert_ne!(status, 200);
        }
        Ok(())
    });
}

#[test]
fn a_token_with_any_byte_changed_added_or_taken_away_is_refused() {
    let client = app();
    let good = access();
    let change = (any::<prop::sample::Index>(), 0u8..4, "[A-Za-z0-9_.=+/-]");
    check(600, change, |(at, kind, other)| {
        let at = at.index(good.len());
        let mut changed = good.clone();
        match kind {
            0 => changed.replace_range(at..at + 1, &other),
            1 => changed.insert_str(at, &other),
            2 => drop(changed.remove(at)),
            _ => changed.truncate(at),
        }
        let (status, _) = ask(client.get("/access").header(Bearer(&changed)))?;
        prop_assert_eq!(status == 200, changed == good);
        Ok(())
    });
}

/// Values that are right as often as not.
fn value() -> impl Strategy<Value = Value> {
    let near = -2i64..3;
    let texts = ["access", "refresh", "ada", "bob", "", "other", "the-csrf-value"];
    prop_oneof![
        4 => near.prop_map(|seconds| json!(START + seconds)),
        1 => (-2i64..3).prop_map(|seconds| json!((START + seconds) as f64 + 0.5)),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(|number| json!(number)),
        3 => proptest::sample::select(texts.to_vec()).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => proptest::collection::vec("[a-z]{0,3}", 0..3).prop_map(Value::from),
        1 => Just(json!([1, {"a": [null]}])),
        1 => Just(json!({"a": {"b": 1}})),
    ]
}

const NAMES: [&str; 11] =
    ["exp", "iat", "nbf", "sub", "type", "fresh", "csrf", "jti", "sid", "iss", "aud"];

/// Good claims, a few of which are replaced or taken away.
fn some_claims() -> impl Strategy<Value = Map<String, Value>> {
    let names = proptest::sample::select(NAMES.map(String::from).to_vec());
    let name = prop_oneof![9 => names, 1 => ".{0,5}"];
    let change = (name, prop_oneof![4 => value().prop_map(Some), 1 => Just(None)]);
    proptest::collection::vec(change, 0..4).prop_map(|changes| {
        let mut claims = claims().as_object().unwrap().clone();
        for (name, value) in changes {
            match value {
                Some(value) => claims.insert(name, value),
                None => claims.remove(&name),
            };
        }
        claims
    })
}

/// Whether an access guard lets these claims in at [`START`], by the text of RFC 7519 and the
/// documentation, written down anew.
fn is_good(claims: &Map<String, Value>) -> bool {
    let start = START as f64;
    let date = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => match value.as_f64() {
            Some(seconds) if (0.0..253_402_300_800.0).contains(&seconds) => Ok(Some(seconds)),
            _ => Err(()),
        },
    };
    let (Ok(exp), Ok(iat), Ok(nbf)) = (date("exp"), date("iat"), date("nbf")) else { return false };
    let is_text = |name: &str| claims.get(name).is_none_or(Value::is_string);
    let texts =
        |value: &Value| value.as_array().is_some_and(|all| all.iter().all(Value::is_string));
    let month = 30.0 * 24.0 * 3600.0;
    exp.is_some_and(|exp| start < exp)
        && iat.is_none_or(|iat| iat <= start)
        && nbf.is_none_or(|nbf| nbf <= start)
        && claims.get("sub").and_then(Value::as_str).is_some_and(|sub| !sub.is_empty())
        && claims.get("type").is_none_or(|value| value == "access")
        && ["jti", "iss", "sid"].into_iter().all(is_text)
        && ["jti", "sid"].into_iter().all(|name| claims.get(name).is_none_or(|id| id != ""))
        && claims.get("aud").is_none_or(|aud| aud.is_string() || texts(aud))
        && (!claims.contains_key("sid")
            || exp.zip(iat).is_some_and(|(exp, iat)| exp - iat <= month))
}

#[test]
fn well_signed_claims_are_let_in_exactly_if_they_are_good() {
    let client = app();
    check(1500, some_claims(), |claims| {
        let token = sign(&Value::Object(claims.clone()));
        let (status, text) = ask(client.get("/access").header(Bearer(&token)))?;
        prop_assert_eq!(status == 200, is_good(&claims), "{} {}", status, text);
        // Whoever is let in elsewhere has at least a name and time left.
        let (status, _) = ask(client.get("/any").header(Bearer(&token)))?;
        let mut as_access = claims.clone();
        if claims.get("type").is_some_and(|value| value == "refresh") {
            as_access.insert("type".into(), "access".into());
        }
        prop_assert_eq!(status == 200, is_good(&as_access));
        ask(client.get("/many").header(Bearer(&token)))?;
        Ok(())
    });
}

#[test]
fn a_well_signed_cookie_needs_its_own_csrf_claim() {
    let client = app();
    check(600, some_claims(), |claims| {
        let token = sign(&Value::Object(claims.clone()));
        let request = client.post("/access").cookie(in_cookie(&token)).header(csrf_header());
        let (status, text) = ask(request)?;
        let equal = claims.get("csrf").is_some_and(|csrf| csrf == "the-csrf-value");
        prop_assert_eq!(status == 200, equal && is_good(&claims), "{} {}", status, text);
        Ok(())
    });
}

#[test]
fn a_well_signed_header_is_let_in_only_without_what_is_refused() {
    let client = app();
    let names = [
        "typ", "kid", "cty", "crit", "b64", "zip", "enc", "jku", "jwk", "x5u", "x5c", "x5t",
        "x5t#S256", "url", "nonce", "own",
    ];
    let others = ["none", "HS384", "RS256", "hs256", "HS256 "];
    let algorithm = prop_oneof![
        3 => Just(json!("HS256")), 1 => value(), 1 => Just(json!({"HS256": null})),
        1 => proptest::sample::select(others.to_vec()).prop_map(Value::from),
    ];
    let member = (proptest::sample::select(names.to_vec()), value());
    let payload = claims().to_string();
    let members = proptest::collection::vec(member, 0..3);
    check(600, (algorithm, members), |(algorithm, members)| {
        let mut header = json!({"alg": algorithm});
        members.iter().for_each(|(name, value)| header[*name] = value.clone());
        let token = sign_text(&header.to_string(), &payload);
        let (status, text) = ask(client.get("/access").header(Bearer(&token)))?;
        let refused = ["crit", "b64", "zip", "enc"].iter().any(|name| header.get(name).is_some());
        prop_assert!(status != 200 || algorithm == "HS256" && !refused, "{}", text);
        let plain = members.iter().all(|(name, value)| {
            *name == "own" || ["kid", "cty"].contains(name) && value.is_string()
        });
        prop_assert!(status == 200 || algorithm != "HS256" || !plain, "{} {}", status, text);
        Ok(())
    });
}

#[test]
fn well_signed_text_that_is_no_object_is_refused() {
    let client = app();
    let pieces = [
        "{",
        "}",
        "\"sub\":\"ada\"",
        ",",
        "\"exp\":1900000000",
        "\"sub\":\"eve\"",
        "{\"a\":",
        "[",
        "]",
        "1e999",
        "\\u0000",
        "NaN",
        " ",
        "\"a\":{\"a\":",
        "\u{feff}",
    ];
    let pieces = pieces.map(String::from).to_vec();
    let good = r#"{"alg":"HS256"}"#;
    check(600, (text_of(pieces), any::<bool>()), |(text, in_header)| {
        let claims = claims().to_string();
        let token = match in_header {
            true => sign_text(&text, &claims),
            false => sign_text(good, &text),
        };
        let (status, _) = ask(client.get("/access").header(Bearer(&token)))?;
        let parsed: Option<Value> = serde_json::from_str(&text).ok();
        let claims = parsed.as_ref().and_then(Value::as_object);
        let whole = claims.is_some_and(is_good) && !in_header;
        prop_assert!(status != 200 || whole, "{}", status);
        // A name that comes twice is read by nobody.
        prop_assert!(status != 200 || text.matches("\"sub\"").count() == 1);
        Ok(())
    });
    let bytes = proptest::collection::vec(any::<u8>(), 0..80);
    check(250, (bytes.clone(), bytes), |(header, payload)| {
        let token = sign_parts(&base64url(&header), &base64url(&payload));
        let (status, _) = ask(client.get("/access").header(Bearer(&token)))?;
        prop_assert_ne!(status, 200);
        Ok(())
    });
}
