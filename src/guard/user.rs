//! The guard that loads the application's user.

use std::fmt::Debug;

use rocket::Request;

use super::access::AccessToken;
use super::admit::{Admission, Admit, TokenGuard};
use super::macros::request_guard;
use crate::reason::Reason;
use crate::token::Token;
use crate::token::claims::CustomClaims;
use crate::verify::policy::Policy;

/// An application's user, loaded from a token.
///
/// # Example
///
/// ```rust
/// # use rocket::get;
/// use std::collections::HashMap;
/// use std::convert::Infallible;
///
/// use rocket::Request;
/// use rocket_jwt_extended::{CurrentUser, LoadUser, NoClaims, Token};
///
/// #[derive(Clone)]
/// struct User { name: String }
///
/// type Users = HashMap<String, User>;
///
/// #[rocket::async_trait]
/// impl LoadUser for User {
///     type Claims = NoClaims;
///     type Error = Infallible;
///
///     async fn load(
///         token: &Token<NoClaims>,
///         request: &Request<'_>,
///     ) -> Result<Option<Self>, Infallible> {
///         // A database connection comes the same way: `request.guard::<Connection<Db>>()`.
///         let users = request.rocket().state::<Users>();
///         Ok(users.and_then(|users| users.get(token.identity()).cloned()))
///     }
/// }
///
/// #[get("/me")]
/// fn me(user: CurrentUser<User>) -> String {
///     user.name.clone()
/// }
/// # fn main() {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a user that can be loaded",
    note = "implement `LoadUser` for it, and put `#[rocket::async_trait]` on the `impl`",
    note = "the user comes first, the guard second: `CurrentUser<User, Fresh<AccessToken>>`"
)]
#[rocket::async_trait]
pub trait LoadUser: Sized + Send + Sync + 'static {
    /// The type of the claims that it reads.
    type Claims: CustomClaims;

    /// The error if the user store fails. It is logged, so its `Debug` must not show a secret.
    type Error: Debug + Send;

    /// Loads the user to whom a token was issued. `Ok(None)` is refused with 401 `user_not_found`.
    ///
    /// # Errors
    ///
    /// If the user store fails. The request is refused with 503 `store_unavailable`.
    async fn load(
        token: &Token<Self::Claims>,
        request: &Request<'_>,
    ) -> Result<Option<Self>, Self::Error>;
}

/// Accepts what `G` accepts, and loads its user. It derefs to `U`, and `.guard` is the guard.
///
/// It is a [`TokenGuard`] itself, so that `Fresh<CurrentUser<U>>` and `Require<P, CurrentUser<U>>`
/// are guards too. `U` must implement [`LoadUser`]:
///
/// ```rust,compile_fail,E0277
/// # use rocket::get;
/// use rocket_jwt_extended::CurrentUser;
///
/// struct User { name: String }
///
/// #[get("/me")]
/// fn me(user: CurrentUser<User>) {}
/// # fn main() {}
/// ```
#[derive(Debug, Clone)]
pub struct CurrentUser<U: LoadUser, G = AccessToken<<U as LoadUser>::Claims>> {
    user: U,
    /// The guard that accepted the request.
    pub guard: G,
}

impl<U: LoadUser, G> CurrentUser<U, G> {
    /// The user.
    pub fn into_inner(self) -> U {
        self.user
    }
}

impl<U: LoadUser, G> std::ops::Deref for CurrentUser<U, G> {
    type Target = U;

    fn deref(&self) -> &U {
        &self.user
    }
}

impl<U: LoadUser, G: TokenGuard<Claims = U::Claims>> TokenGuard for CurrentUser<U, G> {
    type Claims = G::Claims;

    const POLICY: Policy = G::POLICY;

    fn token(&self) -> &Token<G::Claims> {
        self.guard.token()
    }
}

impl<U: LoadUser, G: TokenGuard<Claims = U::Claims>> Admit for CurrentUser<U, G> {
    async fn admit(admission: Admission<'_, '_>) -> Result<Self, Reason> {
        let request = admission.request.ok_or(Reason::StoreUnavailable)?;
        let guard = G::admit(admission).await?;
        match U::load(guard.token(), request).await {
            Ok(Some(user)) => Ok(Self { user, guard }),
            Ok(None) => Err(Reason::UserNotFound),
            Err(error) => {
                log::error!("JWT: loading the user failed: {error:?}");
                Err(Reason::StoreUnavailable)
            }
        }
    }

    fn permits(&self) -> bool {
        self.guard.permits()
    }
}

request_guard!([U: LoadUser, G: TokenGuard<Claims = U::Claims>] CurrentUser<U, G>);
