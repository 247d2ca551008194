//! The response to an error.

use rocket::Request;
use rocket::response::{self, Responder};

use crate::error::{Error, no_token_id};
use crate::reason::Reason;
use crate::rejection::Rejection;

impl<'r> Responder<'r, 'static> for Error {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        match self {
            Self::Rejected(rejection) => rejection.respond_to(request),
            Self::Store(error) => {
                log::error!("JWT: the blocklist is unavailable: {error}");
                Rejection::unconfigured(Reason::StoreUnavailable).respond_to(request)
            }
            Self::TooManySessions => {
                Rejection::unconfigured(Reason::TooManySessions).respond_to(request)
            }
            Self::NoTokenId => no_token_id().respond_to(request),
            other => {
                log::error!("JWT: {other}");
                Err(other.status())
            }
        }
    }
}
