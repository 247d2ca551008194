//! Keys: one algorithm each, checked when made.

use std::fmt;
use std::sync::Arc;

use base64_simd::STANDARD;
use jsonwebtoken::jwk::EllipticCurve;
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, EncodingKey, Header};

use crate::crypto;
use crate::error::Error;
use crate::issue;
use crate::verify;

/// The fewest bits of an RSA key (RFC 7518 §3.3).
const RSA_BITS: usize = 2048;

/// A key that signs, pinned to one algorithm. Cheap to clone.
///
/// For the [`signing_key`](crate::JwtFairing::signing_key) hook; the configured key needs none.
#[derive(Clone)]
pub struct SigningKey {
    algorithm: Algorithm,
    key: Arc<EncodingKey>,
    prepared: Option<u64>,
    #[cfg(feature = "aws_lc_rs")]
    ready: Option<Arc<crypto::ReadyKey>>,
}

/// A key that verifies, pinned to one algorithm. Cheap to clone.
///
/// For the [`verifying_key`](crate::JwtFairing::verifying_key) hook; the configured keys need none.
/// A token signed with any other algorithm is refused (RFC 8725 §3.1).
#[derive(Clone)]
pub struct VerifyingKey {
    algorithm: Algorithm,
    key: Arc<DecodingKey>,
    prepared: Option<u64>,
}

impl SigningKey {
    /// An HMAC key.
    ///
    /// # Errors
    ///
    /// If the algorithm is not one of HS256, HS384 and HS512, the secret is shorter than its hash
    /// (RFC 7518 §3.2), or it is the text of a key of another kind.
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
        check_secret(algorithm, secret)?;
        Self::unchecked_secret(algorithm, secret)
    }

    /// A private key in PEM: PKCS#8 for all, PKCS#1 for RSA as well.
    ///
    /// # Errors
    ///
    /// If it is no private key, not one for `algorithm`, or an RSA key of less than 2048 bits.
    ///
    /// # Example
    ///
    /// ```rust
    /// use rocket_jwt_extended::jsonwebtoken::Algorithm;
    /// use rocket_jwt_extended::SigningKey;
    ///
    /// let error = SigningKey::from_pem(Algorithm::RS256, b"nonsense").unwrap_err();
    /// assert_eq!(error.to_string(), "is no PEM text");
    /// ```
    pub fn from_pem(algorithm: Algorithm, pem: &[u8]) -> Result<Self, Error> {
        check_label(pem, Role::Private)?;
        let key = match algorithm.family() {
            AlgorithmFamily::Hmac => return Err(wrong_family(algorithm)),
            AlgorithmFamily::Rsa => EncodingKey::from_rsa_pem(pem),
            AlgorithmFamily::Ec => EncodingKey::from_ec_pem(pem),
            AlgorithmFamily::Ed => EncodingKey::from_ed_pem(pem),
        };
        let key = Arc::new(key.map_err(|_| not_for(algorithm))?);
        let key = Self::unprepared(algorithm, key);
        // The public half can be derived exactly when the key is what it should be.
        key.verifying_key(algorithm)?;
        Ok(key)
    }

    /// Without a look at its form and length.
    pub(crate) fn unchecked_secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self, Error> {
        let key = EncodingKey::from_secret(secret).map_err(|_| empty())?;
        Ok(Self::unprepared(algorithm, Arc::new(key)))
    }

    fn unprepared(algorithm: Algorithm, key: Arc<EncodingKey>) -> Self {
        Self {
            algorithm,
            key,
            prepared: None,
            #[cfg(feature = "aws_lc_rs")]
            ready: None,
        }
    }

    /// The algorithm it signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key that verifies what this one signs, for an algorithm of the same family.
    pub(crate) fn verifying_key(&self, algorithm: Algorithm) -> Result<VerifyingKey, Error> {
        let utils = &crypto::provider().key_utils;
        let secret = self.key.as_bytes();
        let key = match algorithm.family() {
            AlgorithmFamily::Hmac => DecodingKey::from_secret(secret).map_err(|_| empty())?,
            AlgorithmFamily::Rsa => {
                // One backend does not read short keys at all.
                let (n, e) = (utils.rsa_pub_components_from_private_key)(secret).map_err(|_| {
                    let text =
                        format!("is no key for {algorithm:?}, or of less than {RSA_BITS} bits");
                    Error::Key(text)
                })?;
                DecodingKey::from_rsa_raw_components(&n, &e)
            }
            AlgorithmFamily::Ec => {
                let (_, x, y) = (utils.ec_pub_components_from_private_key)(secret, algorithm)
                    .map_err(|_| not_for(algorithm))?;
                DecodingKey::from_ec_der(&[&[4], x.as_slice(), y.as_slice()].concat())
            }
            AlgorithmFamily::Ed => {
                let curve = EllipticCurve::Ed25519;
                let x = (utils.ed_pub_components_from_private_key)(secret, &curve)
                    .map_err(|_| not_for(algorithm))?;
                DecodingKey::from_ed_der(&x)
            }
        };
        VerifyingKey::checked(algorithm, key)
    }

    /// The signature of `message`.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        #[cfg(feature = "aws_lc_rs")]
        if let Some(ready) = &self.ready {
            return ready.sign(message).ok_or(Error::Sign);
        }
        let signature = match self.prepared {
            Some(id) => {
                crypto::with_scratch(|scratch| scratch.sign(id, self.algorithm, &self.key, message))
            }
            None => (crypto::provider().signer_factory)(&self.algorithm, &self.key)
                .ok()
                .and_then(|signer| signer.try_sign(message).ok()),
        };
        signature.ok_or(Error::Sign)
    }

    /// As [`VerifyingKey::prepared()`].
    fn prepared(mut self) -> Self {
        self.prepared = Some(crypto::next_id());
        #[cfg(feature = "aws_lc_rs")]
        {
            let ready = crypto::ReadyKey::read(self.algorithm, self.key.as_bytes());
            self.ready = ready.map(Arc::new);
        }
        self
    }

    /// Thirty-two bytes that only holders of this key can derive from `data`: HMAC-SHA256 with the
    /// private key as its key. It is kept apart from signatures by the label.
    pub(crate) fn derive(&self, label: &str, data: &[u8]) -> Result<Vec<u8>, Error> {
        let message = [label.as_bytes(), &[0], data].concat();
        Self::unchecked_secret(Algorithm::HS256, self.key.as_bytes())?.sign(&message)
    }
}

impl VerifyingKey {
    /// An HMAC key.
    ///
    /// # Errors
    ///
    /// As for [`SigningKey::from_secret()`].
    pub fn from_secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self, Error> {
        check_secret(algorithm, secret)?;
        Self::unchecked_secret(algorithm, secret)
    }

    /// A public key in PEM: SubjectPublicKeyInfo (`PUBLIC KEY`) for all, PKCS#1 for RSA as well.
    ///
    /// # Errors
    ///
    /// If it is no public key, not one for `algorithm`, or an RSA key of less than 2048 bits.
    ///
    /// # Example
    ///
    /// ```rust
    /// use rocket_jwt_extended::jsonwebtoken::Algorithm;
    /// use rocket_jwt_extended::VerifyingKey;
    ///
    /// let pem = b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----";
    /// let error = VerifyingKey::from_pem(Algorithm::EdDSA, pem).unwrap_err();
    /// assert_eq!(error.to_string(), "holds a private key where a public one belongs");
    /// ```
    pub fn from_pem(algorithm: Algorithm, pem: &[u8]) -> Result<Self, Error> {
        check_label(pem, Role::Public)?;
        let key = match algorithm.family() {
            AlgorithmFamily::Hmac => return Err(wrong_family(algorithm)),
            AlgorithmFamily::Rsa => DecodingKey::from_rsa_pem(pem),
            AlgorithmFamily::Ec if !is_of_curve(algorithm, pem) => return Err(not_for(algorithm)),
            AlgorithmFamily::Ec => DecodingKey::from_ec_pem(pem),
            AlgorithmFamily::Ed => DecodingKey::from_ed_pem(pem),
        };
        Self::checked(algorithm, key.map_err(|_| not_for(algorithm))?)
    }

    /// Without a look at its form and length.
    pub(crate) fn unchecked_secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self, Error> {
        let key = DecodingKey::from_secret(secret).map_err(|_| empty())?;
        Ok(Self { algorithm, key: Arc::new(key), prepared: None })
    }

    /// Checks that the key has the size its algorithm demands: the backends would find out only at
    /// a request, and one of them panics there.
    fn checked(algorithm: Algorithm, key: DecodingKey) -> Result<Self, Error> {
        let fits = match (algorithm.family(), key.kind()) {
            (AlgorithmFamily::Hmac, _) => true,
            (AlgorithmFamily::Rsa, kind) => {
                let bits = rsa_bits(kind).ok_or_else(|| not_for(algorithm))?;
                if bits < RSA_BITS {
                    let text = format!("is an RSA key of {bits} bits; {RSA_BITS} are needed");
                    return Err(Error::Key(text));
                }
                true
            }
            (AlgorithmFamily::Ec, DecodingKeyKind::SecretOrDer(point)) => {
                point.first() == Some(&4)
                    && point.len() == if algorithm == Algorithm::ES256 { 65 } else { 97 }
            }
            (AlgorithmFamily::Ed, DecodingKeyKind::SecretOrDer(point)) => point.len() == 32,
            _ => false,
        };
        match fits {
            true => Ok(Self { algorithm, key: Arc::new(key), prepared: None }),
            false => Err(not_for(algorithm)),
        }
    }

    /// The algorithm it verifies.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Its number, if to find out that a signature holds costs more than to find that it was found out.
    pub(crate) fn costly(&self) -> Option<u64> {
        match self.algorithm.family() {
            AlgorithmFamily::Hmac => None,
            _ => self.prepared,
        }
    }

    /// Whether the signature, as `decode` reads it from its text, is one of `message` under this key.
    pub(crate) fn verifies<E>(
        &self,
        message: &[u8],
        signature: &str,
        decode: impl FnOnce(&str, &mut Vec<u8>) -> Result<(), E>,
    ) -> Result<bool, E> {
        crypto::with_scratch(|scratch| {
            decode(signature, &mut scratch.signature)?;
            Ok(match self.prepared {
                Some(id) => scratch.verifies(id, self.algorithm, &self.key, message),
                None => crypto::verifies(self.algorithm, &self.key, message, &scratch.signature),
            })
        })
    }

    /// Keeps what is prepared for this key with each thread that uses it. For keys that live as long
    /// as the server: those of hooks come and go.
    fn prepared(mut self) -> Self {
        self.prepared = Some(crypto::next_id());
        self
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// The configured keys: one that signs, and one for each accepted algorithm.
#[derive(Default)]
pub(crate) struct Keys {
    pub(crate) signing: Option<SigningKey>,
    pub(crate) verifying: Vec<VerifyingKey>,
    /// The headers that our own tokens have.
    pub(crate) known_headers: Vec<KnownHeader>,
}

/// A header's text, and what it was found to be.
pub(crate) struct KnownHeader {
    pub(crate) encoded: String,
    pub(crate) header: Arc<Header>,
    pub(crate) key: VerifyingKey,
}

impl Keys {
    pub(crate) fn new(signing: Option<SigningKey>, verifying: Vec<VerifyingKey>) -> Self {
        let verifying: Vec<_> = verifying.into_iter().map(VerifyingKey::prepared).collect();
        let known_headers = verifying
            .iter()
            .filter_map(|key| {
                let encoded = issue::plain_header(key.algorithm).ok()?;
                let header = Arc::new(verify::header(&encoded).ok()?);
                Some(KnownHeader { encoded, header, key: key.clone() })
            })
            .collect();
        Self { signing: signing.map(SigningKey::prepared), verifying, known_headers }
    }

    /// The key for tokens of that algorithm.
    pub(crate) fn verifying(&self, algorithm: Algorithm) -> Option<&VerifyingKey> {
        self.verifying.iter().find(|key| key.algorithm == algorithm)
    }

    /// The header of our own tokens of that algorithm.
    pub(crate) fn known_header(&self, algorithm: Algorithm) -> Option<&KnownHeader> {
        self.known_headers.iter().find(|known| known.key.algorithm == algorithm)
    }

    /// Signs and verifies once, so that a pair that does not match, or a backend that does not work,
    /// fails the launch and not each request.
    pub(crate) fn self_test(&self) -> Result<(), Error> {
        let Some(signing) = &self.signing else { return Ok(()) };
        let message = b"rocket_jwt_extended self-test";
        let signature = signing.sign(message)?;
        match self.verifying(signing.algorithm) {
            Some(key) if crypto::verifies(key.algorithm, &key.key, message, &signature) => Ok(()),
            _ => Err(Error::Key("does not verify what the private key signs".into())),
        }
    }
}

/// A secret for one process of the debug profile: twice as long as any hash.
pub(crate) fn random_secret() -> Vec<u8> {
    (0..4).map(|_| uuid::Uuid::new_v4().simple().to_string()).collect::<String>().into_bytes()
}

fn check_secret(algorithm: Algorithm, secret: &[u8]) -> Result<(), Error> {
    if algorithm.family() != AlgorithmFamily::Hmac {
        return Err(wrong_family(algorithm));
    }
    check_secret_form(secret)?;
    check_secret_length(algorithm, secret)
}

/// Refuses what is no secret at all, in every profile.
pub(crate) fn check_secret_form(secret: &[u8]) -> Result<(), Error> {
    if secret.is_empty() {
        return Err(empty());
    }
    let text = String::from_utf8_lossy(secret);
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    // PEM, RFC 4716, OpenSSH, JWK.
    let another_kind =
        ["---- BEGIN", "-----BEGIN", "\"kty\""].iter().any(|mark| text.contains(mark))
            || ["ssh-", "ecdsa-", "sk-ssh-"].iter().any(|start| text.starts_with(start));
    if another_kind {
        // A public key as HMAC secret is known to everybody (RFC 8725 §2.1).
        return Err(Error::Key("is a key of another kind, not a secret".into()));
    }
    Ok(())
}

fn check_secret_length(algorithm: Algorithm, secret: &[u8]) -> Result<(), Error> {
    let needed = match algorithm {
        Algorithm::HS384 => 48,
        Algorithm::HS512 => 64,
        _ => 32,
    };
    if secret.len() < needed {
        return Err(Error::Key(format!(
            "is shorter than the {needed} bytes {algorithm:?} needs (RFC 7518 §3.2); \
             `openssl rand -base64 {needed}` makes a good one"
        )));
    }
    Ok(())
}

/// Refuses what could be guessed: outside the debug profile only.
pub(crate) fn check_secret_strength(algorithm: Algorithm, secret: &[u8]) -> Result<(), Error> {
    // What is part of another comes after it. The first four are the examples of jwt.io.
    const PUBLISHED: [&str; 11] = [
        "a-string-secret-at-least-256-bits-long",
        "a-valid-string-secret-that-is-at-least-384-bits-long",
        "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
        "your-256-bit-secret",
        "super-secret",
        "jwt-secret",
        "secret",
        "password",
        "changeme",
        "change-me",
        "example",
    ];
    check_secret_length(algorithm, secret)?;
    if secret.first().is_some_and(u8::is_ascii_whitespace)
        || secret.last().is_some_and(u8::is_ascii_whitespace)
    {
        return Err(Error::Key("begins or ends with white space".into()));
    }
    let mut distinct = secret.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let mut rest = String::from_utf8_lossy(secret).to_ascii_lowercase();
    for word in PUBLISHED {
        rest = rest.replace(word, "");
    }
    let guessable = rest.trim_matches(|c: char| !c.is_alphanumeric()).is_empty();
    if distinct.len() < 8 || guessable {
        return Err(Error::Key(
            "can be guessed; `openssl rand -base64 48` makes a good one".into(),
        ));
    }
    Ok(())
}

enum Role {
    Private,
    Public,
}

/// What the label of a PEM text says, before it is read: the reader takes either role for either.
fn check_label(pem: &[u8], role: Role) -> Result<(), Error> {
    let text = String::from_utf8_lossy(pem);
    let refusal = if !text.contains("-----BEGIN ") {
        "is no PEM text"
    } else if text.contains("-----BEGIN CERTIFICATE") {
        "is a certificate; `openssl x509 -pubkey -noout` prints its public key"
    } else if text.contains("-----BEGIN ENCRYPTED") || text.contains("ENCRYPTED\n") {
        "is encrypted; `openssl pkcs8 -topk8 -nocrypt` writes it in the clear"
    } else if text.contains("-----BEGIN EC PRIVATE KEY") && matches!(role, Role::Private) {
        "is in SEC1 form; `openssl pkcs8 -topk8 -nocrypt` turns it into PKCS#8"
    } else {
        match (role, text.contains("PRIVATE KEY-----"), text.contains("PUBLIC KEY-----")) {
            (Role::Private, true, false) | (Role::Public, false, true) => return Ok(()),
            (Role::Public, true, _) => "holds a private key where a public one belongs",
            (Role::Private, _, true) => "holds a public key where a private one belongs",
            _ => "is no PEM text of a key",
        }
    };
    Err(Error::Key(refusal.into()))
}

/// Whether a public key says that it is of the algorithm's curve. Its length does not tell: a point
/// of secp256k1 is as long as one of P-256.
fn is_of_curve(algorithm: Algorithm, pem: &[u8]) -> bool {
    let curve: &[u8] = match algorithm {
        Algorithm::ES256 => &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
        _ => &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22],
    };
    let text = String::from_utf8_lossy(pem);
    let body = text
        .split_once("-----BEGIN PUBLIC KEY-----")
        .and_then(|(_, rest)| Some(rest.split_once("-----END")?.0));
    let body: String = body.unwrap_or_default().split_ascii_whitespace().collect();
    let der = STANDARD.decode_to_vec(body).unwrap_or_default();
    der.windows(curve.len()).any(|window| window == curve)
}

fn rsa_bits(kind: &DecodingKeyKind) -> Option<usize> {
    let modulus = match kind {
        DecodingKeyKind::RsaModulusExponent { n, .. } => n.clone(),
        DecodingKeyKind::SecretOrDer(der) => {
            (crypto::provider().key_utils.rsa_pub_components_from_public_key)(der).ok()?.0
        }
    };
    let start = modulus.iter().position(|byte| *byte != 0)?;
    let leading = modulus.get(start)?.leading_zeros() as usize;
    Some((modulus.len() - start) * 8 - leading)
}

fn empty() -> Error {
    Error::Key("must not be empty".into())
}

fn wrong_family(algorithm: Algorithm) -> Error {
    Error::Key(format!("is of another kind than {algorithm:?} needs"))
}

fn not_for(algorithm: Algorithm) -> Error {
    Error::Key(format!("is no key for {algorithm:?}"))
}

#[cfg(test)]
mod tests;
