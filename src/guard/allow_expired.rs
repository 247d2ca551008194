//! The guard that accepts expired tokens.

use super::access::AccessToken;
use super::admit::{Admission, Admit, IntoToken, RequestFree, TokenGuard};
use super::macros::policy_wrapper;
use crate::reason::Reason;
use crate::token::Token;
use crate::verify::policy::Policy;

policy_wrapper! {
    /// Accepts what `G` accepts, and also a token that has expired, if all else holds: for a logout that
    /// works after the access token's end.
    ///
    /// **For logging out only.** Entries leave the blocklist after a token's `exp`, so that a revoked
    /// token passes here again, some minutes after its end. The token is neither renewed nor rotated,
    /// and its session can't be joined once it has expired. `Fresh<AllowExpired<…>>` would make old
    /// logins fresh, so it fails the launch.
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
