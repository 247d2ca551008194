//! `from_pem` takes every form of PEM that tools write, and says of every other what it is.

use crate::support::key_forms::{private, public, refused_private, refused_public};
use crate::support::pem::{Kind, pair};
use crate::support::*;
use rocket_jwt_extended::jsonwebtoken::Algorithm;
use rocket_jwt_extended::{Jwt, NoClaims, SigningKey, VerifyingKey};

const KINDS: [(Kind, Algorithm); 5] = [
    (Kind::Rsa, Algorithm::RS256),
    (Kind::Rsa, Algorithm::PS384),
    (Kind::P256, Algorithm::ES256),
    (Kind::P384, Algorithm::ES384),
    (Kind::Ed25519, Algorithm::EdDSA),
];

#[test]
fn every_form_of_a_private_key_signs() {
    for (kind, algorithm) in KINDS {
        for (name, pem) in private(kind) {
            let key = SigningKey::from_pem(algorithm, &pem);
            let key = key.unwrap_or_else(|error| {
                panic!("{name} for {algorithm:?} {error}: {}", String::from_utf8_lossy(&pem))
            });
            let is_of_pair = !name.contains("parameters");
            let verifying =
                VerifyingKey::from_pem(algorithm, pair(kind).public.as_bytes()).unwrap();
            let fairing = Jwt::fairing()
                .signing_key(move |_| Some(key.clone()))
                .verifying_key(move |_, _| Some(verifying.clone()));
            let client = client("", fairing, vec![]);
            let token = jwt(&client).access_token("ada").encode().unwrap();
            let read = jwt(&client).decode::<NoClaims>(&token);
            assert_eq!(read.is_ok(), is_of_pair, "{name} for {algorithm:?}");
        }
    }
}

#[test]
fn every_form_of_a_public_key_verifies() {
    for (kind, algorithm) in KINDS {
        let signing = SigningKey::from_pem(algorithm, pair(kind).private.as_bytes()).unwrap();
        for (name, pem) in public(kind) {
            let key = VerifyingKey::from_pem(algorithm, &pem);
            let key = key.unwrap_or_else(|error| {
                panic!("{name} for {algorithm:?} {error}: {}", String::from_utf8_lossy(&pem))
            });
            let signing = signing.clone();
            let fairing = Jwt::fairing()
                .signing_key(move |_| Some(signing.clone()))
                .verifying_key(move |_, _| Some(key.clone()));
            let client = client("", fairing, vec![]);
            let token = jwt(&client).access_token("ada").encode().unwrap();
            assert!(jwt(&client).decode::<NoClaims>(&token).is_ok(), "{name} for {algorithm:?}");
        }
    }
}

#[test]
fn a_form_that_cannot_be_taken_is_refused_with_what_it_is_and_a_cure() {
    for (name, pem, words) in refused_private() {
        let error = SigningKey::from_pem(Algorithm::ES256, &pem).unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{name}: {error}");
    }
    for (name, pem, words) in refused_public() {
        let error = VerifyingKey::from_pem(Algorithm::ES256, &pem).unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{name}: {error}");
    }
}

#[test]
fn no_cut_of_a_key_is_taken_and_none_panics() {
    for kind in [Kind::Rsa, Kind::P256, Kind::Ed25519] {
        for (pem, is_private) in [(&pair(kind).private, true), (&pair(kind).public, false)] {
            let der = crate::support::jwk::der(pem);
            for length in (0..der.len()).step_by(der.len() / 60 + 1) {
                let label = if is_private { "PRIVATE KEY" } else { "PUBLIC KEY" };
                let body = base64::Engine::encode(
                    &base64::engine::general_purpose::STANDARD,
                    &der[..length],
                );
                let cut = format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
                for (_, algorithm) in KINDS {
                    assert!(SigningKey::from_pem(algorithm, cut.as_bytes()).is_err());
                    assert!(VerifyingKey::from_pem(algorithm, cut.as_bytes()).is_err());
                }
            }
        }
    }
}
