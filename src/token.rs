//! A verified token.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use jsonwebtoken::Header;
use rocket::serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny};
use rocket::time::OffsetDateTime;
use serde_json::Value;

use crate::blocklist::{Revocation, TokenIds};
use crate::claims::{self, Csrf, Registered};
use crate::location::Location;
use crate::payload::{self, Members, Text};
use crate::rejection::Reason;
use crate::Claims;

/// What a claims type `C` must be: deserializable, and fit to be shared across threads.
///
/// Implemented for every such type; there is nothing to implement.
pub trait OwnClaims: DeserializeOwned + Send + Sync + 'static {}

impl<T: DeserializeOwned + Send + Sync + 'static> OwnClaims for T {}

/// The claims type that reads nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoClaims;

impl<'de> Deserialize<'de> for NoClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// The kinds of token, by their `type` claim.
///
/// # Example
///
/// ```rust
/// use rocket_jwt_extended::TokenType;
///
/// assert_eq!(TokenType::Refresh.to_string(), "refresh");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenType {
    /// `"access"`, or no `type` at all.
    #[default]
    Access,
    /// `"refresh"`.
    Refresh,
    /// Anything else, which only [`Jwt::decode()`](crate::Jwt::decode) lets pass.
    Other,
}

impl TokenType {
    pub(crate) fn from_claim(claim: &str) -> Self {
        match claim {
            "access" => Self::Access,
            "refresh" => Self::Refresh,
            _ => Self::Other,
        }
    }

    pub(crate) fn as_claim(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for TokenType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_claim())
    }
}

/// A token whose signature and claims were checked, with its own claims read into `C`.
///
/// What else was checked depends on where it comes from: a guard checks all, and
/// [`Jwt::decode()`](crate::Jwt::decode) leaves out type, freshness, revocation and hooks.
///
/// # Example
///
/// ```rust
/// # #[macro_use] extern crate rocket;
/// use rocket_jwt_extended::AccessToken;
///
/// #[get("/token")]
/// fn token(token: AccessToken) -> String {
///     let until = token.expires_at().map_or("for ever".into(), |at| at.to_string());
///     let place = token.location().map_or("nowhere".into(), |place| place.to_string());
///     format!("{}'s {} token, until {until}, from {place}", token.identity(), token.token_type())
/// }
/// # fn main() {}
/// ```
pub struct Token<C> {
    /// The application's own claims.
    pub claims: C,
    verified: Arc<Verified>,
    location: Option<Location>,
}

/// What is known of a token once its signature was checked.
pub(crate) struct Verified {
    encoded: Arc<str>,
    header: Arc<Header>,
    /// The payload's JSON, which was found to be an object with every name once.
    json: String,
    members: Option<Members>,
    registered: Registered,
    claims: OnceLock<Claims>,
}

impl Verified {
    pub(crate) fn new(
        encoded: Arc<str>,
        header: Arc<Header>,
        json: String,
        members: Option<Members>,
        registered: Registered,
    ) -> Self {
        Self { encoded, header, json, members, registered, claims: OnceLock::new() }
    }

    /// Every claim. Made when it is asked for, as most requests don't.
    pub(crate) fn claims(&self) -> &Claims {
        self.claims.get_or_init(|| serde_json::from_str(&self.json).unwrap_or_default())
    }

    /// The claims read into a type.
    pub(crate) fn read<C: OwnClaims>(&self) -> Result<C, Reason> {
        payload::own(&self.json, self.members.as_ref()).ok_or(Reason::OwnClaims)
    }

    pub(crate) fn encoded(&self) -> &Arc<str> {
        &self.encoded
    }

    pub(crate) fn json(&self) -> &str {
        &self.json
    }

    pub(crate) fn registered(&self) -> &Registered {
        &self.registered
    }

    pub(crate) fn identity(&self) -> &str {
        self.text(self.registered.identity.as_ref()).unwrap_or_default()
    }

    pub(crate) fn jti(&self) -> Option<&str> {
        self.text(self.registered.jti.as_ref())
    }

    pub(crate) fn sid(&self) -> Option<&str> {
        self.text(self.registered.sid.as_ref())
    }

    pub(crate) fn csrf(&self) -> Option<&str> {
        match &self.registered.csrf {
            Csrf::Value(text) => self.text(Some(text)),
            Csrf::Absent | Csrf::Other => None,
        }
    }

    pub(crate) fn ids(&self) -> TokenIds<'_> {
        let identity = Some(self.identity());
        TokenIds::new(self.jti(), self.sid(), identity, self.registered.issued_at)
    }

    fn text<'a>(&'a self, text: Option<&'a Text>) -> Option<&'a str> {
        text.map(|text| text.as_str(&self.json))
    }
}

impl<C> Token<C> {
    pub(crate) fn with_claims(
        claims: C,
        verified: Arc<Verified>,
        location: Option<Location>,
    ) -> Self {
        Self { claims, verified, location }
    }

    pub(crate) fn verified(&self) -> &Arc<Verified> {
        &self.verified
    }

    /// Whom the token was issued to: its `sub`, or the claim that `identity_claim` names
    /// (RFC 7519 §4.1.2). Never empty but in [`Rejection::token()`](crate::Rejection::token), which
    /// may have been refused for just that.
    ///
    /// With `verify_sub = false` an identity that is not a string is its JSON text, so that `123` and
    /// `"123"` are one.
    pub fn identity(&self) -> &str {
        self.verified.identity()
    }

    /// The identity, parsed.
    ///
    /// # Errors
    ///
    /// That of `T`, when the identity does not read as one.
    pub fn parse_identity<T: FromStr>(&self) -> Result<T, T::Err> {
        self.identity().parse()
    }

    /// The token's id, `jti` (RFC 7519 §4.1.7).
    pub fn jti(&self) -> Option<&str> {
        self.verified.jti()
    }

    /// The login the token belongs to, `sid` (OpenID Connect Front-Channel Logout 1.0 §3): the same
    /// in both tokens of a pair.
    pub fn session_id(&self) -> Option<&str> {
        self.verified.sid()
    }

    /// Access or refresh.
    pub fn token_type(&self) -> TokenType {
        self.verified.registered().token_type
    }

    /// Whether the token was fresh when it was verified: issued `.fresh()`, or `.fresh_for()` a time
    /// that was not over.
    pub fn is_fresh(&self) -> bool {
        self.verified.registered().fresh
    }

    /// When it was issued, `iat` (RFC 7519 §4.1.6).
    pub fn issued_at(&self) -> Option<OffsetDateTime> {
        self.verified.registered().issued_at
    }

    /// The time from which it is valid, `nbf` (RFC 7519 §4.1.5).
    pub fn not_before(&self) -> Option<OffsetDateTime> {
        self.verified.registered().not_before
    }

    /// The time from which it is expired, `exp` (RFC 7519 §4.1.4); `None` for a token that never
    /// expires.
    pub fn expires_at(&self) -> Option<OffsetDateTime> {
        self.verified.registered().expires_at
    }

    /// Who issued it, `iss` (RFC 7519 §4.1.1).
    pub fn issuer(&self) -> Option<&str> {
        self.verified.claims().get("iss").and_then(Value::as_str)
    }

    /// Whom it is meant for, `aud` (RFC 7519 §4.1.3); empty without one.
    pub fn audience(&self) -> Vec<&str> {
        claims::audience(self.verified.claims())
    }

    /// The CSRF double-submit value bound to it.
    pub fn csrf(&self) -> Option<&str> {
        self.verified.csrf()
    }

    /// Its header.
    pub fn header(&self) -> &Header {
        &self.verified.header
    }

    /// Where in the request it was found; `None` for one that was not taken from a request.
    pub fn location(&self) -> Option<Location> {
        self.location
    }

    /// The token in its compact serialization (RFC 7515 §3.1): a credential, not to be logged.
    pub fn encoded(&self) -> &str {
        &self.verified.encoded
    }
}

impl<C: Clone> Clone for Token<C> {
    fn clone(&self) -> Self {
        Self::with_claims(self.claims.clone(), self.verified.clone(), self.location)
    }
}

/// Says nothing of what the token holds: Rocket logs what guards are made of.
impl<C> fmt::Debug for Token<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("type", &self.token_type())
            .field("location", &self.location)
            .finish_non_exhaustive()
    }
}

/// What a blocklist is asked of the token.
impl<'a, C> From<&'a Token<C>> for TokenIds<'a> {
    fn from(token: &'a Token<C>) -> Self {
        token.verified.ids()
    }
}

/// The token's own entry, for as long as it could be used.
impl<C> From<&Token<C>> for Revocation {
    fn from(token: &Token<C>) -> Self {
        match token.jti() {
            Some(jti) => Revocation::token(jti, token.expires_at()).until_expiry(),
            None => Revocation::nameless(),
        }
    }
}
