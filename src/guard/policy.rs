//! What a guard asks of a token.

use crate::location::Location;

/// Which types of token are let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Access tokens.
    Access,
    /// Refresh tokens.
    Refresh,
    /// Both.
    Any,
}

/// What a guard asks of a token. Each wrapper's policy is that of the guard inside with one change.
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
    kind: Kind,
    fresh: bool,
    blocklist: bool,
    locations: Option<&'static [Location]>,
}

impl Policy {
    pub(crate) const fn of(kind: Kind) -> Self {
        Self { kind, fresh: false, blocklist: true, locations: None }
    }

    pub(crate) const fn fresh(self) -> Self {
        Self { fresh: true, ..self }
    }

    pub(crate) const fn without_blocklist(self) -> Self {
        Self { blocklist: false, ..self }
    }

    pub(crate) const fn at(self, locations: &'static [Location]) -> Self {
        Self { locations: Some(locations), ..self }
    }

    /// Which types of token are let in.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the token must be fresh.
    pub const fn needs_fresh(&self) -> bool {
        self.fresh
    }

    /// Whether the blocklist is asked.
    pub const fn asks_blocklist(&self) -> bool {
        self.blocklist
    }

    /// Where the token is looked for, in order; `None` is where the configuration says.
    pub const fn locations(&self) -> Option<&'static [Location]> {
        self.locations
    }
}
