//! The hook that finds the key of a token, by what nothing vouches for yet.

use std::sync::{Arc, Mutex};

use crate::support::app::{App, GOOD};
use crate::support::pem::{Kind, pair};
use crate::support::*;
use jsonwebtoken::{Algorithm, EncodingKey};
use rocket_jwt_extended::{Claims, Header, Jwt, VerifyingKey, jsonwebtoken};
use serde_json::json;

fn with_secret(
    hook: impl Fn(&Header, &Claims) -> Option<VerifyingKey> + Send + Sync + 'static,
) -> App {
    let lines = format!("secret_key = \"{}\"", secret());
    App::hooked(&lines, Jwt::fairing().verifying_key(hook))
}

fn es256() -> VerifyingKey {
    VerifyingKey::from_pem(Algorithm::ES256, pair(Kind::P256).public.as_bytes()).unwrap()
}

fn by_es256(header: &str, claims: &serde_json::Value) -> String {
    let key = EncodingKey::from_ec_pem(pair(Kind::P256).private.as_bytes()).unwrap();
    sign_as(Algorithm::ES256, &key, header, &claims.to_string())
}

#[test]
fn the_hook_sees_header_and_claims_before_any_check() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = seen.clone();
    let app = with_secret(move |header, claims| {
        let line = format!("{:?} {:?} {}", header.alg, header.kid, claims["sub"]);
        note.lock().unwrap().push(line);
        None
    });
    let header = r#"{"alg":"HS256","kid":"k1"}"#;
    for (token, said, seen_as) in [
        (sign_text(header, &claims().to_string()), GOOD, Some("\"ada\"")),
        (
            sign_text(header, &with(json!({"exp": 1})).to_string()),
            "Token has expired",
            Some("\"ada\""),
        ),
        (sign_text(header, r#"{"sub":5}"#), "Subject must be a string", Some("5")),
        (
            format!("{}.AAAA", sign_text(header, r#"{"sub":"eve"}"#).rsplit_once('.').unwrap().0),
            "Signature verification failed",
            Some("\"eve\""),
        ),
        (sign_text(header, "[]"), "Invalid payload string", None),
        (
            sign_text(r#"{"alg":"HS256","kid":5}"#, "{}"),
            "Key ID header parameter must be a string",
            None,
        ),
        (sign_text(r#"{"alg":"none"}"#, "{}"), "The specified alg value is not allowed", None),
        (
            sign_text(r#"{"alg":"HS256","crit":["x"]}"#, "{}"),
            "Unsupported critical extension",
            None,
        ),
        ("x".repeat(20_000), "Token is too long", None),
    ] {
        seen.lock().unwrap().clear();
        assert_eq!(app.decode(&token), said);
        let expected = seen_as.map(|sub| format!("HS256 Some(\"k1\") {sub}"));
        assert_eq!(seen.lock().unwrap().first().cloned(), expected, "{said}");
    }
}

#[test]
fn the_hook_is_asked_once_a_request() {
    #[get("/all")]
    fn all(
        _one: rocket_jwt_extended::AccessToken,
        _two: rocket_jwt_extended::AnyToken<Claims>,
        _three: rocket_jwt_extended::Optional,
    ) -> &'static str {
        GOOD
    }
    let count = Arc::new(Mutex::new(0));
    let counted = count.clone();
    let fairing = Jwt::fairing().clock(clock_at_start()).verifying_key(move |_, _| {
        *counted.lock().unwrap() += 1;
        None
    });
    let client = client("", fairing, routes![all]);
    let response = client.get("/all").header(Bearer(&sign(&claims()))).dispatch();
    assert_eq!(response.into_string().as_deref(), Some(GOOD));
    assert_eq!(*count.lock().unwrap(), 1);
}

#[test]
fn keys_can_be_chosen_by_kid_or_by_issuer_and_each_verifies_its_own_alone() {
    let other: String = secret().chars().rev().collect();
    let second = other.clone();
    let app = with_secret(move |header, claims| {
        let by_kid = header.kid.as_deref() == Some("second");
        let by_issuer = claims.get("iss").is_some_and(|issuer| issuer == "second");
        let secret = if by_kid || by_issuer { second.as_bytes() } else { secret().as_bytes() };
        VerifyingKey::from_secret(Algorithm::HS256, secret).ok()
    });
    let keys =
        [secret().as_bytes(), other.as_bytes()].map(|one| EncodingKey::from_secret(one).unwrap());
    let bad = "Signature verification failed";
    for (header, claims, first, second) in [
        (r#"{"alg":"HS256"}"#, claims(), GOOD, bad),
        (r#"{"alg":"HS256","kid":"first"}"#, claims(), GOOD, bad),
        (r#"{"alg":"HS256","kid":"second"}"#, claims(), bad, GOOD),
        (r#"{"alg":"HS256"}"#, with(json!({"iss": "second"})), bad, GOOD),
    ] {
        for (key, expected) in keys.iter().zip([first, second]) {
            let token = sign_as(Algorithm::HS256, key, header, &claims.to_string());
            assert_eq!(app.decode(&token), expected, "{header} {claims}");
            assert_eq!(app.guard("access", &token), expected);
        }
    }
}

#[test]
fn a_hook_without_a_key_leaves_it_to_the_configured_ones_if_there_are_any() {
    let app = with_secret(|_, _| None);
    assert_eq!(app.decode(&sign(&claims())), GOOD);
    let alone = App::hooked("", Jwt::fairing().verifying_key(|_, _| None));
    let refusal = alone.refusal(&sign(&claims())).unwrap();
    assert_eq!(refusal.to_string(), "No key for this token");
    assert_eq!((refusal.status().code, refusal.code()), (401, "token_invalid"));
    assert_eq!(alone.guard("access", &sign(&claims())), "No key for this token");
}

#[test]
fn a_key_of_the_hook_is_pinned_to_its_algorithm_too() {
    let app = with_secret(|_, _| Some(es256()));
    assert_eq!(app.decode(&by_es256(r#"{"alg":"ES256"}"#, &claims())), GOOD);
    let not_allowed = "The specified alg value is not allowed";
    // The configured secret is not asked where the hook has a key.
    assert_eq!(app.decode(&sign(&claims())), not_allowed);
    let public = EncodingKey::from_secret(pair(Kind::P256).public.as_bytes()).unwrap();
    for header in [r#"{"alg":"HS256"}"#, r#"{"alg":"ES384"}"#, r#"{"alg":"RS256"}"#] {
        let token = sign_as(Algorithm::HS256, &public, header, &claims().to_string());
        assert_eq!(app.decode(&token), not_allowed, "{header}");
    }
}

#[test]
fn a_hook_that_panics_is_the_servers_fault_and_lets_nobody_in() {
    let app = with_secret(|header, _| match header.kid.as_deref() {
        Some("trap") => panic!("the key store is on fire"),
        _ => None,
    });
    let trap = sign_text(r#"{"alg":"HS256","kid":"trap"}"#, &claims().to_string());
    let response = app.client.get("/access").header(Bearer(&trap)).dispatch();
    assert_eq!(response.status().code, 500);
    assert!(!response.into_string().unwrap_or_default().contains("on fire"));
    // And the next request is served as ever.
    assert_eq!(app.guard("access", &sign(&claims())), GOOD);
}

#[test]
fn keys_made_in_code_are_checked_like_configured_ones() {
    use rocket_jwt_extended::SigningKey;
    let text = |error: rocket_jwt_extended::Error| error.to_string();
    for (algorithm, length) in
        [(Algorithm::HS256, 32), (Algorithm::HS384, 48), (Algorithm::HS512, 64)]
    {
        let secret = secret().as_bytes();
        assert!(SigningKey::from_secret(algorithm, &secret[..length]).is_ok());
        assert!(VerifyingKey::from_secret(algorithm, &secret[..length]).is_ok());
        for error in [
            SigningKey::from_secret(algorithm, &secret[..length - 1]).unwrap_err(),
            VerifyingKey::from_secret(algorithm, &secret[..length - 1]).unwrap_err(),
        ] {
            let expected = format!("is shorter than the {length} bytes {algorithm:?} needs");
            assert!(text(error).starts_with(&expected));
        }
        assert_eq!(
            text(VerifyingKey::from_secret(algorithm, b"").unwrap_err()),
            "must not be empty"
        );
        let pem = pair(Kind::Rsa).public.as_bytes();
        let expected = "is a key of another kind, not a secret";
        let error = text(VerifyingKey::from_secret(algorithm, pem).unwrap_err());
        assert!(error.starts_with(expected), "{error}");
        let error = text(SigningKey::from_secret(algorithm, pem).unwrap_err());
        assert!(error.starts_with(expected), "{error}");
        let expected = format!("is of another kind than {algorithm:?} needs");
        assert_eq!(text(VerifyingKey::from_pem(algorithm, pem).unwrap_err()), expected);
    }
    let pair = pair(Kind::P256);
    let (private, public) = (pair.private.as_bytes(), pair.public.as_bytes());
    let expected = "is of another kind than ES256 needs";
    assert_eq!(text(SigningKey::from_secret(Algorithm::ES256, private).unwrap_err()), expected);
    let key = SigningKey::from_pem(Algorithm::ES256, private).unwrap();
    assert_eq!(key.clone().algorithm(), Algorithm::ES256);
    let key = VerifyingKey::from_pem(Algorithm::ES256, public).unwrap();
    assert_eq!(key.clone().algorithm(), Algorithm::ES256);
    let expected = "holds a private key where a public one belongs";
    let error = text(VerifyingKey::from_pem(Algorithm::ES256, private).unwrap_err());
    assert!(error.starts_with(expected), "{error}");
    let expected = "holds a public key where a private one belongs";
    let error = text(SigningKey::from_pem(Algorithm::ES256, public).unwrap_err());
    assert!(error.starts_with(expected), "{error}");
    for algorithm in [Algorithm::ES384, Algorithm::RS256, Algorithm::EdDSA] {
        assert!(VerifyingKey::from_pem(algorithm, public).is_err(), "{algorithm:?}");
        assert!(SigningKey::from_pem(algorithm, private).is_err(), "{algorithm:?}");
    }
}
