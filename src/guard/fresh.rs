//! The guard for fresh tokens.

use super::sealed::{Admit, IntoToken};
use super::{policy_wrapper, AccessToken, Admission, Denied, Policy, RequestFree, TokenGuard};
use crate::token::Token;

/// Lets in what `G` lets in, if the token is fresh: issued by a login, not by a refresh.
///
/// # Example
///
/// ```rust
/// # #[macro_use] extern crate rocket;
/// use rocket_jwt_extended::Fresh;
///
/// #[post("/password")]
/// fn change_password(token: Fresh) -> String {
///     format!("changed for {}", token.identity())
/// }
/// # fn main() {}
/// ```
#[derive(Debug, Clone)]
pub struct Fresh<G = AccessToken> {
    inner: G,
}

impl<G> Fresh<G> {
    fn around(inner: G) -> Self {
        Self { inner }
    }
}

policy_wrapper!([G: TokenGuard] Fresh<G>, G::POLICY.fresh());

impl<G: RequestFree> RequestFree for Fresh<G> {}

impl<G: RequestFree> IntoToken for Fresh<G> {
    fn into_token(self) -> Token<G::Claims> {
        self.inner.into_token()
    }
}
