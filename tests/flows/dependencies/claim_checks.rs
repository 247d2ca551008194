//! Tokens that jsonwebtoken takes and this crate does not.

use rocket::local::blocking::Client;
use rocket_jwt_extended::{AccessToken, RefreshToken};
use serde_json::{Value, json};

use crate::support::ask::*;
use crate::support::*;

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().into()
}

#[get("/refresh")]
fn refresh(token: RefreshToken) -> String {
    token.identity().into()
}

fn site(toml: &str) -> (Client, ManualClock) {
    clocked(&format!("invalid_token_status = 422\n{toml}"), routes![me, refresh])
}

/// What a token of these claims is answered with.
fn told(client: &Client, claims: &Value) -> String {
    let response = get(client, "/me", &sign(claims));
    match response.status().code {
        200 => "ok".into(),
        _ => msg(response).1,
    }
}

const OUT_OF_RANGE: &str =
    "Expiration Time claim (exp) is out of range: seconds since 1970 are expected.";

#[test]
fn an_expected_issuer_or_audience_must_be_there_and_of_its_type() {
    let (client, _) = site("decode_issuer = \"me\"\ndecode_audience = \"us\"");
    let good = || with(json!({"iss": "me", "aud": "us"}));
    assert_eq!(told(&client, &good()), "ok");
    for (name, bad) in [
        ("iss", vec![json!(5), json!(null), json!({}), json!(true), json!(["me"]), json!("you")]),
        ("aud", vec![json!(5), json!(null), json!({}), json!([5]), json!(["us", 5]), json!([])]),
    ] {
        for value in bad {
            let mut claims = good();
            claims[name] = value;
            let (status, code) = code(get(&client, "/me", &sign(&claims)));
            assert_eq!((status, code.as_str()), (422, "token_invalid"), "{claims}");
        }
        let mut claims = good();
        claims.as_object_mut().unwrap().remove(name);
        assert_eq!(told(&client, &claims), format!("Token is missing the \"{name}\" claim"));
    }
    let mut claims = good();
    claims["aud"] = json!(["them", "us"]);
    assert_eq!(told(&client, &claims), "ok");
}

#[test]
fn a_subject_must_be_there_and_be_a_string() {
    let (client, _) = site("");
    for sub in [json!(5), json!(null), json!({}), json!(["ada"]), json!(true), json!(1.5)] {
        assert_eq!(told(&client, &with(json!({"sub": sub}))), "Subject must be a string");
    }
    assert_eq!(told(&client, &with(json!({"sub": ""}))), "Subject must not be empty");
    assert_eq!(told(&client, &without(&["sub"])), "Missing claim: sub");
}

#[test]
fn an_issuer_in_an_array_is_none_whatever_else_is_in_it() {
    let (client, _) = site("decode_issuer = [\"me\", \"myself\"]");
    for issuer in ["me", "myself"] {
        assert_eq!(told(&client, &with(json!({"iss": issuer}))), "ok");
    }
    for iss in [json!(["me"]), json!(["evil", "me"]), json!({"me": 1})] {
        assert_eq!(told(&client, &with(json!({"iss": iss}))), "Issuer must be a string");
    }
    // Without an expected one, too: the application may look at it.
    let (client, _) = site("");
    assert_eq!(told(&client, &with(json!({"iss": ["me"]}))), "Issuer must be a string");
}

#[test]
fn times_are_exact_and_none_is_left_out() {
    let (client, clock) = site("");
    let expired = "Token has expired";
    for (claims, text) in [
        // At `exp` it is over (RFC 7519 §4.1.4), and nothing is rounded up.
        (json!({"exp": START}), expired),
        (json!({"exp": START - 1}), expired),
        (json!({"exp": START as f64 + 0.4}), "ok"),
        (json!({"exp": START + 1}), "ok"),
        (json!({"nbf": START}), "ok"),
        (json!({"nbf": START + 1}), "The token is not yet valid (nbf)"),
        (json!({"iat": START + 1}), "The token is not yet valid (iat)"),
        (json!({"iat": "yesterday"}), "Issued At claim (iat) must be an integer."),
        (json!({"nbf": true}), "Not Before claim (nbf) must be an integer."),
        (json!({"exp": "1800000900"}), "Expiration Time claim (exp) must be an integer."),
        (json!({"exp": null}), "Expiration Time claim (exp) must be an integer."),
        (json!({"exp": -1}), OUT_OF_RANGE),
        (json!({"exp": 1e300}), OUT_OF_RANGE),
        (json!({"exp": (START + 900) * 1000}), OUT_OF_RANGE),
    ] {
        assert_eq!(told(&client, &with(claims.clone())), text, "{claims}");
    }
    assert_eq!(told(&client, &without(&["exp"])), "Missing claim: exp");
    let half = with(json!({"exp": START as f64 + 0.5}));
    clock.advance(rocket_jwt_extended::Duration::milliseconds(499));
    assert_eq!(told(&client, &half), "ok");
    clock.advance(rocket_jwt_extended::Duration::milliseconds(1));
    assert_eq!(told(&client, &half), expired);
}

#[test]
fn leeway_is_what_is_configured_and_goes_both_ways() {
    let (client, _) = site("decode_leeway = 60");
    for (claims, text) in [
        (json!({"exp": START - 59}), "ok"),
        (json!({"exp": START - 60}), "Token has expired"),
        (json!({"nbf": START + 60}), "ok"),
        (json!({"nbf": START + 61}), "The token is not yet valid (nbf)"),
        (json!({"iat": START + 60}), "ok"),
        (json!({"iat": START + 61}), "The token is not yet valid (iat)"),
    ] {
        assert_eq!(told(&client, &with(claims.clone())), text, "{claims}");
    }
}

/// What a token of that header is answered with.
fn told_of_header(client: &Client, header: &str) -> String {
    let response = get(client, "/me", &sign_text(header, &claims().to_string()));
    match response.status().code {
        200 => "ok".into(),
        _ => msg(response).1,
    }
}

#[test]
fn header_members_that_must_be_understood_are_refused() {
    let (client, _) = site("");
    for (member, text) in [
        (r#""crit":["exp"]"#, "Unsupported critical extension"),
        (r#""crit":[]"#, "Unsupported critical extension"),
        (r#""crit":null"#, "Unsupported critical extension"),
        (r#""b64":false"#, "Unsupported header parameter b64"),
        (r#""b64":true"#, "Unsupported header parameter b64"),
        (r#""zip":"DEF""#, "Unsupported header parameter zip"),
        (r#""enc":"A256GCM""#, "Unsupported header parameter enc"),
        (r#""typ":"JWT""#, "ok"),
        (r#""typ":"at+jwt""#, "ok"),
        (r#""jku":"https://evil.example/keys""#, "ok"),
    ] {
        let header = format!(r#"{{"alg":"HS256",{member}}}"#);
        assert_eq!(told_of_header(&client, &header), text, "{member}");
    }
    for alg in [r#"{"HS256":null}"#, r#""none""#, r#""hs256""#, "null", r#"["HS256"]"#] {
        let header = format!(r#"{{"alg":{alg},"typ":"JWT"}}"#);
        let text = "The specified alg value is not allowed";
        assert_eq!(told_of_header(&client, &header), text, "{alg}");
    }
}

#[test]
fn a_name_that_comes_twice_is_refused_wherever_it_is() {
    let (client, _) = site("");
    let jti = uuid::Uuid::new_v4();
    let base = format!(r#""sub":"ada","iat":{START},"exp":{},"jti":"{jti}""#, START + 900);
    let answered = |path, payload: String| {
        let token = sign_text(r#"{"alg":"HS256","typ":"JWT"}"#, &payload);
        let response = get(&client, path, &token);
        match response.status().code {
            200 => "ok".into(),
            _ => msg(response).1,
        }
    };
    assert_eq!(answered("/me", format!(r#"{{{base},"type":"access"}}"#)), "ok");
    for more in [
        r#""type":"access","type":"refresh""#,
        r#""type":"access","\u0074ype":"refresh""#,
        r#""jti":"another""#,
        r#""sub":"eve""#,
        r#""exp":9999999999"#,
        r#""fresh":false,"fresh":true"#,
        r#""role":"reader","role":"admin""#,
        r#""own":{"a":1,"a":2}"#,
        r#""own":[{"a":1,"a":2}]"#,
    ] {
        for path in ["/me", "/refresh"] {
            let text = "Invalid payload string";
            assert_eq!(answered(path, format!("{{{base},{more}}}")), text, "{more}");
        }
    }
    for header in [
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"HS256","kid":"a","kid":"b"}"#,
        r#"{"alg":"HS256","own":1,"own":2}"#,
    ] {
        assert_eq!(told_of_header(&client, header), "Invalid header string", "{header}");
    }
}
