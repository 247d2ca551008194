//! An access and a refresh token of one session.

use std::fmt;

use rocket::http::{ContentType, Header, Status};
use rocket::response::{self, Responder};
use rocket::serde::Serialize;
use rocket::{Request, Response};

use crate::error::Error;
use crate::events::Event;
use crate::issue::Spec;
use crate::jwt::Jwt;

/// An access and a refresh token of one session.
///
/// As a responder it is the token response of OAuth 2.0 (RFC 6749 §5.1): JSON with `access_token`,
/// `token_type`, `expires_in` in seconds unless the token never expires, and `refresh_token`, not to
/// be stored by any cache.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenPair {
    access_token: String,
    refresh_token: String,
    expires_in: Option<i64>,
}

impl TokenPair {
    /// A pair, and what is to be told when it is handed out.
    pub(crate) fn make(
        jwt: &Jwt,
        access: Spec,
        refresh: Spec,
    ) -> Result<(Self, [Option<Event>; 2]), Error> {
        let access = access.make(jwt)?;
        let refresh = refresh.make(jwt)?;
        let pair = Self {
            access_token: access.encoded,
            refresh_token: refresh.encoded,
            expires_in: access.lifetime.map(|lifetime| lifetime.whole_seconds()),
        };
        Ok((pair, [access.issued, refresh.issued]))
    }

    /// The access token.
    pub fn access_token(&self) -> &str {
        &self.access_token
    }

    /// The refresh token.
    pub fn refresh_token(&self) -> &str {
        &self.refresh_token
    }
}

impl fmt::Debug for TokenPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenPair").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
#[serde(crate = "rocket::serde")]
struct Body<'a> {
    access_token: &'a str,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<i64>,
    refresh_token: &'a str,
}

impl<'r> Responder<'r, 'static> for TokenPair {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let body = Body {
            access_token: &self.access_token,
            token_type: "Bearer",
            expires_in: self.expires_in,
            refresh_token: &self.refresh_token,
        };
        let Ok(body) = serde_json::to_string(&body) else {
            return Err(Status::InternalServerError);
        };
        Response::build()
            .header(ContentType::JSON)
            .header(Header::new("Cache-Control", "no-store"))
            .header(Header::new("Pragma", "no-cache"))
            .sized_body(body.len(), std::io::Cursor::new(body))
            .ok()
    }
}
