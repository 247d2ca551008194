//! The response with a token pair.

use rocket::http::{ContentType, Header, Status};
use rocket::response::{self, Responder};
use rocket::serde::Serialize;
use rocket::{Request, Response};

use crate::issue::pair::TokenPair;

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
            access_token: self.access_token(),
            token_type: "Bearer",
            expires_in: self.expires_in(),
            refresh_token: self.refresh_token(),
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
