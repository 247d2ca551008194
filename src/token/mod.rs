//! Tokens: their text, their payload, their claims.

pub(crate) mod claims;
pub(crate) mod compact;
pub(crate) mod context;
pub(crate) mod identity;
pub(crate) mod ids;
pub(crate) mod kind;
pub(crate) mod location;
pub(crate) mod payload;
pub(crate) mod registered;
pub(crate) mod verified;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jsonwebtoken::Header;
use rocket::time::OffsetDateTime;
use serde_json::Value;

use claims::audience;
use kind::TokenType;
use location::Location;
use verified::Verified;

/// A token whose signature and claims were checked, with its custom claims deserialized into `C`.
///
/// The other checks depend on the source of the token: a guard makes all checks, and
/// [`Jwt::decode()`](crate::Jwt::decode) skips type, freshness, revocation and hooks.
///
/// # Example
///
/// ```rust
/// # use rocket::get;
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
    /// The application's custom claims.
    pub claims: C,
    verified: Arc<Verified>,
    location: Option<Location>,
    blocklist_asked: bool,
}

impl<C> Token<C> {
    pub(crate) fn with_claims(
        claims: C,
        verified: Arc<Verified>,
        location: Option<Location>,
    ) -> Self {
        Self { claims, verified, location, blocklist_asked: false }
    }

    /// Records whether the blocklist was queried for it.
    pub(crate) fn with_blocklist_asked(self, blocklist_asked: bool) -> Self {
        Self { blocklist_asked, ..self }
    }

    /// Whether the blocklist was queried for it, and did not refuse it.
    pub(crate) fn blocklist_asked(&self) -> bool {
        self.blocklist_asked
    }

    pub(crate) fn verified(&self) -> &Arc<Verified> {
        &self.verified
    }

    /// The identity to which the token was issued: its `sub`, or the claim that `identity_claim`
    /// names (RFC 7519 §4.1.2). It is never empty, except in
    /// [`Rejection::token()`](crate::Rejection::token), whose token may have been refused for an
    /// empty identity.
    ///
    /// With `verify_sub = false`, an identity that is not a string is represented by its JSON text
    /// without white space. So `123` and `"123"` are the same identity, as are `null` and `"null"`,
    /// or `true` and `"true"`; `1`, `1.0` and `1e0` are three identities.
    pub fn identity(&self) -> &str {
        self.verified.identity()
    }

    /// The identity, parsed into a `T`.
    ///
    /// # Errors
    ///
    /// The error of `T`, if the identity can't be parsed.
    pub fn parse_identity<T: FromStr>(&self) -> Result<T, T::Err> {
        self.identity().parse()
    }

    /// The token's id, `jti` (RFC 7519 §4.1.7).
    pub fn jti(&self) -> Option<&str> {
        self.verified.jti()
    }

    /// The id of the session that the token belongs to, `sid` (OpenID Connect Front-Channel Logout
    /// 1.0 §3). A session begins at a login; both tokens of a pair have the same one.
    pub fn session_id(&self) -> Option<&str> {
        self.verified.sid()
    }

    /// Its type: access or refresh.
    pub fn token_type(&self) -> TokenType {
        self.verified.registered().token_type
    }

    /// Whether the token was fresh when it was verified: it was issued with `.fresh()`, or with
    /// `.fresh_for()` and that time had not passed.
    pub fn is_fresh(&self) -> bool {
        self.verified.registered().fresh
    }

    /// The time of issue, `iat` (RFC 7519 §4.1.6).
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

    /// The issuer, `iss` (RFC 7519 §4.1.1).
    pub fn issuer(&self) -> Option<&str> {
        self.verified.claims().get("iss").and_then(Value::as_str)
    }

    /// The audience, `aud` (RFC 7519 §4.1.3); empty if the token has none.
    pub fn audience(&self) -> Vec<&str> {
        audience(self.verified.claims())
    }

    /// The CSRF double-submit value of the token.
    pub fn csrf(&self) -> Option<&str> {
        self.verified.csrf()
    }

    /// Its header.
    pub fn header(&self) -> &Header {
        self.verified.header()
    }

    /// Where in the request it was found; `None` for a token that does not come from a request.
    pub fn location(&self) -> Option<Location> {
        self.location
    }

    /// The token in its compact serialization (RFC 7515 §3.1). This is a credential: do not log it.
    pub fn encoded(&self) -> &str {
        self.verified.encoded()
    }
}

impl<C: Clone> Clone for Token<C> {
    fn clone(&self) -> Self {
        Self::with_claims(self.claims.clone(), self.verified.clone(), self.location)
            .with_blocklist_asked(self.blocklist_asked)
    }
}

/// Shows nothing of the token's contents, since Rocket logs values of guards.
impl<C> fmt::Debug for Token<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("type", &self.token_type())
            .field("location", &self.location)
            .finish_non_exhaustive()
    }
}
