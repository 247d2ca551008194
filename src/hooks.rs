//! The hooks that an application sets on the fairing.

use jsonwebtoken::Header;
use rocket::Request;
use rocket::response;

use crate::events::Event;
use crate::keys::signing::SigningKey;
use crate::keys::verifying::VerifyingKey;
use crate::rejection::Rejection;
use crate::token::Token;
use crate::token::claims::Claims;
use crate::token::verified::Verified;

type Hook<F> = Option<Box<F>>;
type AddClaims = dyn Fn(&str) -> Claims + Send + Sync;
type SignWith = dyn Fn(&str) -> Option<SigningKey> + Send + Sync;
type VerifyWith = dyn Fn(&Header, &Claims) -> Option<VerifyingKey> + Send + Sync;
type Accept = dyn Fn(&Token<Claims>) -> bool + Send + Sync;

/// The hooks, each optional.
#[derive(Default)]
pub(crate) struct Hooks {
    pub(crate) additional_claims: Hook<AddClaims>,
    pub(crate) additional_headers: Hook<AddClaims>,
    pub(crate) signing_key: Hook<SignWith>,
    pub(crate) verifying_key: Hook<VerifyWith>,
    pub(crate) verify_claims: Hook<Accept>,
    pub(crate) on_rejection: Hook<OnRejection>,
    pub(crate) on_event: Hook<dyn Fn(&Event) + Send + Sync>,
}

pub(crate) type OnRejection =
    dyn for<'r> Fn(&Rejection, &'r Request<'_>) -> response::Result<'static> + Send + Sync;

impl Hooks {
    /// Whether `verify_claims` accepts a token.
    pub(crate) fn accept(&self, verified: &std::sync::Arc<Verified>) -> bool {
        self.verify_claims.as_ref().is_none_or(|accept| {
            accept(&Token::with_claims(verified.claims().clone(), verified.clone(), None))
        })
    }

    pub(crate) fn emit(&self, event: &Event) {
        if let Some(on_event) = &self.on_event {
            on_event(event);
        }
    }
}
