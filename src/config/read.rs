//! The table as written: the one list of keys, with their types and defaults.

use std::collections::HashMap;

use rocket::figment::Figment;
use rocket::figment::error::Kind;
use rocket::figment::value::{Dict, Value};
use rocket::time::Duration;

use super::report::{Origin, Report, variable};
use super::setting::{self, Setting};
use super::values::{
    OneOrMany, OptionalCount, OptionalSpan, RequiredClaims, Secret, SessionsMode, Span,
};
use crate::settings::Sessions;

/// The one list of settings, each with its key, type and default. A test compares docs/configuration.md
/// with it.
macro_rules! settings {
    ($($key:ident: $ty:ty = $default:expr;)*) => {
        /// The `[jwt]` table as written, with defaults for missing keys.
        pub(crate) struct Config {
            $(pub(crate) $key: $ty,)*
            origins: HashMap<&'static str, Origin>,
            /// Unknown keys of the table.
            pub(super) unknown: Dict,
            /// Whether the value is not a table, which is an error.
            pub(super) is_unreadable: bool,
        }

        impl Config {
            /// All keys.
            pub(crate) const KEYS: &'static [&'static str] = &[$(stringify!($key)),*];

            /// Reads the table. A key of the wrong type is an error in `report`, and has its
            /// default in the result.
            pub(crate) fn read(figment: &Figment, report: &mut Report) -> Self {
                let table = table(figment, report);
                let is_unreadable = table.is_none();
                let mut table = table.unwrap_or_default();
                let mut origins = HashMap::new();
                $(
                    let key = stringify!($key);
                    let $key = match table.remove(key) {
                        None => $default,
                        Some(value) => {
                            let origin = Origin::of(figment, &value, key);
                            let default: $ty = $default;
                            let read = setting::read(key, &value, &default);
                            let read = read.map_err(|message| report.fault(&origin, message));
                            origins.insert(key, origin);
                            read.unwrap_or(default)
                        }
                    };
                )*
                Self { $($key,)* origins, unknown: table, is_unreadable }
            }

            /// The value of a key as `Debug` shows it, and the values that its type accepts.
            #[cfg(test)]
            pub(super) fn shown(&self, key: &str) -> Option<(String, &'static str)> {
                match key {
                    $(stringify!($key) => {
                        Some((format!("{:?}", self.$key), <$ty as Setting>::EXPECTED))
                    })*
                    _ => None,
                }
            }

            /// An example value of that key, as an operator would write it.
            pub(crate) fn example(key: &str) -> Option<String> {
                match key {
                    $(stringify!($key) => Some(<$ty as Setting>::example(&$default)),)*
                    _ => None,
                }
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
    session_lifetime: OptionalSpan = OptionalSpan(None);
    sessions: SessionsMode = SessionsMode(Sessions::Off);
    max_sessions: OptionalCount = OptionalCount(None);
    session_limit: String = "end_oldest".into();
    blocklist_prune_interval: Span = Span(Duration::minutes(10));
    blocklist_timeout: Span = Span(Duration::seconds(2));
    blocklist_replica: OptionalSpan = OptionalSpan(None);
    token_cache: usize = 4 << 20;
}

impl Config {
    /// The place where `key` is set.
    pub(crate) fn origin(&self, figment: &Figment, key: &str) -> Origin {
        self.origins.get(key).cloned().unwrap_or_else(|| Origin::unwritten(figment, key))
    }

    /// Whether `key` is set, even to its default.
    pub(crate) fn is_written(&self, key: &str) -> bool {
        self.origins.contains_key(key)
    }
}

/// The table, which is empty if it is not configured, or an error in `report`.
fn table(figment: &Figment, report: &mut Report) -> Option<Dict> {
    match figment.find_value("jwt") {
        Ok(Value::Dict(_, table)) => Some(table),
        Ok(other) => {
            report.fault(&Origin::of(figment, &other, ""), no_table(figment, &other));
            None
        }
        // Otherwise a provider could not be read (a broken Rocket.toml), or there is no such table,
        // which is not an error.
        Err(error) if error.missing() => Some(Dict::new()),
        Err(error) => {
            // Only the first line, and only of a text: further lines, or the type of a value, may
            // quote the file with its secrets.
            let text = match &error.kind {
                Kind::Message(text) => text.lines().next().unwrap_or_default(),
                _ => "it is not made of tables, one for each profile",
            };
            let origin = Origin::unread(figment, error.metadata.as_ref());
            report.fault(&origin, format_args!("cannot be read: {text}"));
            None
        }
    }
}

/// The error for a value in place of the table. It does not show the value.
fn no_table(figment: &Figment, value: &Value) -> String {
    let Some(variable) = variable(figment, value, "jwt") else {
        return "must be a table: write `[default.jwt]` and below it a line `key = value` for each \
                setting"
            .into();
    };
    let cause = match value.as_str().map(str::trim) {
        Some("") => "it is empty",
        Some(text) if text.starts_with("'{") => {
            "the quotes around the braces are part of it, as no shell removes them; leave them out"
        }
        Some(text) if text.starts_with('{') && text.contains(['“', '”', '„', '‘', '’']) => {
            "it has typographic quotes; write plain ones"
        }
        Some(text) if text.starts_with('{') && text.contains("='") => {
            "it has single quotes; write double ones"
        }
        Some(text) if text.starts_with('{') && text.contains("\":") => "it is JSON",
        Some(text) if text.starts_with('{') => {
            "a quote, a bracket or a comma is missing or one too many"
        }
        _ => "it is not in braces",
    };
    format!(
        "could not be read as a table: {cause}; write {variable}='{{secret_key=\"…\", \
         decode_audience=[\"…\", \"…\"]}}', with `=` after each key and a comma between settings"
    )
}
