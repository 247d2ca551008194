//! All algorithms sign what others verify, and verify what others sign: `openssl` is the other.

use crate::support::pem::{File, Kind, openssl_bytes, pair};
use crate::support::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rocket_jwt_extended::jsonwebtoken::{Algorithm, AlgorithmFamily};
use rocket_jwt_extended::{Jwt, NoClaims};

pub const ALL: [Algorithm; 12] = [
    Algorithm::HS256,
    Algorithm::HS384,
    Algorithm::HS512,
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// An application that signs by that algorithm.
fn app(algorithm: Algorithm) -> rocket::local::blocking::Client {
    let key = match algorithm.family() {
        AlgorithmFamily::Hmac => format!("secret_key = \"{}\"", secret()),
        _ => format!("private_key = '''{}'''", pair(Kind::of(algorithm)).private),
    };
    let toml = format!("[default.jwt]\nalgorithm = \"{algorithm:?}\"\n{key}");
    let fairing = Jwt::fairing().clock(clock_at_start());
    rocket::local::blocking::Client::untracked(rocket::custom(raw_figment(&toml)).attach(fairing))
        .unwrap()
}

/// `-sha256` and the like.
fn digest(algorithm: Algorithm) -> String {
    format!("-sha{}", &format!("{algorithm:?}")[2..])
}

fn options(algorithm: Algorithm) -> &'static [&'static str] {
    match algorithm {
        Algorithm::PS256 | Algorithm::PS384 | Algorithm::PS512 => {
            // The salt is as long as the hash (RFC 7518 §3.5).
            &["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:-1"]
        }
        _ => &[],
    }
}

/// What `openssl` signs.
fn signed(algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
    if algorithm.family() == AlgorithmFamily::Hmac {
        let key = format!("key:{}", secret());
        let digest = digest(algorithm);
        let arguments = ["dgst", &digest, "-mac", "HMAC", "-macopt", &key, "-binary"];
        return openssl_bytes(&arguments, message).unwrap();
    }
    let key = File::of(&pair(Kind::of(algorithm)).private);
    if algorithm == Algorithm::EdDSA {
        let message = File::of(message);
        let arguments = ["pkeyutl", "-sign", "-inkey", key.path(), "-rawin", "-in", message.path()];
        return openssl_bytes(&arguments, &[]).unwrap();
    }
    let digest = digest(algorithm);
    let arguments = [&["dgst", &digest, "-sign", key.path()], options(algorithm)].concat();
    let signature = openssl_bytes(&arguments, message).unwrap();
    match algorithm.family() {
        AlgorithmFamily::Ec => raw(&signature, half(algorithm)),
        _ => signature,
    }
}

/// Whether `openssl` takes a signature for one of the message.
fn verified(algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    if algorithm.family() == AlgorithmFamily::Hmac {
        return signed(algorithm, message) == signature;
    }
    let key = File::of(&pair(Kind::of(algorithm)).public);
    let signature = match algorithm.family() {
        AlgorithmFamily::Ec => File::of(der(signature)),
        _ => File::of(signature),
    };
    if algorithm == Algorithm::EdDSA {
        let message = File::of(message);
        let arguments = [
            "pkeyutl",
            "-verify",
            "-pubin",
            "-inkey",
            key.path(),
            "-rawin",
            "-in",
            message.path(),
            "-sigfile",
            signature.path(),
        ];
        return openssl_bytes(&arguments, &[]).is_ok();
    }
    let digest = digest(algorithm);
    let fixed = ["dgst", &digest, "-verify", key.path(), "-signature", signature.path()];
    openssl_bytes(&[&fixed, options(algorithm)].concat(), message).is_ok()
}

fn half(algorithm: Algorithm) -> usize {
    if algorithm == Algorithm::ES256 { 32 } else { 48 }
}

/// The two numbers of a DER signature side by side, as a JWS has them (RFC 7518 §3.4).
fn raw(der: &[u8], half: usize) -> Vec<u8> {
    let mut rest = &der[2..];
    let mut both = Vec::new();
    for _ in 0..2 {
        let length = usize::from(rest[1]);
        let number = &rest[2..2 + length];
        let number = &number[number.iter().position(|byte| *byte != 0).unwrap_or(0)..];
        both.extend(vec![0; half - number.len()]);
        both.extend(number);
        rest = &rest[2 + length..];
    }
    both
}

fn der(raw: &[u8]) -> Vec<u8> {
    let number = |half: &[u8]| {
        let digits = &half[half.iter().position(|byte| *byte != 0).unwrap_or(half.len() - 1)..];
        let sign: &[u8] = if digits[0] > 127 { &[0] } else { &[] };
        [&[2, (sign.len() + digits.len()) as u8], sign, digits].concat()
    };
    let (r, s) = raw.split_at(raw.len() / 2);
    let both = [number(r), number(s)].concat();
    [&[0x30, both.len() as u8], both.as_slice()].concat()
}

#[test]
fn what_every_algorithm_signs_another_implementation_verifies() {
    for algorithm in ALL {
        let client = app(algorithm);
        let token = jwt(&client).access_token("ada").encode().unwrap();
        assert_eq!(part(&token, 0)["alg"], format!("{algorithm:?}"));
        let (message, signature) = token.rsplit_once('.').unwrap();
        let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        assert!(verified(algorithm, message.as_bytes(), &signature), "{algorithm:?}");
        let last = signature.len() - 1;
        signature[last] ^= 1;
        assert!(!verified(algorithm, message.as_bytes(), &signature), "{algorithm:?}");
        assert_eq!(jwt(&client).decode::<NoClaims>(&token).unwrap().identity(), "ada");
    }
}

#[test]
fn what_another_implementation_signs_every_algorithm_verifies() {
    for algorithm in ALL {
        let client = app(algorithm);
        let header = format!(r#"{{"alg":"{algorithm:?}","typ":"JWT"}}"#);
        let claims = claims().to_string();
        let message = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
        let signature = signed(algorithm, message.as_bytes());
        let token = format!("{message}.{}", base64url(&signature));
        let read = jwt(&client).decode::<NoClaims>(&token);
        assert_eq!(read.unwrap().identity(), "ada", "{algorithm:?}");

        for index in [0, signature.len() / 2, signature.len() - 1] {
            let mut forged = signature.clone();
            forged[index] ^= 0x10;
            let token = format!("{message}.{}", base64url(&forged));
            let refusal = jwt(&client).decode::<NoClaims>(&token).unwrap_err();
            assert_eq!(refusal.to_string(), "Signature verification failed", "{algorithm:?}");
        }
        for length in [0, 1, signature.len() - 1] {
            let token = format!("{message}.{}", base64url(&signature[..length]));
            let refusal = jwt(&client).decode::<NoClaims>(&token).unwrap_err();
            assert_eq!(refusal.to_string(), "Signature verification failed", "{algorithm:?}");
        }
        let longer = format!("{message}.{}", base64url(&[&signature[..], &[0]].concat()));
        assert!(jwt(&client).decode::<NoClaims>(&longer).is_err(), "{algorithm:?}");
    }
}
