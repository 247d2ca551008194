//! The cryptographic backend: `jsonwebtoken`'s, addressed by name.
//!
//! The process-wide default of `jsonwebtoken` panics when both backends are compiled in, which any
//! crate in the tree can bring about. So the factories of one backend are used directly.

#[cfg(feature = "aws_lc_rs")]
mod ready;

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier};
use jsonwebtoken::jwk::ThumbprintHash;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};

#[cfg(not(any(feature = "aws_lc_rs", feature = "rust_crypto")))]
compile_error!("enable one of the features `aws_lc_rs` (the default) and `rust_crypto`");

#[cfg(feature = "aws_lc_rs")]
pub(crate) use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER as PROVIDER;
#[cfg(all(feature = "rust_crypto", not(feature = "aws_lc_rs")))]
pub(crate) use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER as PROVIDER;

#[cfg(feature = "aws_lc_rs")]
pub(crate) use ready::ReadyKey;

/// The backend in use.
pub(crate) fn provider() -> &'static CryptoProvider {
    &PROVIDER
}

/// The first sixteen bytes of the SHA-256 of `data`.
pub(crate) fn sha256_half(data: &[u8]) -> [u8; 16] {
    let mut half = [0; 16];
    // Both backends hash any input; were one to fail, every id would share a key, which revokes too
    // much rather than too little.
    let digest = (provider().key_utils.compute_digest)(data, ThumbprintHash::SHA256);
    if let Some(first) = digest.ok().as_deref().and_then(|digest| digest.first_chunk()) {
        half = *first;
    }
    half
}

/// Whether `signature` is one of `message` under the key.
pub(crate) fn verifies(
    algorithm: Algorithm,
    key: &DecodingKey,
    message: &[u8],
    signature: &Vec<u8>,
) -> bool {
    (provider().verifier_factory)(&algorithm, key)
        .is_ok_and(|verifier| verifier.verify(message, signature).is_ok())
}

/// What a thread keeps from one token to the next: a verifier or signer is neither `Send` nor `Sync`,
/// and to set one up costs more than half of what it then does.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) signature: Vec<u8>,
    verifiers: Prepared<dyn JwtVerifier>,
    signers: Prepared<dyn JwtSigner>,
}

/// What was set up for keys, each by its number.
struct Prepared<T: ?Sized>(Vec<(u64, Box<T>)>);

/// More keys than this are set up for each token: no server has as many, but a process with many
/// servers, as in tests, has.
const PREPARED_KEYS: usize = 16;

impl<T: ?Sized> Default for Prepared<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: ?Sized> Prepared<T> {
    /// What is kept under `id`, or else is set up now.
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
    /// Whether the signature in `self` is one of `message`, by the verifier kept under `id`.
    pub(crate) fn verifies(
        &mut self,
        id: u64,
        algorithm: Algorithm,
        key: &DecodingKey,
        message: &[u8],
    ) -> bool {
        let verifier = self.verifiers.get(id, || (provider().verifier_factory)(&algorithm, key));
        verifier.is_some_and(|verifier| verifier.verify(message, &self.signature).is_ok())
    }

    /// The signature of `message`, by the signer kept under `id`.
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

/// Runs `work` with what this thread keeps. `work` must not do so again.
pub(crate) fn with_scratch<T>(work: impl FnOnce(&mut Scratch) -> T) -> T {
    thread_local! {
        static SCRATCH: RefCell<Scratch> = RefCell::default();
    }
    SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
        Ok(mut scratch) => work(&mut scratch),
        Err(_) => work(&mut Scratch::default()),
    })
}

/// A number that no other key of this process has.
pub(crate) fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
