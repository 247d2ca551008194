//! The key that verifies tokens.

use std::fmt;
use std::sync::Arc;

use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind};

use crate::crypto::scratch::with_thread_cache;
use crate::crypto::{SignatureError, next_id, provider, verify};
use crate::error::Error;
use crate::keys::algorithm::{KeyKind, damaged, key_kind, wrong_kind};
use crate::keys::der::{self, check_rsa_bits};
use crate::keys::pem::{Role, key_block};
use crate::keys::secret;

/// A key that verifies with one fixed algorithm. Cheap to clone.
///
/// It is for the [`verifying_key`](crate::JwtFairing::verifying_key) hook; the configured keys do
/// not need it. A token signed with any other algorithm is refused (RFC 8725 §3.1).
#[derive(Clone)]
pub struct VerifyingKey {
    algorithm: Algorithm,
    key: Arc<DecodingKey>,
    /// The key's id in the caches of threads and signatures, if the key lives as long as the
    /// server.
    cache_id: Option<u64>,
}

impl VerifyingKey {
    /// An HMAC key.
    ///
    /// # Errors
    ///
    /// The same as those of [`SigningKey::from_secret()`](crate::SigningKey::from_secret).
    pub fn from_secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self, Error> {
        secret::check(algorithm, secret)?;
        Self::unchecked_secret(algorithm, secret)
    }

    /// A public key in PEM, in every form that tools write: SubjectPublicKeyInfo (`PUBLIC KEY`),
    /// PKCS#1 (`RSA PUBLIC KEY`), or a certificate. Only the public key of a certificate is read,
    /// not its validity period. Line ends may be written as `\n`, and the whole text may be encoded
    /// in base64.
    ///
    /// # Errors
    ///
    /// If the text is not a public key, or the key is not for `algorithm`, or is an RSA key of less
    /// than 2048 bits. The error says what the text is, and how to convert it into a usable key.
    ///
    /// # Example
    ///
    /// ```rust
    /// use rocket_jwt_extended::jsonwebtoken::Algorithm;
    /// use rocket_jwt_extended::VerifyingKey;
    ///
    /// let pem = b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----";
    /// let error = VerifyingKey::from_pem(Algorithm::EdDSA, pem).unwrap_err();
    /// assert!(error.to_string().starts_with("holds a private key where a public one belongs"));
    /// ```
    pub fn from_pem(algorithm: Algorithm, pem: &[u8]) -> Result<Self, Error> {
        let der = der::public_key(algorithm, &key_block(pem, Role::Public)?)?;
        let key = match algorithm.family() {
            AlgorithmFamily::Rsa => DecodingKey::from_rsa_der(&der),
            AlgorithmFamily::Ec => DecodingKey::from_ec_der(&der),
            AlgorithmFamily::Ed => DecodingKey::from_ed_der(&der),
            AlgorithmFamily::Hmac => return Err(wrong_kind(algorithm)),
        };
        Self::checked(algorithm, key)
    }

    /// Does not check the secret's form and length.
    pub(crate) fn unchecked_secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self, Error> {
        let key = DecodingKey::from_secret(secret).map_err(|_| secret::empty())?;
        Ok(Self { algorithm, key: Arc::new(key), cache_id: None })
    }

    /// Checks that the key has the size that its algorithm requires. The backends would detect a
    /// wrong size only during a request, and one of them panics then.
    pub(crate) fn checked(algorithm: Algorithm, key: DecodingKey) -> Result<Self, Error> {
        let fits = match (key_kind(algorithm)?, key.kind()) {
            (KeyKind::Secret { .. }, _) => true,
            (KeyKind::Rsa { min_bits }, kind) => {
                let bits = rsa_bits(kind).ok_or_else(|| damaged(algorithm))?;
                check_rsa_bits(bits, min_bits)?;
                true
            }
            (KeyKind::Ec(curve), DecodingKeyKind::SecretOrDer(point)) => {
                point.first() == Some(&4) && point.len() == curve.point_bytes
            }
            (KeyKind::Ed25519 { public_bytes }, DecodingKeyKind::SecretOrDer(key)) => {
                key.len() == public_bytes
            }
            _ => false,
        };
        match fits {
            true => Ok(Self { algorithm, key: Arc::new(key), cache_id: None }),
            false => Err(damaged(algorithm)),
        }
    }

    /// The algorithm it verifies.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key's id in the signature cache; `None` for HMAC, which is cheaper to verify than to look up.
    pub(crate) fn cache_id(&self) -> Option<u64> {
        match self.algorithm.family() {
            AlgorithmFamily::Hmac => None,
            _ => self.cache_id,
        }
    }

    /// Checks a signature of `message`, given as its base64url text.
    pub(crate) fn verifies(&self, message: &[u8], signature: &str) -> Result<(), SignatureError> {
        with_thread_cache(|scratch| {
            scratch.verify(self.cache_id, self.algorithm, &self.key, message, signature)
        })
    }

    /// Whether `signature` matches `message`. Caches nothing.
    pub(crate) fn verifies_once(&self, message: &[u8], signature: &Vec<u8>) -> bool {
        verify(self.algorithm, &self.key, message, signature).is_ok()
    }

    /// Caches the prepared key in each thread that uses it. This is for keys that live as long as
    /// the server; the keys of hooks do not.
    pub(crate) fn prepared(mut self) -> Self {
        self.cache_id = Some(next_id());
        self
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

fn rsa_bits(kind: &DecodingKeyKind) -> Option<usize> {
    let modulus = match kind {
        DecodingKeyKind::RsaModulusExponent { n, .. } => n.clone(),
        DecodingKeyKind::SecretOrDer(der) => {
            (provider().key_utils.rsa_pub_components_from_public_key)(der).ok()?.0
        }
    };
    let start = modulus.iter().position(|byte| *byte != 0)?;
    let leading = modulus.get(start)?.leading_zeros() as usize;
    Some((modulus.len() - start) * 8 - leading)
}
