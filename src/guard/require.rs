//! The guard for permissions.

use std::fmt;
use std::marker::PhantomData;

use super::access::AccessToken;
use super::admit::{Admission, Admit, IntoToken, RequestFree, TokenGuard};
use super::macros::wrapper;
use crate::reason::Reason;
use crate::token::Token;
use crate::token::claims::CustomClaims;
use crate::verify::policy::Policy;

/// A permission, granted or not by a token's claims.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Permission`",
    note = "implement `Permission` for it: `type Claims`, and `fn permits(token: &Token<Self::Claims>) -> bool`",
    note = "the permission comes first, the guard second: `Require<Admin, Fresh<AccessToken<Profile>>>`"
)]
pub trait Permission: Send + Sync + 'static {
    /// The type of the claims that it reads.
    type Claims: CustomClaims;

    /// Whether the token has the permission. If not, the request is refused with 403
    /// `insufficient_scope` (RFC 6750 §3.1).
    fn permits(token: &Token<Self::Claims>) -> bool;
}

/// Accepts what `G` accepts, if its token has the permission `P`.
///
/// # Example
///
/// ```rust
/// # use rocket::delete;
/// use rocket::serde::Deserialize;
/// use rocket_jwt_extended::{Permission, Require, Token};
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
/// fn delete_user(id: u64, _admin: Require<Admin>) -> String {
///     format!("deleted {id}")
/// }
/// # fn main() {}
/// ```
///
/// For an optional token, write `Optional<Require<…>>`: a request with a token needs the
/// permission. The reverse order does not compile:
///
/// ```rust,compile_fail,E0277
/// # use rocket::get;
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
pub struct Require<P: Permission, G = AccessToken<<P as Permission>::Claims>> {
    inner: G,
    permission: PhantomData<fn() -> P>,
}

impl<P: Permission, G> Require<P, G> {
    fn around(inner: G) -> Self {
        Self { inner, permission: PhantomData }
    }
}

// Not derived, because a derive would require `P: Clone` and `P: Debug`.
impl<P: Permission, G: Clone> Clone for Require<P, G> {
    fn clone(&self) -> Self {
        Self::around(self.inner.clone())
    }
}

impl<P: Permission, G: fmt::Debug> fmt::Debug for Require<P, G> {
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
    async fn admit(admission: Admission<'_, '_>) -> Result<Self, Reason> {
        Ok(Self::around(G::admit(admission).await?))
    }

    fn permits(&self) -> bool {
        self.inner.permits() && P::permits(self.inner.token())
    }
}

wrapper!([P: Permission, G: TokenGuard<Claims = P::Claims>] Require<P, G>, inner: G);
