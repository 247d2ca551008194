//! The header: which members are refused, which are not looked at, and that none supplies a key.

use std::net::TcpListener;

use crate::support::app::{App, GOOD};
use crate::support::jwk;
use crate::support::pem::{Kind, pair};
use crate::support::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, EncodingKey};
use rocket_jwt_extended::Jwt;
use rocket_jwt_extended::jsonwebtoken;

fn said(header: &str) -> String {
    App::new("").decode(&sign_text(header, &claims().to_string()))
}

#[test]
fn alg_is_the_name_of_the_keys_own_algorithm() {
    let not_allowed = "The specified alg value is not allowed";
    for (header, expected) in [
        (r#"{"alg":"HS256"}"#, GOOD),
        (r#"{"typ":"JWT"}"#, "Algorithm not specified"),
        (r#"{}"#, "Algorithm not specified"),
        (r#"{"ALG":"HS256"}"#, "Algorithm not specified"),
        (r#"{"alg":null}"#, not_allowed),
        (r#"{"alg":""}"#, not_allowed),
        (r#"{"alg":"none"}"#, not_allowed),
        (r#"{"alg":"None"}"#, not_allowed),
        (r#"{"alg":"NONE"}"#, not_allowed),
        (r#"{"alg":"nOnE"}"#, not_allowed),
        (r#"{"alg":"hs256"}"#, not_allowed),
        (r#"{"alg":"HS256 "}"#, not_allowed),
        (r#"{"alg":" HS256"}"#, not_allowed),
        (r#"{"alg":"HS256\u0000"}"#, not_allowed),
        (r#"{"alg":"HS384"}"#, not_allowed),
        (r#"{"alg":"RS256"}"#, not_allowed),
        (r#"{"alg":"ES512"}"#, not_allowed),
        (r#"{"alg":"dir"}"#, not_allowed),
        (r#"{"alg":256}"#, not_allowed),
        (r#"{"alg":true}"#, not_allowed),
        (r#"{"alg":["HS256"]}"#, not_allowed),
        (r#"{"alg":{"HS256":null}}"#, not_allowed),
        (r#"{"alg":{}}"#, not_allowed),
        (r#"{"alg":"\u0048S256"}"#, GOOD),
    ] {
        assert_eq!(said(header), expected, "{header}");
    }
}

#[test]
fn an_unsigned_token_is_refused_however_it_says_so() {
    let app = App::new("");
    for alg in ["none", "None", "NONE", "nOnE", "HS256"] {
        let header = base64url(format!(r#"{{"alg":"{alg}"}}"#).as_bytes());
        let payload = base64url(claims().to_string().as_bytes());
        let unsigned = format!("{header}.{payload}.");
        let expected = match alg {
            "HS256" => "Signature verification failed",
            _ => "The specified alg value is not allowed",
        };
        assert_eq!(app.decode(&unsigned), expected, "{alg}");
        assert_eq!(app.guard("access", &unsigned), expected, "{alg}");
        let lax = app.jwt().decoder().allow_expired();
        assert!(lax.decode::<rocket_jwt_extended::NoClaims>(&unsigned).is_err());
    }
}

#[test]
fn an_extension_that_must_be_understood_is_refused() {
    for (header, expected) in [
        (r#""crit":["exp"]"#, "Unsupported critical extension"),
        (r#""crit":["foo"],"foo":1"#, "Unsupported critical extension"),
        (r#""crit":[]"#, "Unsupported critical extension"),
        (r#""crit":["b64"],"b64":true"#, "Unsupported critical extension"),
        (r#""crit":["alg","alg"]"#, "Unsupported critical extension"),
        (r#""crit":null"#, "Unsupported critical extension"),
        (r#""crit":"foo""#, "Unsupported critical extension"),
        (r#""b64":false"#, "Unsupported header parameter b64"),
        (r#""b64":true"#, "Unsupported header parameter b64"),
        (r#""b64":null"#, "Unsupported header parameter b64"),
        (r#""zip":"DEF""#, "Unsupported header parameter zip"),
        (r#""enc":"A128GCM""#, "Unsupported header parameter enc"),
        (r#""foo":1"#, GOOD),
        (r#""Crit":["foo"]"#, GOOD),
    ] {
        assert_eq!(said(&format!(r#"{{"alg":"HS256",{header}}}"#)), expected, "{header}");
    }
}

#[test]
fn typ_is_absent_or_that_of_an_access_token_in_any_case_with_its_prefix_or_without() {
    for typ in ["JWT", "jwt", "at+jwt", "AT+JWT", "application/jwt", "Application/At+Jwt"] {
        assert_eq!(said(&format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#)), GOOD, "{typ}");
    }
    assert_eq!(said(r#"{"alg":"HS256"}"#), GOOD);
    assert_eq!(said(r#"{"alg":"HS256","typ":null}"#), GOOD);
    let refused = "The specified typ value is not allowed";
    for typ in [
        "logout+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "foo+jwt",
        "JOSE",
        "",
        " JWT",
        "JWT ",
        "text/jwt",
        "application/",
        "application/application/jwt",
        "at+jwt\\u0000",
    ] {
        assert_eq!(said(&format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#)), refused, "{typ}");
    }
    // But it must be what a `typ` is.
    for typ in ["5", "[]", "{}", "true"] {
        let text = said(&format!(r#"{{"alg":"HS256","typ":{typ}}}"#));
        assert_eq!(text, "Invalid header string", "{typ}");
    }
}

#[test]
fn kid_is_a_text_that_leads_nowhere() {
    let text = "Key ID header parameter must be a string";
    for kid in ["5", "null", "true", "[]", "{}", "[\"k\"]"] {
        assert_eq!(said(&format!(r#"{{"alg":"HS256","kid":{kid}}}"#)), text, "{kid}");
    }
    for kid in [
        "",
        "k1",
        "../../../../dev/null",
        "/etc/passwd",
        "' OR '1'='1",
        "k\\u0000",
        "https://evil.example/key",
        "$(id)",
    ] {
        assert_eq!(said(&format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#)), GOOD, "{kid}");
    }
    let long = "k".repeat(10_000);
    assert_eq!(said(&format!(r#"{{"alg":"HS256","kid":"{long}"}}"#)), "Token is too long");
}

#[test]
fn a_key_that_comes_with_the_token_is_no_key() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let ours = &pair(Kind::P256).public;
    let lines = format!("algorithm = \"ES256\"\npublic_key = '''{ours}'''");
    let app = App::hooked(&lines, rocket_jwt_extended::Jwt::fairing());
    let theirs = pair(Kind::AnotherP256);
    let attacker = EncodingKey::from_ec_pem(theirs.private.as_bytes()).unwrap();
    let own = EncodingKey::from_ec_pem(pair(Kind::P256).private.as_bytes()).unwrap();
    let der = jwk::der(&theirs.public);
    let point = &der[der.len() - 64..];
    let (x, y) = (base64url(&point[..32]), base64url(&point[32..]));
    let key = format!(r#"{{"kty":"EC","crv":"P-256","alg":"ES256","x":"{x}","y":"{y}"}}"#);
    for member in [
        format!(r#""jwk":{key}"#),
        format!(r#""jku":"http://{at}/jwks.json""#),
        format!(r#""x5u":"http://{at}/cert.pem""#),
        format!(r#""x5c":["{}"]"#, STANDARD.encode(&der)),
        format!(r#""kid":"http://{at}/key""#),
    ] {
        let header = format!(r#"{{"alg":"ES256",{member}}}"#);
        let forged = sign_as(Algorithm::ES256, &attacker, &header, &claims().to_string());
        assert_eq!(app.decode(&forged), "Signature verification failed", "{header}");
        // The same with our key's signature is a token like any other.
        let good = sign_as(Algorithm::ES256, &own, &header, &claims().to_string());
        assert_eq!(app.decode(&good), GOOD, "{header}");
    }
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "somebody asked for a key");
}

#[test]
fn the_typ_is_checked_before_the_key_and_before_any_hook_is_asked() {
    let fairing = Jwt::fairing().verifying_key(|_, _| panic!("a hook was asked"));
    let app = App::hooked("secret_key = \"unused, as the hook panics: 0123456789abcdef\"", fairing);
    let token = sign_text(r#"{"alg":"HS512","typ":"logout+jwt"}"#, &claims().to_string());
    assert_eq!(app.decode(&token), "The specified typ value is not allowed");
}

#[test]
fn decode_typ_names_what_is_accepted_and_nothing_else_is() {
    for (lines, accepted) in [
        ("decode_typ = \"at+jwt\"", ["at+jwt", "application/AT+jwt"].as_slice()),
        ("decode_typ = [\"application/jwt\", \"\"]", &["JWT", "no typ"]),
        ("decode_typ = \"\"", &["no typ"]),
        ("decode_typ = [\"x+jwt\", \"jwt\"]", &["JWT", "X+JWT"]),
    ] {
        let app = App::new(lines);
        for typ in ["JWT", "at+jwt", "application/AT+jwt", "X+JWT", "no typ", "logout+jwt"] {
            let header = match typ {
                "no typ" => r#"{"alg":"HS256"}"#.into(),
                typ => format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#),
            };
            let said = app.decode(&sign_text(&header, &claims().to_string()));
            let expected = match accepted.contains(&typ) {
                true => GOOD,
                false => "The specified typ value is not allowed",
            };
            assert_eq!(said, expected, "{lines}: {typ}");
        }
    }
}
