//! The guard that does not query the blocklist.

use super::admit::{Admission, Admit, IntoToken, RequestFree, TokenGuard};
use super::macros::policy_wrapper;
use crate::reason::Reason;
use crate::token::Token;
use crate::verify::policy::Policy;

policy_wrapper! {
    /// Accepts what `G` accepts, including revoked tokens: it does not query the blocklist.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::get;
    /// use rocket_jwt_extended::{AccessToken, IgnoreRevocation};
    ///
    /// #[get("/status")]
    /// fn status(token: IgnoreRevocation<AccessToken>) -> String {
    ///     format!("issued to {}", token.identity())
    /// }
    /// # fn main() {}
    /// ```
    IgnoreRevocation<G>, G::POLICY.without_blocklist()
}
