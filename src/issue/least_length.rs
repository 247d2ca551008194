//! The length of the shortest tokens that a configuration allows.

use base64_simd::URL_SAFE_NO_PAD;
use rocket::time::OffsetDateTime;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use super::payload_writer::PayloadWriter;
use super::spec::TokenSpec;
use crate::config::own_tokens::LeastLengths;
use crate::keys::ring::Keys;
use crate::settings::Settings;
use crate::token::claims::Claims;
use crate::token::kind::TokenType;

/// The lengths; `None` if no signing key is configured.
pub(crate) fn least_lengths(settings: &Settings, keys: &Keys) -> Option<LeastLengths> {
    let key = keys.signing.as_ref()?;
    let header = keys.known_header(key.algorithm())?.encoded.len();
    let signature = key.sign(b"a token").ok()?.len();
    let of = |token_type| {
        let now = OffsetDateTime::now_utc();
        let mut spec = TokenSpec::new(token_type, &"a");
        spec.ids.sid = Some(Uuid::new_v4().to_string());
        let custom = PayloadWriter::of_map(&Claims::new()).ok()?;
        let payload = spec.payload(settings, custom, now, now, false).ok()?.json.len();
        let [payload, signature] =
            [payload, signature].map(|bytes| URL_SAFE_NO_PAD.encoded_length(bytes));
        Some(header + ".".len() + payload + ".".len() + signature)
    };
    Some(LeastLengths {
        access: of(TokenType::Access)?,
        refresh: of(TokenType::Refresh)?,
        csrf: Hyphenated::LENGTH,
    })
}
