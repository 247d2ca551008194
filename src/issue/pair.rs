//! An access and a refresh token of one session.

use std::fmt;

use rocket::time::OffsetDateTime;

use super::spec::{Signed, TokenSpec};
use crate::error::Error;
use crate::events::Event;
use crate::jwt::Jwt;

/// An access and a refresh token of one session.
///
/// As a responder it is the token response of OAuth 2.0 (RFC 6749 §5.1): JSON with `access_token`,
/// `token_type`, `refresh_token`, and, unless the token never expires, `expires_in` in seconds.
/// Caches must not store it.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenPair {
    access: Signed,
    refresh: Signed,
    session_id: Option<String>,
}

/// Signs both tokens. The caller emits the events after it has handed out the pair.
pub(crate) fn sign_pair(
    jwt: &Jwt,
    access: TokenSpec,
    refresh: TokenSpec,
) -> Result<(TokenPair, [Option<Event>; 2]), Error> {
    let session_id = access.ids.sid.clone();
    let (access, access_issued) = access.with_ids(jwt)?.sign(jwt)?;
    let (refresh, refresh_issued) = refresh.with_ids(jwt)?.sign(jwt)?;
    Ok((TokenPair { access, refresh, session_id }, [access_issued, refresh_issued]))
}

impl TokenPair {
    /// The access token.
    pub fn access_token(&self) -> &str {
        &self.access.encoded
    }

    /// The refresh token.
    pub fn refresh_token(&self) -> &str {
        &self.refresh.encoded
    }

    /// The CSRF value of the access token, unless `cookie_csrf_protect` is off. It is for a page
    /// that cannot read the cookie with this value: a page of another origin, or any page if
    /// `csrf_in_cookies` is off. Only the page that logged in may read the response that contains
    /// it.
    pub fn csrf(&self) -> Option<&str> {
        self.access.csrf.as_deref()
    }

    /// The id of the session that both tokens belong to.
    pub fn session_id(&self) -> Option<&str> {
        self.session_id.as_deref()
    }

    /// The access token's lifetime in seconds.
    pub(crate) fn expires_in(&self) -> Option<i64> {
        self.access.lifetime.map(|lifetime| lifetime.whole_seconds())
    }

    pub(crate) fn refresh_expires_at(&self) -> Option<OffsetDateTime> {
        self.refresh.expires_at
    }

    pub(crate) fn signed(&self) -> [&Signed; 2] {
        [&self.access, &self.refresh]
    }
}

impl fmt::Debug for TokenPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenPair").field("expires_in", &self.expires_in()).finish_non_exhaustive()
    }
}
