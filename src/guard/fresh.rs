//! The guard for fresh tokens.

use super::access::AccessToken;
use super::admit::{Admission, Admit, IntoToken, RequestFree, TokenGuard};
use super::macros::policy_wrapper;
use crate::reason::Reason;
use crate::token::Token;
use crate::verify::policy::Policy;

policy_wrapper! {
    /// Accepts what `G` accepts, if the token is fresh: issued at a login, not at a refresh.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::post;
    /// use rocket_jwt_extended::Fresh;
    ///
    /// #[post("/password")]
    /// fn change_password(token: Fresh) -> String {
    ///     format!("changed for {}", token.identity())
    /// }
    /// # fn main() {}
    /// ```
    Fresh<G = AccessToken>, G::POLICY.fresh()
}
