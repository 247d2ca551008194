//! HMAC secrets: their form, length and strength.

use jsonwebtoken::Algorithm;

use crate::error::Error;
use crate::keys::algorithm::{KeyKind, command, key_kind, wrong_kind};
use crate::keys::contents::{Contents, contents, has_lines};
use crate::keys::reference::{Source, reference};
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
    check_form(secret, Source::Text)?;
    check_length(algorithm, min_bytes, secret)
}

/// Refuses a text that is not a secret, in every profile.
pub(crate) fn check_form(secret: &[u8], source: Source) -> Result<(), Error> {
    if secret.is_empty() {
        return Err(empty());
    }
    let lossy = String::from_utf8_lossy(secret);
    let start = lossy.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let contents = std::str::from_utf8(secret).ok().and_then(contents);
    if contents == Some(Contents::Encrypted) {
        return Err(Error::Key(Contents::Encrypted.refusal(source)));
    }
    // PEM, RFC 4716, OpenSSH, PuTTY, JWK.
    let another_kind = ["---- BEGIN", "-----BEGIN", "\"kty\"", "PuTTY-User-Key-File"]
        .iter()
        .any(|mark| start.contains(mark))
        || ["ssh-", "ecdsa-", "sk-ssh-"].iter().any(|begin| start.starts_with(begin));
    if another_kind {
        // A public key is known to everybody, so it must not be an HMAC secret (RFC 8725 §2.1).
        return Err(Error::Key(
            "is a key of another kind, not a secret; it belongs in `private_key` or `public_key`, \
             with an `algorithm` such as RS256"
                .into(),
        ));
    }
    if let Some(contents) = contents {
        return Err(Error::Key(contents.refusal(source)));
    }
    match std::str::from_utf8(secret).ok().and_then(reference) {
        Some(reference) => Err(Error::Key(reference.refusal(source).into())),
        None => Ok(()),
    }
}

/// Refuses a file with more than one line, since it is unclear which line is the secret.
pub(crate) fn check_one_line(secret: &[u8]) -> Result<(), Error> {
    match has_lines(secret) {
        true => Err(Error::Key(Contents::Lines.refusal(Source::File))),
        false => Ok(()),
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
             `{}` generates one",
            command(min_bytes)
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
    match is_guessable(secret) {
        true => Err(Error::Key(
            "can be guessed: it is published, is repetitive, or consists of words as in a \
             description or a sentence; `openssl rand -base64 48` generates a random one"
                .into(),
        )),
        false => Ok(()),
    }
}

pub(crate) fn empty() -> Error {
    Error::Key("must not be empty".into())
}
