//! The requirements of a guard.

use crate::token::location::Location;

/// The types of token that a guard accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcceptedTypes {
    /// Access tokens.
    Access,
    /// Refresh tokens.
    Refresh,
    /// Both.
    Any,
}

/// The requirements of a guard. Each wrapper's policy is its inner guard's with one change.
///
/// # Example
///
/// ```rust
/// use rocket_jwt_extended::{AccessToken, Fresh, IgnoreRevocation, NoClaims, TokenGuard};
///
/// type Guard = Fresh<IgnoreRevocation<AccessToken<NoClaims>>>;
/// assert!(Guard::POLICY.needs_fresh() && !Guard::POLICY.asks_blocklist());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    types: AcceptedTypes,
    fresh: bool,
    blocklist: bool,
    expired: bool,
    locations: Option<&'static [Location]>,
}

impl Policy {
    pub(crate) const fn of(types: AcceptedTypes) -> Self {
        Self { types, fresh: false, blocklist: true, expired: false, locations: None }
    }

    pub(crate) const fn fresh(self) -> Self {
        Self { fresh: true, ..self }
    }

    pub(crate) const fn without_blocklist(self) -> Self {
        Self { blocklist: false, ..self }
    }

    pub(crate) const fn with_expired(self) -> Self {
        Self { expired: true, ..self }
    }

    pub(crate) const fn at(self, locations: &'static [Location]) -> Self {
        Self { locations: Some(locations), ..self }
    }

    /// The types of token that a guard accepts.
    pub const fn kind(&self) -> AcceptedTypes {
        self.types
    }

    /// Whether the token must be fresh.
    pub const fn needs_fresh(&self) -> bool {
        self.fresh
    }

    /// Whether the blocklist is queried.
    pub const fn asks_blocklist(&self) -> bool {
        self.blocklist
    }

    /// Whether an expired token is accepted.
    pub const fn accepts_expired(&self) -> bool {
        self.expired
    }

    /// Where to look for the token, in order; `None` means `token_location`.
    pub const fn locations(&self) -> Option<&'static [Location]> {
        self.locations
    }
}
