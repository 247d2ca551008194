//! Measures the time to verify a token, by its length.

use std::hint::black_box;
use std::time::Instant;

use rocket::Config;
use rocket::figment::Figment;
use rocket::serde::Deserialize;
use rocket::serde::json::serde_json::json;
use rocket_jwt_extended::jsonwebtoken::{self, Algorithm, DecodingKey, Validation};
use rocket_jwt_extended::{Jwt, NoClaims};
use uuid::Uuid;

use crate::{Quartiles, quartiles};

/// The lengths of the tokens. The shortest token has no custom claims.
const LENGTHS: [usize; 4] = [300, 1 << 10, 4 << 10, 16 << 10];
const ROUNDS: usize = 25;
const TIMES: u32 = 2_000;

/// Times in microseconds.
pub struct Length {
    pub bytes: usize,
    pub ours: Quartiles,
    pub theirs: Quartiles,
    ratio: Quartiles,
}

/// The claims that both sides read.
#[derive(Deserialize)]
#[serde(crate = "rocket::serde")]
#[allow(dead_code)]
struct Registered {
    sub: String,
    exp: i64,
    iat: i64,
    nbf: i64,
    jti: String,
    #[serde(rename = "type")]
    kind: String,
    fresh: bool,
}

pub fn measure() -> Vec<Length> {
    let secret = format!("{}{}", Uuid::new_v4(), Uuid::new_v4());
    let figment = Figment::from(Config::release_default())
        .merge(("log_level", "off"))
        .merge(("jwt.secret_key", &secret));
    let runtime = rocket::tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let rocket = runtime
        .block_on(rocket::custom(figment).attach(Jwt::fairing()).ignite())
        .expect("a server");
    let jwt = Jwt::fetch(&rocket).expect("the fairing is attached");
    let key = DecodingKey::from_secret(secret.as_bytes()).expect("a key");
    let mut validation = Validation::new(Algorithm::HS256);
    (validation.leeway, validation.validate_nbf) = (0, true);

    let of_length = |length| {
        let token = token(jwt, length);
        let ours = || drop(black_box(jwt.decode::<NoClaims>(black_box(&token)).expect("valid")));
        let theirs = || {
            let decoded = jsonwebtoken::decode::<Registered>(black_box(&token), &key, &validation);
            drop(black_box(decoded.expect("valid")));
        };
        let rounds: Vec<_> = (0..ROUNDS).map(|_| (time(ours), time(theirs))).collect();
        Length {
            bytes: token.len(),
            ours: quartiles(rounds.iter().map(|(ours, _)| *ours)),
            theirs: quartiles(rounds.iter().map(|(_, theirs)| *theirs)),
            ratio: quartiles(rounds.iter().map(|(ours, theirs)| ours / theirs)),
        }
    };
    LENGTHS.map(of_length).into()
}

pub fn table(lengths: &[Length]) -> String {
    let mut text = String::from(
        "| token, bytes | verified in µs | `jsonwebtoken::decode`, µs | ratio |\n\
         |---:|---:|---:|---:|\n",
    );
    for Length { bytes, ours, theirs, ratio } in lengths {
        let show = |[low, middle, high]: &Quartiles| format!("{middle:.2} ({low:.2}–{high:.2})");
        text += &format!("| {bytes} | {} | {} | {} |\n", show(ours), show(theirs), show(ratio));
    }
    text
}

/// A token of at most this length, and less than four bytes shorter; or the shortest possible
/// token.
fn token(jwt: &Jwt, length: usize) -> String {
    let padded = |padding: usize| {
        let claims = json!({ "padding": "p".repeat(padding) });
        jwt.access_token("ada").claims(&claims).encode().expect("a token")
    };
    let plain = jwt.access_token("ada").encode().expect("a token");
    let Some(room) = length.checked_sub(padded(0).len()) else { return plain };
    padded(room / 4 * 3)
}

fn time(operation: impl Fn()) -> f64 {
    let start = Instant::now();
    for _ in 0..TIMES {
        operation();
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES)
}
