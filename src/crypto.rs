//! The cryptographic backend: `jsonwebtoken`'s, addressed by name.
//!
//! The process-wide default of `jsonwebtoken` panics when both backends are compiled in, which any
//! crate in the tree can bring about. So the factories of one backend are used directly.

use jsonwebtoken::crypto::CryptoProvider;
use jsonwebtoken::jwk::ThumbprintHash;

#[cfg(not(any(feature = "aws_lc_rs", feature = "rust_crypto")))]
compile_error!("enable one of the features `aws_lc_rs` (the default) and `rust_crypto`");

#[cfg(feature = "aws_lc_rs")]
pub(crate) use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER as PROVIDER;
#[cfg(all(feature = "rust_crypto", not(feature = "aws_lc_rs")))]
pub(crate) use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER as PROVIDER;

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
