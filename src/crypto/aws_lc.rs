//! AWS-LC signing keys that are parsed once and shared by all threads. `jsonwebtoken` parses the
//! key for each signature, which takes longer than signing if it is an RSA key.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, RsaEncoding, RsaKeyPair};
use jsonwebtoken::Algorithm;

/// A parsed signing key.
pub(crate) enum AwsLcSigner {
    // It is large: more than a kilobyte.
    Hmac(Box<hmac::Key>),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
}

impl AwsLcSigner {
    /// Parses the bytes that `jsonwebtoken` keeps: a secret, or the DER of an RSA key. `None` for
    /// other keys; their `jsonwebtoken` signer is set up once per thread.
    pub(crate) fn parse(algorithm: Algorithm, bytes: &[u8]) -> Option<Self> {
        let hmac = |hash| Some(Self::Hmac(Box::new(hmac::Key::new(hash, bytes))));
        let rsa = |encoding| Some(Self::Rsa(RsaKeyPair::from_der(bytes).ok()?, encoding));
        match algorithm {
            Algorithm::HS256 => hmac(hmac::HMAC_SHA256),
            Algorithm::HS384 => hmac(hmac::HMAC_SHA384),
            Algorithm::HS512 => hmac(hmac::HMAC_SHA512),
            Algorithm::RS256 => rsa(&signature::RSA_PKCS1_SHA256),
            Algorithm::RS384 => rsa(&signature::RSA_PKCS1_SHA384),
            Algorithm::RS512 => rsa(&signature::RSA_PKCS1_SHA512),
            Algorithm::PS256 => rsa(&signature::RSA_PSS_SHA256),
            Algorithm::PS384 => rsa(&signature::RSA_PSS_SHA384),
            Algorithm::PS512 => rsa(&signature::RSA_PSS_SHA512),
            _ => None,
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Hmac(key) => Some(hmac::sign(key, message).as_ref().to_vec()),
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &SystemRandom::new(), message, &mut signature).ok()?;
                Some(signature)
            }
        }
    }
}
