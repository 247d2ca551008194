//! Issuing tokens.

mod given;
mod ids;
mod written;

use std::borrow::Cow;

use base64_simd::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Header};
use rocket::serde::Serialize;
use rocket::time::{Duration, OffsetDateTime};
use serde_json::Value;
use uuid::fmt::Hyphenated;

use crate::claims::{self, Audience};
use crate::error::Error;
use crate::events::Event;
use crate::identity::Identity;
use crate::jwt::Jwt;
use crate::keys::signing::SigningKey;
use crate::pair::TokenPair;
use crate::token::{Token, TokenType, Verified};
use crate::verify::MAX_HEADER_LENGTH;
use crate::Claims;

use given::Given;
use ids::new_ids;
use written::{cannot_write, Written};

/// Header members that only this crate writes, or that nobody should.
const RESERVED_HEADERS: [&str; 9] =
    ["alg", "crit", "b64", "jwk", "jku", "x5c", "x5u", "zip", "enc"];

/// Most signatures, and their dots, have room in this many bytes.
const SIGNATURE_ROOM: usize = 132;

/// Builds one token: by [`Jwt::access_token()`] or [`Jwt::refresh_token()`].
///
/// What was asked for and can't be done is an error of [`encode()`](TokenBuilder::encode).
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
#[must_use = "a token is made by `.encode()`"]
pub struct TokenBuilder<'a> {
    jwt: &'a Jwt,
    spec: Spec,
}

/// Builds an access and a refresh token of one new session: by [`Jwt::token_pair()`].
///
/// What was asked for and can't be done is an error of [`issue()`](TokenPairBuilder::issue).
///
/// # Example
///
/// ```rust
/// use rocket_jwt_extended::{Duration, Error, Jwt, TokenPair};
///
/// /// Fresh for five minutes; a refresh token of a day, unless the user wants to be remembered.
/// fn log_in(jwt: &Jwt, user: &str, remember: bool) -> Result<TokenPair, Error> {
///     let pair = jwt.token_pair(user).fresh_for(Duration::minutes(5));
///     if remember { pair.issue() } else { pair.refresh_expires_in(Duration::DAY).issue() }
/// }
/// ```
#[must_use = "a pair is made by `.issue()`"]
pub struct TokenPairBuilder<'a> {
    jwt: &'a Jwt,
    spec: Spec,
    refresh_expires: Expires,
}

/// What a token is to be.
#[derive(Clone)]
pub(crate) struct Spec {
    pub(crate) kind: TokenType,
    pub(crate) identity: String,
    pub(crate) fresh: Freshness,
    pub(crate) expires: Expires,
    pub(crate) not_before: Option<OffsetDateTime>,
    pub(crate) audience: Option<Audience>,
    pub(crate) issuer: Option<String>,
    pub(crate) ids: Ids,
    /// From the weakest to the strongest: what an earlier token had, the hook's (read when the token
    /// is made), the identity's, and the builder's.
    pub(crate) carried: Claims,
    identity_claims: Claims,
    pub(crate) claims: Given,
    headers: Claims,
    /// The first thing that was asked for in vain.
    fault: Option<Fault>,
}

/// The ids of a token, where they are not made anew.
#[derive(Clone, Default)]
pub(crate) struct Ids {
    pub(crate) jti: Option<String>,
    pub(crate) sid: Option<String>,
    pub(crate) csrf: Option<String>,
    /// The instant of issue, if it is not now.
    pub(crate) at: Option<OffsetDateTime>,
    /// Whether that is the token's `iat`, even if it is still to come.
    pub(crate) exact: bool,
}

#[derive(Clone, Copy)]
pub(crate) enum Freshness {
    No,
    Yes,
    For(Duration),
}

#[derive(Clone, Copy)]
pub(crate) enum Expires {
    AsConfigured,
    In(Duration),
    Never,
}

#[derive(Clone)]
enum Fault {
    Claims(String),
    Header(String),
}

/// A token made, and what is to be told when it is handed out.
pub(crate) struct Made {
    pub(crate) encoded: String,
    pub(crate) lifetime: Option<Duration>,
    /// If anybody listens.
    pub(crate) issued: Option<Event>,
}

/// A payload, the token's lifetime, and what is to be told of it.
struct Payload {
    json: Vec<u8>,
    lifetime: Option<Duration>,
    issued: Option<Event>,
}

impl Spec {
    pub(crate) fn new(kind: TokenType, identity: &impl Identity) -> Self {
        Self {
            kind,
            identity: identity.identity().into_owned(),
            fresh: Freshness::No,
            expires: Expires::AsConfigured,
            not_before: None,
            audience: None,
            issuer: None,
            ids: Ids::default(),
            carried: Claims::new(),
            identity_claims: identity.claims(),
            claims: Given::default(),
            headers: Claims::new(),
            fault: None,
        }
    }

    pub(crate) fn add_claims(&mut self, claims: &impl Serialize) {
        if let Err(text) = self.claims.add(claims) {
            self.fail(Fault::Claims(text));
        }
    }

    fn add_header(&mut self, name: &str, value: impl Serialize) {
        match serde_json::to_value(value) {
            Ok(value) => {
                self.headers.insert(name.into(), value);
            }
            Err(error) => self.fail(Fault::Header(format!("a header can't be written: {error}"))),
        }
    }

    fn fail(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    /// Makes the token.
    pub(crate) fn make(mut self, jwt: &Jwt) -> Result<Made, Error> {
        if let Some(Fault::Claims(text) | Fault::Header(text)) = self.fault {
            return Err(Error::Serialize(text));
        }
        if self.identity.is_empty() {
            return Err(Error::EmptyIdentity);
        }
        let key = jwt.signing_key(&self.identity)?;
        let header = self.header(jwt, &key)?;
        let own = self.own(jwt)?;
        let Payload { json, lifetime, issued } = self.payload(jwt, own)?;

        let length = URL_SAFE_NO_PAD.encoded_length(json.len());
        let mut encoded = String::with_capacity(header.len() + length + SIGNATURE_ROOM);
        encoded.push_str(&header);
        encoded.push('.');
        URL_SAFE_NO_PAD.encode_append(json, &mut encoded);
        let signature = key.sign(encoded.as_bytes())?;
        encoded.push('.');
        URL_SAFE_NO_PAD.encode_append(signature, &mut encoded);
        if header.len() > MAX_HEADER_LENGTH || encoded.len() > jwt.settings().max_token_length {
            return Err(Error::TooLong);
        }
        Ok(Made { encoded, lifetime, issued })
    }

    /// The header's text.
    fn header<'j>(&self, jwt: &'j Jwt, key: &SigningKey) -> Result<Cow<'j, str>, Error> {
        if jwt.hooks().additional_headers.is_none() && self.headers.is_empty() {
            let known = jwt.keys().known_header(key.algorithm());
            return match known {
                Some(known) => Ok(Cow::Borrowed(&known.encoded)),
                None => plain_header(key.algorithm()).map(Cow::Owned),
            };
        }
        self.longer_header(jwt, key).and_then(|header| encode(&header)).map(Cow::Owned)
    }

    fn longer_header(&self, jwt: &Jwt, key: &SigningKey) -> Result<Claims, Error> {
        let mut header = header_of(key.algorithm());
        let hooked = jwt.hooks().additional_headers.as_ref().map(|hook| hook(&self.identity));
        for (name, value) in hooked.iter().flatten().chain(&self.headers) {
            if RESERVED_HEADERS.contains(&name.as_str()) {
                return Err(Error::ReservedHeader(name.clone()));
            }
            match (name.as_str(), value) {
                // The way to leave `typ` out.
                ("typ", Value::Null) => {
                    header.remove(name);
                    continue;
                }
                ("typ" | "kid" | "cty", Value::String(_)) => (),
                ("typ" | "kid" | "cty", _) => {
                    return Err(Error::Serialize(format!("the header `{name}` must be a string")));
                }
                _ => (),
            }
            header.insert(name.clone(), value.clone());
        }
        // What the registered members must be (RFC 7515 §4.1), as the token will be read.
        if serde_json::from_value::<Header>(Value::Object(header.clone())).is_err() {
            return Err(Error::Serialize("a header is not of its type".into()));
        }
        Ok(header)
    }

    /// The own claims, as the beginning of the payload.
    fn own(&mut self, jwt: &Jwt) -> Result<Written, Error> {
        let settings = jwt.settings();
        // Built anew for each token: what a hook hands out is never written to.
        let hooked = jwt.hooks().additional_claims.as_ref().map(|hook| hook(&self.identity));
        let is_alone =
            hooked.is_none() && self.carried.is_empty() && self.identity_claims.is_empty();
        let given = match std::mem::take(&mut self.claims) {
            Given::Text(own) if is_alone && settings.identity_claim == "sub" => return Ok(own),
            given => given.into_map().map_err(cannot_write)?,
        };
        let carried = std::mem::take(&mut self.carried);
        let identity_claims = std::mem::take(&mut self.identity_claims);
        let mut own = Claims::new();
        let layers = [carried, hooked.unwrap_or_default(), identity_claims, given];
        for (name, value) in layers.into_iter().flatten() {
            if claims::is_registered(&name, settings) {
                return Err(Error::ReservedClaim(name));
            }
            own.insert(name, value);
        }
        Written::of_map(&own)
    }

    /// Completes the payload that begins with the own claims.
    fn payload(self, jwt: &Jwt, mut payload: Written) -> Result<Payload, Error> {
        let settings = jwt.settings();
        let now = jwt.now();
        let at = self.ids.at.unwrap_or_else(|| jwt.issue_instant(now));
        // Whole seconds, as NumericDates usually are; the `jti` has the milliseconds. Where the clock was
        // set back, the `jti` must be after the last cut-off, but the token is to be valid now.
        let iat = if self.ids.exact { at } else { at.min(now) }.unix_timestamp();
        let mut room = [[0; Hyphenated::LENGTH]; 2];
        let [room, other_room] = &mut room;
        let (jti, csrf): (&str, &str) = match (&self.ids.jti, &self.ids.csrf) {
            (Some(jti), Some(csrf)) => (jti, csrf),
            (jti, csrf) => {
                let (new_jti, new_csrf) = new_ids(at)?;
                let new_jti = new_jti.hyphenated().encode_lower(room);
                let new_csrf = new_csrf.hyphenated().encode_lower(other_room);
                (jti.as_deref().unwrap_or(new_jti), csrf.as_deref().unwrap_or(new_csrf))
            }
        };
        payload.put_text(&settings.identity_claim, &self.identity)?;
        payload.put("iat", iat)?;
        payload.put_text("jti", jti)?;
        payload.put_text("type", self.kind.as_claim())?;
        payload.put("fresh", self.fresh_claim(now)?)?;
        if let Some(sid) = &self.ids.sid {
            payload.put_text("sid", sid)?;
        }
        if settings.csrf_protect {
            payload.put_text("csrf", csrf)?;
        }
        match self.not_before {
            Some(not_before) => payload.put("nbf", not_before.unix_timestamp())?,
            None if settings.encode_nbf => payload.put("nbf", iat)?,
            None => (),
        }
        if let Some(audience) = self.audience.as_ref().or(settings.encode_audience.as_ref()) {
            payload.put("aud", audience.to_value())?;
        }
        if let Some(issuer) = self.issuer.as_ref().or(settings.encode_issuer.as_ref()) {
            payload.put_text("iss", issuer)?;
        }
        let lifetime = self.lifetime(jwt)?;
        if let Some(lifetime) = lifetime {
            let exp = OffsetDateTime::from_unix_timestamp(iat)
                .ok()
                .and_then(|iat| iat.checked_add(lifetime))
                .map(OffsetDateTime::unix_timestamp)
                .filter(|exp| *exp >= 0)
                .ok_or(Error::Lifetime("the token's expiry is out of range"))?;
            payload.put("exp", exp)?;
        }
        let issued = jwt.hooks().on_event.is_some().then(|| Event::Issued {
            token_type: self.kind,
            identity: self.identity,
            jti: jti.into(),
            session_id: self.ids.sid.clone(),
        });
        Ok(Payload { json: payload.finish(), lifetime, issued })
    }

    fn fresh_claim(&self, now: OffsetDateTime) -> Result<Value, Error> {
        if self.kind == TokenType::Refresh && !matches!(self.fresh, Freshness::No) {
            return Err(Error::FreshRefresh);
        }
        Ok(match self.fresh {
            Freshness::No => false.into(),
            Freshness::Yes => true.into(),
            Freshness::For(duration) => now.saturating_add(duration).unix_timestamp().max(0).into(),
        })
    }

    /// How long the token is to live, if that can be granted.
    fn lifetime(&self, jwt: &Jwt) -> Result<Option<Duration>, Error> {
        let settings = jwt.settings();
        let lifetime = match self.expires {
            Expires::AsConfigured => settings.kind(self.kind).expires,
            Expires::In(lifetime) => Some(lifetime),
            Expires::Never => None,
        };
        if lifetime.is_none() && settings.requires("exp", self.kind) {
            return Err(Error::Lifetime("the token must expire: `exp` is a required claim"));
        }
        let exceeds = |limit: Option<Duration>| match (lifetime, limit) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(lifetime), Some(limit)) => lifetime > limit,
        };
        if exceeds(settings.max_token_lifetime) {
            return Err(Error::Lifetime("the token would outlive `max_token_lifetime`"));
        }
        if self.ids.sid.is_some() && exceeds(settings.session_lifetime()) {
            // Its session's entry in the blocklist would leave before it.
            return Err(Error::Lifetime(
                "a token of a session must not outlive the longer of the configured lifetimes",
            ));
        }
        Ok(lifetime)
    }
}

/// The header of a token to which nothing is added.
fn header_of(algorithm: Algorithm) -> Claims {
    let algorithm = format!("{algorithm:?}");
    Claims::from_iter([("alg".into(), algorithm.into()), ("typ".into(), "JWT".into())])
}

/// Its text.
pub(crate) fn plain_header(algorithm: Algorithm) -> Result<String, Error> {
    encode(&header_of(algorithm))
}

/// The audience a token was issued for, for those made from it.
pub(crate) fn carried_audience(earlier: &Verified) -> Option<Audience> {
    let audience = claims::audience(earlier.claims());
    (!audience.is_empty()).then(|| Audience::from(audience))
}

/// A token that was given less than the configured lifetime is followed by one of as little.
pub(crate) fn carried_lifetime(jwt: &Jwt, earlier: &Verified) -> Expires {
    let registered = earlier.registered();
    let given = registered.expires_at.zip(registered.issued_at).map(|(exp, iat)| exp - iat);
    let configured = jwt.settings().kind(registered.token_type).expires;
    match (given, configured) {
        (Some(given), None) => Expires::In(given),
        (Some(given), Some(configured)) if given < configured => Expires::In(given),
        _ => Expires::AsConfigured,
    }
}

fn encode(header: &Claims) -> Result<String, Error> {
    let json = serde_json::to_vec(header).map_err(cannot_write)?;
    Ok(URL_SAFE_NO_PAD.encode_to_string(json))
}

/// The methods that both builders have.
macro_rules! builder_methods {
    () => {
        /// Marks the access token as fresh, for [`Fresh`](crate::Fresh) guards.
        pub fn fresh(mut self) -> Self {
            self.spec.fresh = Freshness::Yes;
            self
        }

        /// Marks the access token as fresh for that long. Leeway does not prolong it.
        pub fn fresh_for(mut self, duration: Duration) -> Self {
            self.spec.fresh = Freshness::For(duration);
            self
        }

        /// The token's lifetime, instead of the configured one; of a pair, the access token's.
        ///
        /// Zero or a negative one makes a token that is expired. One longer than
        /// `max_token_lifetime`, or in a session than the longer of both configured lifetimes, is an
        /// error.
        pub fn expires_in(mut self, lifetime: Duration) -> Self {
            self.spec.expires = Expires::In(lifetime);
            self
        }

        /// Makes a token that never expires; of a pair, the access token. An error while `exp` is
        /// among the `required_claims` and the configured lifetime is not `false`.
        pub fn never_expires(mut self) -> Self {
            self.spec.expires = Expires::Never;
            self
        }

        /// The time from which the token is valid, `nbf` (RFC 7519 §4.1.5): whole seconds.
        pub fn not_before(mut self, time: OffsetDateTime) -> Self {
            self.spec.not_before = Some(time);
            self
        }

        /// Whom the token is meant for, `aud` (RFC 7519 §4.1.3), instead of `encode_audience`.
        pub fn audience(mut self, audience: impl Into<Audience>) -> Self {
            self.spec.audience = Some(audience.into());
            self
        }

        /// Who issues it, `iss` (RFC 7519 §4.1.1), instead of `encode_issuer`.
        pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
            self.spec.issuer = Some(issuer.into());
            self
        }

        /// The token's id, `jti` (RFC 7519 §4.1.7), instead of a new UUIDv7; of a pair, the access
        /// token's. It must be unique.
        pub fn token_id(mut self, id: impl Into<String>) -> Self {
            self.spec.ids.jti = Some(id.into());
            self
        }

        /// Makes the token one of the session of `token`, if that has one, so that ending one ends the
        /// other.
        pub fn session<C>(mut self, token: &Token<C>) -> Self {
            self.spec.ids.sid = token.session_id().map(Into::into);
            self
        }

        /// The application's own claims. Repeated calls merge, the later wins; so do they over those
        /// of [`Identity::claims()`] and of the
        /// [`additional_claims`](crate::JwtFairing::additional_claims) hook. A registered name is an
        /// error.
        pub fn claims(mut self, claims: &impl Serialize) -> Self {
            self.spec.add_claims(claims);
            self
        }

        /// A header member (RFC 7515 §4). `typ`, `kid` and own names are free; a name by which a
        /// verifier could be led astray (`alg`, `crit`, `jwk`, …) is an error.
        pub fn header(mut self, name: &str, value: impl Serialize) -> Self {
            self.spec.add_header(name, value);
            self
        }
    };
}

impl<'a> TokenBuilder<'a> {
    pub(crate) fn new(jwt: &'a Jwt, kind: TokenType, identity: &impl Identity) -> Self {
        Self { jwt, spec: Spec::new(kind, identity) }
    }

    /// Makes the token at that instant what `earlier` was: its own claims, which give way to all
    /// others, its audience, its session, and no longer a lifetime.
    pub(crate) fn after(mut self, earlier: &Verified, at: OffsetDateTime) -> Self {
        self.spec.carried = claims::own(earlier.claims(), self.jwt.settings());
        self.spec.audience = carried_audience(earlier);
        self.spec.expires = carried_lifetime(self.jwt, earlier);
        self.spec.ids.sid = earlier.sid().map(Into::into);
        self.spec.ids.at = Some(at);
        self
    }

    builder_methods!();

    /// Makes the token.
    ///
    /// # Errors
    ///
    /// If there is no signing key, or something was asked for that can't be: a registered claim, an
    /// empty identity, a lifetime that is not allowed, a fresh refresh token.
    pub fn encode(self) -> Result<String, Error> {
        let made = self.spec.make(self.jwt)?;
        made.issued.iter().for_each(|event| self.jwt.hooks().emit(event));
        Ok(made.encoded)
    }
}

impl<'a> TokenPairBuilder<'a> {
    pub(crate) fn new(jwt: &'a Jwt, identity: &impl Identity) -> Self {
        let spec = Spec::new(TokenType::Access, identity);
        Self { jwt, spec, refresh_expires: Expires::AsConfigured }
    }

    builder_methods!();

    /// The refresh token's lifetime, instead of the configured one. One longer than the longer of
    /// both configured lifetimes is an error.
    pub fn refresh_expires_in(mut self, lifetime: Duration) -> Self {
        self.refresh_expires = Expires::In(lifetime);
        self
    }

    /// Makes both tokens.
    ///
    /// # Errors
    ///
    /// As for [`TokenBuilder::encode()`].
    pub fn issue(self) -> Result<TokenPair, Error> {
        let Self { jwt, mut spec, refresh_expires } = self;
        let at = jwt.issue_instant(jwt.now());
        spec.ids.at = Some(at);
        if spec.ids.sid.is_none() {
            spec.ids.sid = Some(new_ids(at)?.0.to_string());
        }
        let mut refresh = Spec {
            kind: TokenType::Refresh,
            fresh: Freshness::No,
            expires: refresh_expires,
            ..spec.clone()
        };
        refresh.ids.jti = None;
        let (pair, issued) = TokenPair::make(jwt, spec, refresh)?;
        issued.iter().flatten().for_each(|event| jwt.hooks().emit(event));
        Ok(pair)
    }
}
