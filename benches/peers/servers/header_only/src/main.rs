//! The lower bound: a guard on Rocket that only checks that a header is present. It protects
//! nothing.

#[macro_use]
extern crate rocket;

use rocket::Config;
use rocket::http::Status;
use rocket::request::{FromRequest, Outcome, Request};

struct HasHeader;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for HasHeader {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        match request.headers().get_one("Authorization") {
            Some(_) => Outcome::Success(Self),
            None => Outcome::Error((Status::Unauthorized, ())),
        }
    }
}

#[get("/")]
fn open() -> String {
    peer::USER.into()
}

#[get("/")]
fn guarded(_header: HasHeader) -> String {
    peer::USER.into()
}

#[launch]
fn rocket() -> _ {
    let start = peer::Start::from_args();
    let rocket = rocket::custom(Config::figment().merge(("port", start.port)));
    match start.is_guarded {
        false => rocket.mount("/", routes![open]),
        true => rocket.mount("/", routes![guarded]),
    }
}
