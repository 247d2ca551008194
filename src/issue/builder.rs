//! The builders of tokens and pairs.

use rocket::serde::Serialize;
use rocket::time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::pair::{TokenPair, sign_pair};
use super::spec::{Expires, Freshness, TokenSpec};
use crate::error::Error;
use crate::events::Event;
use crate::jwt::Jwt;
use crate::provenance::is_ours;
use crate::revocation::entry_of::session_of;
use crate::settings::Sessions;
use crate::token::Token;
use crate::token::claims::Audience;
use crate::token::context::RequestContext;
use crate::token::identity::Identity;
use crate::token::ids::new_ids;
use crate::token::kind::TokenType;
use crate::verify::claims::check_expiry;

/// Builds one token; made with [`Jwt::access_token()`] or [`Jwt::refresh_token()`].
///
/// An invalid request is reported by [`encode()`](TokenBuilder::encode).
///
/// # Example
///
/// ```rust
/// use rocket_jwt_extended::{Claims, Duration, Error, Jwt};
///
/// /// A token for one report, for an hour.
/// fn report_token(jwt: &Jwt, user: &str, report: u64) -> Result<String, Error> {
///     jwt.access_token(user)
///         .expires_in(Duration::hours(1))
///         .audience("reports")
///         .claims(&Claims::from_iter([("report".to_string(), report.into())]))
///         .encode()
/// }
/// ```
#[must_use = "`.encode()` makes the token"]
pub struct TokenBuilder<'a> {
    jwt: &'a Jwt,
    spec: TokenSpec,
}

/// Builds an access and a refresh token in one new session; made with [`Jwt::token_pair()`].
///
/// An invalid request is reported by [`issue()`](TokenPairBuilder::issue).
///
/// # Example
///
/// ```rust
/// use rocket_jwt_extended::{Duration, Error, Jwt, TokenPair};
///
/// /// Fresh for five minutes; the refresh token is valid for a day, unless the user wants to be remembered.
/// fn log_in(jwt: &Jwt, user: &str, remember: bool) -> Result<TokenPair, Error> {
///     let pair = jwt.token_pair(user).fresh_for(Duration::minutes(5));
///     if remember { pair.issue() } else { pair.refresh_expires_in(Duration::DAY).issue() }
/// }
/// ```
#[must_use = "`.issue()` makes the pair"]
pub struct TokenPairBuilder<'a> {
    jwt: &'a Jwt,
    spec: TokenSpec,
    refresh_expires: Expires,
    label: Option<String>,
    details: Option<String>,
}

/// A pair that is signed, but not returned yet.
pub(crate) struct NewPair {
    pub(crate) pair: TokenPair,
    /// The caller emits it when the pair is returned.
    pub(crate) issued: [Option<Event>; 2],
    pub(crate) identity: String,
    /// The ids of the session and of the refresh token.
    pub(crate) session: Uuid,
    pub(crate) refresh: Uuid,
    pub(crate) at: OffsetDateTime,
    pub(crate) label: Option<String>,
    pub(crate) details: Option<String>,
    pub(crate) request: Option<RequestContext>,
}

/// The greatest lengths of a session's label and details, in bytes.
const MAX_LABEL: usize = 128;
const MAX_DETAILS: usize = 1024;

/// The methods of both builders.
macro_rules! builder_methods {
    () => {
        /// Marks the access token as fresh, for [`Fresh`](crate::Fresh) guards.
        pub fn fresh(mut self) -> Self {
            self.spec.fresh = Freshness::Yes;
            self
        }

        /// Marks the access token as fresh for this duration. Leeway does not extend it.
        pub fn fresh_for(mut self, duration: Duration) -> Self {
            self.spec.fresh = Freshness::For(duration);
            self
        }

        /// The token's lifetime, instead of the configured one; for a pair, that of the access
        /// token.
        ///
        /// A lifetime of zero or less makes an expired token. It is an error if it is longer than
        /// `max_token_lifetime`, or, in a session, longer than the longer of both configured
        /// lifetimes.
        pub fn expires_in(mut self, lifetime: Duration) -> Self {
            self.spec.expires = Expires::In(lifetime);
            self
        }

        /// Makes a token that never expires; for a pair, the access token. It is an error if
        /// `required_claims` contains `exp` and the configured lifetime is not `false`.
        pub fn never_expires(mut self) -> Self {
            self.spec.expires = Expires::Never;
            self
        }

        /// The time from which the token is valid, `nbf` (RFC 7519 §4.1.5), in whole seconds.
        pub fn not_before(mut self, time: OffsetDateTime) -> Self {
            self.spec.not_before = Some(time);
            self
        }

        /// The token's audience, `aud` (RFC 7519 §4.1.3), instead of `encode_audience`.
        pub fn audience(mut self, audience: impl Into<Audience>) -> Self {
            self.spec.audience = Some(audience.into());
            self
        }

        /// The token's issuer, `iss` (RFC 7519 §4.1.1), instead of `encode_issuer`.
        pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
            self.spec.issuer = Some(issuer.into());
            self
        }

        /// The token's id, `jti` (RFC 7519 §4.1.7), instead of a new UUIDv7; for a pair, that of
        /// the access token. It must be unique. An empty id is an error, and so is a UUIDv7 with
        /// a time in the future, since [`Jwt::revoke_all()`] compares that time.
        pub fn token_id(mut self, id: impl Into<String>) -> Self {
            self.spec.ids.jti = Some(id.into());
            self
        }

        /// Custom claims. Repeated calls merge, and the later call wins. They override those of
        /// [`Identity::claims()`] and of the
        /// [`additional_claims`](crate::JwtFairing::additional_claims) hook. A registered name is an
        /// error.
        pub fn claims(mut self, claims: &impl Serialize) -> Self {
            self.spec.add_claims(claims);
            self
        }

        /// A header parameter (RFC 7515 §4). `typ`, `kid` and custom names are allowed; a name that
        /// could mislead a verifier (`alg`, `crit`, `jwk`, …) is an error.
        pub fn header(mut self, name: &str, value: impl Serialize) -> Self {
            self.spec.add_header(name, value);
            self
        }

        /// The request that is being served, for [`Event::request()`]. It is not in the token.
        pub fn request(mut self, request: &RequestContext) -> Self {
            self.spec.request = Some(request.clone());
            self
        }
    };
}

impl<'a> TokenBuilder<'a> {
    pub(crate) fn new(jwt: &'a Jwt, token_type: TokenType, identity: &impl Identity) -> Self {
        Self { jwt, spec: TokenSpec::new(token_type, identity) }
    }

    builder_methods!();

    /// Adds the token to the session of `token`, so that ending the session revokes both: for a
    /// refresh route without rotation. A `token` without `sid` belongs to a session derived from
    /// its `jti`; such a token is an error if it expires later than the longest configured lifetime
    /// from now.
    ///
    /// Only an access token can join a session; for a refresh token it is an error. It is also an
    /// error if `token` was not checked against the blocklist (from [`Jwt::decode()`], or
    /// [`IgnoreRevocation`](crate::IgnoreRevocation)), has expired, or is verified only by the
    /// [`verifying_key`](crate::JwtFairing::verifying_key) hook.
    pub fn session<C>(mut self, token: &Token<C>) -> Self {
        match self.spec.token_type {
            TokenType::Access => match lent_session(self.jwt, token) {
                Ok(sid) => self.spec.ids.sid = sid,
                Err(text) => self.spec.fail_to_join(text),
            },
            _ => self.spec.fail_to_join(
                "a refresh token can't join a session: rotate the session's refresh token",
            ),
        }
        self
    }

    /// Makes the token.
    ///
    /// # Errors
    ///
    /// If there is no signing key, or the request is invalid: a registered claim, an empty
    /// identity, a lifetime that is not allowed, a fresh refresh token, a `jti` with a time in the
    /// future, or a session that can't be joined.
    pub fn encode(self) -> Result<String, Error> {
        let sessions = self.jwt.settings().sessions;
        if self.spec.token_type == TokenType::Refresh && sessions != Sessions::Off {
            return Err(Error::NeedsSession);
        }
        let (signed, issued) = self.spec.sign(self.jwt)?;
        issued.iter().for_each(|event| self.jwt.hooks().emit(event));
        Ok(signed.encoded)
    }
}

/// The `sid` of the session of `token`, or the reason why it can't be joined.
fn lent_session<C>(jwt: &Jwt, token: &Token<C>) -> Result<Option<String>, &'static str> {
    let verified = token.verified();
    if !token.blocklist_asked() {
        return Err(
            "the token whose session is to be joined was not checked against the blocklist",
        );
    }
    if check_expiry(jwt, verified, jwt.now()).is_err() {
        return Err("the token whose session is to be joined has expired");
    }
    if !is_ours(jwt, verified) {
        return Err("the token whose session is to be joined is not signed with a key of this \
         server");
    }
    let longest = jwt.settings().longest_lifetime();
    let outlives = longest.is_some_and(|longest| {
        verified.registered().expires_at.is_none_or(|exp| exp - jwt.now() > longest)
    });
    if verified.sid().is_none() && outlives {
        // The session's entry in the blocklist would expire before the token.
        return Err(
            "the token whose session is to be joined has none, and outlives the configured \
                    lifetimes",
        );
    }
    match session_of(verified) {
        Some(sid) => Ok(Some(sid.into_owned())),
        None => Err("the token whose session is to be joined has neither `sid` nor `jti`"),
    }
}

impl<'a> TokenPairBuilder<'a> {
    pub(crate) fn new(jwt: &'a Jwt, identity: &impl Identity) -> Self {
        let spec = TokenSpec::new(TokenType::Access, identity);
        Self { jwt, spec, refresh_expires: Expires::AsConfigured, label: None, details: None }
    }

    pub(crate) fn jwt(&self) -> &'a Jwt {
        self.jwt
    }

    builder_methods!();

    /// Always an error: a pair begins a new session. To continue a session with a new pair, use
    /// [`Jwt::rotate()`].
    pub fn session<C>(mut self, _: &Token<C>) -> Self {
        self.spec.fail_to_join("a pair begins a new session: use `rotate`, or `access_token`");
        self
    }

    /// The refresh token's lifetime, instead of the configured one. It is an error if it is longer than
    /// the longer of both configured lifetimes.
    pub fn refresh_expires_in(mut self, lifetime: Duration) -> Self {
        self.refresh_expires = Expires::In(lifetime);
        self
    }

    /// The text by which the user recognizes the session in [`Jwt::sessions()`], such as the name
    /// of the device, at most 128 bytes. It is shown to the user, so use words that the user knows;
    /// nothing is taken from the request automatically. It needs the setting `sessions`.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        let label = label.into();
        if label.len() > MAX_LABEL {
            self.spec.fail_to_join("the label of a session is longer than 128 bytes");
        }
        self.label = Some(label);
        self
    }

    /// More about the session, as JSON of at most 1 KiB: for example the place and the login
    /// method, for a security page. It needs the setting `sessions`.
    pub fn details(mut self, details: &impl Serialize) -> Self {
        match serde_json::to_string(details) {
            Ok(json) if json.len() > MAX_DETAILS => {
                self.spec.fail_to_join("the details of a session are longer than 1 KiB");
            }
            Ok(json) => self.details = Some(json),
            Err(_) => self.spec.fail_to_join("the details of a session can't be serialized"),
        }
        self
    }

    /// Makes both tokens. With the setting `sessions`, use [`begin()`](TokenPairBuilder::begin)
    /// instead.
    ///
    /// # Errors
    ///
    /// As for [`TokenBuilder::encode()`]; [`Error::NeedsSession`] with the setting `sessions`; and if a label or
    /// details are given without it.
    pub fn issue(mut self) -> Result<TokenPair, Error> {
        if self.jwt.settings().sessions != Sessions::Off {
            return Err(Error::NeedsSession);
        }
        if self.label.is_some() || self.details.is_some() {
            self.spec.fail_to_join("the label and details of a session need `sessions = true`");
        }
        let jwt = self.jwt;
        let NewPair { pair, issued, .. } = self.sign()?;
        issued.iter().flatten().for_each(|event| jwt.hooks().emit(event));
        Ok(pair)
    }

    /// Signs both tokens, in a new session.
    pub(crate) fn sign(self) -> Result<NewPair, Error> {
        let Self { jwt, mut spec, refresh_expires, label, details } = self;
        let at = jwt.issue_instant(jwt.now());
        spec.ids.at = Some(at);
        let session = new_ids(at).ok_or(Error::Signing)?.0;
        let refresh_id = new_ids(at).ok_or(Error::Signing)?.0;
        spec.ids.sid = Some(session.to_string());
        let identity = spec.identity.clone();
        let request = spec.request.clone();
        let mut refresh = TokenSpec {
            token_type: TokenType::Refresh,
            fresh: Freshness::No,
            expires: refresh_expires,
            ..spec.clone()
        };
        refresh.ids.jti = Some(refresh_id.to_string());
        let (pair, issued) = sign_pair(jwt, spec, refresh)?;
        let refresh = refresh_id;
        Ok(NewPair { pair, issued, identity, session, refresh, at, label, details, request })
    }
}
