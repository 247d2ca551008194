//! What each algorithm asks of its key (RFC 7518 §3, RFC 8037): the one table of such facts.

use jsonwebtoken::Algorithm;

use crate::error::Error;

/// The kind of key that an algorithm needs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// A secret of at least this many bytes: as long as the hash (RFC 7518 §3.2).
    Secret { min_bytes: usize },
    /// An RSA key of at least this many bits (RFC 7518 §3.3).
    Rsa { min_bits: usize },
    /// A key on this curve.
    Ec(Curve),
    /// An Ed25519 key. Its public half has this many bytes.
    Ed25519 { public_bytes: usize },
}

/// A curve in Weierstrass form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Curve {
    /// Its object identifier, in the content octets of DER.
    pub(crate) oid: &'static [u8],
    /// The length of an uncompressed point.
    pub(crate) point_bytes: usize,
}

const P256: Curve =
    Curve { oid: &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], point_bytes: 65 };
const P384: Curve = Curve { oid: &[0x2b, 0x81, 0x04, 0x00, 0x22], point_bytes: 97 };

/// The kind of key that `algorithm` needs.
pub(crate) fn key_kind(algorithm: Algorithm) -> Result<KeyKind, Error> {
    Ok(match algorithm {
        Algorithm::HS256 => KeyKind::Secret { min_bytes: 32 },
        Algorithm::HS384 => KeyKind::Secret { min_bytes: 48 },
        Algorithm::HS512 => KeyKind::Secret { min_bytes: 64 },
        Algorithm::RS256 | Algorithm::RS384 | Algorithm::RS512 => KeyKind::Rsa { min_bits: 2048 },
        Algorithm::PS256 | Algorithm::PS384 | Algorithm::PS512 => KeyKind::Rsa { min_bits: 2048 },
        Algorithm::ES256 => KeyKind::Ec(P256),
        Algorithm::ES384 => KeyKind::Ec(P384),
        Algorithm::EdDSA => KeyKind::Ed25519 { public_bytes: 32 },
        // `jsonwebtoken` may add algorithms in a minor version.
        _ => return Err(Error::Key(format!("is for {algorithm:?}, which is not supported"))),
    })
}

/// A key of another kind than the algorithm needs.
pub(crate) fn wrong_kind(algorithm: Algorithm) -> Error {
    Error::Key(format!("is of another kind than {algorithm:?} needs"))
}

/// A key that the algorithm cannot use.
pub(crate) fn not_for(algorithm: Algorithm) -> Error {
    Error::Key(format!("is no key for {algorithm:?}"))
}
