//! The guard for permissions.

use std::fmt;
use std::marker::PhantomData;

use super::sealed::{Admit, IntoToken};
use super::{wrapper, Admission, Denied, Policy, RequestFree, TokenGuard};
use crate::token::{OwnClaims, Token};

/// A permission, judged by a token's claims.
pub trait Permission: Send + Sync + 'static {
    /// The claims it looks at.
    type Claims: OwnClaims;

    /// Whether the token's holder has it. "No" is answered with 403 `insufficient_scope`
    /// (RFC 6750 §3.1).
    fn permits(token: &Token<Self::Claims>) -> bool;
}

/// Lets in what `G` lets in, if the permission `P` holds for it.
///
/// # Example
///
/// ```rust
/// # #[macro_use] extern crate rocket;
/// use rocket::serde::Deserialize;
/// use rocket_jwt_extended::{AccessToken, Permission, Require, Token};
///
/// #[derive(Deserialize)]
/// #[serde(crate = "rocket::serde")]
/// struct Profile { role: String }
///
/// struct Admin;
///
/// impl Permission for Admin {
///     type Claims = Profile;
///
///     fn permits(token: &Token<Profile>) -> bool {
///         token.claims.role == "admin"
///     }
/// }
///
/// #[delete("/user/<id>")]
/// fn delete_user(id: u64, _admin: Require<Admin, AccessToken<Profile>>) -> String {
///     format!("deleted {id}")
/// }
/// # fn main() {}
/// ```
///
/// Where a token is optional, the permission is asked of whoever has one: `Optional<Require<…>>`. The
/// other way round does not compile:
///
/// ```rust,compile_fail,E0277
/// # #[macro_use] extern crate rocket;
/// use rocket_jwt_extended::{AccessToken, NoClaims, Optional, Permission, Require, Token};
///
/// struct Anybody;
///
/// impl Permission for Anybody {
///     type Claims = NoClaims;
///
///     fn permits(_: &Token<NoClaims>) -> bool {
///         true
///     }
/// }
///
/// #[get("/")]
/// fn index(token: Require<Anybody, Optional<AccessToken>>) {}
/// # fn main() {}
/// ```
pub struct Require<P, G> {
    inner: G,
    permission: PhantomData<fn() -> P>,
}

impl<P, G> Require<P, G> {
    fn around(inner: G) -> Self {
        Self { inner, permission: PhantomData }
    }
}

// By hand: a permission need not be `Clone` or `Debug`.
impl<P, G: Clone> Clone for Require<P, G> {
    fn clone(&self) -> Self {
        Self::around(self.inner.clone())
    }
}

impl<P, G: fmt::Debug> fmt::Debug for Require<P, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Require").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<P: Permission, G: TokenGuard<Claims = P::Claims>> TokenGuard for Require<P, G> {
    type Claims = G::Claims;

    const POLICY: Policy = G::POLICY;

    fn token(&self) -> &Token<G::Claims> {
        self.inner.token()
    }
}

impl<P: Permission, G: RequestFree<Claims = P::Claims>> RequestFree for Require<P, G> {}

impl<P: Permission, G: RequestFree<Claims = P::Claims>> IntoToken for Require<P, G> {
    fn into_token(self) -> Token<G::Claims> {
        self.inner.into_token()
    }
}

impl<P: Permission, G: TokenGuard<Claims = P::Claims>> Admit for Require<P, G> {
    async fn admit(admission: Admission<'_, '_>) -> Result<Self, Denied> {
        Ok(Self::around(G::admit(admission).await?))
    }

    fn permits(&self) -> bool {
        self.inner.permits() && P::permits(self.inner.token())
    }
}

wrapper!([P: Permission, G: TokenGuard<Claims = P::Claims>] Require<P, G>, inner: G);
