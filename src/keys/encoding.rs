//! The encodings of a secret's text.

use base64_simd::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Text,
    Base64,
    Base64Url,
    Hex,
}

impl Encoding {
    /// The encodings that a text must be decoded from.
    pub(super) const OF_BYTES: [Self; 3] = [Self::Base64, Self::Base64Url, Self::Hex];

    pub(crate) fn of(name: &str) -> Option<Self> {
        [Self::Text, Self::Base64, Self::Base64Url, Self::Hex]
            .into_iter()
            .find(|encoding| encoding.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Base64 => "base64",
            Self::Base64Url => "base64url",
            Self::Hex => "hex",
        }
    }

    /// Decodes the text, ignoring white space: `openssl rand` wraps long lines.
    pub(crate) fn decode(self, text: &[u8]) -> Option<Vec<u8>> {
        let text: Vec<u8> =
            text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let unpadded = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
        let unpadded = text.get(..unpadded)?;
        match self {
            Self::Text => Some(text),
            Self::Base64 => STANDARD_NO_PAD.decode_to_vec(unpadded).ok(),
            Self::Base64Url => URL_SAFE_NO_PAD.decode_to_vec(unpadded).ok(),
            Self::Hex if text.len() % 2 == 1 => None,
            Self::Hex => text.chunks(2).map(hex_byte).collect(),
        }
    }
}

fn hex_byte(pair: &[u8]) -> Option<u8> {
    let digits = pair.iter().map(|digit| char::from(*digit).to_digit(16));
    digits.into_iter().try_fold(0, |byte: u8, digit| Some(byte * 16 + u8::try_from(digit?).ok()?))
}
