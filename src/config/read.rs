//! The table as it is written: one list of keys, their types and defaults.

use std::collections::HashMap;

use rocket::figment::error::Kind;
use rocket::figment::value::Value;
use rocket::figment::Figment;
use rocket::serde::Deserialize;
use rocket::time::Duration;

use super::report::{Origin, Report};
use super::values::{OneOrMany, OptionalSpan, RequiredClaims, Secret, Span};

/// One list of settings: a field, a key and a default each. The README's and the crate's tables are
/// compared with it by a test.
macro_rules! settings {
    ($($key:ident: $ty:ty = $default:expr;)*) => {
        /// The `[jwt]` table as written, with defaults where nothing was.
        pub(crate) struct Config {
            $(pub(crate) $key: $ty,)*
            origins: HashMap<&'static str, Origin>,
        }

        impl Config {
            /// Every key there is.
            #[cfg(test)]
            pub(crate) const KEYS: &'static [&'static str] = &[$(stringify!($key)),*];

            /// Reads the table. A key that is unknown or of the wrong type is a fault in `report`,
            /// and stands at its default in what is returned.
            pub(crate) fn read(figment: &Figment, report: &mut Report) -> Self {
                let mut table = table(figment, report);
                let mut origins = HashMap::new();
                $(
                    let key = stringify!($key);
                    let $key = match table.remove(key) {
                        None => $default,
                        Some(value) => {
                            let origin = Origin::of(figment, &value, key);
                            let read = read::<$ty>(&value, &origin, report);
                            origins.insert(key, origin);
                            read.unwrap_or_else(|| $default)
                        }
                    };
                )*
                for (key, value) in table {
                    report.fault(&Origin::of(figment, &value, &key), "is no setting of JWT");
                }
                Self { $($key,)* origins }
            }
        }
    };
}

settings! {
    algorithm: String = "HS256".into();
    decode_algorithms: Option<OneOrMany> = None;
    secret_key: Option<Secret> = None;
    secret_key_file: Option<Secret> = None;
    secret_key_encoding: String = "text".into();
    private_key: Option<Secret> = None;
    public_key: Option<Secret> = None;
    access_token_expires: OptionalSpan = OptionalSpan(Some(Duration::minutes(15)));
    refresh_token_expires: OptionalSpan = OptionalSpan(Some(Duration::days(30)));
    decode_audience: Option<OneOrMany> = None;
    encode_audience: Option<OneOrMany> = None;
    decode_issuer: Option<OneOrMany> = None;
    encode_issuer: Option<String> = None;
    decode_typ: Option<OneOrMany> = None;
    decode_leeway: Span = Span(Duration::ZERO);
    encode_nbf: bool = true;
    identity_claim: String = "sub".into();
    verify_sub: bool = true;
    max_token_length: usize = 16_384;
    required_claims: RequiredClaims = RequiredClaims::List(vec!["exp".into()]);
    error_message_key: String = "msg".into();
    invalid_token_status: u16 = 401;
    token_location: OneOrMany = OneOrMany(vec!["headers".into()]);
    header_name: String = "Authorization".into();
    header_type: String = "Bearer".into();
    access_cookie_name: String = "access_token_cookie".into();
    refresh_cookie_name: String = "refresh_token_cookie".into();
    access_cookie_path: String = "/".into();
    refresh_cookie_path: String = "/".into();
    cookie_domain: Option<String> = None;
    cookie_secure: Option<bool> = None;
    cookie_samesite: String = "Lax".into();
    session_cookie: bool = true;
    cookie_csrf_protect: bool = true;
    csrf_methods: OneOrMany = OneOrMany(["POST", "PUT", "PATCH", "DELETE"].map(Into::into).into());
    csrf_in_cookies: bool = true;
    csrf_check_form: bool = false;
    access_csrf_cookie_name: String = "csrf_access_token".into();
    refresh_csrf_cookie_name: String = "csrf_refresh_token".into();
    access_csrf_cookie_path: String = "/".into();
    refresh_csrf_cookie_path: String = "/".into();
    access_csrf_header_name: String = "X-CSRF-TOKEN".into();
    refresh_csrf_header_name: String = "X-CSRF-TOKEN".into();
    access_csrf_field_name: String = "csrf_token".into();
    refresh_csrf_field_name: String = "csrf_token".into();
    query_string_name: String = "jwt".into();
    query_string_value_prefix: String = String::new();
    json_key: String = "access_token".into();
    refresh_json_key: String = "refresh_token".into();
    implicit_refresh_within: OptionalSpan = OptionalSpan(None);
    rotation_grace: Span = Span(Duration::seconds(10));
    max_token_lifetime: OptionalSpan = OptionalSpan(None);
    blocklist_prune_interval: Span = Span(Duration::minutes(10));
    blocklist_timeout: Span = Span(Duration::seconds(2));
    blocklist_replica: OptionalSpan = OptionalSpan(None);
    token_cache: usize = 4 << 20;
}

impl Config {
    /// Where `key` was written.
    pub(crate) fn origin(&self, figment: &Figment, key: &str) -> Origin {
        self.origins.get(key).cloned().unwrap_or_else(|| Origin::unwritten(figment, key))
    }
}

fn table(figment: &Figment, report: &mut Report) -> rocket::figment::value::Dict {
    if figment.profile() != "jwt" && figment.profiles().any(|profile| profile == "jwt") {
        // A table by itself is a profile to Rocket, and nobody would notice that it is not read.
        report.fault(&Origin::unwritten(figment, ""), "is meant by `[jwt]`? Write `[default.jwt]`");
    }
    match figment.find_value("jwt") {
        Ok(Value::Dict(_, table)) => table,
        Ok(other) => {
            report.fault(&Origin::of(figment, &other, ""), "must be a table");
            Default::default()
        }
        // The only other answer is that a provider could not be read (a broken Rocket.toml), or that
        // there is no such table, which is fine.
        Err(error) if error.missing() => Default::default(),
        Err(error) => {
            // The first line alone: what follows may quote the file, secrets and all.
            let text = error.kind.to_string();
            let first = text.lines().next().unwrap_or_default();
            let origin = Origin::unread(figment, error.metadata.as_ref());
            report.fault(&origin, format_args!("cannot be read: {first}"));
            Default::default()
        }
    }
}

fn read<'de, T: Deserialize<'de>>(
    value: &Value,
    origin: &Origin,
    report: &mut Report,
) -> Option<T> {
    match value.deserialize() {
        Ok(read) => Some(read),
        Err(error) => {
            match error.kind {
                Kind::Message(message) => report.fault(origin, message),
                kind => report.fault(origin, kind),
            }
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Config;

    /// The keys a table of the documentation names: the first code spans of its rows.
    fn documented(text: &str) -> Vec<&str> {
        let start = text.find("<!-- settings -->").expect("the table is marked");
        let end = text.find("<!-- /settings -->").expect("the table's end is marked");
        text[start..end]
            .lines()
            .map(|line| line.trim_start_matches("//! "))
            .filter(|line| line.starts_with("| `"))
            .filter_map(|line| line.split('`').nth(1))
            .collect()
    }

    #[test]
    fn the_documented_settings_are_the_settings() {
        for text in [include_str!("../../README.md"), include_str!("../lib.rs")] {
            assert_eq!(documented(text), Config::KEYS);
        }
    }
}
