//! The keys of one server: one for signing, and one for verifying with each accepted algorithm.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, Header};

use crate::error::Error;
use crate::keys::signing::SigningKey;
use crate::keys::verifying::VerifyingKey;
use crate::token::compact;

/// The configured keys.
#[derive(Default)]
pub(crate) struct Keys {
    pub(crate) signing: Option<SigningKey>,
    pub(crate) verifying: Vec<VerifyingKey>,
    /// The headers of our own tokens.
    pub(crate) known_headers: Vec<KnownHeader>,
}

/// A header that was parsed at launch, and the key for it.
pub(crate) struct KnownHeader {
    /// Its base64url text.
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
                let encoded = compact::encode_header(&compact::header_of(key.algorithm())).ok()?;
                let header = Arc::new(compact::header(&encoded).ok()?);
                Some(KnownHeader { encoded, header, key: key.clone() })
            })
            .collect();
        Self { signing: signing.map(SigningKey::prepared), verifying, known_headers }
    }

    /// The key for tokens of that algorithm.
    pub(crate) fn verifying(&self, algorithm: Algorithm) -> Option<&VerifyingKey> {
        self.verifying.iter().find(|key| key.algorithm() == algorithm)
    }

    /// The header of our own tokens of that algorithm.
    pub(crate) fn known_header(&self, algorithm: Algorithm) -> Option<&KnownHeader> {
        self.known_headers.iter().find(|known| known.key.algorithm() == algorithm)
    }

    /// Signs and verifies once, so that two keys that do not match, or a backend that does not
    /// work, fail the launch instead of every request.
    pub(crate) fn self_test(&self) -> Result<(), Error> {
        let Some(signing) = &self.signing else { return Ok(()) };
        let message = b"rocket_jwt_extended self-test";
        let signature = signing.sign(message)?;
        match self.verifying(signing.algorithm()) {
            Some(key) if key.verifies_once(message, &signature) => Ok(()),
            _ => Err(Error::Key("does not verify what the private key signs".into())),
        }
    }
}
