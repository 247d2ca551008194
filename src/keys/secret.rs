//! Secrets of HMAC keys: their form, length and strength.

use jsonwebtoken::Algorithm;

use crate::error::Error;
use crate::keys::algorithm::{key_kind, wrong_kind, KeyKind};

/// A secret for one process of the debug profile: twice as long as any hash.
pub(crate) fn random() -> Vec<u8> {
    (0..4).map(|_| uuid::Uuid::new_v4().simple().to_string()).collect::<String>().into_bytes()
}

/// Checks a secret that is given to a constructor.
pub(crate) fn check(algorithm: Algorithm, secret: &[u8]) -> Result<(), Error> {
    let min_bytes = min_bytes(algorithm)?;
    check_form(secret)?;
    check_length(algorithm, min_bytes, secret)
}

/// Refuses a text that is not a secret at all, in every profile.
pub(crate) fn check_form(secret: &[u8]) -> Result<(), Error> {
    if secret.is_empty() {
        return Err(empty());
    }
    let text = String::from_utf8_lossy(secret);
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    // PEM, RFC 4716, OpenSSH, JWK.
    let another_kind =
        ["---- BEGIN", "-----BEGIN", "\"kty\""].iter().any(|mark| text.contains(mark))
            || ["ssh-", "ecdsa-", "sk-ssh-"].iter().any(|start| text.starts_with(start));
    if another_kind {
        // A public key as HMAC secret is known to everybody (RFC 8725 §2.1).
        return Err(Error::Key("is a key of another kind, not a secret".into()));
    }
    Ok(())
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
             `openssl rand -base64 {min_bytes}` makes a good one"
        )));
    }
    Ok(())
}

/// Refuses a secret that can be guessed: outside the debug profile only.
pub(crate) fn check_strength(algorithm: Algorithm, secret: &[u8]) -> Result<(), Error> {
    // A text that is part of another comes after it. The first four are the examples of jwt.io.
    const PUBLISHED: [&str; 11] = [
        "a-string-secret-at-least-256-bits-long",
        "a-valid-string-secret-that-is-at-least-384-bits-long",
        "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
        "your-256-bit-secret",
        "super-secret",
        "jwt-secret",
        "secret",
        "password",
        "changeme",
        "change-me",
        "example",
    ];
    check_length(algorithm, min_bytes(algorithm)?, secret)?;
    if secret.first().is_some_and(u8::is_ascii_whitespace)
        || secret.last().is_some_and(u8::is_ascii_whitespace)
    {
        return Err(Error::Key("begins or ends with white space".into()));
    }
    let mut distinct = secret.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let mut rest = String::from_utf8_lossy(secret).to_ascii_lowercase();
    for word in PUBLISHED {
        rest = rest.replace(word, "");
    }
    let guessable = rest.trim_matches(|c: char| !c.is_alphanumeric()).is_empty();
    if distinct.len() < 8 || guessable {
        return Err(Error::Key(
            "can be guessed; `openssl rand -base64 48` makes a good one".into(),
        ));
    }
    Ok(())
}

pub(crate) fn empty() -> Error {
    Error::Key("must not be empty".into())
}
