//! Computes a token's entry in the blocklist, and the ids with which it is queried.

use std::borrow::Cow;

use rocket::time::{Duration, OffsetDateTime};

use crate::blocklist::{Revocation, TokenIds};
use crate::error::Error;
use crate::jwt::Jwt;
use crate::provenance::is_ours;
use crate::settings::Sessions;
use crate::token::Token;
use crate::token::context::RequestContext;
use crate::token::kind::TokenType;
use crate::token::verified::Verified;

/// Something that [`Jwt::revoke()`](crate::Jwt::revoke) can revoke: a `&token`, a reference to a guard,
/// or a [`Revocation`].
///
/// # Example
///
/// ```rust
/// use rocket_jwt_extended::{Duration, IntoRevocation, Revocation};
///
/// let entry = Revocation::session("0190a6f4-0000-7000-8000-000000000000", None);
/// assert_eq!(entry.clone().into_revocation(Duration::minutes(5)).unwrap(), entry);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be revoked",
    note = "pass a reference to the token or its guard: `jwt.revoke(&token)`",
    note = "to revoke by id alone, pass a `Revocation`: `Revocation::token(jti, until)`"
)]
pub trait IntoRevocation {
    /// The entry to record. For a token, it expires `margin` after the token's `exp`.
    ///
    /// # Errors
    ///
    /// If the token has no `jti`.
    fn into_revocation(self, margin: Duration) -> Result<Revocation, Error>;

    /// The request in which a guard accepted the token, for
    /// [`Event::request()`](crate::Event::request).
    fn request(&self) -> Option<RequestContext> {
        None
    }
}

impl IntoRevocation for Revocation {
    fn into_revocation(self, _: Duration) -> Result<Revocation, Error> {
        Ok(self)
    }
}

/// The entry of a single token. It is kept as long as the token could be used.
impl<C> IntoRevocation for &Token<C> {
    fn into_revocation(self, margin: Duration) -> Result<Revocation, Error> {
        let jti = self.jti().ok_or(Error::NoTokenId)?;
        let until = self.expires_at().map(|exp| exp.saturating_add(margin));
        Ok(Revocation::token(jti, until))
    }

    fn request(&self) -> Option<RequestContext> {
        self.verified().request().cloned()
    }
}

/// The ids with which the blocklist is queried.
///
/// A token without `iat` counts as older than every cut-off: only the time in its `jti`, which its
/// issuer chose, would tell its age.
pub(crate) fn ids_of(verified: &Verified) -> TokenIds<'_> {
    let identity = Some(verified.identity());
    let issued = verified.registered().issued_at.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    TokenIds::new(verified.jti(), verified.sid(), identity, Some(issued))
}

/// Like [`ids_of()`], for a lookup that compares a refresh token of this server with its session's
/// row. A token of another issuer must not end the session in its `sid`.
pub(crate) fn exchangeable_ids<'a>(jwt: &Jwt, verified: &'a Verified) -> TokenIds<'a> {
    let ids = ids_of(verified);
    match verified.registered().token_type == TokenType::Refresh && is_ours(jwt, verified) {
        true if jwt.settings().sessions == Sessions::On => ids.exchangeable().only_recorded(),
        true => ids.exchangeable(),
        false => ids,
    }
}

/// The session of a token: its `sid`, or an id derived from its `jti`.
pub(crate) fn session_of(verified: &Verified) -> Option<Cow<'_, str>> {
    let derived = || ids_of(verified).derived_session().map(|id| Cow::Owned(id.to_string()));
    verified.sid().map(Cow::Borrowed).or_else(derived)
}

/// The ids with which a blocklist is queried.
impl<'a, C> From<&'a Token<C>> for TokenIds<'a> {
    fn from(token: &'a Token<C>) -> Self {
        ids_of(token.verified())
    }
}
