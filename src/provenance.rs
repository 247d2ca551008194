//! Checks which tokens are our own. Only these may be rotated or renewed.

use crate::jwt::Jwt;
use crate::token::verified::{Verified, Voucher};

/// Whether a token was signed by a configured key, or by the key that the `signing_key` hook
/// returns for its identity.
///
/// If only the `verifying_key` hook knows the key of a token, the token is accepted only while the
/// hook returns that key. If it were rotated or renewed, its claims would stay valid under our
/// signature after the hook has stopped accepting the key.
pub(crate) fn is_ours(jwt: &Jwt, verified: &Verified) -> bool {
    match verified.voucher() {
        Voucher::Configuration => true,
        // The hook may have returned one of our own keys.
        Voucher::Hook => is_signed_by_us(jwt, verified),
    }
}

fn is_signed_by_us(jwt: &Jwt, verified: &Verified) -> bool {
    let Some((signed, signature)) = verified.encoded().rsplit_once('.') else { return false };
    let algorithm = verified.header().alg;
    let configured = jwt.keys().verifying(algorithm);
    if configured.is_some_and(|key| key.verifies(signed.as_bytes(), signature).is_ok()) {
        return true;
    }
    let hooked = jwt.hooks().signing_key.as_ref().and_then(|hook| hook(verified.identity()));
    hooked
        .filter(|key| key.algorithm() == algorithm)
        .and_then(|key| key.verifying_key(algorithm).ok())
        .is_some_and(|key| key.verifies(signed.as_bytes(), signature).is_ok())
}
