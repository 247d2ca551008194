//! Wycheproof's test vectors, run with this crate's keys and the backend in use.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use wycheproof::{TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify as pkcs1, rsa_pss_verify as pss};

use super::VerifyingKey;

fn public(algorithm: Algorithm, pem: &str) -> VerifyingKey {
    VerifyingKey::from_pem(algorithm, pem.as_bytes())
        .unwrap_or_else(|error| panic!("a key for {algorithm:?} {error}: {pem}"))
}

/// Whether the signature matches the message, checked in the same way as a token's.
fn holds(key: &VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
    let encoded = URL_SAFE_NO_PAD.encode(signature);
    key.verifies(message, &encoded).is_ok()
}

/// Asserts that a key accepts all valid signatures and no invalid one. The backend may accept or
/// refuse the signatures that Wycheproof marks as "acceptable".
fn check(
    key: &VerifyingKey,
    message: &[u8],
    signature: &[u8],
    result: TestResult,
    name: &str,
) -> bool {
    let verifies = holds(key, message, signature);
    match result {
        TestResult::Valid => assert!(verifies, "{name} is valid"),
        TestResult::Invalid => assert!(!verifies, "{name} is invalid"),
        TestResult::Acceptable => (),
    }
    verifies
}

/// Runs all tests of a set, and returns how many signatures verified and how many did not.
macro_rules! run {
    ($module:ident::$set:ident, $algorithm:expr) => {{
        let set = $module::TestSet::load($module::TestName::$set).unwrap();
        let mut counts = [0, 0];
        for group in set.test_groups {
            let key = public($algorithm, &group.pem);
            for test in group.tests {
                let name = format!("{} {} ({})", stringify!($set), test.tc_id, test.comment);
                let verified = check(&key, &test.msg, &test.sig, test.result, &name);
                counts[usize::from(!verified)] += 1;
            }
        }
        counts
    }};
}

#[track_caller]
fn assert_many([good, bad]: [u32; 2], at_least: [u32; 2]) {
    assert!(good >= at_least[0] && bad >= at_least[1], "{good} verified and {bad} did not");
}

#[test]
fn ecdsa_verifies_wycheproof() {
    assert_many(run!(ecdsa::EcdsaSecp256r1Sha256P1363, Algorithm::ES256), [150, 80]);
    assert_many(run!(ecdsa::EcdsaSecp384r1Sha384P1363, Algorithm::ES384), [150, 80]);
}

#[test]
fn ecdsa_takes_no_signature_in_der() {
    for (set, algorithm) in [
        (ecdsa::TestName::EcdsaSecp256r1Sha256, Algorithm::ES256),
        (ecdsa::TestName::EcdsaSecp384r1Sha384, Algorithm::ES384),
    ] {
        for group in ecdsa::TestSet::load(set).unwrap().test_groups {
            let key = public(algorithm, &group.pem);
            for test in group.tests {
                assert!(!holds(&key, &test.msg, &test.sig), "{set:?} {}", test.tc_id);
            }
        }
    }
}

#[test]
fn eddsa_verifies_wycheproof() {
    assert_many(run!(eddsa::Ed25519, Algorithm::EdDSA), [80, 50]);
}

#[test]
fn rsa_verifies_wycheproof() {
    assert_many(run!(pkcs1::Rsa2048Sha256, Algorithm::RS256), [5, 200]);
    assert_many(run!(pkcs1::Rsa2048Sha384, Algorithm::RS384), [5, 200]);
    assert_many(run!(pkcs1::Rsa2048Sha512, Algorithm::RS512), [5, 200]);
    assert_many(run!(pkcs1::Rsa3072Sha256, Algorithm::RS256), [5, 200]);
    assert_many(run!(pkcs1::Rsa4096Sha512, Algorithm::RS512), [5, 200]);
}

#[test]
fn rsa_pss_verifies_wycheproof() {
    assert_many(run!(pss::RsaPss2048Sha256Mgf1SaltLen32, Algorithm::PS256), [30, 30]);
    assert_many(run!(pss::RsaPss3072Sha256Mgf1SaltLen32, Algorithm::PS256), [30, 30]);
    assert_many(run!(pss::RsaPss2048Sha384Mgf1SaltLen48, Algorithm::PS384), [30, 30]);
    assert_many(run!(pss::RsaPss4096Sha384Mgf1SaltLen48, Algorithm::PS384), [30, 30]);
    assert_many(run!(pss::RsaPss4096Sha512Mgf1SaltLen64, Algorithm::PS512), [30, 30]);
}

#[test]
fn rsa_pss_takes_no_other_salt_and_no_other_mask() {
    // RFC 7518 §3.5: the salt is as long as the hash, and the mask generation uses the same hash.
    for set in [
        pss::TestName::RsaPss2048Sha256Mgf1SaltLen0,
        pss::TestName::RsaPss2048Sha256Mgf1Sha1_20,
        pss::TestName::RsaPss2048Sha1Mgf1SaltLen20,
    ] {
        let mut valid_elsewhere = 0;
        for group in pss::TestSet::load(set).unwrap().test_groups {
            let key = public(Algorithm::PS256, &group.pem);
            for test in group.tests {
                // The others are not asserted: some are invalid in these sets only because of a
                // salt that is correct here.
                if test.result == TestResult::Valid {
                    valid_elsewhere += 1;
                    assert!(!holds(&key, &test.msg, &test.sig), "{set:?} {}", test.tc_id);
                }
            }
        }
        assert!(valid_elsewhere > 30, "{set:?} {valid_elsewhere}");
    }
}

#[test]
fn hmac_verifies_wycheproof_and_no_tag_that_is_cut_off() {
    for (set, algorithm, length) in [
        (mac::TestName::HmacSha256, Algorithm::HS256, 256),
        (mac::TestName::HmacSha384, Algorithm::HS384, 384),
        (mac::TestName::HmacSha512, Algorithm::HS512, 512),
    ] {
        let mut counts = [0, 0];
        for group in mac::TestSet::load(set).unwrap().test_groups {
            let is_whole = group.tag_size == length;
            for test in group.tests {
                // Every other constructor refuses keys as short as these.
                let key = VerifyingKey::unchecked_secret(algorithm, &test.key).unwrap();
                let name = format!("{set:?} {} ({})", test.tc_id, test.comment);
                let result = if is_whole { test.result } else { TestResult::Invalid };
                let verified = check(&key, &test.msg, &test.tag, result, &name);
                counts[usize::from(!verified)] += 1;
            }
        }
        assert_many(counts, [30, 100]);
    }
}
