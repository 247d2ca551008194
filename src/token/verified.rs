//! A token after its signature was verified.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use jsonwebtoken::Header;

use super::claims::{Claims, CustomClaims};
use super::context::RequestContext;
use super::payload::deserialize::deserialize;
use super::payload::failure::failure;
use super::payload::slot::Text;
use super::payload::spans::Spans;
use super::registered::{Csrf, Registered};
use crate::reason::Reason;

/// The source of the key that verified a token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Voucher {
    /// A configured key.
    Configuration,
    /// The key that the `verifying_key` hook returned.
    Hook,
}

/// A payload's JSON text. Tokens from the signature cache share their text with it.
pub(crate) enum PayloadJson {
    Decoded(String),
    Cached(Arc<str>),
}

impl Deref for PayloadJson {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Decoded(json) => json,
            Self::Cached(json) => json,
        }
    }
}

/// A token whose signature was verified.
pub(crate) struct Verified {
    encoded: Arc<str>,
    voucher: Voucher,
    header: Arc<Header>,
    /// The payload's JSON: an object without duplicate names.
    json: PayloadJson,
    members: Option<Spans>,
    registered: Registered,
    claims: OnceLock<Claims>,
    request: Option<RequestContext>,
}

impl Verified {
    /// `request`: the request in which it was presented, if there is a hook for events.
    pub(crate) fn new(
        encoded: Arc<str>,
        voucher: Voucher,
        header: Arc<Header>,
        json: PayloadJson,
        members: Option<Spans>,
        registered: Registered,
        request: Option<RequestContext>,
    ) -> Self {
        let claims = OnceLock::new();
        Self { encoded, voucher, header, json, members, registered, claims, request }
    }

    /// The context of the request in which it was presented, if there is a hook for events.
    pub(crate) fn request(&self) -> Option<&RequestContext> {
        self.request.as_ref()
    }

    /// Every claim. Parsed on first use, since most requests don't need them.
    pub(crate) fn claims(&self) -> &Claims {
        self.claims.get_or_init(|| serde_json::from_str(&self.json).unwrap_or_default())
    }

    /// The custom claims, deserialized.
    pub(crate) fn read<C: CustomClaims>(&self) -> Result<C, Reason> {
        deserialize(&self.json, self.members.as_ref()).ok_or_else(|| {
            // The client learns nothing about the type. The log names the type, but shows nothing
            // of the token.
            log::warn!(
                "JWT: the claims of a verified token do not deserialize into `{}`: {}. A claim \
                 that was added to the type needs `#[serde(default)]` until older tokens \
                 have expired.",
                std::any::type_name::<C>(),
                failure::<C>(&self.json),
            );
            Reason::CustomClaims
        })
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    pub(crate) fn voucher(&self) -> Voucher {
        self.voucher
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

    fn text<'a>(&'a self, text: Option<&'a Text>) -> Option<&'a str> {
        text.map(|text| text.as_str(&self.json))
    }
}
