//! Issuing tokens.

pub(crate) mod builder;
pub(crate) mod custom_claims;
pub(crate) mod least_length;
pub(crate) mod pair;
pub(crate) mod payload_writer;
pub(crate) mod spec;

use crate::jwt::Jwt;
use crate::token::identity::Identity;
use crate::token::kind::TokenType;

use builder::{TokenBuilder, TokenPairBuilder};

impl Jwt {
    /// Builds an access token for `identity`.
    pub fn access_token(&self, identity: impl Identity) -> TokenBuilder<'_> {
        TokenBuilder::new(self, TokenType::Access, &identity)
    }

    /// Builds a refresh token for `identity`. It does not belong to a session.
    pub fn refresh_token(&self, identity: impl Identity) -> TokenBuilder<'_> {
        TokenBuilder::new(self, TokenType::Refresh, &identity)
    }

    /// Builds an access and a refresh token for `identity` in a new session, for a login.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::post;
    /// use rocket_jwt_extended::{Error, Jwt, TokenPair};
    ///
    /// #[post("/login", data = "<name>")]
    /// fn login(jwt: &Jwt, name: &str) -> Result<TokenPair, Error> {
    ///     // … after checking the password.
    ///     jwt.token_pair(name).fresh().issue()
    /// }
    /// # fn main() {}
    /// ```
    pub fn token_pair(&self, identity: impl Identity) -> TokenPairBuilder<'_> {
        TokenPairBuilder::new(self, &identity)
    }
}
