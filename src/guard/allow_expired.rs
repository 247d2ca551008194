//! The guard that accepts expired tokens.

use super::access::AccessToken;
use super::admit::{Admission, Admit, IntoToken, RequestFree, TokenGuard};
use super::macros::policy_wrapper;
use crate::reason::Reason;
use crate::token::Token;
use crate::verify::policy::Policy;

policy_wrapper! {
    /// Accepts what `G` accepts, and expired tokens that pass all other checks: for a logout route
    /// that still works after the access token has expired.
    ///
    /// **For logout routes only.** The blocklist removes an entry some minutes after its tokens
    /// expire; from then on this guard accepts a revoked token again. The token is neither renewed
    /// nor rotated, and its session can't be joined once it has expired. `Fresh<AllowExpired<…>>`
    /// would accept old logins as fresh, so it fails the launch.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::delete;
    /// use rocket::http::{CookieJar, Status};
    /// use rocket_jwt_extended::{AllowExpired, AnyToken, Error, Jwt, NoClaims};
    ///
    /// #[delete("/logout")]
    /// async fn logout(
    ///     jwt: &Jwt,
    ///     jar: &CookieJar<'_>,
    ///     token: AllowExpired<AnyToken<NoClaims>>,
    /// ) -> Result<Status, Error> {
    ///     jwt.revoke_session(&token).await?;
    ///     jwt.cookies(jar).unset();
    ///     Ok(Status::NoContent)
    /// }
    /// # fn main() {}
    /// ```
    AllowExpired<G = AccessToken>, G::POLICY.with_expired()
}
