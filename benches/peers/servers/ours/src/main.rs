//! This crate on Rocket, in its default configuration. A number after `guarded` is the number of
//! revoked tokens in the blocklist.

#[macro_use]
extern crate rocket;

use std::env;
use std::sync::Arc;

use rocket::Config;
use rocket::serde::Deserialize;
use rocket::time::{Duration, OffsetDateTime};
use rocket_jwt_extended::{
    AccessToken, AnyToken, Blocklist, Fresh, Jwt, JwtFairing, MemoryBlocklist, Revocation,
};
use uuid::Uuid;

/// The application's custom claims.
#[derive(Deserialize)]
#[serde(crate = "rocket::serde")]
#[allow(dead_code)]
struct Profile {
    role: String,
}

#[get("/")]
fn open() -> String {
    peer::USER.into()
}

#[get("/")]
fn guarded(token: AccessToken<Profile>) -> String {
    token.identity().into()
}

#[get("/one")]
fn one(token: AccessToken<Profile>) -> String {
    token.identity().into()
}

#[get("/two")]
fn two(token: AccessToken<Profile>, _recent: Fresh) -> String {
    token.identity().into()
}

#[get("/three")]
fn three(token: AccessToken<Profile>, _recent: Fresh, _any: AnyToken<Profile>) -> String {
    token.identity().into()
}

#[launch]
async fn rocket() -> _ {
    let start = peer::Start::from_args();
    let rocket = rocket::custom(Config::figment().merge(("port", start.port)));
    match start.is_guarded {
        false => rocket.mount("/", routes![open]),
        true => rocket.attach(fairing().await).mount("/", routes![guarded, one, two, three]),
    }
}

async fn fairing() -> JwtFairing {
    let entries = env::args().nth(3);
    match entries {
        Some(entries) => Jwt::fairing().blocklist(filled(entries.parse().expect("a number")).await),
        None => Jwt::fairing(),
    }
}

/// A store with this many revoked tokens, none of which has expired.
async fn filled(entries: usize) -> Arc<MemoryBlocklist> {
    let store = Arc::new(MemoryBlocklist::new());
    let until = OffsetDateTime::now_utc() + Duration::HOUR;
    for _ in 0..entries {
        let entry = Revocation::token(Uuid::now_v7().to_string(), until);
        store.revoke(&entry).await.expect("a store in memory");
    }
    store
}
