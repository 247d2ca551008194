//! rocket-jwt-authorization on Rocket.

#[macro_use]
extern crate rocket;

use std::sync::LazyLock;

use rocket::Config;
use rocket_jwt_authorization::prelude::*;
use serde::{Deserialize, Serialize};

static SECRET: LazyLock<String> = LazyLock::new(peer::secret);

// Like `peer::Claims`, since here the type of the claims is the guard.
#[derive(Serialize, Deserialize, JWT)]
#[jwt(key = SECRET.as_str())]
struct User {
    sub: String,
    iat: u64,
    jti: String,
    #[serde(rename = "type")]
    kind: String,
    fresh: bool,
    csrf: String,
    exp: u64,
    role: String,
}

#[get("/")]
fn open() -> String {
    peer::USER.into()
}

#[get("/")]
fn guarded(user: User) -> String {
    user.sub
}

#[launch]
fn rocket() -> _ {
    let start = peer::Start::from_args();
    let rocket = rocket::custom(Config::figment().merge(("port", start.port)));
    match start.is_guarded {
        false => rocket.mount("/", routes![open]),
        true => rocket.attach(JwtFairing).mount("/", routes![guarded]),
    }
}
