//! PEM.

use base64_simd::STANDARD;
use jsonwebtoken::Algorithm;

use crate::error::Error;

pub(crate) enum Role {
    Private,
    Public,
}

/// What the label of a PEM text says, before it is read: the reader takes either role for either.
pub(crate) fn check_label(pem: &[u8], role: Role) -> Result<(), Error> {
    let text = String::from_utf8_lossy(pem);
    let refusal = if !text.contains("-----BEGIN ") {
        "is no PEM text"
    } else if text.contains("-----BEGIN CERTIFICATE") {
        "is a certificate; `openssl x509 -pubkey -noout` prints its public key"
    } else if text.contains("-----BEGIN ENCRYPTED") || text.contains("ENCRYPTED\n") {
        "is encrypted; `openssl pkcs8 -topk8 -nocrypt` writes it in the clear"
    } else if text.contains("-----BEGIN EC PRIVATE KEY") && matches!(role, Role::Private) {
        "is in SEC1 form; `openssl pkcs8 -topk8 -nocrypt` turns it into PKCS#8"
    } else {
        match (role, text.contains("PRIVATE KEY-----"), text.contains("PUBLIC KEY-----")) {
            (Role::Private, true, false) | (Role::Public, false, true) => return Ok(()),
            (Role::Public, true, _) => "holds a private key where a public one belongs",
            (Role::Private, _, true) => "holds a public key where a private one belongs",
            _ => "is no PEM text of a key",
        }
    };
    Err(Error::Key(refusal.into()))
}

/// Whether a public key says that it is of the algorithm's curve. Its length does not tell: a point
/// of secp256k1 is as long as one of P-256.
pub(crate) fn is_of_curve(algorithm: Algorithm, pem: &[u8]) -> bool {
    let curve: &[u8] = match algorithm {
        Algorithm::ES256 => &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
        _ => &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22],
    };
    let text = String::from_utf8_lossy(pem);
    let body = text
        .split_once("-----BEGIN PUBLIC KEY-----")
        .and_then(|(_, rest)| Some(rest.split_once("-----END")?.0));
    let body: String = body.unwrap_or_default().split_ascii_whitespace().collect();
    let der = STANDARD.decode_to_vec(body).unwrap_or_default();
    der.windows(curve.len()).any(|window| window == curve)
}
