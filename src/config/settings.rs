//! The settings as the rest of the crate sees them: checked, of the right type, complete.

use jsonwebtoken::Algorithm;
use rocket::figment::Figment;
use rocket::http::{Method, SameSite, Status};
use rocket::time::Duration;

use super::read::Config;
use super::report::Report;
use super::values::OneOrMany;
use crate::claims::{Audience, REGISTERED};
use crate::location::Location;
use crate::token::TokenType;

/// Everything a request needs to know of the configuration.
pub(crate) struct Settings {
    pub(crate) algorithm: Algorithm,
    pub(crate) decode_algorithms: Vec<Algorithm>,
    pub(crate) decode_audience: Option<Vec<String>>,
    pub(crate) encode_audience: Option<Audience>,
    pub(crate) decode_issuer: Option<Vec<String>>,
    pub(crate) encode_issuer: Option<String>,
    pub(crate) leeway: Duration,
    pub(crate) encode_nbf: bool,
    pub(crate) identity_claim: String,
    pub(crate) verify_sub: bool,
    pub(crate) max_token_length: usize,
    pub(crate) required_claims: Vec<String>,
    pub(crate) error_message_key: String,
    pub(crate) invalid_token_status: Status,
    pub(crate) locations: Vec<Location>,
    pub(crate) header_name: String,
    pub(crate) header_type: String,
    pub(crate) cookie_domain: Option<String>,
    pub(crate) cookie_secure: bool,
    pub(crate) cookie_samesite: SameSite,
    pub(crate) session_cookie: bool,
    pub(crate) csrf_protect: bool,
    pub(crate) csrf_methods: Vec<Method>,
    pub(crate) csrf_in_cookies: bool,
    pub(crate) csrf_check_form: bool,
    pub(crate) query_name: String,
    pub(crate) query_prefix: String,
    pub(crate) implicit_refresh: Option<Duration>,
    pub(crate) rotation_grace: Duration,
    pub(crate) max_token_lifetime: Option<Duration>,
    pub(crate) prune_interval: Duration,
    pub(crate) blocklist_timeout: Duration,
    pub(crate) blocklist_replica: Option<Duration>,
    /// In bytes.
    pub(crate) token_cache: usize,
    access: KindNames,
    refresh: KindNames,
}

/// What differs between access and refresh tokens: names, paths, lifetime.
pub(crate) struct KindNames {
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
    /// The names for a kind of token. A type that is neither has the access token's: it never passes
    /// for more.
    pub(crate) fn kind(&self, kind: TokenType) -> &KindNames {
        match kind {
            TokenType::Refresh => &self.refresh,
            _ => &self.access,
        }
    }

    /// The longer of the configured lifetimes: how long a session's tokens can live. `None` is
    /// without end.
    pub(crate) fn session_lifetime(&self) -> Option<Duration> {
        Some(self.access.expires?.max(self.refresh.expires?))
    }

    /// Whether a token of this kind must have the claim.
    pub(crate) fn requires(&self, claim: &str, kind: TokenType) -> bool {
        self.required_claims.iter().any(|required| required == claim)
            && (claim != "exp" || self.kind(kind).expires.is_some())
    }

    /// Checks the table. Where `report` has a fault afterwards, the settings are not to be used.
    pub(crate) fn check(config: &Config, figment: &Figment, report: &mut Report) -> Self {
        let debug = figment.profile() == rocket::Config::DEBUG_PROFILE;
        let mut check = Check { config, figment, report };

        let algorithm = check.algorithm("algorithm", &config.algorithm);
        let decode_algorithms = check.decode_algorithms(algorithm);
        let cookie_secure = config.cookie_secure.unwrap_or(!debug);
        let settings = Self {
            algorithm,
            decode_algorithms,
            decode_audience: check.texts("decode_audience", config.decode_audience.as_ref()),
            encode_audience: check
                .texts("encode_audience", config.encode_audience.as_ref())
                .map(Audience::from),
            decode_issuer: check.texts("decode_issuer", config.decode_issuer.as_ref()),
            encode_issuer: config.encode_issuer.clone(),
            leeway: check.leeway(),
            encode_nbf: config.encode_nbf,
            identity_claim: check.identity_claim(),
            verify_sub: config.verify_sub,
            max_token_length: check.max_token_length(),
            required_claims: check.texts_or_none("required_claims", &config.required_claims),
            error_message_key: check.error_message_key(),
            invalid_token_status: check.invalid_token_status(),
            locations: check.locations(),
            header_name: check.header("header_name", &config.header_name),
            header_type: check.header_type(),
            cookie_domain: check.cookie_domain(),
            cookie_secure,
            cookie_samesite: check.samesite(cookie_secure),
            session_cookie: config.session_cookie,
            csrf_protect: config.cookie_csrf_protect,
            csrf_methods: check.csrf_methods(),
            csrf_in_cookies: config.csrf_in_cookies,
            csrf_check_form: config.csrf_check_form,
            query_name: check.name("query_string_name", &config.query_string_name),
            query_prefix: config.query_string_value_prefix.clone(),
            implicit_refresh: check
                .positive("implicit_refresh_within", config.implicit_refresh_within.0),
            rotation_grace: check.rotation_grace(),
            max_token_lifetime: check.positive("max_token_lifetime", config.max_token_lifetime.0),
            prune_interval: check
                .always("blocklist_prune_interval", config.blocklist_prune_interval.0),
            blocklist_timeout: check.always("blocklist_timeout", config.blocklist_timeout.0),
            blocklist_replica: check.blocklist_replica(),
            token_cache: check.token_cache(),
            access: KindNames {
                expires: check.positive("access_token_expires", config.access_token_expires.0),
                cookie_name: check.cookie("access_cookie_name", &config.access_cookie_name),
                cookie_path: check.path("access_cookie_path", &config.access_cookie_path),
                csrf_cookie_name: check
                    .cookie("access_csrf_cookie_name", &config.access_csrf_cookie_name),
                csrf_cookie_path: check
                    .path("access_csrf_cookie_path", &config.access_csrf_cookie_path),
                csrf_header_name: check
                    .header("access_csrf_header_name", &config.access_csrf_header_name),
                csrf_field_name: check
                    .name("access_csrf_field_name", &config.access_csrf_field_name),
                json_key: check.name("json_key", &config.json_key),
            },
            refresh: KindNames {
                expires: check.positive("refresh_token_expires", config.refresh_token_expires.0),
                cookie_name: check.cookie("refresh_cookie_name", &config.refresh_cookie_name),
                cookie_path: check.path("refresh_cookie_path", &config.refresh_cookie_path),
                csrf_cookie_name: check
                    .cookie("refresh_csrf_cookie_name", &config.refresh_csrf_cookie_name),
                csrf_cookie_path: check
                    .path("refresh_csrf_cookie_path", &config.refresh_csrf_cookie_path),
                csrf_header_name: check
                    .header("refresh_csrf_header_name", &config.refresh_csrf_header_name),
                csrf_field_name: check
                    .name("refresh_csrf_field_name", &config.refresh_csrf_field_name),
                json_key: check.name("refresh_json_key", &config.refresh_json_key),
            },
        };
        check.lifetimes(&settings);
        check.cookie_names(&settings);
        check.reachable(&settings);
        check.unchecked(&settings);
        settings
    }
}

/// The checks, each of which reports what it finds.
struct Check<'a> {
    config: &'a Config,
    figment: &'a Figment,
    report: &'a mut Report,
}

impl Check<'_> {
    fn fault(&mut self, key: &str, message: impl std::fmt::Display) {
        self.report.fault(&self.config.origin(self.figment, key), message);
    }

    fn warn(&mut self, key: &str, message: impl std::fmt::Display) {
        self.report.warn(&self.config.origin(self.figment, key), message);
    }

    fn algorithm(&mut self, key: &str, name: &str) -> Algorithm {
        name.parse().unwrap_or_else(|_| {
            self.fault(
                key,
                "must be one of HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, \
                 ES256, ES384, EdDSA",
            );
            Algorithm::HS256
        })
    }

    fn decode_algorithms(&mut self, algorithm: Algorithm) -> Vec<Algorithm> {
        let mut algorithms = vec![algorithm];
        let config = self.config;
        let Some(OneOrMany(names)) = &config.decode_algorithms else { return algorithms };
        if names.is_empty() {
            self.fault("decode_algorithms", "must name at least one algorithm");
        }
        for name in names {
            let other = self.algorithm("decode_algorithms", name);
            if other.family() != algorithm.family() {
                self.fault(
                    "decode_algorithms",
                    format_args!("mixes key families: {other:?} beside {algorithm:?}"),
                );
            } else if !algorithms.contains(&other) {
                algorithms.push(other);
            }
        }
        algorithms
    }

    /// A list that, where given, has at least one text, and no empty one.
    fn texts(&mut self, key: &str, list: Option<&OneOrMany>) -> Option<Vec<String>> {
        let list = list?;
        if list.0.is_empty() {
            self.fault(key, "must not be empty");
        }
        Some(self.texts_or_none(key, list))
    }

    fn texts_or_none(&mut self, key: &str, list: &OneOrMany) -> Vec<String> {
        if list.0.iter().any(String::is_empty) {
            self.fault(key, "must not hold an empty string");
        }
        list.0.clone()
    }

    fn leeway(&mut self) -> Duration {
        let leeway = self.config.decode_leeway.0;
        if leeway > Duration::DAY {
            self.fault("decode_leeway", "must not be longer than a day");
        }
        leeway
    }

    fn rotation_grace(&mut self) -> Duration {
        let grace = self.config.rotation_grace.0;
        if grace > Duration::HOUR {
            self.fault("rotation_grace", "must not be longer than an hour: a thief has as much");
        }
        grace
    }

    fn identity_claim(&mut self) -> String {
        let claim = &self.config.identity_claim;
        if claim.is_empty() {
            self.fault("identity_claim", "must not be empty");
        } else if claim != "sub" && REGISTERED.contains(&claim.as_str()) {
            self.fault("identity_claim", "must not be a claim with another meaning");
        }
        claim.clone()
    }

    fn max_token_length(&mut self) -> usize {
        let length = self.config.max_token_length;
        if !(1..=1 << 20).contains(&length) {
            self.fault("max_token_length", "must be from 1 to 1048576 bytes");
        }
        length
    }

    fn error_message_key(&mut self) -> String {
        let key = &self.config.error_message_key;
        if key.is_empty() || ["code", "hint"].contains(&key.as_str()) {
            self.fault("error_message_key", "must be neither empty nor `code` nor `hint`");
        }
        key.clone()
    }

    fn invalid_token_status(&mut self) -> Status {
        let code = self.config.invalid_token_status;
        if !(400..500).contains(&code) {
            self.fault("invalid_token_status", "must be a status from 400 to 499");
        }
        Status::new(code)
    }

    fn locations(&mut self) -> Vec<Location> {
        let mut locations = Vec::new();
        let names = &self.config.token_location.0;
        for name in names {
            match Location::from_name(name) {
                Some(location) if locations.contains(&location) => {
                    self.fault("token_location", format_args!("names `{location}` twice"));
                }
                Some(location) => locations.push(location),
                None => self.fault(
                    "token_location",
                    "can only contain \"headers\", \"cookies\", \"query_string\", or \"json\"",
                ),
            }
        }
        if names.is_empty() {
            self.fault(
                "token_location",
                "must contain at least one of \"headers\", \"cookies\", \"query_string\", or \
                 \"json\"",
            );
        }
        if locations.contains(&Location::QueryString) {
            self.warn(
                "token_location",
                "has `query_string`: URLs end up in logs and browser histories (RFC 6750 §5.3)",
            );
        }
        locations
    }

    fn name(&mut self, key: &str, name: &str) -> String {
        if name.is_empty() {
            self.fault(key, "must not be empty");
        }
        name.into()
    }

    fn header(&mut self, key: &str, name: &str) -> String {
        if !is_http_token(name) {
            self.fault(key, "must be a header name (RFC 9110 §5.1)");
        }
        name.into()
    }

    fn header_type(&mut self) -> String {
        let scheme = &self.config.header_type;
        if !scheme.is_empty() && !is_http_token(scheme) {
            self.fault("header_type", "must be an authentication scheme (RFC 9110 §11.1) or empty");
        }
        scheme.clone()
    }

    fn cookie(&mut self, key: &str, name: &str) -> String {
        if !is_http_token(name) {
            self.fault(key, "must be a cookie name (RFC 6265 §4.1.1)");
        } else if name.contains(['#', '%', '^', '`', '|']) {
            // Rocket's jar would write it percent-encoded, and it is read only as it is.
            self.fault(key, "must not contain any of # % ^ ` |");
        }
        name.into()
    }

    fn path(&mut self, key: &str, path: &str) -> String {
        if !path.starts_with('/') || !is_cookie_text(path) {
            self.fault(key, "must be a path that begins with `/`");
        }
        path.into()
    }

    fn cookie_domain(&mut self) -> Option<String> {
        let domain = self.config.cookie_domain.as_ref()?;
        let valid = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        if domain.is_empty() || !domain.chars().all(valid) {
            self.fault("cookie_domain", "must be a domain name");
        }
        Some(domain.clone())
    }

    fn samesite(&mut self, secure: bool) -> SameSite {
        match self.config.cookie_samesite.as_str() {
            "Strict" => SameSite::Strict,
            "Lax" => SameSite::Lax,
            "None" => {
                if !secure {
                    self.fault("cookie_samesite", "\"None\" needs `cookie_secure = true`");
                }
                SameSite::None
            }
            _ => {
                self.fault("cookie_samesite", "must be \"Strict\", \"Lax\" or \"None\"");
                SameSite::Strict
            }
        }
    }

    fn csrf_methods(&mut self) -> Vec<Method> {
        let names = &self.config.csrf_methods.0;
        if names.is_empty() {
            self.fault(
                "csrf_methods",
                "must name at least one method; `cookie_csrf_protect = false` switches it off",
            );
        }
        let methods: Vec<_> = names.iter().filter_map(|name| name.parse().ok()).collect();
        if methods.len() != names.len() {
            self.fault("csrf_methods", "can only contain HTTP methods");
        }
        methods
    }

    fn token_cache(&mut self) -> usize {
        let bytes = self.config.token_cache;
        if bytes > 1 << 30 || (1..64 << 10).contains(&bytes) {
            self.fault("token_cache", "must be 0, or from 65536 to 1073741824 bytes");
        }
        bytes
    }

    fn blocklist_replica(&mut self) -> Option<Duration> {
        let interval = self.positive("blocklist_replica", self.config.blocklist_replica.0);
        if interval.is_some_and(|interval| interval > Duration::HOUR) {
            self.fault("blocklist_replica", "must not be longer than an hour");
        }
        interval
    }

    fn positive(&mut self, key: &str, span: Option<Duration>) -> Option<Duration> {
        span.map(|span| self.always(key, span))
    }

    fn always(&mut self, key: &str, span: Duration) -> Duration {
        if !span.is_positive() {
            self.fault(key, "must be more than zero");
        }
        span
    }

    fn lifetimes(&mut self, settings: &Settings) {
        let Some(longest) = settings.max_token_lifetime else { return };
        for (key, kind) in [
            ("access_token_expires", &settings.access),
            ("refresh_token_expires", &settings.refresh),
        ] {
            if kind.expires.is_none_or(|expires| expires > longest) {
                self.fault(key, "is longer than `max_token_lifetime`");
            }
        }
    }

    fn cookie_names(&mut self, settings: &Settings) {
        let (access, refresh) = (&settings.access, &settings.refresh);
        if access.cookie_name == refresh.cookie_name {
            self.fault("refresh_cookie_name", "is the name of the access cookie too");
        }
        for (key, name) in [
            ("access_csrf_cookie_name", &access.csrf_cookie_name),
            ("refresh_csrf_cookie_name", &refresh.csrf_cookie_name),
        ] {
            if [&access.cookie_name, &refresh.cookie_name].contains(&name) {
                self.fault(key, "is the name of a token's cookie too");
            }
        }
        for (key, name, path) in [
            ("access_cookie_name", &access.cookie_name, &access.cookie_path),
            ("refresh_cookie_name", &refresh.cookie_name, &refresh.cookie_path),
            ("access_csrf_cookie_name", &access.csrf_cookie_name, &access.csrf_cookie_path),
            ("refresh_csrf_cookie_name", &refresh.csrf_cookie_name, &refresh.csrf_cookie_path),
        ] {
            // Browsers drop a cookie that breaks its prefix's promise: say so now (RFC 6265bis §4.1.3).
            let lower = name.to_ascii_lowercase();
            if lower.starts_with("__host-")
                && (!settings.cookie_secure || path != "/" || settings.cookie_domain.is_some())
            {
                self.fault(key, "with `__Host-` needs `cookie_secure`, path `/` and no domain");
            } else if lower.starts_with("__secure-") && !settings.cookie_secure {
                self.fault(key, "with `__Secure-` needs `cookie_secure`");
            }
        }
    }

    /// Whether the tokens issued here are accepted here: not an error, as others may verify them.
    fn reachable(&mut self, settings: &Settings) {
        if let (Some(expected), issuer) = (&settings.decode_issuer, &settings.encode_issuer) {
            if issuer.as_ref().is_none_or(|issuer| !expected.contains(issuer)) {
                self.warn("decode_issuer", "does not accept what `encode_issuer` writes");
            }
        }
        if let Some(expected) = &settings.decode_audience {
            let written = settings.encode_audience.as_ref();
            if written.is_none_or(|audience| !audience.iter().any(|one| expected.contains(one))) {
                self.warn("decode_audience", "does not accept what `encode_audience` writes");
            }
        }
        match (settings.implicit_refresh, settings.access.expires) {
            (Some(_), None) => {
                self.warn("implicit_refresh_within", "renews nothing: access tokens never expire");
            }
            (Some(within), Some(expires)) if within >= expires => {
                self.warn("implicit_refresh_within", "renews at every request");
            }
            _ => (),
        }
    }

    /// What the settings leave unchecked, if that is not what it is for.
    fn unchecked(&mut self, settings: &Settings) {
        let expire = settings.access.expires.is_some() || settings.refresh.expires.is_some();
        if expire && !settings.required_claims.iter().any(|claim| claim == "exp") {
            self.warn("required_claims", "lacks `exp`: tokens without an end are accepted");
        }
        let sent_anywhere = settings.cookie_samesite == SameSite::None;
        let cookies = settings.locations.contains(&Location::Cookies);
        if cookies && sent_anywhere && !settings.csrf_protect {
            self.warn("cookie_csrf_protect", "is off, and other sites can send the cookies");
        }
    }
}

/// An RFC 9110 §5.6.2 token, which is what header names, schemes and cookie names are.
fn is_http_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// Free of what would end a cookie attribute.
fn is_cookie_text(text: &str) -> bool {
    text.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b';')
}
