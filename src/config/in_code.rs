//! What is not configured but set up in code, as far as settings depend on it.

use jsonwebtoken::AlgorithmFamily;

use super::read::Config;
use crate::settings::Settings;

/// What the application has set up in code, on which it depends whether a setting has an effect.
pub(crate) struct InCode {
    /// There is a `verifying_key` hook, with which no key need be configured.
    pub(crate) verifying_key: bool,
    pub(crate) signing_key: bool,
    pub(crate) verify_claims: bool,
    pub(crate) blocklist: BlocklistKind,
}

/// A blocklist, as far as its settings differ.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum BlocklistKind {
    /// In the memory of this process: it answers without waiting.
    Memory,
    /// It removes what has expired itself.
    #[cfg_attr(not(feature = "_database"), allow(dead_code))]
    SelfPruning,
    Other,
}

/// Whether this server can sign a token.
pub(super) fn signs(settings: &Settings, config: &Config, in_code: &InCode) -> bool {
    let has_key = match settings.algorithm.family() {
        // Without a secret there is a random one in debug, and a fault elsewhere.
        AlgorithmFamily::Hmac => {
            let is_set = config.secret_key.is_some() || config.secret_key_file.is_some();
            is_set || !in_code.verifying_key
        }
        _ => config.private_key.is_some(),
    };
    has_key || in_code.signing_key
}
