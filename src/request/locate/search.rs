//! A search for a token, and its result.

use std::borrow::Cow;

use rocket::Request;

use crate::request::body::Body;
use crate::settings::Settings;
use crate::token::kind::TokenType;
use crate::token::location::Location;
use crate::verify::csrf::Proof;
use crate::verify::policy::AcceptedTypes;

/// A token's text, its location, and the CSRF value sent with it.
pub(crate) struct Located<'a> {
    pub(crate) encoded: Cow<'a, str>,
    pub(crate) location: Location,
    pub(crate) proof: Option<Proof>,
}

/// The parameters of a search: where to look, and for which types of token.
pub(super) struct Search<'a, 'r> {
    pub(super) request: &'a Request<'r>,
    pub(super) settings: &'a Settings,
    pub(super) types: AcceptedTypes,
    pub(super) body: Option<&'a Body<'a>>,
    /// Whether a token has a valid signature and has not expired.
    pub(super) holds: &'a dyn Fn(&str) -> bool,
}

impl Search<'_, '_> {
    /// The types of token to look for, in order.
    pub(super) fn types(&self) -> &'static [TokenType] {
        match self.types {
            AcceptedTypes::Access => &[TokenType::Access],
            AcceptedTypes::Refresh => &[TokenType::Refresh],
            AcceptedTypes::Any => &[TokenType::Access, TokenType::Refresh],
        }
    }
}
