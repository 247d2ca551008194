//! The settings, as the rest of the crate uses them: checked, typed, complete.

use jsonwebtoken::Algorithm;
use rocket::http::{Method, SameSite, Status};
use rocket::time::Duration;
use serde_json::Value;

use crate::token::claims::Audience;
use crate::token::kind::TokenType;
use crate::token::location::Location;

/// The checked configuration, in the types that requests need. Each field has the name of its key.
#[cfg_attr(test, derive(Debug))]
pub(crate) struct Settings {
    pub(crate) algorithm: Algorithm,
    pub(crate) decode_algorithms: Vec<Algorithm>,
    pub(crate) decode_audience: Option<Vec<String>>,
    pub(crate) encode_audience: Option<Audience>,
    pub(crate) decode_issuer: Option<Vec<String>>,
    pub(crate) encode_issuer: Option<String>,
    /// Without the prefix `application/`; `None` stands for a header without `typ`.
    pub(crate) decode_typ: Vec<Option<String>>,
    /// Whether `decode_typ` accepts the `typ` of our own headers. Computed at launch.
    pub(crate) accepts_own_typ: bool,
    pub(crate) decode_leeway: Duration,
    pub(crate) encode_nbf: bool,
    pub(crate) identity_claim: String,
    pub(crate) verify_sub: bool,
    pub(crate) max_token_length: usize,
    pub(crate) required_claims: Vec<RequiredClaim>,
    pub(crate) error_message_key: String,
    pub(crate) invalid_token_status: Status,
    pub(crate) token_location: Vec<Location>,
    pub(crate) header_name: String,
    pub(crate) header_type: String,
    pub(crate) cookie_domain: Option<String>,
    pub(crate) cookie_secure: bool,
    pub(crate) cookie_samesite: SameSite,
    pub(crate) session_cookie: bool,
    pub(crate) cookie_csrf_protect: bool,
    pub(crate) csrf_methods: Vec<Method>,
    pub(crate) csrf_in_cookies: bool,
    pub(crate) csrf_check_form: bool,
    pub(crate) query_string_name: String,
    pub(crate) query_string_value_prefix: String,
    pub(crate) implicit_refresh_within: Option<Duration>,
    pub(crate) rotation_grace: Duration,
    pub(crate) max_token_lifetime: Option<Duration>,
    pub(crate) session_lifetime: Option<Duration>,
    pub(crate) sessions: Sessions,
    pub(crate) max_sessions: Option<usize>,
    pub(crate) session_limit: SessionLimit,
    pub(crate) blocklist_prune_interval: Duration,
    pub(crate) blocklist_timeout: Duration,
    pub(crate) blocklist_replica: Option<Duration>,
    /// In bytes.
    pub(crate) token_cache: usize,
    pub(crate) access: TokenNames,
    pub(crate) refresh: TokenNames,
}

/// Whether sessions are recorded when they begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sessions {
    Off,
    /// Sessions are recorded, and the exchange of a session without a row inserts one.
    Adopt,
    On,
}

/// What happens at a login that exceeds `max_sessions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionLimit {
    EndOldest,
    Refuse,
}

/// A claim that a token must have.
#[cfg_attr(test, derive(Debug))]
pub(crate) struct RequiredClaim {
    pub(crate) name: String,
    /// The values it may have; `None` means any value.
    pub(crate) values: Option<Vec<Value>>,
}

impl RequiredClaim {
    pub(crate) fn any(name: &str) -> Self {
        Self { name: name.into(), values: None }
    }

    /// Whether the claim may have this value. For a list, one allowed member is enough.
    pub(crate) fn fits(&self, value: &Value) -> bool {
        let Some(allowed) = &self.values else { return true };
        match value {
            Value::Array(many) => many.iter().any(|one| allowed.contains(one)),
            one => allowed.contains(one),
        }
    }
}

/// A header's `typ` without the optional prefix (RFC 7515 §4.1.9).
pub(crate) fn bare_typ(typ: &str) -> &str {
    const PREFIX: &str = "application/";
    match typ.split_at_checked(PREFIX.len()) {
        Some((prefix, bare)) if prefix.eq_ignore_ascii_case(PREFIX) => bare,
        _ => typ,
    }
}

/// The settings that differ between access and refresh tokens: names, paths, lifetime.
#[cfg_attr(test, derive(Debug))]
pub(crate) struct TokenNames {
    pub(crate) expires: Option<Duration>,
    pub(crate) cookie_name: String,
    pub(crate) cookie_path: String,
    pub(crate) csrf_cookie_name: String,
    pub(crate) csrf_cookie_path: String,
    pub(crate) csrf_header_name: String,
    pub(crate) csrf_field_name: String,
    pub(crate) json_key: String,
}

impl Settings {
    /// The names for a type of token. An unknown type has the names of the access token, which
    /// grants least.
    pub(crate) fn names(&self, token_type: TokenType) -> &TokenNames {
        match token_type {
            TokenType::Refresh => &self.refresh,
            _ => &self.access,
        }
    }

    /// The longer of the two configured lifetimes: it limits how long a session's tokens are valid.
    /// `None` means that they never expire.
    pub(crate) fn longest_lifetime(&self) -> Option<Duration> {
        Some(self.access.expires?.max(self.refresh.expires?))
    }

    /// Whether a header with this `typ` is accepted (RFC 8725 §3.11).
    pub(crate) fn accepts_typ(&self, typ: Option<&str>) -> bool {
        accepts(&self.decode_typ, typ)
    }

    /// Whether a token of this type must have the claim.
    pub(crate) fn requires(&self, claim: &str, token_type: TokenType) -> bool {
        self.required_claims.iter().any(|required| required.name == claim)
            && (claim != "exp" || self.names(token_type).expires.is_some())
    }
}

/// Whether this is one of the accepted `typ`s. The comparison ignores case.
pub(crate) fn accepts(all: &[Option<String>], typ: Option<&str>) -> bool {
    let typ = typ.map(bare_typ);
    all.iter().any(|accepted| match (accepted, typ) {
        (Some(accepted), Some(typ)) => accepted.eq_ignore_ascii_case(typ),
        (accepted, typ) => accepted.is_none() && typ.is_none(),
    })
}
