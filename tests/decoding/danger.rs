//! Reading what nothing vouches for: it has its own module, and still refuses what is malformed.

use crate::support::app::App;
use crate::support::*;
use rocket_jwt_extended::danger::{unverified_claims, unverified_header};
use rocket_jwt_extended::jsonwebtoken::Algorithm;
use rocket_jwt_extended::{Claims, NoClaims};

#[derive(rocket::serde::Deserialize)]
#[serde(crate = "rocket::serde")]
struct Own {
    sub: String,
}

#[test]
fn header_and_claims_are_read_whoever_wrote_them() {
    let good =
        sign_text(r#"{"alg":"HS256","kid":"k1","typ":"at+jwt"}"#, r#"{"sub":"eve","exp":1}"#);
    let (message, _) = good.rsplit_once('.').unwrap();
    for token in [good.clone(), format!("{message}.AAAA"), format!("{message}.")] {
        let header = unverified_header(&token).unwrap();
        assert_eq!(header.alg, Algorithm::HS256);
        assert_eq!((header.kid.as_deref(), header.typ.as_deref()), (Some("k1"), Some("at+jwt")));
        let claims: Claims = unverified_claims(&token).unwrap();
        assert_eq!(claims["sub"], "eve");
        assert_eq!(unverified_claims::<Own>(&token).unwrap().sub, "eve");
        assert_eq!(unverified_claims::<NoClaims>(&token).unwrap(), NoClaims);
    }
    // No other way leads to them.
    let forged = format!("{message}.AAAA");
    assert_eq!(App::new("").decode(&forged), "Signature verification failed");
    let elsewhere = sign_text(r#"{"alg":"EdDSA"}"#, r#"{"sub":"eve"}"#);
    assert_eq!(unverified_header(&elsewhere).unwrap().alg, Algorithm::EdDSA);
}

#[test]
fn what_is_no_token_is_refused_with_a_reason() {
    let header =
        |text: &str| unverified_header(&sign_text(text, "{}")).map(|_| ()).unwrap_err().to_string();
    let claims = |text: &str| {
        let token = sign_text(r#"{"alg":"HS256"}"#, text);
        unverified_claims::<Claims>(&token).map(|_| ()).unwrap_err().to_string()
    };
    assert_eq!(unverified_header("").unwrap_err().to_string(), "Not enough segments");
    assert_eq!(unverified_header("a.b.c.d").unwrap_err().to_string(), "Too many segments");
    assert_eq!(unverified_header("a+.b.c").unwrap_err().to_string(), "Invalid header padding");
    assert_eq!(header("[]"), "Invalid header string");
    assert_eq!(header("{}"), "Algorithm not specified");
    assert_eq!(header(r#"{"alg":"none"}"#), "The specified alg value is not allowed");
    assert_eq!(header(r#"{"alg":"HS256","crit":["x"]}"#), "Unsupported critical extension");
    assert_eq!(header(r#"{"alg":"HS256","kid":5}"#), "Key ID header parameter must be a string");
    assert_eq!(claims("[]"), "Invalid payload string");
    assert_eq!(claims(r#"{"a":1,"a":2}"#), "Invalid payload string");
    assert_eq!(unverified_claims::<Claims>("a.b").unwrap_err().to_string(), "Not enough segments");
    let token = sign_text(r#"{"alg":"HS256"}"#, r#"{"sub":5}"#);
    let refusal = unverified_claims::<Own>(&token).map(|_| ()).unwrap_err();
    assert_eq!(refusal.to_string(), "Claims are not of the expected form");
    assert_eq!((refusal.code(), refusal.status().code), ("token_invalid", 401));
    assert!(refusal.token().is_none());
}

#[test]
fn what_is_too_long_is_not_read_here_either() {
    let long = format!("e30.{}.x", "A".repeat(1 << 20));
    assert_eq!(unverified_header(&long).unwrap_err().to_string(), "Token is too long");
    assert_eq!(unverified_claims::<Claims>(&long).unwrap_err().to_string(), "Token is too long");
    let header = format!("{}.e30.x", "A".repeat(4097));
    assert_eq!(unverified_header(&header).unwrap_err().to_string(), "Token is too long");
}
