//! Keys: one algorithm each, checked when made.

pub(crate) mod algorithm;
mod der;
mod pem;
pub(crate) mod ring;
pub(crate) mod secret;
pub(crate) mod signature_cache;
pub(crate) mod signing;
pub(crate) mod verifying;

pub use signing::SigningKey;
pub use verifying::VerifyingKey;

#[cfg(test)]
mod tests;
