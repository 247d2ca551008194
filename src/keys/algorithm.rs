//! The one table of what each algorithm requires of its key (RFC 7518 §3, RFC 8037).

use jsonwebtoken::Algorithm;
use pkcs8::ObjectIdentifier;

use crate::error::Error;

/// The object identifiers of the kinds of keys (RFC 8017, RFC 5480, RFC 8410).
pub(crate) const RSA_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
pub(crate) const EC_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub(crate) const ED25519_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

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
    /// The name in `openssl` and RFC 7518.
    pub(crate) name: &'static str,
    pub(crate) oid: ObjectIdentifier,
    /// The length of an uncompressed point.
    pub(crate) point_bytes: usize,
}

const P256: Curve = Curve {
    name: "P-256",
    oid: ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"),
    point_bytes: 65,
};
const P384: Curve =
    Curve { name: "P-384", oid: ObjectIdentifier::new_unwrap("1.3.132.0.34"), point_bytes: 97 };

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

impl KeyKind {
    /// The name of the kind of key, and the `openssl` command that generates one.
    pub(crate) fn wanted(self) -> (String, String) {
        let genpkey = |options: &str| format!("openssl genpkey -algorithm {options}");
        match self {
            Self::Secret { min_bytes } => ("a secret".into(), command(min_bytes)),
            Self::Rsa { .. } => ("an RSA key".into(), genpkey("RSA -pkeyopt rsa_keygen_bits:3072")),
            Self::Ec(Curve { name, .. }) => (
                format!("an EC key on {name}"),
                genpkey(&format!("EC -pkeyopt ec_paramgen_curve:{name}")),
            ),
            Self::Ed25519 { .. } => ("an Ed25519 key".into(), genpkey("ed25519")),
        }
    }
}

/// The error for a key of another kind than the algorithm needs.
pub(crate) fn wrong_kind(algorithm: Algorithm) -> Error {
    Error::Key(format!("is of another kind than {algorithm:?} needs"))
}

/// The error for a key that declares the right kind but that the backend cannot read.
pub(crate) fn damaged(algorithm: Algorithm) -> Error {
    Error::Key(format!("is no key for {algorithm:?}: it is damaged or incomplete; copy it again"))
}

/// A command that prints a secret of that many bytes on one line: base64 of more than 48 bytes is
/// wrapped.
pub(super) fn command(min_bytes: usize) -> String {
    let encoding = if min_bytes > 48 { "hex" } else { "base64" };
    format!("openssl rand -{encoding} {min_bytes}")
}
