//! The parts that the application sets up in code, on which the effect of some settings depends.

use jsonwebtoken::AlgorithmFamily;

use super::read::Config;
use crate::settings::Settings;

/// The parts that the application set up in code, on which the effect of some settings depends.
pub(crate) struct InCode {
    /// There is a `verifying_key` hook, so the configuration needs no key.
    pub(crate) verifying_key: bool,
    pub(crate) signing_key: bool,
    pub(crate) verify_claims: bool,
    pub(crate) blocklist: BlocklistKind,
}

/// The kinds of blocklist whose settings differ.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum BlocklistKind {
    /// In the memory of this process: lookups do not wait.
    Memory,
    /// The store removes expired entries itself.
    #[cfg_attr(not(feature = "_database"), allow(dead_code))]
    SelfPruning,
    Other,
}

/// Whether this server can sign a token.
pub(super) fn signs(settings: &Settings, config: &Config, in_code: &InCode) -> bool {
    let has_key = match settings.algorithm.family() {
        // If the secret is missing, the debug profile uses a random one, and other profiles fail.
        AlgorithmFamily::Hmac => {
            let is_set = config.secret_key.is_some() || config.secret_key_file.is_some();
            is_set || !in_code.verifying_key
        }
        _ => config.private_key.is_some(),
    };
    has_key || in_code.signing_key
}
