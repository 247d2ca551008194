//! Decoding without a guard.

use crate::csrf::Proof;
use crate::jwt::Jwt;
use crate::rejection::{Refusal, Rejection};
use crate::token::{OwnClaims, Token};
use crate::verify;

/// Decodes a token **without checking its type, freshness, revocation, or any hook** but those for
/// keys: by [`Jwt::decoder()`].
///
/// # Example
///
/// A logout that works with an expired token, too:
///
/// ```rust
/// use rocket_jwt_extended::{Error, Jwt, NoClaims};
///
/// async fn forget(jwt: &Jwt, token: &str) -> Result<(), Error> {
///     let token = jwt.decoder().allow_expired().decode::<NoClaims>(token)?;
///     jwt.revoke_session(&token).await
/// }
/// ```
#[must_use = "a decoder does nothing before `.decode()`"]
pub struct Decoder<'a> {
    jwt: &'a Jwt,
    allow_expired: bool,
    proof: Option<Proof>,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(jwt: &'a Jwt) -> Self {
        Self { jwt, allow_expired: false, proof: None }
    }

    /// Accepts an expired token. Everything else is still checked, `nbf` included.
    pub fn allow_expired(mut self) -> Self {
        self.allow_expired = true;
        self
    }

    /// Compares the token's `csrf` claim with the value of a double submit. An empty value equals
    /// none.
    pub fn csrf(mut self, value: &str) -> Self {
        self.proof = Some(Proof::given(value));
        self
    }

    /// Decodes the token.
    ///
    /// # Errors
    ///
    /// If the signature or a claim does not hold, or the claims don't read into `C`.
    pub fn decode<C: OwnClaims>(&self, token: &str) -> Result<Token<C>, Rejection> {
        self.checked(token).map_err(|refusal| self.jwt.reject(refusal))
    }

    fn checked<C: OwnClaims>(&self, token: &str) -> Result<Token<C>, Refusal> {
        let now = self.jwt.now();
        let verified = verify::decode(self.jwt, &token.into(), now)?;
        let refuse = |reason| Refusal::of(reason, &verified);
        verify::check_csrf(&verified, self.proof.as_ref()).map_err(refuse)?;
        if !self.allow_expired {
            verify::check_expiry(self.jwt.settings(), &verified, now).map_err(refuse)?;
        }
        let claims = verified.read().map_err(refuse)?;
        Ok(Token::with_claims(claims, verified, None))
    }
}
