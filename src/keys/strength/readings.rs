//! Decodes the text of a secret in every possible way.

use crate::keys::encoding::Encoding;

/// The greatest number of nested encodings. Base64 of the output of `openssl rand -hex` has two.
const DEPTH: usize = 2;

/// A secret and all its decodings, since an attacker who knows a text also knows its base64.
pub(super) fn readings(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut readings = vec![secret.to_vec()];
    let mut last = 0;
    for _ in 0..DEPTH {
        let decoded: Vec<_> = readings
            .iter()
            .skip(last)
            .flat_map(|text| decoded(text).collect::<Vec<_>>())
            .filter(|bytes| !bytes.is_empty())
            .collect();
        last = readings.len();
        for bytes in decoded {
            if !readings.contains(&bytes) {
                readings.push(bytes);
            }
        }
    }
    readings
}

fn decoded(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let encoded = Encoding::OF_BYTES.iter().filter_map(|of| of.decode(text));
    let hex = Encoding::Hex.decode(&bare_hex(text));
    encoded.chain(hex).chain(percent_decoded(text))
}

/// Removes the prefix and the separators from hex as tools print it, such as `0x19:2b`.
fn bare_hex(text: &[u8]) -> Vec<u8> {
    let digits = text.strip_prefix(b"0x").unwrap_or(text);
    digits.iter().copied().filter(|byte| !b":-".contains(byte)).collect()
}

fn percent_decoded(text: &[u8]) -> Option<Vec<u8>> {
    // The decoder reads the text as a name in a query string.
    let is_encoded =
        text.is_ascii() && text.contains(&b'%') && !text.iter().any(|byte| b"&=".contains(byte));
    let (name, _) = form_urlencoded::parse(text).next().filter(|_| is_encoded)?;
    Some(name.into_owned().into_bytes()).filter(|name| name != text)
}
