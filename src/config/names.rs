//! Suggestions for unknown keys.

use super::read::Config;

/// More candidates than this do not help the operator.
const MAX_CANDIDATES: usize = 4;

/// Setting names of other libraries and of older versions of Flask-JWT-Extended (without `jwt_`),
/// with the key of this crate that is meant.
const SYNONYMS: &[(&str, &str)] = &[
    ("secret", "secret_key"),
    ("key", "secret_key"),
    ("signing_key", "private_key"),
    ("verifying_key", "public_key"),
    ("expiration_delta", "access_token_expires"),
    ("expiration", "access_token_expires"),
    ("expires_in", "access_token_expires"),
    ("expires_delta", "access_token_expires"),
    ("expiry", "access_token_expires"),
    ("lifetime", "access_token_expires"),
    ("ttl", "access_token_expires"),
    ("access_token_lifetime", "access_token_expires"),
    ("access_token_ttl", "access_token_expires"),
    ("refresh_token_lifetime", "refresh_token_expires"),
    ("refresh_token_ttl", "refresh_token_expires"),
    ("clock_skew", "decode_leeway"),
    ("auth_header_prefix", "header_type"),
    ("auth_header_types", "header_type"),
    ("auth_header_name", "header_name"),
    ("user_id_claim", "identity_claim"),
];

/// Such names for which this crate has no key, with its replacement.
const ELSEWHERE: &[(&str, &str)] = &[
    ("blacklist_enabled", REVOCATION),
    ("blocklist_enabled", REVOCATION),
    ("blacklist_token_checks", CHECKS),
    ("blocklist_token_checks", CHECKS),
    ("blacklist", STORE),
    ("blocklist", STORE),
    ("blocklist_database", STORE),
    ("database", STORE),
    ("store", STORE),
    (
        "user_claims",
        "custom claims are at the top level of the payload: set them in code, with `.claims(…)`",
    ),
    (
        "claims_in_refresh_token",
        "the claims of a pair are in both of its tokens: set them in code, with `.claims(…)`",
    ),
    (
        "propagate_exceptions",
        "guards answer a refusal themselves: to change the answer, use `on_rejection` in code",
    ),
    ("cookie_httponly", HTTP_ONLY),
    ("httponly", HTTP_ONLY),
    ("jwks", KEY_SETS),
    ("jwks_url", KEY_SETS),
    ("jwks_uri", KEY_SETS),
    ("jwk_url", KEY_SETS),
    ("kid", KEY_SETS),
];

const REVOCATION: &str = "revoked tokens are always refused: remove it";
const CHECKS: &str = "every guard refuses revoked tokens, except `IgnoreRevocation<…>`: remove it";
const STORE: &str = "the store is chosen in code, with `Jwt::fairing().database_blocklist::<Db>()`";
const HTTP_ONLY: &str = "the cookies of tokens are always `HttpOnly`: remove it";
const KEY_SETS: &str =
    "the keys of a key set are chosen in code, with `Jwt::fairing().verifying_key(…)`";

/// The advice about an unknown key, as the end of a sentence about it.
pub(super) fn advice(key: &str) -> String {
    let name = normal(key);
    if let Some((_, text)) = ELSEWHERE.iter().find(|(other, _)| *other == name) {
        return (*text).into();
    }
    match candidates(&name).as_slice() {
        [] => "the documentation of the crate lists every key, under \"Configuration\"".into(),
        meant => {
            let meant: Vec<_> = meant.iter().map(|key| format!("`{key}`")).collect();
            format!("did you mean {}?", meant.join(" or "))
        }
    }
}

/// The key that a name means, if only one is possible.
pub(super) fn meant(key: &str) -> Option<&'static str> {
    match candidates(&normal(key)).as_slice() {
        [one] => Some(*one),
        _ => None,
    }
}

/// Whether two names differ by a typing error. A different digit does not count, as it is seldom a
/// typing error.
pub(super) fn is_slip_of(name: &str, other: &str) -> bool {
    let (name, other) = (name.to_ascii_lowercase(), other.to_ascii_lowercase());
    let tolerance = if other.len() < 5 { 1 } else { 2 };
    name != other
        && !name.contains(|c: char| c.is_ascii_digit())
        && strsim::osa_distance(&name, &other) <= tolerance
}

/// A name in the form of a key.
fn normal(key: &str) -> String {
    let name = key.trim().to_ascii_lowercase().replace(['-', ' ', '.'], "_");
    let mut name = name.trim_matches('_');
    for prefix in ["rocket_", "flask_", "jwt_", "extended_"] {
        name = name.strip_prefix(prefix).unwrap_or(name).trim_start_matches('_');
    }
    name.into()
}

/// The keys that a name may mean: the result of the most reliable rule that finds any.
fn candidates(name: &str) -> Vec<&'static str> {
    let keys = Config::KEYS;
    if let Some(key) = keys.iter().find(|key| **key == name) {
        return vec![*key];
    }
    if let Some((_, key)) = SYNONYMS.iter().find(|(other, _)| *other == name) {
        return vec![*key];
    }
    // `cookiedomain`, and `accessTokenExpires` in small letters.
    let squeezed = name.replace('_', "");
    if let Some(key) = keys.iter().find(|key| key.replace('_', "") == squeezed) {
        return vec![*key];
    }
    let near = nearest(name);
    if !near.is_empty() {
        return near;
    }
    // `csrf_header_name` is part of two keys; `private_key_path` contains a key.
    let wider: Vec<_> = keys.iter().copied().filter(|key| has_words(key, name)).collect();
    if (1..=MAX_CANDIDATES).contains(&wider.len()) {
        return wider;
    }
    keys.iter()
        .copied()
        .filter(|key| has_words(name, key))
        .max_by_key(|key| key.len())
        .into_iter()
        .collect()
}

/// The keys with the fewest typing errors, if these are few for a name of that length.
fn nearest(name: &str) -> Vec<&'static str> {
    let limit = (name.len() / 5).max(1);
    let distances: Vec<_> =
        Config::KEYS.iter().map(|key| (strsim::osa_distance(name, key), *key)).collect();
    let least = distances.iter().map(|(distance, _)| *distance).min();
    let near = distances.into_iter().filter(|(distance, _)| Some(*distance) == least);
    let near: Vec<_> =
        near.filter(|(distance, _)| *distance <= limit).map(|(_, key)| key).collect();
    if near.len() > MAX_CANDIDATES { Vec::new() } else { near }
}

/// Whether `whole` contains the words of `part` consecutively.
fn has_words(whole: &str, part: &str) -> bool {
    !part.is_empty() && format!("_{whole}_").contains(&format!("_{part}_"))
}

#[cfg(test)]
mod tests {
    use super::{advice, is_slip_of};

    #[test]
    fn an_unknown_key_is_answered_with_the_key_that_is_meant() {
        for (key, meant) in [
            ("JWT_ACCESS_TOKEN_EXPIRES", "`access_token_expires`"),
            ("jwt_decode_audience", "`decode_audience`"),
            ("ROCKET_JWT_DECODE_AUDIENCE", "`decode_audience`"),
            ("access-token-expires", "`access_token_expires`"),
            ("accessTokenExpires", "`access_token_expires`"),
            ("Secret_Key", "`secret_key`"),
            ("secretkey", "`secret_key`"),
            ("secret", "`secret_key`"),
            ("decode_audeince", "`decode_audience`"),
            ("decode_audiences", "`decode_audience`"),
            ("samesite", "`cookie_samesite`"),
            ("leeway", "`decode_leeway`"),
            ("audience", "`decode_audience` or `encode_audience`"),
            ("JWT_CSRF_HEADER_NAME", "`access_csrf_header_name` or `refresh_csrf_header_name`"),
            ("private_key_path", "`private_key`"),
            ("access_token_lifetime", "`access_token_expires`"),
        ] {
            assert_eq!(advice(key), format!("did you mean {meant}?"), "{key}");
        }
        assert!(advice("JWT_BLACKLIST_ENABLED").starts_with("revoked tokens are always refused"));
        assert!(advice("banana").contains("lists every key"));
    }

    #[test]
    fn a_slip_is_a_letter_or_two_and_no_digit() {
        assert!(is_slip_of("relese", "release") && is_slip_of("Defalt", "default"));
        assert!(!is_slip_of("release", "release") && !is_slip_of("Release", "release"));
        assert!(!is_slip_of("release2", "release") && !is_slip_of("staging", "release"));
    }
}
