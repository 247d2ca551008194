//! The common parts of the measurements of single operations: an application, its key for both
//! sides, and the claims of a token.

#![allow(dead_code)]

pub mod operation;
#[path = "../../tests/support/pem.rs"]
mod pem;
pub mod rounds;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use rocket::figment::Figment;
use rocket::serde::{Deserialize, Serialize};
use rocket::tokio::runtime::Builder;
use rocket::{Config, Ignite, Rocket};
use rocket_jwt_extended::{Jwt, jsonwebtoken, rocket};
use uuid::Uuid;

use pem::Kind;

/// The identity in the token.
pub const IDENTITY: &str = "ada";

/// The application's custom claims.
#[derive(Serialize, Deserialize, Clone)]
#[serde(crate = "rocket::serde")]
pub struct Profile {
    pub role: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

impl Profile {
    pub fn new() -> Self {
        Self { role: "admin".into(), groups: vec![] }
    }

    /// A profile with so many groups that its token has `bytes` bytes or a few less.
    pub fn filling(bytes: usize, app: &App) -> Self {
        let mut profile = Self::new();
        let room = bytes.saturating_sub(app.token(&profile).len());
        // A group takes 14 bytes of JSON, and the list another 12; base64 makes four bytes from
        // three.
        let groups = (room * 3 / 4).saturating_sub(12) / 14;
        profile.groups = (0..groups).map(|number| format!("group-{number:05}")).collect();
        profile
    }
}

/// The claims that `jsonwebtoken` writes: all claims of such a token.
#[derive(Serialize, Deserialize, Clone)]
#[serde(crate = "rocket::serde")]
pub struct Everything {
    pub sub: String,
    pub iat: i64,
    pub jti: String,
    #[serde(rename = "type")]
    pub token_type: String,
    pub fresh: bool,
    pub csrf: String,
    pub nbf: i64,
    pub exp: i64,
    pub role: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

/// An application with the default configuration, except for the algorithm and the key, which
/// `jsonwebtoken` also uses.
pub struct App {
    pub jwt: &'static Jwt,
    pub decoding: DecodingKey,
    pub encoding: EncodingKey,
    pub validation: Validation,
    pub header: Header,
}

impl App {
    pub fn new(algorithm: Algorithm) -> Self {
        let config = Config { log_level: rocket::log::LogLevel::Off, ..Config::release_default() };
        let (key, decoding, encoding) = match algorithm {
            Algorithm::HS256 => symmetric(),
            other => asymmetric(other),
        };
        let rocket = rocket::custom(Figment::from(config).merge(key)).attach(Jwt::fairing());
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let rocket = runtime.block_on(rocket.ignite()).expect("an application");
        // The instance lives as long as the program, as in a server.
        let rocket: &'static Rocket<Ignite> = Box::leak(Box::new(rocket));
        let jwt = Jwt::fetch(rocket).expect("the fairing is attached");

        let mut validation = Validation::new(algorithm);
        validation.leeway = 0;
        validation.validate_nbf = true;
        Self { jwt, decoding, encoding, validation, header: Header::new(algorithm) }
    }

    /// A new token.
    pub fn token(&self, profile: &Profile) -> String {
        self.jwt.access_token(IDENTITY).claims(profile).encode().expect("a token")
    }
}

fn symmetric() -> (Figment, DecodingKey, EncodingKey) {
    let secret = format!("{}{}", Uuid::new_v4(), Uuid::new_v4());
    (
        Figment::new().merge(("jwt.secret_key", &secret)),
        DecodingKey::from_secret(secret.as_bytes()).expect("a key"),
        EncodingKey::from_secret(secret.as_bytes()).expect("a key"),
    )
}

fn asymmetric(algorithm: Algorithm) -> (Figment, DecodingKey, EncodingKey) {
    assert_eq!(algorithm, Algorithm::RS256, "no other one is measured");
    let pair = pem::pair(Kind::of(algorithm));
    (
        Figment::new().merge(("jwt.algorithm", "RS256")).merge(("jwt.private_key", &pair.private)),
        DecodingKey::from_rsa_pem(pair.public.as_bytes()).expect("a key"),
        EncodingKey::from_rsa_pem(pair.private.as_bytes()).expect("a key"),
    )
}
