//! Keys: each has one algorithm and is checked when it is created.

pub(crate) mod algorithm;
pub(crate) mod contents;
mod der;
pub(crate) mod encoding;
pub(crate) mod pem;
pub(crate) mod reference;
pub(crate) mod ring;
pub(crate) mod secret;
pub(crate) mod signature_cache;
pub(crate) mod signing;
mod strength;
pub(crate) mod verifying;

pub use signing::SigningKey;
pub use verifying::VerifyingKey;

#[cfg(test)]
mod tests;
