//! Checks the table and turns it into [`Settings`].

use jsonwebtoken::Algorithm;
use rocket::figment::Figment;
use rocket::http::{Method, SameSite, Status};
use rocket::time::Duration;

use super::browser_rules::{domain_flaw, is_kept_from_scripts, may_be_public_suffix};
use super::durations;
use super::findings::Findings;
use super::identifiers;
use super::read::Config;
use super::report::Report;
use super::required;
use super::sessions;
use super::values::{OneOrMany, OptionalSpan};
use crate::settings::{Settings, TokenNames, accepts};
use crate::token::claims::Audience;
use crate::token::compact::OWN_TYP;
use crate::token::kind::TokenType;
use crate::token::location::Location;
use crate::token::payload::slots::REGISTERED;

/// Checks the table. If `report` contains an error afterwards, the settings must not be used.
pub(crate) fn settings(config: &Config, figment: &Figment, report: &mut Report) -> Settings {
    let debug = figment.profile() == rocket::Config::DEBUG_PROFILE;
    let mut check = Check { config, findings: Findings { config, figment, report } };

    let algorithm = check.algorithm("algorithm", &config.algorithm);
    let decode_algorithms = check.decode_algorithms(algorithm);
    let cookie_secure = config.cookie_secure.unwrap_or(!debug);
    let decode_typ = required::decode_typ(config.decode_typ.as_ref(), &mut check.findings);
    Settings {
        algorithm,
        decode_algorithms,
        decode_audience: identifiers::list(
            "decode_audience",
            config.decode_audience.as_ref(),
            &mut check.findings,
        ),
        encode_audience: identifiers::list(
            "encode_audience",
            config.encode_audience.as_ref(),
            &mut check.findings,
        )
        .map(Audience::from),
        decode_issuer: identifiers::list(
            "decode_issuer",
            config.decode_issuer.as_ref(),
            &mut check.findings,
        ),
        encode_issuer: identifiers::one(
            "encode_issuer",
            config.encode_issuer.as_ref(),
            &mut check.findings,
        ),
        accepts_own_typ: accepts(&decode_typ, Some(OWN_TYP)),
        decode_typ,
        decode_leeway: durations::decode_leeway(config.decode_leeway, &mut check.findings),
        encode_nbf: config.encode_nbf,
        identity_claim: check.identity_claim(),
        verify_sub: config.verify_sub,
        max_token_length: check.max_token_length(),
        required_claims: required::required_claims(&config.required_claims, &mut check.findings),
        error_message_key: check.error_message_key(),
        invalid_token_status: check.invalid_token_status(),
        token_location: check.token_location(),
        header_name: check.token_header(),
        header_type: check.header_type(),
        cookie_domain: check.cookie_domain(),
        cookie_secure,
        cookie_samesite: check.samesite(cookie_secure),
        session_cookie: config.session_cookie,
        cookie_csrf_protect: config.cookie_csrf_protect,
        csrf_methods: check.csrf_methods(),
        csrf_in_cookies: config.csrf_in_cookies,
        csrf_check_form: config.csrf_check_form,
        query_string_name: check.name("query_string_name", &config.query_string_name),
        query_string_value_prefix: config.query_string_value_prefix.clone(),
        implicit_refresh_within: durations::implicit_refresh_within(
            config.implicit_refresh_within,
            &mut check.findings,
        ),
        rotation_grace: durations::rotation_grace(config.rotation_grace, &mut check.findings),
        max_token_lifetime: check.lifetime("max_token_lifetime", config.max_token_lifetime),
        session_lifetime: check.lifetime("session_lifetime", config.session_lifetime),
        sessions: config.sessions.0,
        max_sessions: sessions::max_sessions(config, &mut check.findings),
        session_limit: sessions::session_limit(config, &mut check.findings),
        blocklist_prune_interval: durations::blocklist_prune_interval(
            config.blocklist_prune_interval,
            &mut check.findings,
        ),
        blocklist_timeout: durations::blocklist_timeout(
            config.blocklist_timeout,
            &mut check.findings,
        ),
        blocklist_replica: durations::blocklist_replica(
            config.blocklist_replica,
            &mut check.findings,
        ),
        token_cache: check.token_cache(),
        access: check.token_names(TokenType::Access),
        refresh: check.token_names(TokenType::Refresh),
    }
}

/// Checks single keys, and reports the errors of each.
struct Check<'a> {
    config: &'a Config,
    findings: Findings<'a>,
}

impl Check<'_> {
    fn fault(&mut self, key: &str, message: impl std::fmt::Display) {
        self.findings.fault(key, message);
    }

    fn warn(&mut self, key: &str, message: impl std::fmt::Display) {
        self.findings.warn(key, message);
    }

    fn lifetime(&mut self, key: &str, span: OptionalSpan) -> Option<Duration> {
        durations::lifetime(key, span, &mut self.findings)
    }

    /// The settings for one type of token. The keys of both types differ only in the type's name.
    fn token_names(&mut self, token_type: TokenType) -> TokenNames {
        let config = self.config;
        macro_rules! names {
            ($expires:ident, $cookie_name:ident, $cookie_path:ident, $csrf_cookie_name:ident,
             $csrf_cookie_path:ident, $csrf_header_name:ident, $csrf_field_name:ident,
             $json_key:ident) => {
                TokenNames {
                    expires: self.lifetime(stringify!($expires), config.$expires),
                    cookie_name: self.cookie(stringify!($cookie_name), &config.$cookie_name),
                    cookie_path: self.path(stringify!($cookie_path), &config.$cookie_path),
                    csrf_cookie_name: self
                        .cookie(stringify!($csrf_cookie_name), &config.$csrf_cookie_name),
                    csrf_cookie_path: self
                        .path(stringify!($csrf_cookie_path), &config.$csrf_cookie_path),
                    csrf_header_name: self
                        .csrf_header(stringify!($csrf_header_name), &config.$csrf_header_name),
                    csrf_field_name: self
                        .name(stringify!($csrf_field_name), &config.$csrf_field_name),
                    json_key: self.name(stringify!($json_key), &config.$json_key),
                }
            };
        }
        match token_type {
            TokenType::Refresh => names!(
                refresh_token_expires,
                refresh_cookie_name,
                refresh_cookie_path,
                refresh_csrf_cookie_name,
                refresh_csrf_cookie_path,
                refresh_csrf_header_name,
                refresh_csrf_field_name,
                refresh_json_key
            ),
            _ => names!(
                access_token_expires,
                access_cookie_name,
                access_cookie_path,
                access_csrf_cookie_name,
                access_csrf_cookie_path,
                access_csrf_header_name,
                access_csrf_field_name,
                json_key
            ),
        }
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
            self.fault(
                "decode_algorithms",
                "must name at least one algorithm; remove it to accept `algorithm` alone",
            );
        }
        for name in names {
            let other = self.algorithm("decode_algorithms", name);
            if other.family() != algorithm.family() {
                self.fault(
                    "decode_algorithms",
                    format_args!(
                        "mixes key families: {other:?} beside {algorithm:?}; a key belongs to one \
                         family, and others are for the `verifying_key` hook"
                    ),
                );
            } else if !algorithms.contains(&other) {
                algorithms.push(other);
            }
        }
        algorithms
    }

    fn identity_claim(&mut self) -> String {
        let claim = &self.config.identity_claim;
        if claim.is_empty() {
            self.fault("identity_claim", "must not be empty: the usual claim is \"sub\"");
        } else if claim != "sub" && REGISTERED.contains(&claim.as_str()) {
            self.fault(
                "identity_claim",
                "must not be a claim with another meaning: use \"sub\" or a custom name",
            );
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
            self.fault(
                "error_message_key",
                "must be neither empty nor `code` nor `hint`, such as \"msg\"",
            );
        }
        key.clone()
    }

    fn invalid_token_status(&mut self) -> Status {
        let code = self.config.invalid_token_status;
        if !(400..500).contains(&code) {
            self.fault("invalid_token_status", "must be a status from 400 to 499, such as 401");
        }
        Status::new(code)
    }

    fn token_location(&mut self) -> Vec<Location> {
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
                "has `query_string`: URLs end up in logs and browser histories (RFC 6750 §5.3); \
                 keep it for tokens that live for seconds, or remove it",
            );
        }
        locations
    }

    fn name(&mut self, key: &str, name: &str) -> String {
        if name.is_empty() {
            self.fault(key, "must not be empty: write a name, or remove it for the default");
        }
        name.into()
    }

    fn header(&mut self, key: &str, name: &str) -> String {
        if !is_http_token(name) {
            self.fault(key, "must be a header name (RFC 9110 §5.1), such as \"X-Token\"");
        } else if name.contains('_') {
            self.warn(
                key,
                "has an underscore: nginx and other proxies drop such headers; write a hyphen instead",
            );
        }
        name.into()
    }

    fn csrf_header(&mut self, key: &str, name: &str) -> String {
        if is_kept_from_scripts(name) {
            self.fault(
                key,
                "is a header that browsers let no script set, so that nobody could send the CSRF value; \
                 change it, for example to \"X-CSRF-TOKEN\"",
            );
        }
        self.header(key, name)
    }

    fn token_header(&mut self) -> String {
        let name = &self.config.header_name;
        if is_kept_from_scripts(name) {
            self.warn("header_name", "is a header that browsers let no script set; change it");
        }
        self.header("header_name", name)
    }

    fn header_type(&mut self) -> String {
        let scheme = &self.config.header_type;
        if !scheme.is_empty() && !is_http_token(scheme) {
            self.fault(
                "header_type",
                "must be an authentication scheme (RFC 9110 §11.1) or empty, such as \"Bearer\"",
            );
        }
        scheme.clone()
    }

    fn cookie(&mut self, key: &str, name: &str) -> String {
        if !is_http_token(name) {
            self.fault(key, "must be a cookie name (RFC 6265 §4.1.1), such as \"token\"");
        } else if name.contains(['#', '%', '^', '`', '|']) {
            // Rocket's jar would percent-encode the name, but it is read as it is.
            self.fault(key, "must not contain any of # % ^ ` |");
        }
        name.into()
    }

    fn path(&mut self, key: &str, path: &str) -> String {
        if !path.starts_with('/') || !is_cookie_text(path) {
            self.fault(key, "must be a path that begins with `/`, such as \"/\" or \"/api\"");
        }
        path.into()
    }

    fn cookie_domain(&mut self) -> Option<String> {
        let domain = self.config.cookie_domain.as_ref()?;
        const KEY: &str = "cookie_domain";
        match domain_flaw(domain) {
            Some(flaw) => self.fault(KEY, flaw),
            None if may_be_public_suffix(domain) => self.warn(
                KEY,
                "looks like a public suffix, for which browsers reject cookies; write the domain \
                 below it that is yours",
            ),
            None => (),
        }
        if domain.starts_with('.') {
            self.warn(
                KEY,
                "begins with a dot, which browsers ignore (RFC 6265 §5.2.3); remove the dot",
            );
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
        if methods.contains(&Method::Get) {
            self.warn(
                "csrf_methods",
                "has GET: a browser that opens a page sends no CSRF value, and is refused; remove it unless \
                 only scripts send GET requests",
            );
        }
        if methods.len() != names.len() {
            self.fault("csrf_methods", "can only contain HTTP methods, such as \"POST\"");
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
}

/// Whether this is an RFC 9110 §5.6.2 token, as header names, schemes and cookie names must be.
fn is_http_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// Whether the value is free of characters that would end a cookie attribute.
fn is_cookie_text(text: &str) -> bool {
    text.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b';')
}
