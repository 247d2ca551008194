//! Arbitrary bodies of arbitrary types.

use crate::support::arbitrary::{app, ask, check, text_of};
use crate::support::common::*;
use proptest::prelude::*;
use rocket::http::{ContentType, Header};
use serde_json::{Value, json};

/// Any JSON, not deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,8}".prop_map(Value::from),
        Just(Value::from(access())),
    ];
    let name = || {
        prop_oneof![
            3 => Just("access_token".to_string()), 1 => Just("refresh_token".to_string()),
            2 => ".{0,4}",
        ]
    };
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

#[test]
fn json_lets_in_by_a_good_token_under_the_key_alone() {
    let client = app();
    let good = access();
    let value = prop_oneof![2 => any_json(), 1 => Just(json!({"access_token": good}))];
    check(600, value, |body| {
        for path in ["/unit", "/json"] {
            let request = client.post(path).header(ContentType::JSON).body(body.to_string());
            let (status, text) = ask(request)?;
            let by_token = status == 200 && text == "ada";
            // Every token that is generated is good.
            let found = body.get("access_token").and_then(Value::as_str);
            prop_assert_eq!(by_token, found.is_some_and(|found| found.len() > 50), "{}", text);
        }
        Ok(())
    });
}

#[test]
fn broken_json_is_never_the_servers_fault() {
    let client = app();
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"access_token\"",
        "\"",
        "\\u0000",
        "\\ud800",
        "1e999",
        "-",
        "null",
        "{\"access_token\":",
        "\"x\"}",
        "/*",
        "\u{feff}",
    ];
    let pieces = pieces.map(String::from).to_vec();
    check(600, (text_of(pieces), any::<bool>()), |(body, cut)| {
        let body = if cut { body.repeat(200) } else { body };
        for path in ["/unit", "/json", "/form"] {
            let request = client.post(path).header(ContentType::JSON).body(&body);
            let (status, text) = ask(request)?;
            prop_assert!(status != 200 || text.starts_with("nobody"), "{}", text);
        }
        Ok(())
    });
}

#[test]
fn any_bytes_of_any_type_are_answered() {
    let client = app();
    let types = [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=X",
        "multipart/form-data; boundary=\"X Y\"",
        "multipart/form-data; boundary=",
        "multipart/form-data",
        "multipart/form-data; boundary=\u{fc}",
        "text/plain",
        "application/json; charset=utf-16",
        "/",
        "",
    ];
    let types = proptest::sample::select(types.map(String::from).to_vec());
    let bytes = proptest::collection::vec(any::<u8>(), 0..200);
    let pieces = [
        "--X",
        "--X--",
        "\r\n",
        "\r\n\r\n",
        "Content-Disposition: form-data; name=\"csrf_token\"",
        "Content-Disposition: form-data; name=\"text\"; filename=\"\"",
        "Content-Type: text/plain; charset=x",
        "csrf_token=",
        "&",
        "the-csrf-value",
        "text=a",
        "list[0]=1",
        "list[]=2",
        "map[a]=b",
        "map[",
        "].",
        "[",
        "%zz",
    ];
    let text = text_of(pieces.map(String::from).to_vec()).prop_map(String::into_bytes);
    let body = prop_oneof![1 => bytes, 3 => text];
    let token = access();
    check(600, (types, body, any::<bool>()), |(content_type, body, with_cookie)| {
        for path in ["/unit", "/json", "/form"] {
            let header = Header::new("Content-Type", content_type.clone());
            let mut request = client.post(path).header(header).body(&body);
            if with_cookie {
                request = request.cookie(in_cookie(&token));
            }
            let (status, text) = ask(request)?;
            let proven = String::from_utf8_lossy(&body).contains("csrf");
            prop_assert!(status != 200 || text.starts_with("nobody") || with_cookie && proven);
        }
        Ok(())
    });
}

#[test]
fn a_field_of_a_well_formed_form_is_found_whatever_is_around_it() {
    let client = app();
    let token = access();
    let around = proptest::collection::vec(("[a-z]{1,6}", ".{0,12}"), 0..5);
    check(250, (around, 0usize..6, any::<bool>()), |(around, at, multipart)| {
        let mut fields = around;
        let proof = ("csrf_token".to_string(), "the-csrf-value".to_string());
        fields.insert(at.min(fields.len()), proof);
        let (content_type, body) = match multipart {
            true => ("multipart/form-data; boundary=XyZ", as_multipart(&fields)),
            false => ("application/x-www-form-urlencoded", as_urlencoded(&fields)),
        };
        let request = client.post("/unit").cookie(in_cookie(&token)).body(body);
        let (status, text) = ask(request.header(Header::new("Content-Type", content_type)))?;
        prop_assert_eq!((status, &*text), (200, "ada"));
        Ok(())
    });
}

fn as_urlencoded(fields: &[(String, String)]) -> String {
    let pair = |(name, value): &(String, String)| {
        let value: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
        format!("{name}={value}")
    };
    fields.iter().map(pair).collect::<Vec<_>>().join("&")
}

fn as_multipart(fields: &[(String, String)]) -> String {
    let part = |(name, value): &(String, String)| {
        format!("--XyZ\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    fields.iter().map(part).collect::<String>() + "--XyZ--\r\n"
}
