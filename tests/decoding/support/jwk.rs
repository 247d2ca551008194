//! Public keys as RFC examples have them, in the PEM text that this crate reads.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let length = match length {
        0..=127 => vec![length as u8],
        128..=255 => vec![0x81, length as u8],
        _ => vec![0x82, (length >> 8) as u8, length as u8],
    };
    [&[tag], length.as_slice(), content].concat()
}

fn integer(digits: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if digits[0] > 127 { &[0] } else { &[] };
    tlv(2, &[sign, digits].concat())
}

fn pem(algorithm: &[u8], key: &[u8]) -> String {
    let der = tlv(0x30, &[tlv(0x30, algorithm), tlv(3, &[&[0], key].concat())].concat());
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
}

fn bytes(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// An RSA key by its `n` and `e` (RFC 7518 §6.3.1).
pub fn rsa(n: &str, e: &str) -> String {
    let oid = tlv(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]);
    let key = tlv(0x30, &[integer(&bytes(n)), integer(&bytes(e))].concat());
    pem(&[oid, tlv(5, &[])].concat(), &key)
}

/// A key on P-256 or P-384 by its `x` and `y` (RFC 7518 §6.2.1).
pub fn ec(x: &str, y: &str) -> String {
    let (x, y) = (bytes(x), bytes(y));
    let curve: &[u8] = match x.len() {
        32 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7],
        _ => &[0x2b, 0x81, 4, 0, 0x22],
    };
    let oids = [tlv(6, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]), tlv(6, curve)].concat();
    pem(&oids, &[&[4], x.as_slice(), y.as_slice()].concat())
}

/// An Ed25519 key by its `x` (RFC 8037 §2).
pub fn ed25519(x: &str) -> String {
    pem(&tlv(6, &[0x2b, 0x65, 0x70]), &bytes(x))
}

/// The bytes of a PEM text.
pub fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
}
