//! Settings of the keys that sign and verify.

use crate::support::app::{App, launched, setting, shown, shown_beside, with_secret};
use crate::support::pem::{Kind, Pair, pair};
use crate::support::*;
use jsonwebtoken::{Algorithm, EncodingKey};
use rocket_jwt_extended::jsonwebtoken;

fn another_secret() -> String {
    secret().chars().rev().collect()
}

/// A token for ada by that algorithm and key.
fn by(algorithm: Algorithm, key: &EncodingKey) -> String {
    sign_as(algorithm, key, &format!(r#"{{"alg":"{algorithm:?}"}}"#), &claims().to_string())
}

fn es256(kind: Kind) -> EncodingKey {
    EncodingKey::from_ec_pem(pair(kind).private.as_bytes()).unwrap()
}

/// What comes of issuing a token and showing it.
fn issued(app: &App) -> String {
    match app.jwt().access_token("ada").encode() {
        Ok(token) => format!("{} {}", part(&token, 0)["alg"], app.me(&token)),
        Err(error) => error.to_string(),
    }
}

#[test]
fn algorithm_signs_and_verifies() {
    shown("algorithm = \"HS384\"", ["\"HS256\" ada", "\"HS384\" ada"], issued);
    shown("algorithm = \"HS512\"", ["\"HS256\" ada", "\"HS512\" ada"], issued);
    let refused = "401 The specified alg value is not allowed";
    shown("algorithm = \"HS384\"", ["ada", refused], |app| app.me(&sign(&claims())));
}

#[test]
fn decode_algorithms_are_accepted_beside_the_one_that_signs() {
    let secret = EncodingKey::from_secret(secret().as_bytes()).unwrap();
    let refused = "401 The specified alg value is not allowed";
    for lines in ["decode_algorithms = [\"HS384\"]", "decode_algorithms = \"HS384\""] {
        shown(lines, [refused, "ada"], |app| app.me(&by(Algorithm::HS384, &secret)));
        shown(lines, [refused, refused], |app| app.me(&by(Algorithm::HS512, &secret)));
        shown(lines, ["\"HS256\" ada", "\"HS256\" ada"], issued);
    }
    let lines = "decode_algorithms = [\"HS384\", \"HS256\"]";
    shown(lines, ["\"HS256\" ada", "\"HS256\" ada"], issued);
}

#[test]
fn decode_algorithms_lets_old_tokens_live_when_the_algorithm_changes() {
    let refused = "401 The specified alg value is not allowed";
    let base = "algorithm = \"HS512\"";
    shown_beside(base, "decode_algorithms = [\"HS256\"]", [refused, "ada"], |app| {
        app.me(&sign(&claims()))
    });
}

#[test]
fn secret_key_is_the_key_of_symmetric_algorithms() {
    let own = another_secret();
    let token = by(Algorithm::HS256, &EncodingKey::from_secret(own.as_bytes()).unwrap());
    let lines = format!("secret_key = \"{own}\"");
    let refused = "401 Signature verification failed";
    setting("", &lines, [refused, "ada"], launched(|app| app.me(&token)));
    let usual = launched(|app| app.me(&sign(&claims())));
    setting(&with_secret(""), "verify_sub = true", ["ada", "ada"], usual);
}

#[test]
fn private_key_signs() {
    let Pair { private, public } = pair(Kind::P256);
    let base = format!("algorithm = \"ES256\"\npublic_key = '''{public}'''");
    let verify_only = "no signing key is configured: verify only";
    let lines = format!("private_key = '''{private}'''");
    setting(&base, &lines, [verify_only, "\"ES256\" ada"], launched(issued));
}

#[test]
fn public_key_verifies() {
    let Pair { private, public } = pair(Kind::P256);
    let base = format!("algorithm = \"ES256\"\nprivate_key = '''{private}'''");
    let lines = format!("public_key = '''{public}'''");
    // It is derived where it is not written.
    setting(&base, &lines, ["\"ES256\" ada"; 2], launched(issued));
    let stranger = by(Algorithm::ES256, &es256(Kind::AnotherP256));
    let refused = "401 Signature verification failed";
    setting(&base, &lines, [refused; 2], launched(|app| app.me(&stranger)));
}

#[test]
fn token_cache_is_how_many_bytes_of_signatures_are_remembered() {
    let made = |figment| crate::support::app::launch(figment).unwrap_or_else(|log| panic!("{log}"));
    let key = format!("algorithm = \"ES256\"\nprivate_key = '''{}'''", pair(Kind::P256).private);
    for (cache, range) in
        [("", 200..=200), ("token_cache = 0", 0..=0), ("token_cache = 65536", 16..=199)]
    {
        let app = made(raw_figment(&format!("[default.jwt]\n{key}\n{cache}")));
        for _ in 0..200 {
            let token = app.jwt().access_token("ada").encode().unwrap();
            assert_eq!(app.me(&token), "ada");
            assert_eq!(app.me(&token), "ada");
        }
        let remembered = app.jwt().remembered_signatures();
        assert!(range.contains(&remembered), "{cache}: {remembered}");
    }
    // An HMAC is as cheap as a look.
    let app = made(figment(""));
    assert_eq!(app.me(&app.jwt().access_token("ada").encode().unwrap()), "ada");
    assert_eq!(app.jwt().remembered_signatures(), 0);
}
