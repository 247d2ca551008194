//! Wycheproof's keys and signatures against tokens of ours. That each verifies what it should is
//! tested where keys are made; here, that no signature fits a token it was not made for.

use crate::support::app::App;
use crate::support::*;
use rocket_jwt_extended::jsonwebtoken::Algorithm;
use rocket_jwt_extended::{Jwt, VerifyingKey};
use std::sync::{Arc, Mutex};
use wycheproof::{ecdsa, eddsa, rsa_pkcs1_verify as pkcs1, rsa_pss_verify as pss};

/// Asserts that none of the signatures is one of a token under that key, and counts them.
fn assert_none_fits(algorithm: Algorithm, pem: &str, signatures: &[&[u8]]) -> usize {
    let key = VerifyingKey::from_pem(algorithm, pem.as_bytes());
    let key = key.unwrap_or_else(|error| panic!("{algorithm:?} {error}: {pem}"));
    let slot = Arc::new(Mutex::new(Some(key)));
    let app =
        App::hooked("", Jwt::fairing().verifying_key(move |_, _| slot.lock().unwrap().clone()));
    let header = base64url(format!(r#"{{"alg":"{algorithm:?}"}}"#).as_bytes());
    let message = format!("{header}.{}", base64url(claims().to_string().as_bytes()));
    for signature in signatures {
        let token = format!("{message}.{}", base64url(signature));
        assert_eq!(app.decode(&token), "Signature verification failed", "{token}");
    }
    signatures.len()
}

#[test]
fn no_ecdsa_signature_fits_another_token() {
    let mut count = 0;
    for (algorithm, names) in [
        (
            Algorithm::ES256,
            [ecdsa::TestName::EcdsaSecp256r1Sha256P1363, ecdsa::TestName::EcdsaSecp256r1Sha256],
        ),
        (
            Algorithm::ES384,
            [ecdsa::TestName::EcdsaSecp384r1Sha384P1363, ecdsa::TestName::EcdsaSecp384r1Sha384],
        ),
    ] {
        for name in names {
            for group in ecdsa::TestSet::load(name).unwrap().test_groups {
                let signatures: Vec<_> = group.tests.iter().map(|test| &test.sig[..]).collect();
                count += assert_none_fits(algorithm, &group.pem, &signatures);
            }
        }
    }
    assert!(count > 1000, "{count}");
}

#[test]
fn no_eddsa_signature_fits_another_token() {
    let mut count = 0;
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let signatures: Vec<_> = group.tests.iter().map(|test| &test.sig[..]).collect();
        count += assert_none_fits(Algorithm::EdDSA, &group.pem, &signatures);
    }
    assert!(count > 100, "{count}");
}

#[test]
fn no_rsa_signature_fits_another_token() {
    let mut count = 0;
    for name in [pkcs1::TestName::Rsa2048Sha256, pkcs1::TestName::Rsa3072Sha256] {
        for group in pkcs1::TestSet::load(name).unwrap().test_groups {
            let signatures: Vec<_> = group.tests.iter().map(|test| &test.sig[..]).collect();
            count += assert_none_fits(Algorithm::RS256, &group.pem, &signatures);
            count += assert_none_fits(Algorithm::PS256, &group.pem, &signatures);
        }
    }
    for group in
        pss::TestSet::load(pss::TestName::RsaPss2048Sha256Mgf1SaltLen32).unwrap().test_groups
    {
        let signatures: Vec<_> = group.tests.iter().map(|test| &test.sig[..]).collect();
        count += assert_none_fits(Algorithm::PS256, &group.pem, &signatures);
        count += assert_none_fits(Algorithm::RS256, &group.pem, &signatures);
    }
    assert!(count > 1000, "{count}");
}
