//! HMAC secrets: their form, length and strength.

use base64_simd::STANDARD;
use jsonwebtoken::Algorithm;

use crate::error::Error;
use crate::keys::algorithm::{KeyKind, key_kind, wrong_kind};
use crate::keys::reference::reference;
use crate::keys::strength::is_guessable;

/// A file larger than this does not contain a secret.
pub(crate) const MAX_LENGTH: usize = 64 << 10;

/// A random secret for one process in the debug profile: twice as long as any hash.
pub(crate) fn random() -> Vec<u8> {
    (0..4).map(|_| uuid::Uuid::new_v4().simple().to_string()).collect::<String>().into_bytes()
}

/// Checks a secret that was passed to a constructor.
pub(crate) fn check(algorithm: Algorithm, secret: &[u8]) -> Result<(), Error> {
    let min_bytes = min_bytes(algorithm)?;
    check_form(secret)?;
    check_length(algorithm, min_bytes, secret)
}

/// Refuses a text that is not a secret, in every profile.
pub(crate) fn check_form(secret: &[u8]) -> Result<(), Error> {
    if secret.is_empty() {
        return Err(empty());
    }
    let text = String::from_utf8_lossy(secret);
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    // PEM, RFC 4716, OpenSSH, PuTTY, JWK.
    let another_kind = ["---- BEGIN", "-----BEGIN", "\"kty\"", "PuTTY-User-Key-File"]
        .iter()
        .any(|mark| text.contains(mark))
        || ["ssh-", "ecdsa-", "sk-ssh-"].iter().any(|start| text.starts_with(start));
    if another_kind {
        // A public key is known to everybody, so it must not be an HMAC secret (RFC 8725 §2.1).
        return Err(Error::Key(
            "is a key of another kind, not a secret; it belongs in `private_key` or `public_key`, \
             with an `algorithm` such as RS256"
                .into(),
        ));
    }
    match std::str::from_utf8(secret).ok().and_then(reference) {
        Some(reference) => Err(Error::Key(reference.refusal().into())),
        None => Ok(()),
    }
}

fn min_bytes(algorithm: Algorithm) -> Result<usize, Error> {
    match key_kind(algorithm)? {
        KeyKind::Secret { min_bytes } => Ok(min_bytes),
        _ => Err(wrong_kind(algorithm)),
    }
}

fn check_length(algorithm: Algorithm, min_bytes: usize, secret: &[u8]) -> Result<(), Error> {
    if secret.len() < min_bytes {
        return Err(Error::Key(format!(
            "is shorter than the {min_bytes} bytes {algorithm:?} needs (RFC 7518 §3.2); \
             `openssl rand -base64 {min_bytes}` generates one"
        )));
    }
    Ok(())
}

/// Refuses a secret that is too short or can be guessed. The debug profile skips this check.
pub(crate) fn check_strength(algorithm: Algorithm, secret: &[u8]) -> Result<(), Error> {
    check_length(algorithm, min_bytes(algorithm)?, secret)?;
    if secret.first().is_some_and(u8::is_ascii_whitespace)
        || secret.last().is_some_and(u8::is_ascii_whitespace)
    {
        return Err(Error::Key("begins or ends with white space; remove it".into()));
    }
    check_guessable(secret)
}

/// Refuses a secret that can be guessed, regardless of its length.
pub(crate) fn check_guessable(secret: &[u8]) -> Result<(), Error> {
    // A well-known secret is equally well known in base64.
    let decoded = STANDARD.decode_to_vec(secret).ok().filter(|text| text.is_ascii());
    match is_guessable(secret) || decoded.is_some_and(|text| is_guessable(&text)) {
        true => Err(Error::Key(
            "can be guessed: it is repetitive, or is a placeholder as in an example; \
             `openssl rand -base64 48` generates a random one"
                .into(),
        )),
        false => Ok(()),
    }
}

pub(crate) fn empty() -> Error {
    Error::Key("must not be empty".into())
}
