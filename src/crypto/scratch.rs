//! A cache for each thread: verifiers, signers and a buffer.
//!
//! A verifier or signer is neither `Send` nor `Sync`, and setting one up costs more than half as
//! much as using it.

use std::cell::RefCell;

use base64_simd::{Out, URL_SAFE_NO_PAD};
use jsonwebtoken::crypto::{JwtSigner, JwtVerifier};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};

use crate::crypto::{SignatureError, provider, verify};

/// The verifiers and signers of one thread, and a buffer for decoded signatures.
#[derive(Default)]
pub(crate) struct Scratch {
    signature: Vec<u8>,
    verifiers: Prepared<dyn JwtVerifier>,
    signers: Prepared<dyn JwtSigner>,
}

/// The verifiers or signers that are set up, each under its key's id.
struct Prepared<T: ?Sized>(Vec<(u64, Box<T>)>);

/// Beyond this many keys, the oldest is removed and must be set up again. No server has so many
/// keys, but a process with many servers may, for example in tests.
const PREPARED_KEYS: usize = 16;

impl<T: ?Sized> Default for Prepared<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: ?Sized> Prepared<T> {
    /// The entry under `id`, which is set up if it is missing.
    fn get<E>(&mut self, id: u64, set_up: impl FnOnce() -> Result<Box<T>, E>) -> Option<&T> {
        let at = match self.0.iter().position(|(other, _)| *other == id) {
            Some(at) => at,
            None => {
                let new = set_up().ok()?;
                if self.0.len() >= PREPARED_KEYS {
                    self.0.remove(0);
                }
                self.0.push((id, new));
                self.0.len() - 1
            }
        };
        self.0.get(at).map(|(_, kept)| kept.as_ref())
    }
}

impl Scratch {
    /// Checks a signature, given as base64url text, with the verifier cached under `id`. Without an
    /// id, it sets up a verifier for this call only.
    pub(crate) fn verify(
        &mut self,
        id: Option<u64>,
        algorithm: Algorithm,
        key: &DecodingKey,
        message: &[u8],
        signature: &str,
    ) -> Result<(), SignatureError> {
        decode_into(signature, &mut self.signature)?;
        let Some(id) = id else { return verify(algorithm, key, message, &self.signature) };
        self.verifiers
            .get(id, || (provider().verifier_factory)(&algorithm, key))
            .and_then(|verifier| verifier.verify(message, &self.signature).ok())
            .ok_or(SignatureError::Mismatch)
    }

    /// Signs `message` with the signer cached under `id`.
    pub(crate) fn sign(
        &mut self,
        id: u64,
        algorithm: Algorithm,
        key: &EncodingKey,
        message: &[u8],
    ) -> Option<Vec<u8>> {
        let signer = self.signers.get(id, || (provider().signer_factory)(&algorithm, key))?;
        signer.try_sign(message).ok()
    }
}

fn decode_into(text: &str, buffer: &mut Vec<u8>) -> Result<(), SignatureError> {
    let refused = |_| SignatureError::Encoding;
    let length = URL_SAFE_NO_PAD.decoded_length(text.as_bytes()).map_err(refused)?;
    buffer.resize(length, 0);
    URL_SAFE_NO_PAD.decode(text.as_bytes(), Out::from_slice(buffer)).map_err(refused)?;
    Ok(())
}

/// Runs `work` with this thread's cache. `work` must not call this function.
pub(crate) fn with_thread_cache<T>(work: impl FnOnce(&mut Scratch) -> T) -> T {
    thread_local! {
        static SCRATCH: RefCell<Scratch> = RefCell::default();
    }
    SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
        Ok(mut scratch) => work(&mut scratch),
        Err(_) => work(&mut Scratch::default()),
    })
}
