//! The key that signs tokens.

use std::fmt;
use std::sync::Arc;

use jsonwebtoken::jwk::EllipticCurve;
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, EncodingKey};

#[cfg(feature = "aws_lc_rs")]
use crate::crypto::aws_lc::AwsLcSigner;
use crate::crypto::scratch::with_thread_cache;
use crate::crypto::{next_id, provider};
use crate::error::Error;
use crate::keys::algorithm::{damaged, wrong_kind};
use crate::keys::der;
use crate::keys::pem::{Role, key_block};
use crate::keys::secret;
use crate::keys::verifying::VerifyingKey;

/// A key that signs with one fixed algorithm. Cheap to clone.
///
/// It is for the [`signing_key`](crate::JwtFairing::signing_key) hook; the configured key does not
/// need it.
#[derive(Clone)]
pub struct SigningKey {
    algorithm: Algorithm,
    key: Arc<EncodingKey>,
    /// The key's id in the threads' caches, if the key lives as long as the server.
    thread_cache_id: Option<u64>,
    #[cfg(feature = "aws_lc_rs")]
    parsed: Option<Arc<AwsLcSigner>>,
}

impl SigningKey {
    /// An HMAC key.
    ///
    /// # Errors
    ///
    /// If the algorithm is not HS256, HS384 or HS512, the secret is shorter than the algorithm's
    /// hash (RFC 7518 §3.2), or the text is a key of another kind.
    ///
    /// # Example
    ///
    /// ```rust
    /// use rocket_jwt_extended::jsonwebtoken::Algorithm;
    /// use rocket_jwt_extended::SigningKey;
    ///
    /// assert!(SigningKey::from_secret(Algorithm::HS256, &[7; 32]).is_ok());
    /// assert!(SigningKey::from_secret(Algorithm::HS256, b"short").is_err());
    /// assert!(SigningKey::from_secret(Algorithm::RS256, &[7; 32]).is_err());
    /// ```
    pub fn from_secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self, Error> {
        secret::check(algorithm, secret)?;
        Self::unchecked_secret(algorithm, secret)
    }

    /// A private key in PEM, in every form that tools write: PKCS#8, SEC1 (`EC PRIVATE KEY`),
    /// PKCS#1 (`RSA PRIVATE KEY`). Line ends may be written as `\n`, and the whole text may be
    /// encoded in base64.
    ///
    /// # Errors
    ///
    /// If the text is not a private key, or the key is encrypted, not for `algorithm`, or an RSA
    /// key of less than 2048 bits. The error says what the text is, and how to convert it into a
    /// usable key.
    ///
    /// # Example
    ///
    /// ```rust
    /// use rocket_jwt_extended::jsonwebtoken::Algorithm;
    /// use rocket_jwt_extended::SigningKey;
    ///
    /// let error = SigningKey::from_pem(Algorithm::RS256, b"nonsense").unwrap_err();
    /// assert!(error.to_string().starts_with("is no PEM text"));
    /// ```
    pub fn from_pem(algorithm: Algorithm, pem: &[u8]) -> Result<Self, Error> {
        let der = der::private_key(algorithm, &key_block(pem, Role::Private)?)?;
        let key = match algorithm.family() {
            AlgorithmFamily::Rsa => EncodingKey::from_rsa_der(&der),
            AlgorithmFamily::Ec => EncodingKey::from_ec_der(&der),
            AlgorithmFamily::Ed => EncodingKey::from_ed_der(&der),
            AlgorithmFamily::Hmac => return Err(wrong_kind(algorithm)),
        };
        let key = Self::unprepared(algorithm, Arc::new(key));
        // The public half can be derived only from a valid key.
        key.verifying_key(algorithm)?;
        Ok(key)
    }

    /// Does not check the secret's form and length.
    pub(crate) fn unchecked_secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self, Error> {
        let key = EncodingKey::from_secret(secret).map_err(|_| secret::empty())?;
        Ok(Self::unprepared(algorithm, Arc::new(key)))
    }

    fn unprepared(algorithm: Algorithm, key: Arc<EncodingKey>) -> Self {
        Self {
            algorithm,
            key,
            thread_cache_id: None,
            #[cfg(feature = "aws_lc_rs")]
            parsed: None,
        }
    }

    /// The algorithm it signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key that verifies this key's signatures, for an algorithm of the same family.
    pub(crate) fn verifying_key(&self, algorithm: Algorithm) -> Result<VerifyingKey, Error> {
        let utils = &provider().key_utils;
        let secret = self.key.as_bytes();
        let key = match algorithm.family() {
            AlgorithmFamily::Hmac => {
                DecodingKey::from_secret(secret).map_err(|_| secret::empty())?
            }
            AlgorithmFamily::Rsa => {
                let (n, e) = (utils.rsa_pub_components_from_private_key)(secret)
                    .map_err(|_| damaged(algorithm))?;
                DecodingKey::from_rsa_raw_components(&n, &e)
            }
            AlgorithmFamily::Ec => {
                let (_, x, y) = (utils.ec_pub_components_from_private_key)(secret, algorithm)
                    .map_err(|_| damaged(algorithm))?;
                DecodingKey::from_ec_der(&[&[4], x.as_slice(), y.as_slice()].concat())
            }
            AlgorithmFamily::Ed => {
                let curve = EllipticCurve::Ed25519;
                let x = (utils.ed_pub_components_from_private_key)(secret, &curve)
                    .map_err(|_| damaged(algorithm))?;
                DecodingKey::from_ed_der(&x)
            }
        };
        VerifyingKey::checked(algorithm, key)
    }

    /// The signature of `message`.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        #[cfg(feature = "aws_lc_rs")]
        if let Some(parsed) = &self.parsed {
            return parsed.sign(message).ok_or(Error::Signing);
        }
        let signature = match self.thread_cache_id {
            Some(id) => {
                with_thread_cache(|scratch| scratch.sign(id, self.algorithm, &self.key, message))
            }
            None => (provider().signer_factory)(&self.algorithm, &self.key)
                .ok()
                .and_then(|signer| signer.try_sign(message).ok()),
        };
        signature.ok_or(Error::Signing)
    }

    /// Like [`VerifyingKey::prepared()`].
    pub(crate) fn prepared(mut self) -> Self {
        self.thread_cache_id = Some(next_id());
        #[cfg(feature = "aws_lc_rs")]
        {
            let parsed = AwsLcSigner::parse(self.algorithm, self.key.as_bytes());
            self.parsed = parsed.map(Arc::new);
        }
        self
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}
