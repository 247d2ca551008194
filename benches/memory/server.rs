//! A server with an in-memory store.

use std::net::SocketAddr;
use std::sync::Arc;

use rocket::config::LogLevel;
use rocket::fairing::AdHoc;
use rocket::figment::Figment;
use rocket::time::{Duration, OffsetDateTime};
use rocket::{Config, State, tokio};
use rocket_jwt_extended::{AccessToken, Blocklist, Jwt, MemoryBlocklist, Revocation};
use uuid::Uuid;

use crate::ids;

/// The entries that stay have different numbers.
const OTHERS: u64 = 1 << 40;

#[get("/open")]
fn open() -> &'static str {
    "ada"
}

#[get("/guarded")]
fn guarded(token: AccessToken) -> String {
    token.identity().into()
}

/// Revokes this many tokens, which have expired.
#[post("/fill/<count>")]
async fn fill(count: u64, store: &State<Arc<MemoryBlocklist>>) -> &'static str {
    let until = OffsetDateTime::now_utc() - Duration::minutes(1);
    revoke(store, 0..count, until).await;
    "filled"
}

#[post("/prune")]
async fn prune(store: &State<Arc<MemoryBlocklist>>) -> String {
    store.prune(OffsetDateTime::now_utc()).await.expect("pruned").to_string()
}

async fn revoke(store: &MemoryBlocklist, numbers: std::ops::Range<u64>, until: OffsetDateTime) {
    for number in numbers {
        let entry = Revocation::token(ids::id(number).to_string(), until);
        store.revoke(&entry).await.expect("revoked");
        if number % 1024 == 0 {
            tokio::task::yield_now().await;
        }
    }
}

/// Runs a server with this many revoked tokens in the store until it is ended; prints its address
/// and a valid token.
pub fn run(revoked: u64, workers: usize) {
    let config = Config { port: 0, workers, log_level: LogLevel::Off, ..Config::release_default() };
    let secret = format!("{}{}", Uuid::new_v4(), Uuid::new_v4());
    let figment = Figment::from(config).merge(("jwt.secret_key", secret));
    let store = Arc::new(MemoryBlocklist::new());
    let lifted = AdHoc::on_liftoff("Where it listens", |rocket| {
        Box::pin(async move {
            let jwt = Jwt::fetch(rocket).expect("the fairing is attached");
            let token = jwt.access_token("ada").encode().expect("a token");
            let address = SocketAddr::new(rocket.config().address, rocket.config().port);
            println!("{address} {token}");
        })
    });
    let served = async move {
        let later = OffsetDateTime::now_utc() + Duration::days(1);
        revoke(&store, OTHERS..OTHERS + revoked, later).await;
        let launched = rocket::custom(figment)
            .attach(Jwt::fairing().blocklist(store.clone()))
            .attach(lifted)
            .manage(store.clone())
            .mount("/", routes![open, guarded, fill, prune])
            .launch();
        launched.await.expect("a server");
    };
    // As `#[launch]` does, with the configured number of workers.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .expect("a runtime");
    // A worker runs the server, not this thread.
    runtime.block_on(async { tokio::spawn(served).await }).expect("a server");
}
