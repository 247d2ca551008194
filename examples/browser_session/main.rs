//! A page with tokens in cookies, and the script that keeps its session alive: `session.mjs`.
//!
//! Run it with `cargo run --example browser_session`, and open `http://localhost:8000/`.

#[macro_use]
extern crate rocket;

use rocket::form::Form;
use rocket::http::{ContentType, CookieJar, Status};
use rocket::response::content::RawHtml;
use rocket::{Build, Rocket};
use rocket_jwt_extended::{AccessToken, Error, Jwt, JwtFairing, RefreshToken};

#[get("/")]
fn page() -> RawHtml<&'static str> {
    RawHtml(include_str!("page.html"))
}

#[get("/session.mjs")]
fn script() -> (ContentType, &'static str) {
    (ContentType::JavaScript, include_str!("session.mjs"))
}

#[derive(FromForm)]
struct Credentials {
    name: String,
    password: String,
}

#[post("/session", data = "<who>")]
fn login(jwt: &Jwt, jar: &CookieJar<'_>, who: Form<Credentials>) -> Result<Status, Status> {
    if (who.name.as_str(), who.password.as_str()) != ("ada", "lovelace") {
        return Err(Status::Forbidden);
    }
    let pair = jwt.token_pair(&who.name).issue()?;
    jwt.cookies(jar).set_pair(&pair)?;
    Ok(Status::NoContent)
}

#[post("/session/refresh")]
async fn refresh(jwt: &Jwt, jar: &CookieJar<'_>, token: RefreshToken) -> Result<Status, Error> {
    let pair = jwt.rotate(token).await?;
    jwt.cookies(jar).set_pair(&pair)?;
    Ok(Status::NoContent)
}

#[post("/notes", data = "<text>")]
fn add_note(token: AccessToken, text: String) -> String {
    format!("{} noted: {text}", token.identity())
}

fn application(fairing: JwtFairing) -> Rocket<Build> {
    // In your application, put these lines in `Rocket.toml`, under `[default.jwt]`.
    let figment = rocket::Config::figment()
        .merge(("jwt.token_location", "cookies"))
        .merge(("jwt.refresh_cookie_path", "/session/refresh"))
        .merge(("jwt.cookie_samesite", "Strict"));
    rocket::custom(figment)
        .attach(fairing)
        .mount("/", routes![page, script, login, refresh, add_note])
}

#[launch]
fn rocket() -> _ {
    application(Jwt::fairing())
}

/// `check.mjs` runs the script in Node.js like the pages of a browser, against this server.
#[cfg(all(test, feature = "test-util"))]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use rocket::State;
    use rocket::fairing::AdHoc;
    use rocket::tokio::{sync::oneshot, task};
    use rocket_jwt_extended::Duration;
    use rocket_jwt_extended::testing::ManualClock;

    use super::*;

    #[post("/clock/<minutes>")]
    fn advance(clock: &State<ManualClock>, minutes: i64) {
        clock.advance(Duration::minutes(minutes));
    }

    #[rocket::async_test]
    async fn the_script_keeps_a_session_alive_with_one_refresh_for_all_requests() {
        let clock = ManualClock::new();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let check = folder.join("examples/browser_session/check.mjs");
        let (tell, told) = oneshot::channel();
        let liftoff = AdHoc::on_liftoff("address", |rocket| {
            let config = rocket.config();
            let address = format!("http://{}:{}", config.address, config.port);
            Box::pin(async move { tell.send(address).expect("somebody waits for it") })
        });
        let rocket = application(Jwt::fairing().clock(clock.clone()));
        let figment = rocket.figment().clone().merge(("port", 0)).merge(("log_level", "off"));
        let rocket = rocket.configure(figment).manage(clock).mount("/", routes![advance]);
        let rocket = rocket.attach(liftoff).ignite().await.expect("the example ignites");
        let shutdown = rocket.shutdown();
        let server = rocket::tokio::spawn(rocket.launch());
        let address = told.await.expect("the example launches");

        let mut node = Command::new("node");
        node.arg("--test-reporter=tap").arg(&check).arg(address);
        let run = move || node.output();
        let output = task::spawn_blocking(run).await.unwrap().expect("Node.js is installed");
        shutdown.notify();
        server.await.unwrap().expect("the server ends as it was told");

        let said = String::from_utf8_lossy(&output.stdout);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}{error}");
        // Node.js also succeeds if it runs no tests.
        assert!(said.contains("# pass 11") && said.contains("# fail 0"), "{said}{error}");
    }
}
