//! An application for the tests with several processes. The environment says where its blocklist is:
//! `NODE_STORE` by feature, `NODE_ATTACH` whether the pool is attached `before`, `after` or `never`;
//! by how many milliseconds its clock is ahead: `NODE_AHEAD`; and the secret of a partner whose tokens are
//! accepted: `NODE_PARTNER`.

#[macro_use]
extern crate rocket;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use rocket::fairing::AdHoc;
use rocket::http::Status;
use rocket::time::{Duration, OffsetDateTime};
use rocket::{Build, Rocket, State};
use rocket_db_pools::{Database, deadpool_postgres, deadpool_redis, sqlx};
use rocket_jwt_extended::blocklist::BlocklistPool;
use rocket_jwt_extended::jsonwebtoken::Algorithm;
use rocket_jwt_extended::{
    AccessToken, Clock, Error, Event, Jwt, JwtFairing, RefreshToken, Rejection, SessionEnd,
    TokenPair, VerifyingKey,
};

#[derive(Database)]
#[database("blocklist")]
struct Sqlite(sqlx::SqlitePool);

#[derive(Database)]
#[database("blocklist")]
struct SqlxPostgres(sqlx::PgPool);

#[derive(Database)]
#[database("blocklist")]
struct MySql(sqlx::MySqlPool);

#[derive(Database)]
#[database("blocklist")]
struct DeadpoolPostgres(deadpool_postgres::Pool);

#[derive(Database)]
#[database("blocklist")]
struct Redis(deadpool_redis::Pool);

/// How many reuses of a refresh token this process has seen.
#[derive(Clone, Default)]
struct Reuses(Arc<AtomicUsize>);

/// A clock that is wrong, by so many milliseconds.
#[derive(Clone, Default)]
struct Ahead(Arc<AtomicI64>);

impl Clock for Ahead {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + Duration::milliseconds(self.0.load(Ordering::SeqCst))
    }
}

/// Moves the clock.
#[post("/ahead/<millis>")]
fn ahead(millis: i64, clock: &State<Ahead>) {
    clock.0.store(millis, Ordering::SeqCst);
}

#[get("/open")]
fn open() -> &'static str {
    "open"
}

#[get("/reuses")]
fn reuses(reuses: &State<Reuses>) -> String {
    reuses.0.load(Ordering::SeqCst).to_string()
}

/// How many sessions have ended because the store has lost data, as this process has seen.
#[derive(Clone, Default)]
struct Losses(Arc<AtomicUsize>);

#[get("/losses")]
fn losses(losses: &State<Losses>) -> String {
    losses.0.load(Ordering::SeqCst).to_string()
}

/// With the setting `sessions`, it records the session.
#[post("/login/<name>")]
async fn login(jwt: &Jwt, name: &str) -> Result<TokenPair, Error> {
    jwt.token_pair(name).begin().await
}

/// The number of live sessions.
#[get("/sessions/<name>")]
async fn sessions(jwt: &Jwt, name: &str) -> Result<String, Error> {
    Ok(jwt.sessions(name).await?.len().to_string())
}

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().into()
}

#[post("/refresh")]
async fn refresh(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
    jwt.rotate(token).await
}

/// Ends the process after the exchange, before the answer.
#[post("/refresh-and-die")]
async fn refresh_and_die(jwt: &Jwt, token: RefreshToken) -> Result<(), Rejection> {
    let pair = jwt.rotate(token).await?;
    println!("exchanged for {}", pair.refresh_token());
    std::process::abort()
}

#[post("/logout")]
async fn logout(jwt: &Jwt, token: AccessToken) -> Result<Status, Error> {
    jwt.revoke_session(&token).await?;
    Ok(Status::NoContent)
}

/// How many slow requests have begun.
#[derive(Clone, Default)]
struct Slow(Arc<AtomicUsize>);

#[get("/slow")]
fn slow(slow: &State<Slow>) -> String {
    slow.0.load(Ordering::SeqCst).to_string()
}

/// Logs out when the server is shutting down and has closed its pools.
#[post("/slow-logout")]
async fn slow_logout(
    jwt: &Jwt,
    token: AccessToken,
    slow: &State<Slow>,
    closed: &State<Closed>,
) -> Result<Status, Error> {
    slow.0.fetch_add(1, Ordering::SeqCst);
    let _ = closed.0.acquire().await;
    jwt.revoke_session(&token).await?;
    Ok(Status::NoContent)
}

/// Given a permit when the pools are closed.
struct Closed(rocket::tokio::sync::Semaphore);

#[post("/logout-token")]
async fn logout_token(jwt: &Jwt, token: AccessToken) -> Result<Status, Error> {
    jwt.revoke(&*token).await?;
    Ok(Status::NoContent)
}

#[post("/logout-all")]
async fn logout_all(jwt: &Jwt, token: AccessToken) -> Result<Status, Error> {
    jwt.revoke_all(token.identity()).await?;
    Ok(Status::NoContent)
}

fn stored_in<Db: Database>(rocket: Rocket<Build>, jwt: JwtFairing) -> Rocket<Build>
where
    Db::Pool: BlocklistPool,
{
    let jwt = jwt.database_blocklist::<Db>();
    match &*variable("NODE_ATTACH", "before") {
        "before" => rocket.attach(Db::init()).attach(jwt).attach(after_the_pool::<Db>()),
        "after" => rocket.attach(jwt).attach(Db::init()),
        "never" => rocket.attach(jwt),
        other => panic!("NODE_ATTACH={other}"),
    }
}

/// Fairings shut down together, so the pool is closed here once more before the permit is given.
fn after_the_pool<Db: Database>() -> AdHoc {
    AdHoc::on_shutdown("Closed", |rocket| {
        Box::pin(async move {
            if let Some(db) = Db::fetch(rocket) {
                rocket_db_pools::Pool::close(&**db).await;
            }
            if let Some(closed) = rocket.state::<Closed>() {
                closed.0.add_permits(8);
            }
        })
    })
}

fn variable(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.into())
}

#[launch]
fn rocket() -> _ {
    let reuses = Reuses::default();
    let losses = Losses::default();
    let (seen, lost) = (reuses.clone(), losses.clone());
    let clock = Ahead::default();
    clock.0.store(variable("NODE_AHEAD", "0").parse().expect("milliseconds"), Ordering::SeqCst);
    let partner = variable("NODE_PARTNER", "");
    let jwt = Jwt::fairing()
        .clock(clock.clone())
        .on_event(move |event| match event {
            Event::ReuseDetected { .. } => _ = seen.0.fetch_add(1, Ordering::SeqCst),
            Event::SessionEnded { why: SessionEnd::StoreLostData, .. } => {
                lost.0.fetch_add(1, Ordering::SeqCst);
            }
            _ => (),
        })
        .verifying_key(move |header, _| match header.kid.as_deref() {
            Some("partner") => VerifyingKey::from_secret(Algorithm::HS256, partner.as_bytes()).ok(),
            _ => None,
        });
    let rocket = rocket::build()
        .manage(reuses)
        .manage(losses)
        .manage(clock)
        .attach(AdHoc::on_liftoff("Ready", |rocket| {
            // The port was chosen by the system.
            Box::pin(async move { println!("node is ready at {}", rocket.config().port) })
        }))
        .mount("/", routes![open, login, sessions, me, refresh, logout, logout_token, logout_all])
        .mount("/", routes![self::reuses, self::losses, ahead, refresh_and_die, slow, slow_logout])
        .manage(Slow::default())
        .manage(Closed(rocket::tokio::sync::Semaphore::new(0)));
    match &*variable("NODE_STORE", "memory") {
        "memory" => rocket.attach(jwt),
        "sqlx_sqlite" => stored_in::<Sqlite>(rocket, jwt),
        "sqlx_postgres" => stored_in::<SqlxPostgres>(rocket, jwt),
        "sqlx_mysql" => stored_in::<MySql>(rocket, jwt),
        "deadpool_postgres" => stored_in::<DeadpoolPostgres>(rocket, jwt),
        "deadpool_redis" => stored_in::<Redis>(rocket, jwt),
        other => panic!("NODE_STORE={other}"),
    }
}
