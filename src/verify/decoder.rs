//! Decoding without a guard.

use super::claims::{check_csrf, check_expiry};
use super::csrf::Proof;
use super::decode;
use crate::jwt::Jwt;
use crate::rejection::{CheckFailed, Rejection};
use crate::token::Token;
use crate::token::claims::CustomClaims;

impl Jwt {
    /// Decodes a token **without checking its type, freshness, revocation, or any hook** except the key
    /// hooks: it checks the signature and the claims, expiry included.
    ///
    /// To authenticate a request, use a guard, or [`verify()`](Jwt::verify).
    ///
    /// # Errors
    ///
    /// If the signature or a claim is invalid, or the claims don't deserialize into `C`.
    pub fn decode<C: CustomClaims>(&self, token: &str) -> Result<Token<C>, Rejection> {
        self.decoder().decode(token)
    }

    /// [`decode()`](Jwt::decode) with options.
    pub fn decoder(&self) -> Decoder<'_> {
        Decoder { jwt: self, allow_expired: false, proof: None }
    }
}

/// Decodes a token **without checking its type, freshness, revocation, or any hook** except the key
/// hooks: made with [`Jwt::decoder()`].
///
/// # Example
///
/// A logout that also works with an expired token:
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
    /// Accepts an expired token. Everything else is still checked, including `nbf`.
    pub fn allow_expired(mut self) -> Self {
        self.allow_expired = true;
        self
    }

    /// Compares the token's `csrf` claim with a double-submit value. An empty value never matches.
    pub fn csrf(mut self, value: &str) -> Self {
        self.proof = Some(Proof::given(value));
        self
    }

    /// Decodes the token.
    ///
    /// # Errors
    ///
    /// If the signature or a claim is invalid, or the claims don't deserialize into `C`.
    pub fn decode<C: CustomClaims>(&self, token: &str) -> Result<Token<C>, Rejection> {
        self.checked(token).map_err(|failed| self.jwt.reject(failed))
    }

    fn checked<C: CustomClaims>(&self, token: &str) -> Result<Token<C>, CheckFailed> {
        let now = self.jwt.now();
        let verified = decode(self.jwt, &token.into(), None, now)?;
        let failed = |reason| CheckFailed::of(reason, &verified);
        check_csrf(&verified, self.proof.as_ref()).map_err(failed)?;
        if !self.allow_expired {
            check_expiry(self.jwt, &verified, now).map_err(failed)?;
        }
        let claims = verified.read().map_err(failed)?;
        Ok(Token::with_claims(claims, verified, None))
    }
}
