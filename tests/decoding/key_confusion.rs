//! No key verifies by another algorithm than its own (RFC 8725 §2.1, §3.1).

use crate::support::app::{App, GOOD};
use crate::support::jwk;
use crate::support::pem::{Kind, pair};
use crate::support::*;
use jsonwebtoken::{Algorithm, AlgorithmFamily, EncodingKey};
use rocket_jwt_extended::{Jwt, jsonwebtoken};

const ALL: [Algorithm; 12] = [
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

const NOT_ALLOWED: &str = "The specified alg value is not allowed";
const BAD_SIGNATURE: &str = "Signature verification failed";

/// The configuration of that algorithm's key: of asymmetric ones, the public half alone.
fn key_lines(algorithm: Algorithm) -> String {
    match algorithm.family() {
        AlgorithmFamily::Hmac => format!("secret_key = \"{}\"", secret()),
        _ => format!("public_key = '''{}'''", pair(Kind::of(algorithm)).public),
    }
}

fn app(algorithm: Algorithm, others: &[Algorithm]) -> App {
    let others: Vec<_> = others.iter().map(|other| format!("\"{other:?}\"")).collect();
    let accepted = match others.is_empty() {
        true => String::new(),
        false => format!("decode_algorithms = [{}]", others.join(", ")),
    };
    let lines = format!("algorithm = \"{algorithm:?}\"\n{accepted}\n{}", key_lines(algorithm));
    App::hooked(&lines, Jwt::fairing())
}

/// The key that signs by that algorithm.
fn signing(algorithm: Algorithm) -> EncodingKey {
    let private = match algorithm.family() {
        AlgorithmFamily::Hmac => return EncodingKey::from_secret(secret().as_bytes()).unwrap(),
        _ => pair(Kind::of(algorithm)).private.as_bytes(),
    };
    match algorithm.family() {
        AlgorithmFamily::Rsa => EncodingKey::from_rsa_pem(private).unwrap(),
        AlgorithmFamily::Ec => EncodingKey::from_ec_pem(private).unwrap(),
        _ => EncodingKey::from_ed_pem(private).unwrap(),
    }
}

/// A token that says one algorithm and is signed by another.
fn token(said: &str, signed: Algorithm, key: &EncodingKey) -> String {
    sign_as(signed, key, &format!(r#"{{"alg":"{said}","typ":"JWT"}}"#), &claims().to_string())
}

#[test]
fn every_key_accepts_its_own_algorithm_and_no_other() {
    for own in ALL {
        let app = app(own, &[]);
        for signed in ALL {
            let key = signing(signed);
            let honest = token(&format!("{signed:?}"), signed, &key);
            let expected = if signed == own { GOOD } else { NOT_ALLOWED };
            assert_eq!(app.decode(&honest), expected, "{own:?} given {signed:?}");
            // The same signature under the name that is expected.
            let lying = token(&format!("{own:?}"), signed, &key);
            let expected = if signed == own { GOOD } else { BAD_SIGNATURE };
            assert_eq!(app.decode(&lying), expected, "{own:?} given {signed:?} as {own:?}");
        }
        for name in ["none", "None", "NONE", "nOnE", "", "HS256\\u0000", "ES512", "RSA-OAEP"] {
            let unsigned = token(name, Algorithm::HS256, &signing(Algorithm::HS256));
            assert_eq!(app.decode(&unsigned), NOT_ALLOWED, "{own:?} given {name}");
        }
    }
}

#[test]
fn a_listed_algorithm_is_accepted_too_and_each_by_its_own_rules() {
    for (own, listed) in [
        (Algorithm::HS256, [Algorithm::HS384, Algorithm::HS512]),
        (Algorithm::RS256, [Algorithm::PS256, Algorithm::RS512]),
        (Algorithm::PS384, [Algorithm::RS384, Algorithm::PS512]),
    ] {
        let app = app(own, &listed);
        for signed in ALL {
            let key = signing(signed);
            let is_good = signed == own || listed.contains(&signed);
            let honest = token(&format!("{signed:?}"), signed, &key);
            let expected = if is_good { GOOD } else { NOT_ALLOWED };
            assert_eq!(app.decode(&honest), expected, "{own:?} and {listed:?}: {signed:?}");
            for named in listed.into_iter().chain([own]).filter(|named| *named != signed) {
                let lying = token(&format!("{named:?}"), signed, &key);
                assert_eq!(app.decode(&lying), BAD_SIGNATURE, "{signed:?} as {named:?}");
            }
        }
    }
}

#[test]
fn another_key_of_the_same_kind_is_another_key() {
    let other = EncodingKey::from_ec_pem(pair(Kind::AnotherP256).private.as_bytes()).unwrap();
    let forged = token("ES256", Algorithm::ES256, &other);
    assert_eq!(app(Algorithm::ES256, &[]).decode(&forged), BAD_SIGNATURE);
    let other = EncodingKey::from_rsa_pem(pair(Kind::AnotherRsa).private.as_bytes()).unwrap();
    for algorithm in [Algorithm::RS256, Algorithm::PS256] {
        let forged = token(&format!("{algorithm:?}"), algorithm, &other);
        assert_eq!(app(algorithm, &[]).decode(&forged), BAD_SIGNATURE, "{algorithm:?}");
    }
    let reversed: String = secret().chars().rev().collect();
    let other = EncodingKey::from_secret(reversed.as_bytes()).unwrap();
    let forged = token("HS256", Algorithm::HS256, &other);
    assert_eq!(app(Algorithm::HS256, &[]).decode(&forged), BAD_SIGNATURE);
}

#[test]
fn a_public_key_is_never_a_secret() {
    for algorithm in ALL.into_iter().filter(|one| one.family() != AlgorithmFamily::Hmac) {
        let public = &pair(Kind::of(algorithm)).public;
        let der = jwk::der(public);
        let app = app(algorithm, &[]);
        for secret in [
            public.clone().into_bytes(),
            public.trim_end().as_bytes().to_vec(),
            public.replace('\n', "\r\n").into_bytes(),
            public.replace('\n', "").into_bytes(),
            format!(" {public}").into_bytes(),
            format!("\n{public}").into_bytes(),
            public.lines().filter(|line| !line.starts_with('-')).collect::<String>().into_bytes(),
            der.clone(),
            der[der.len() - 32..].to_vec(),
            der[der.len().saturating_sub(65)..].to_vec(),
            // `jsonwebtoken` refuses an empty secret; HMAC pads it to zeros, so this is the same key.
            vec![0],
        ] {
            let key = EncodingKey::from_secret(&secret).unwrap();
            for hmac in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
                let honest = token(&format!("{hmac:?}"), hmac, &key);
                assert_eq!(app.decode(&honest), NOT_ALLOWED, "{algorithm:?} {hmac:?}");
                assert_eq!(app.guard("access", &honest), NOT_ALLOWED);
                let lying = token(&format!("{algorithm:?}"), hmac, &key);
                assert_eq!(app.decode(&lying), BAD_SIGNATURE, "{algorithm:?} {hmac:?}");
            }
        }
    }
}

#[test]
fn a_changed_algorithm_makes_old_tokens_invalid_unless_it_is_listed() {
    let old = token("HS256", Algorithm::HS256, &signing(Algorithm::HS256));
    assert_eq!(app(Algorithm::HS512, &[]).decode(&old), NOT_ALLOWED);
    assert_eq!(app(Algorithm::HS512, &[Algorithm::HS256]).decode(&old), GOOD);
}

#[test]
fn every_bit_of_every_signature_counts() {
    for algorithm in ALL {
        let app = app(algorithm, &[]);
        let good = token(&format!("{algorithm:?}"), algorithm, &signing(algorithm));
        let (message, signature) = good.rsplit_once('.').unwrap();
        let signature = {
            use base64::Engine;
            base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(signature).unwrap()
        };
        assert_eq!(app.decode(&good), GOOD);
        let step = signature.len().div_ceil(32);
        for index in (0..signature.len()).step_by(step) {
            for bit in [0x01, 0x80] {
                let mut forged = signature.clone();
                forged[index] ^= bit;
                let forged = format!("{message}.{}", base64url(&forged));
                assert_eq!(app.decode(&forged), BAD_SIGNATURE, "{algorithm:?} byte {index}");
            }
        }
    }
}

#[test]
fn signatures_that_would_fit_anything_fit_nothing() {
    // The orders of the curves' groups (SEC 2, 2.4.2 and 2.5.1).
    let p256 = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let p384 = "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf\
                581a0db248b0a77aecec196accc52973";
    let bytes = |hex: &str| -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
    };
    for (algorithm, order) in [(Algorithm::ES256, bytes(p256)), (Algorithm::ES384, bytes(p384))] {
        let app = app(algorithm, &[]);
        let message = token(&format!("{algorithm:?}"), algorithm, &signing(algorithm));
        let message = message.rsplit_once('.').unwrap().0;
        let half = order.len();
        let zero = vec![0; half];
        let one = [vec![0; half - 1], vec![1]].concat();
        let most = vec![0xff; half];
        let numbers = [&zero, &one, &order, &most];
        for r in numbers {
            for s in numbers {
                let forged = format!("{message}.{}", base64url(&[r.as_slice(), s].concat()));
                assert_eq!(app.decode(&forged), BAD_SIGNATURE, "{algorithm:?}");
            }
        }
        for length in [0, 1, half, 2 * half - 1, 2 * half + 1, 4 * half] {
            let forged = format!("{message}.{}", base64url(&vec![0; length]));
            assert_eq!(app.decode(&forged), BAD_SIGNATURE, "{algorithm:?} {length}");
        }
    }
    for algorithm in [Algorithm::EdDSA, Algorithm::RS256, Algorithm::PS256] {
        let app = app(algorithm, &[]);
        let message = token(&format!("{algorithm:?}"), algorithm, &signing(algorithm));
        let message = message.rsplit_once('.').unwrap().0;
        let length = if algorithm == Algorithm::EdDSA { 64 } else { 256 };
        // The neutral element and zero; nought, one, and the most there is.
        let mut neutral = vec![0; length];
        neutral[0] = 1;
        let mut one = vec![0; length];
        one[length - 1] = 1;
        for signature in [vec![0; length], neutral, one, vec![0xff; length], vec![0; length + 1]] {
            let forged = format!("{message}.{}", base64url(&signature));
            assert_eq!(app.decode(&forged), BAD_SIGNATURE, "{algorithm:?}");
        }
    }
}
