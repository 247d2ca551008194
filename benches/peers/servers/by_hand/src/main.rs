//! A guard written by hand around `jsonwebtoken::decode`, without a crate for Rocket.

#[macro_use]
extern crate rocket;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use peer::Claims;
use rocket::Config;
use rocket::http::Status;
use rocket::request::{FromRequest, Outcome, Request};

struct Verifier {
    key: DecodingKey,
    validation: Validation,
}

impl Verifier {
    fn new(secret: &str) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.validate_nbf = true;
        Self { key: DecodingKey::from_secret(secret.as_bytes()).expect("a key"), validation }
    }
}

struct User(Claims);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for User {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let Some(verifier) = request.rocket().state::<Verifier>() else {
            return Outcome::Error((Status::InternalServerError, ()));
        };
        let header = request.headers().get_one("Authorization");
        let token = header.and_then(|header| header.strip_prefix("Bearer "));
        match token.map(|token| decode(token, &verifier.key, &verifier.validation)) {
            Some(Ok(token)) => Outcome::Success(Self(token.claims)),
            Some(Err(_)) | None => Outcome::Error((Status::Unauthorized, ())),
        }
    }
}

#[get("/")]
fn open() -> String {
    peer::USER.into()
}

#[get("/")]
fn guarded(user: User) -> String {
    user.0.sub
}

#[launch]
fn rocket() -> _ {
    let start = peer::Start::from_args();
    let rocket = rocket::custom(Config::figment().merge(("port", start.port)));
    match start.is_guarded {
        false => rocket.mount("/", routes![open]),
        true => rocket.manage(Verifier::new(&peer::secret())).mount("/", routes![guarded]),
    }
}
