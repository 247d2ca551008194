//! The cryptographic backend: one of the backends of `jsonwebtoken`, addressed by name.
//!
//! If both backends are compiled in, which any crate in the tree can cause, the process-wide
//! default of `jsonwebtoken` panics. Therefore the factories of one backend are used directly.

#[cfg(feature = "aws_lc_rs")]
pub(crate) mod aws_lc;
pub(crate) mod scratch;

use std::sync::atomic::{AtomicU64, Ordering};

use jsonwebtoken::crypto::CryptoProvider;
use jsonwebtoken::jwk::ThumbprintHash;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};

#[cfg(not(any(feature = "aws_lc_rs", feature = "rust_crypto")))]
compile_error!("enable one of the features `aws_lc_rs` (the default) and `rust_crypto`");

#[cfg(feature = "aws_lc_rs")]
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER as PROVIDER;
#[cfg(all(feature = "rust_crypto", not(feature = "aws_lc_rs")))]
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER as PROVIDER;

/// The reason why a signature is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignatureError {
    /// Its text is not canonical base64url without padding (RFC 7515 §2).
    Encoding,
    /// It does not match the message under this key.
    Mismatch,
}

/// The backend in use.
pub(crate) fn provider() -> &'static CryptoProvider {
    &PROVIDER
}

/// The first sixteen bytes of the SHA-256 of `data`.
pub(crate) fn sha256_half(data: &[u8]) -> [u8; 16] {
    let mut half = [0; 16];
    // Both backends hash any input. If hashing failed, all ids would have the same key, which
    // revokes too much rather than too little.
    let digest = (provider().key_utils.compute_digest)(data, ThumbprintHash::SHA256);
    if let Some(first) = digest.ok().as_deref().and_then(|digest| digest.first_chunk()) {
        half = *first;
    }
    half
}

/// The HMAC-SHA256 of `message`; `None` if the backend fails.
pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    let key = EncodingKey::from_secret(key).ok()?;
    let signer = (provider().signer_factory)(&Algorithm::HS256, &key).ok()?;
    signer.try_sign(message).ok()
}

/// Checks a signature with a verifier that is set up for this one call.
pub(crate) fn verify(
    algorithm: Algorithm,
    key: &DecodingKey,
    message: &[u8],
    signature: &Vec<u8>,
) -> Result<(), SignatureError> {
    (provider().verifier_factory)(&algorithm, key)
        .ok()
        .and_then(|verifier| verifier.verify(message, signature).ok())
        .ok_or(SignatureError::Mismatch)
}

/// An id that no other key of this process has.
pub(crate) fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
