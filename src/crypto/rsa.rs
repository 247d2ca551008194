//! RSA private keys that are read once: `jsonwebtoken` reads the key again for each signature, which
//! takes longer than to sign.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, RsaEncoding, RsaKeyPair};
use jsonwebtoken::Algorithm;

/// A key that is ready to sign.
pub(crate) struct RsaKey {
    pair: RsaKeyPair,
    encoding: &'static dyn RsaEncoding,
}

impl RsaKey {
    /// Of the DER that `jsonwebtoken` keeps, for an algorithm of RSA.
    pub(crate) fn read(algorithm: Algorithm, der: &[u8]) -> Option<Self> {
        let encoding: &'static dyn RsaEncoding = match algorithm {
            Algorithm::RS256 => &signature::RSA_PKCS1_SHA256,
            Algorithm::RS384 => &signature::RSA_PKCS1_SHA384,
            Algorithm::RS512 => &signature::RSA_PKCS1_SHA512,
            Algorithm::PS256 => &signature::RSA_PSS_SHA256,
            Algorithm::PS384 => &signature::RSA_PSS_SHA384,
            Algorithm::PS512 => &signature::RSA_PSS_SHA512,
            _ => return None,
        };
        let pair = RsaKeyPair::from_der(der).ok()?;
        Some(Self { pair, encoding })
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(self.encoding, &SystemRandom::new(), message, &mut signature).ok()?;
        Some(signature)
    }
}
