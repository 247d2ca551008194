//! Signs the token that a `TokenSpec` describes.

use std::borrow::Cow;

use base64_simd::URL_SAFE_NO_PAD;
use jsonwebtoken::Header;
use rocket::serde::Serialize;
use rocket::time::{Duration, OffsetDateTime};
use serde_json::Value;
use uuid::fmt::Hyphenated;

use super::custom_claims::ClaimLayer;
use super::payload_writer::{PayloadWriter, cannot_write};
use crate::blocklist::entry::uuid_v7_millis;
use crate::clock;
use crate::error::Error;
use crate::events::Event;
use crate::jwt::Jwt;
use crate::keys::signing::SigningKey;
use crate::revocation::entry_of::session_of;
use crate::settings::Settings;
use crate::token::claims::{Audience, Claims, audience};
use crate::token::compact::{MAX_HEADER_LENGTH, encode_header, header_of};
use crate::token::context::RequestContext;
use crate::token::identity::Identity;
use crate::token::ids::{Ids, new_ids};
use crate::token::kind::TokenType;
use crate::token::registered::{custom, is_registered};
use crate::token::verified::Verified;

/// A token that was just signed, and the data that its cookies need.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) encoded: String,
    pub(crate) token_type: TokenType,
    /// The `csrf` claim, if it was known before signing.
    pub(crate) csrf: Option<String>,
    pub(crate) expires_at: Option<OffsetDateTime>,
    pub(crate) lifetime: Option<Duration>,
}

/// Header parameters that only this crate writes, or that must never be written.
const RESERVED_HEADERS: [&str; 9] =
    ["alg", "crit", "b64", "jwk", "jku", "x5c", "x5u", "zip", "enc"];

/// Most signatures, including the dots, fit into this many bytes.
const SIGNATURE_ROOM: usize = 132;

/// The description of a token to be signed.
#[derive(Clone)]
pub(crate) struct TokenSpec {
    pub(crate) token_type: TokenType,
    pub(crate) identity: String,
    pub(crate) fresh: Freshness,
    pub(crate) expires: Expires,
    pub(crate) not_before: Option<OffsetDateTime>,
    pub(crate) audience: Option<Audience>,
    pub(crate) issuer: Option<String>,
    pub(crate) ids: Ids,
    /// The custom claims, from the lowest to the highest precedence: those of an earlier token, of
    /// the hook (called when the token is signed), of the identity, and of the builder.
    pub(crate) inherited: Claims,
    pub(super) identity_claims: Claims,
    pub(crate) claims: ClaimLayer,
    pub(super) headers: Claims,
    /// The context of the request in which it is issued, for the event.
    pub(crate) request: Option<RequestContext>,
    /// The first builder error; [`sign()`](Self::sign) reports it.
    pub(super) error: Option<String>,
    /// The reason why a session can't be joined; [`sign()`](Self::sign) reports it.
    pub(super) not_joined: Option<&'static str>,
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
    /// The lifetime of the earlier token, but never beyond the session's end.
    Inherited(Duration),
    Never,
}

/// A payload, and the data about its token.
pub(super) struct Payload {
    pub(super) json: Vec<u8>,
    csrf: Option<String>,
    expires_at: Option<OffsetDateTime>,
    lifetime: Option<Duration>,
    issued: Option<Event>,
}

impl TokenSpec {
    pub(crate) fn new(token_type: TokenType, identity: &impl Identity) -> Self {
        Self {
            token_type,
            identity: identity.identity().into_owned(),
            fresh: Freshness::No,
            expires: Expires::AsConfigured,
            not_before: None,
            audience: None,
            issuer: None,
            ids: Ids::default(),
            inherited: Claims::new(),
            identity_claims: identity.claims(),
            claims: ClaimLayer::default(),
            headers: Claims::new(),
            request: None,
            error: None,
            not_joined: None,
        }
    }

    pub(crate) fn add_claims(&mut self, claims: &impl Serialize) {
        if let Err(text) = self.claims.add(claims) {
            self.fail(text);
        }
    }

    pub(super) fn add_header(&mut self, name: &str, value: impl Serialize) {
        match serde_json::to_value(value) {
            Ok(value) => {
                self.headers.insert(name.into(), value);
            }
            Err(error) => self.fail(format!("a header can't be written: {error}")),
        }
    }

    pub(super) fn fail_to_join(&mut self, text: &'static str) {
        self.not_joined.get_or_insert(text);
    }

    fn fail(&mut self, text: String) {
        self.error.get_or_insert(text);
    }

    /// Generates the missing ids, so that [`Signed`] has the `csrf` claim. Only a token for a
    /// cookie needs this; for other tokens the ids are written into the payload without an
    /// allocation.
    pub(crate) fn with_ids(mut self, jwt: &Jwt) -> Result<Self, Error> {
        if self.ids.csrf.is_none() {
            let at = *self.ids.at.get_or_insert_with(|| jwt.issue_instant(jwt.now()));
            let (jti, csrf) = new_ids(at).ok_or(Error::Signing)?;
            self.ids.jti.get_or_insert_with(|| jti.to_string());
            self.ids.csrf = Some(csrf.to_string());
        }
        Ok(self)
    }

    /// Signs the token. The caller emits the event after it has handed out the token.
    pub(crate) fn sign(mut self, jwt: &Jwt) -> Result<(Signed, Option<Event>), Error> {
        if let Some(text) = self.error {
            return Err(Error::Serialize(text));
        }
        if let Some(text) = self.not_joined {
            return Err(Error::Session(text));
        }
        if self.identity.is_empty() {
            return Err(Error::EmptyIdentity);
        }
        if self.ids.jti.as_deref() == Some("") {
            return Err(Error::EmptyTokenId);
        }
        let key = jwt.signing_key(&self.identity)?;
        let header = self.header(jwt, &key)?;
        let custom = self.custom_claims(jwt)?;
        let token_type = self.token_type;
        let now = jwt.now();
        let at = self.ids.at.unwrap_or_else(|| jwt.issue_instant(now));
        let has_listener = jwt.hooks().on_event.is_some();
        let payload = self.payload(jwt.settings(), custom, now, at, has_listener)?;

        let length = URL_SAFE_NO_PAD.encoded_length(payload.json.len());
        let mut encoded = String::with_capacity(header.len() + length + SIGNATURE_ROOM);
        encoded.push_str(&header);
        encoded.push('.');
        URL_SAFE_NO_PAD.encode_append(payload.json, &mut encoded);
        let signature = key.sign(encoded.as_bytes())?;
        encoded.push('.');
        URL_SAFE_NO_PAD.encode_append(signature, &mut encoded);
        if header.len() > MAX_HEADER_LENGTH || encoded.len() > jwt.settings().max_token_length {
            return Err(Error::TooLong);
        }
        let Payload { csrf, expires_at, lifetime, issued, .. } = payload;
        Ok((Signed { encoded, token_type, csrf, expires_at, lifetime }, issued))
    }

    /// The header's text.
    fn header<'j>(&self, jwt: &'j Jwt, key: &SigningKey) -> Result<Cow<'j, str>, Error> {
        if jwt.hooks().additional_headers.is_none() && self.headers.is_empty() {
            let known = jwt.keys().known_header(key.algorithm());
            return match known {
                Some(known) => Ok(Cow::Borrowed(&known.encoded)),
                None => encode(&header_of(key.algorithm())).map(Cow::Owned),
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
                // A `null` removes `typ`.
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
        // The registered members must have the types of RFC 7515 §4.1, or the token could not be
        // parsed.
        if serde_json::from_value::<Header>(Value::Object(header.clone())).is_err() {
            return Err(Error::Serialize("a header has the wrong type".into()));
        }
        Ok(header)
    }

    /// The custom claims, as the beginning of the payload.
    fn custom_claims(&mut self, jwt: &Jwt) -> Result<PayloadWriter, Error> {
        let settings = jwt.settings();
        // The claims are merged into a new map for each token, so a hook's claims are never
        // modified.
        let hooked = jwt.hooks().additional_claims.as_ref().map(|hook| hook(&self.identity));
        let is_alone =
            hooked.is_none() && self.inherited.is_empty() && self.identity_claims.is_empty();
        let given = match std::mem::take(&mut self.claims) {
            ClaimLayer::Text(text) if is_alone && settings.identity_claim == "sub" => {
                return Ok(text);
            }
            given => given.into_map().map_err(cannot_write)?,
        };
        let inherited = std::mem::take(&mut self.inherited);
        let identity_claims = std::mem::take(&mut self.identity_claims);
        let mut custom = Claims::new();
        let layers = [inherited, hooked.unwrap_or_default(), identity_claims, given];
        for (name, value) in layers.into_iter().flatten() {
            if is_registered(&name, &settings.identity_claim) {
                return Err(Error::ReservedClaim(name));
            }
            custom.insert(name, value);
        }
        PayloadWriter::of_map(&custom)
    }

    /// Completes the payload that begins with the custom claims, of a token issued at `at`.
    pub(super) fn payload(
        self,
        settings: &Settings,
        mut payload: PayloadWriter,
        now: OffsetDateTime,
        at: OffsetDateTime,
        has_listener: bool,
    ) -> Result<Payload, Error> {
        let given_time = self.ids.jti.as_deref().and_then(uuid_v7_millis);
        if !self.ids.exact && given_time.is_some_and(|millis| millis > clock::millis(at)) {
            // No cut-off would ever reach it.
            return Err(Error::FutureTokenId);
        }
        // `iat` has whole seconds, as NumericDates usually do; the `jti` has the milliseconds. If
        // the clock was set back, the `jti` must be later than the last cut-off, but the token must
        // be valid now.
        let iat = if self.ids.exact { at } else { at.min(now) }.unix_timestamp();
        let mut room = [[0; Hyphenated::LENGTH]; 2];
        let [room, other_room] = &mut room;
        let (jti, csrf): (&str, &str) = match (&self.ids.jti, &self.ids.csrf) {
            (Some(jti), Some(csrf)) => (jti, csrf),
            (jti, csrf) => {
                let (new_jti, new_csrf) = new_ids(at).ok_or(Error::Signing)?;
                let new_jti = new_jti.hyphenated().encode_lower(room);
                let new_csrf = new_csrf.hyphenated().encode_lower(other_room);
                (jti.as_deref().unwrap_or(new_jti), csrf.as_deref().unwrap_or(new_csrf))
            }
        };
        payload.text_member(&settings.identity_claim, &self.identity)?;
        payload.member("iat", iat)?;
        payload.text_member("jti", jti)?;
        payload.text_member("type", self.token_type.as_claim())?;
        payload.member("fresh", self.fresh_claim(now)?)?;
        if let Some(sid) = &self.ids.sid {
            payload.text_member("sid", sid)?;
        }
        if settings.cookie_csrf_protect {
            payload.text_member("csrf", csrf)?;
        }
        match self.not_before {
            Some(not_before) => payload.member("nbf", not_before.unix_timestamp())?,
            None if settings.encode_nbf => payload.member("nbf", iat)?,
            None => (),
        }
        if let Some(audience) = self.audience.as_ref().or(settings.encode_audience.as_ref()) {
            payload.member("aud", audience.to_value())?;
        }
        if let Some(issuer) = self.issuer.as_ref().or(settings.encode_issuer.as_ref()) {
            payload.text_member("iss", issuer)?;
        }
        let lifetime = self.lifetime(settings, at, iat)?;
        let mut expires_at = None;
        if let Some(lifetime) = lifetime {
            let exp = OffsetDateTime::from_unix_timestamp(iat)
                .ok()
                .and_then(|iat| iat.checked_add(lifetime))
                .map(OffsetDateTime::unix_timestamp)
                .filter(|exp| *exp >= 0)
                .ok_or(Error::Lifetime("the token's expiry is out of range"))?;
            payload.member("exp", exp)?;
            expires_at = OffsetDateTime::from_unix_timestamp(exp).ok();
        }
        let issued = has_listener.then(|| Event::Issued {
            token_type: self.token_type,
            identity: self.identity,
            jti: jti.into(),
            session_id: self.ids.sid.clone(),
            request: self.request,
        });
        let csrf = self.ids.csrf.filter(|_| settings.cookie_csrf_protect);
        Ok(Payload { json: payload.finish(), csrf, expires_at, lifetime, issued })
    }

    /// How long the session of the token will last, from its `iat` on, in whole seconds. Without a session
    /// to join, that is the one derived from its `jti`, which begins now.
    fn session_left(
        &self,
        settings: &Settings,
        at: OffsetDateTime,
        iat: i64,
    ) -> Result<Option<Duration>, Error> {
        let Some(lifetime) = settings.session_lifetime else { return Ok(None) };
        let unknown = Error::Session("the id of the session does not tell when it began");
        let began = match (&self.ids.sid, &self.ids.jti) {
            (Some(sid), _) => uuid_v7_millis(sid).ok_or(unknown)?,
            (None, Some(jti)) => uuid_v7_millis(jti).unwrap_or_else(|| clock::millis(at)),
            (None, None) => clock::millis(at),
        };
        // The beginning never counts as later than `iat`.
        let began = began.min(iat.saturating_mul(1000));
        let end = i128::from(began) + lifetime.whole_milliseconds();
        let end = i64::try_from(end.div_euclid(1000)).unwrap_or(i64::MAX);
        Ok(Some(Duration::seconds(end.saturating_sub(iat))))
    }

    fn fresh_claim(&self, now: OffsetDateTime) -> Result<Value, Error> {
        if self.token_type == TokenType::Refresh && !matches!(self.fresh, Freshness::No) {
            return Err(Error::FreshRefresh);
        }
        Ok(match self.fresh {
            Freshness::No => false.into(),
            Freshness::Yes => true.into(),
            Freshness::For(duration) => now.saturating_add(duration).unix_timestamp().max(0).into(),
        })
    }

    /// The lifetime of the token that is issued at `at`, if it is allowed.
    fn lifetime(
        &self,
        settings: &Settings,
        at: OffsetDateTime,
        iat: i64,
    ) -> Result<Option<Duration>, Error> {
        let (lifetime, is_explicit) = match self.expires {
            Expires::AsConfigured => (settings.names(self.token_type).expires, false),
            Expires::Inherited(lifetime) => (Some(lifetime), false),
            Expires::In(lifetime) => (Some(lifetime), true),
            Expires::Never => (None, true),
        };
        let lifetime = match self.session_left(settings, at, iat)? {
            Some(left) if lifetime.is_none_or(|lifetime| lifetime > left) => match is_explicit {
                true => {
                    return Err(Error::Lifetime(
                        "the token would outlive its session: `session_lifetime`",
                    ));
                }
                false => Some(left),
            },
            _ => lifetime,
        };
        if lifetime.is_none() && settings.requires("exp", self.token_type) {
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
        if self.ids.sid.is_some() && exceeds(settings.longest_lifetime()) {
            // The token would outlive its session's entry in the blocklist.
            return Err(Error::Lifetime(
                "a token of a session must not outlive the longer of the configured lifetimes",
            ));
        }
        Ok(lifetime)
    }
}

/// The audience of a token, for tokens derived from it.
pub(crate) fn inherited_audience(earlier: &Verified) -> Option<Audience> {
    let audience = audience(earlier.claims());
    (!audience.is_empty()).then(|| Audience::from(audience))
}

/// The successor of a token with less than the configured lifetime has the same lifetime.
pub(crate) fn inherited_lifetime(jwt: &Jwt, earlier: &Verified) -> Expires {
    let registered = earlier.registered();
    let given = registered.expires_at.zip(registered.issued_at).map(|(exp, iat)| exp - iat);
    let configured = jwt.settings().names(registered.token_type).expires;
    match (given, configured) {
        (Some(given), None) => Expires::Inherited(given),
        (Some(given), Some(configured)) if given < configured => Expires::Inherited(given),
        _ => Expires::AsConfigured,
    }
}

impl TokenSpec {
    /// Turns this into the spec of a renewal of `earlier`, issued at that instant. The renewal
    /// inherits the custom claims, with the lowest precedence, the audience, the session, and at
    /// most the lifetime.
    pub(crate) fn renewing(mut self, jwt: &Jwt, earlier: &Verified, at: OffsetDateTime) -> Self {
        self.inherited = custom(earlier.claims(), &jwt.settings().identity_claim);
        self.audience = inherited_audience(earlier);
        self.expires = inherited_lifetime(jwt, earlier);
        self.ids.sid = session_of(earlier).map(Cow::into_owned);
        self.ids.at = Some(at);
        self.request = earlier.request().cloned();
        self
    }
}

fn encode(header: &Claims) -> Result<String, Error> {
    encode_header(header).map_err(cannot_write)
}
