//! The guard that gives access to the manager.

use rocket::http::Status;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Ignite, Request, Rocket, Sentinel};

use crate::jwt::Jwt;
use crate::reason::Reason;
use crate::rejection::Rejection;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for &'r Jwt {
    type Error = Rejection;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Rejection> {
        match request.rocket().state::<Jwt>() {
            Some(jwt) => Outcome::Success(jwt),
            None => {
                let rejection = Rejection::unconfigured(Reason::NotAttached);
                Outcome::Error((Status::InternalServerError, rejection))
            }
        }
    }
}

impl Sentinel for &Jwt {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        super::sentinel::is_unattached::<Self>(rocket)
    }
}
