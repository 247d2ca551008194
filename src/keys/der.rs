//! The structures inside PEM: the kind of the key, and the bytes that the backend reads.

use jsonwebtoken::Algorithm;
use pkcs8::der::asn1::{AnyRef, OctetStringRef, UintRef};
use pkcs8::der::{self, Decode, Encode, Header, SliceReader, Tag, TagNumber};
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};
use sec1::EcPrivateKey;

use crate::error::Error;
use crate::keys::algorithm::{
    EC_OID, ED25519_OID, KeyKind, RSA_OID, damaged, key_kind, wrong_kind,
};
use crate::keys::pem::{Block, Form};

/// A private key as `jsonwebtoken` keeps it: PKCS#1 for RSA, PKCS#8 for the others.
pub(crate) fn private_key(algorithm: Algorithm, block: &Block) -> Result<Vec<u8>, Error> {
    let damaged = |_| damaged(algorithm);
    match block.form {
        Form::Pkcs8 => {
            let info = PrivateKeyInfoRef::from_der(&block.der).map_err(damaged)?;
            check_kind(algorithm, &info.algorithm)?;
            match key_kind(algorithm)? {
                KeyKind::Rsa { .. } => rsa_key(algorithm, info.private_key.as_bytes(), true),
                _ => Ok(block.der.clone()),
            }
        }
        Form::RsaPrivate => rsa_key(algorithm, &block.der, true),
        Form::Sec1 => sec1_key(algorithm, &block.der),
        Form::Spki | Form::RsaPublic | Form::Certificate => Err(wrong_kind(algorithm)),
    }
}

/// A public key as `jsonwebtoken` keeps it: PKCS#1 for RSA, the bare point for the others.
pub(crate) fn public_key(algorithm: Algorithm, block: &Block) -> Result<Vec<u8>, Error> {
    let info = match block.form {
        Form::Spki => SubjectPublicKeyInfoRef::from_der(&block.der),
        Form::Certificate => subject_public_key_info(&block.der),
        Form::RsaPublic => return rsa_key(algorithm, &block.der, false),
        Form::Pkcs8 | Form::RsaPrivate | Form::Sec1 => return Err(wrong_kind(algorithm)),
    };
    let info = info.map_err(|_| damaged(algorithm))?;
    check_kind(algorithm, &info.algorithm)?;
    let key = info.subject_public_key.as_bytes().ok_or_else(|| damaged(algorithm))?;
    match key_kind(algorithm)? {
        KeyKind::Rsa { .. } => rsa_key(algorithm, key, false),
        KeyKind::Ec(_) if matches!(key, [2 | 3, ..]) => Err(Error::Key(
            "has a compressed point; `openssl ec -pubin -conv_form uncompressed` expands it".into(),
        )),
        _ => Ok(key.to_vec()),
    }
}

/// The public key in a certificate. The certificate's validity period and signature are not
/// checked: the key is trusted because the file is configured.
fn subject_public_key_info(der: &[u8]) -> der::Result<SubjectPublicKeyInfoRef<'_>> {
    let mut reader = SliceReader::new(der)?;
    // The certificate, then its signed part.
    for _ in 0..2 {
        Header::decode(&mut reader)?.tag().assert_eq(Tag::Sequence)?;
    }
    let version = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };
    if Tag::peek(&reader)? == version {
        AnyRef::decode(&mut reader)?;
    }
    // Serial number, signature algorithm, issuer, validity, subject.
    for _ in 0..5 {
        AnyRef::decode(&mut reader)?;
    }
    SubjectPublicKeyInfoRef::decode(&mut reader)
}

/// Converts SEC1 to PKCS#8, since the backends do not read SEC1.
fn sec1_key(algorithm: Algorithm, der: &[u8]) -> Result<Vec<u8>, Error> {
    let KeyKind::Ec(wanted) = key_kind(algorithm)? else {
        return Err(mismatch(algorithm, "an EC key"));
    };
    let key = EcPrivateKey::from_der(der).map_err(|_| {
        Error::Key(
            "is damaged, or writes its curve out instead of naming it; \
             `openssl ec -param_enc named_curve -in FILE` prints it with the name"
                .into(),
        )
    })?;
    // A key inside PKCS#8 may omit its curve here. A key that is not inside PKCS#8 and omits its
    // curve is treated as one on the required curve; if it is not, the backend detects that its
    // public half is not on that curve.
    let curve = key.parameters.and_then(|curve| curve.named_curve()).unwrap_or(wanted.oid);
    let algorithm_id = AlgorithmIdentifierRef { oid: EC_OID, parameters: Some((&curve).into()) };
    check_kind(algorithm, &algorithm_id)?;
    OctetStringRef::new(der)
        .and_then(|der| PrivateKeyInfoRef::new(algorithm_id, der).to_der())
        .map_err(|_| damaged(algorithm))
}

/// PKCS#1, if the modulus is long enough: not every backend reads shorter ones.
fn rsa_key(algorithm: Algorithm, der: &[u8], is_private: bool) -> Result<Vec<u8>, Error> {
    let KeyKind::Rsa { min_bits } = key_kind(algorithm)? else {
        return Err(mismatch(algorithm, "an RSA key"));
    };
    let bits = modulus_bits(der, is_private).map_err(|_| damaged(algorithm))?;
    check_rsa_bits(bits, min_bits)?;
    Ok(der.to_vec())
}

/// Refuses an RSA key that is too short.
pub(crate) fn check_rsa_bits(bits: usize, min_bits: usize) -> Result<(), Error> {
    match bits < min_bits {
        true => Err(Error::Key(format!(
            "is an RSA key of {bits} bits; {min_bits} are needed (RFC 7518 §3.3): \
             `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072` generates one"
        ))),
        false => Ok(()),
    }
}

fn modulus_bits(der: &[u8], is_private: bool) -> der::Result<usize> {
    let mut reader = SliceReader::new(der)?;
    Header::decode(&mut reader)?.tag().assert_eq(Tag::Sequence)?;
    if is_private {
        // The version.
        u8::decode(&mut reader)?;
    }
    let modulus = UintRef::decode(&mut reader)?.as_bytes();
    let leading = modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
    Ok(modulus.len() * 8 - leading)
}

/// Refuses a key that declares another kind than the algorithm needs. The length is not sufficient
/// for this: a point of secp256k1 is as long as one of P-256.
fn check_kind(algorithm: Algorithm, id: &AlgorithmIdentifierRef<'_>) -> Result<(), Error> {
    let fits = match key_kind(algorithm)? {
        KeyKind::Secret { .. } => return Err(wrong_kind(algorithm)),
        KeyKind::Rsa { .. } => id.oid == RSA_OID,
        KeyKind::Ec(curve) => id.oid == EC_OID && id.parameters_oid() == Ok(curve.oid),
        KeyKind::Ed25519 { .. } => id.oid == ED25519_OID,
    };
    match fits {
        true => Ok(()),
        false => Err(mismatch(algorithm, &name(id))),
    }
}

fn mismatch(algorithm: Algorithm, found: &str) -> Error {
    match key_kind(algorithm) {
        Ok(KeyKind::Secret { .. }) | Err(_) => wrong_kind(algorithm),
        Ok(kind) => {
            let (wanted, command) = kind.wanted();
            Error::Key(format!(
                "is no key for {algorithm:?}: it is {found}, and {wanted} is needed; change \
                 `algorithm`, or make a key with `{command}`"
            ))
        }
    }
}

/// A description of the kind of a key.
fn name(id: &AlgorithmIdentifierRef<'_>) -> String {
    const KINDS: [(&str, &str); 10] = [
        ("1.2.840.113549.1.1.1", "an RSA key"),
        ("1.2.840.113549.1.1.10", "an RSA key restricted to PSS"),
        ("1.2.840.10040.4.1", "a DSA key"),
        ("1.2.840.113549.1.3.1", "a Diffie-Hellman key"),
        ("1.2.840.10046.2.1", "a Diffie-Hellman key"),
        ("1.3.101.110", "an X25519 key, which cannot sign"),
        ("1.3.101.111", "an X448 key, which cannot sign"),
        ("1.3.101.112", "an Ed25519 key"),
        ("1.3.101.113", "an Ed448 key"),
        ("1.2.156.10197.1.301", "an SM2 key"),
    ];
    const CURVES: [(&str, &str); 9] = [
        ("1.2.840.10045.3.1.1", "P-192"),
        ("1.2.840.10045.3.1.7", "P-256"),
        ("1.3.132.0.33", "P-224"),
        ("1.3.132.0.34", "P-384"),
        ("1.3.132.0.35", "P-521"),
        ("1.3.132.0.10", "secp256k1"),
        ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"),
        ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1"),
        ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1"),
    ];
    let find = |oid: ObjectIdentifier, names: &[(&str, &'static str)]| {
        let oid = oid.to_string();
        names.iter().find(|(other, _)| *other == oid).map(|(_, name)| *name)
    };
    if id.oid == EC_OID {
        return match id.parameters_oid() {
            Ok(curve) => match find(curve, &CURVES) {
                Some(name) => format!("an EC key on {name}"),
                None => format!("an EC key on another curve ({curve})"),
            },
            Err(_) => "an EC key that writes its curve out instead of naming it".into(),
        };
    }
    match find(id.oid, &KINDS) {
        Some(name) => name.into(),
        None => format!("a key of another kind ({})", id.oid),
    }
}
