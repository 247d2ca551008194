//! Keys, backends and versions that would fail later if they did not fail at launch.

use rocket::local::blocking::Client;
use rocket_jwt_extended::jsonwebtoken::jwk::JwkSet;
use rocket_jwt_extended::jsonwebtoken::{self, Algorithm};
use rocket_jwt_extended::{AccessToken, Jwt, SigningKey, VerifyingKey};
use serde_json::json;

use crate::support::ask::*;
use crate::support::*;

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().into()
}

fn launches_as(profile: &str, jwt: &str) -> bool {
    let figment = raw_figment(&format!("[{profile}.jwt]\n{jwt}")).select(profile.to_string());
    match Client::untracked(rocket::custom(figment).attach(Jwt::fairing())) {
        Ok(_) => true,
        Err(error) => {
            let _ = error.kind();
            false
        }
    }
}

#[test]
fn an_empty_or_short_secret_fails_the_launch() {
    let good = secret();
    for (secret, release, debug) in
        [("", false, false), ("k", false, true), ("thirty-one bytes of a secret ..", false, true)]
    {
        let toml = format!("secret_key = \"{secret}\"");
        assert_eq!(launches_as("release", &toml), release, "{secret}");
        assert_eq!(launches_as("debug", &toml), debug, "{secret}");
        assert!(SigningKey::from_secret(Algorithm::HS256, secret.as_bytes()).is_err());
        assert!(VerifyingKey::from_secret(Algorithm::HS256, secret.as_bytes()).is_err());
    }
    assert!(launches_as("release", &format!("secret_key = \"{good}\"")));
    // 64 bytes are enough for the longest hash.
    let toml = format!("algorithm = \"HS512\"\nsecret_key = \"{}\"", &good[..63]);
    assert!(!launches_as("release", &toml));
    assert!(launches_as("release", &format!("algorithm = \"HS512\"\nsecret_key = \"{good}\"")));
}

#[test]
fn a_leeway_beyond_a_day_fails_the_launch_and_one_below_overflows_nothing() {
    for (leeway, good) in [
        ("0", true),
        ("86400", true),
        ("86401", false),
        ("\"25h\"", false),
        ("-1", false),
        ("9223372036854775807", false),
        ("18446744073709551615", false),
    ] {
        assert_eq!(launches(&format!("decode_leeway = {leeway}")), good, "{leeway}");
    }
    // jsonwebtoken's own arithmetic would go below zero here.
    let (client, clock) = clocked("decode_leeway = 86400", routes![me]);
    clock.set(unix(10));
    let token = sign(&with(json!({"iat": 0, "nbf": 0, "exp": 5})));
    assert_eq!(get(&client, "/me", &token).into_string().unwrap(), "ada");
}

#[test]
fn of_a_key_set_with_a_key_of_unknown_kind_the_others_are_read() {
    let set = json!({"keys": [
        {"kty": "PQ", "kid": "future", "x": "AA"},
        {"kty": "EC", "kid": "curve", "crv": "P-999", "x": "AA", "y": "AA"},
        {"kty": "oct", "kid": "ours", "k": base64url(secret().as_bytes()), "alg": "HS256"},
    ]});
    let set: JwkSet = serde_json::from_value(set).unwrap();
    let key = set.find("ours").expect("the good key is there");
    assert!(jsonwebtoken::DecodingKey::from_jwk(key).is_ok());
    // With the hook such a set's key verifies tokens.
    let key = VerifyingKey::from_secret(Algorithm::HS256, secret().as_bytes()).unwrap();
    let fairing = Jwt::fairing().clock(clock_at_start()).verifying_key(move |header, _| {
        (header.kid.as_deref() == Some("ours")).then(|| key.clone())
    });
    let client = client("", fairing, routes![me]);
    let header = r#"{"alg":"HS256","kid":"ours"}"#;
    let token = sign_text(header, &claims().to_string());
    assert_eq!(get(&client, "/me", &token).status().code, 200);
}

/// `jsonwebtoken` until 11 took each of these for good.
#[test]
fn jsonwebtoken_refuses_empty_secrets_unknown_extensions_and_mistyped_claims_itself() {
    assert!(jsonwebtoken::EncodingKey::from_secret(b"").is_err());
    assert!(jsonwebtoken::DecodingKey::from_secret(b"").is_err());
    if cfg!(all(feature = "aws_lc_rs", feature = "rust_crypto")) {
        // Its own functions find no backend, see below.
        return;
    }
    let key = jsonwebtoken::DecodingKey::from_secret(secret().as_bytes()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation.sub = Some("ada".into());
    validation.set_issuer(&["us"]);
    validation.set_audience(&["you"]);
    let passes = |header: &str, claims: serde_json::Value| {
        let token = sign_text(header, &claims.to_string());
        jsonwebtoken::decode::<serde_json::Value>(&token, &key, &validation).is_ok()
    };
    let plain = r#"{"alg":"HS256"}"#;
    let good = json!({"exp": START, "sub": "ada", "iss": "us", "aud": "you"});
    assert!(passes(plain, good.clone()));
    assert!(!passes(r#"{"alg":"HS256","crit":["x"],"x":1}"#, good.clone()));
    for (name, value) in [("sub", json!(["ada"])), ("iss", json!({"us": 1})), ("aud", json!(7))] {
        let mut mistyped = good.clone();
        mistyped[name] = value;
        assert!(!passes(plain, mistyped), "{name}");
    }
}

#[test]
fn tokens_work_whichever_backends_are_compiled_in() {
    // Nobody installed a process-wide default, for which jsonwebtoken's own functions would look.
    let both = cfg!(all(feature = "aws_lc_rs", feature = "rust_crypto"));
    let own = std::panic::catch_unwind(|| {
        let key = jsonwebtoken::EncodingKey::from_secret(secret().as_bytes()).unwrap();
        jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims(), &key).is_ok()
    });
    assert_eq!(own.is_err(), both, "the trap is still there");
    let (client, _) = clocked("", routes![me]);
    let token = jwt(&client).access_token("ada").encode().unwrap();
    assert_eq!(get(&client, "/me", &token).into_string().unwrap(), "ada");
}

#[test]
fn the_manifest_asks_for_the_versions_that_build() {
    let manifest = include_str!("../../../Cargo.toml");
    let line = |name: &str| {
        let start = format!("{name} = ");
        let mut lines = manifest.lines().filter(|line| line.starts_with(&start));
        lines.next().unwrap_or_else(|| panic!("`{name}` is no dependency")).to_string()
    };
    assert!(line("rocket").contains("\"0.5.2\""), "0.5.1 no longer builds");
    assert!(line("jsonwebtoken").contains("\"12\""));
    assert!(line("jsonwebtoken").contains("default-features = false"), "no backend by itself");
}
