//! The guard that does not ask the blocklist.

use super::sealed::{Admit, IntoToken};
use super::{policy_wrapper, Admission, Denied, Policy, RequestFree, TokenGuard};
use crate::token::Token;

/// Lets in what `G` lets in, revoked or not: the blocklist is not asked.
///
/// # Example
///
/// ```rust
/// # #[macro_use] extern crate rocket;
/// use rocket_jwt_extended::{AccessToken, IgnoreRevocation};
///
/// #[get("/status")]
/// fn status(token: IgnoreRevocation<AccessToken>) -> String {
///     format!("issued to {}", token.identity())
/// }
/// # fn main() {}
/// ```
#[derive(Debug, Clone)]
pub struct IgnoreRevocation<G> {
    inner: G,
}

impl<G> IgnoreRevocation<G> {
    fn around(inner: G) -> Self {
        Self { inner }
    }
}

policy_wrapper!([G: TokenGuard] IgnoreRevocation<G>, G::POLICY.without_blocklist());

impl<G: RequestFree> RequestFree for IgnoreRevocation<G> {}

impl<G: RequestFree> IntoToken for IgnoreRevocation<G> {
    fn into_token(self) -> Token<G::Claims> {
        self.inner.into_token()
    }
}
