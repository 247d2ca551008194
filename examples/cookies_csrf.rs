//! Tokens in cookies, for browser pages, with CSRF protection.
//!
//! Scripts cannot read the cookies with the tokens. They read a second cookie, and send its value
//! with each request that changes something:
//!
//! ```js
//! const csrf = (name) => document.cookie.match(`(?:^|; )${name}=([^;]*)`)?.[1];
//!
//! await fetch("/notes", {
//!     method: "POST",
//!     headers: { "X-CSRF-TOKEN": csrf("csrf_access_token") },
//!     body: "buy milk",
//! });
//! await fetch("/session/refresh", {
//!     method: "POST",
//!     headers: { "X-CSRF-TOKEN": csrf("csrf_refresh_token") },
//! });
//! ```
//!
//! Run it with `cargo run --example cookies_csrf`.

#[macro_use]
extern crate rocket;

use rocket::form::Form;
use rocket::http::{CookieJar, Status};
use rocket::{Build, Rocket};
use rocket_jwt_extended::{
    AccessToken, AllowExpired, Error, IgnoreRevocation, Jwt, JwtFairing, RefreshToken, Rejection,
};

#[derive(FromForm)]
struct Credentials {
    name: String,
    password: String,
}

#[post("/session", data = "<who>")]
fn login(jwt: &Jwt, jar: &CookieJar<'_>, who: Form<Credentials>) -> Result<Status, Status> {
    if (who.name.as_str(), who.password.as_str()) != ("ada", "lovelace") {
        return Err(Status::Unauthorized);
    }
    let pair = jwt.token_pair(&who.name).fresh().issue()?;
    jwt.cookies(jar).set_pair(&pair)?;
    Ok(Status::NoContent)
}

/// A cookie alone is enough for reading, since a page on another site cannot read the response.
#[get("/notes")]
fn notes(token: AccessToken) -> String {
    format!("notes of {}", token.identity())
}

/// Writing also requires the CSRF value.
#[post("/notes", data = "<text>")]
fn add_note(token: AccessToken, text: String) -> String {
    format!("{} noted: {text}", token.identity())
}

#[post("/session/refresh")]
async fn refresh(jwt: &Jwt, jar: &CookieJar<'_>, token: RefreshToken) -> Result<Status, Error> {
    let pair = jwt.rotate(token).await?;
    jwt.cookies(jar).set_pair(&pair)?;
    Ok(Status::NoContent)
}

/// All four cookies are unset even if the token is invalid, so that none stays on a public computer
/// after the access token has expired. An expired token still ends its session. This also revokes
/// the refresh token, whose cookie is not sent here because of its path. The blocklist is not
/// queried, only written.
#[delete("/session")]
async fn logout(
    jwt: &Jwt,
    jar: &CookieJar<'_>,
    token: Result<IgnoreRevocation<AllowExpired>, Rejection>,
) -> Result<Status, Error> {
    jwt.cookies(jar).unset();
    // Without a token of this server and its CSRF value there is no session to end.
    if let Ok(token) = token {
        jwt.revoke_session(&token).await?;
    }
    Ok(Status::NoContent)
}

fn application(fairing: JwtFairing) -> Rocket<Build> {
    // In your application, put these lines in `Rocket.toml`, under `[default.jwt]`.
    let figment = rocket::Config::figment()
        .merge(("jwt.token_location", "cookies"))
        .merge(("jwt.refresh_cookie_path", "/session/refresh"))
        .merge(("jwt.cookie_samesite", "Strict"));
    rocket::custom(figment)
        .attach(fairing)
        .mount("/", routes![login, notes, add_note, refresh, logout])
}

#[launch]
fn rocket() -> _ {
    application(Jwt::fairing())
}

#[cfg(test)]
mod tests {
    use rocket::http::{ContentType, Header, Method};
    use rocket::local::blocking::{Client, LocalResponse};
    use rocket_jwt_extended::Duration;
    use rocket_jwt_extended::testing::ManualClock;

    use super::*;

    fn logged_in() -> Client {
        logged_in_at(&ManualClock::new())
    }

    fn logged_in_at(clock: &ManualClock) -> Client {
        let rocket = application(Jwt::fairing().clock(clock.clone()));
        let client = Client::tracked(rocket).expect("the example launches");
        let login = client.post("/session").header(ContentType::Form);
        let answer = login.body("name=ada&password=lovelace").dispatch();
        assert_eq!(answer.status(), Status::NoContent);
        drop(answer);
        client
    }

    /// Sends a request as the script above does.
    fn with_csrf<'c>(
        client: &'c Client,
        method: Method,
        path: &'static str,
        cookie: &str,
    ) -> LocalResponse<'c> {
        let value = client.cookies().get(cookie).map(|cookie| cookie.value().to_string());
        let header = Header::new("X-CSRF-TOKEN", value.unwrap_or_default());
        client.req(method, path).header(header).body("tea").dispatch()
    }

    #[test]
    fn reading_needs_the_cookie_and_writing_its_csrf_value() {
        let client = logged_in();
        let answer = client.get("/notes").dispatch();
        assert_eq!(answer.into_string().unwrap(), "notes of ada");

        let answer = client.post("/notes").body("tea").dispatch();
        assert_eq!(answer.status(), Status::Unauthorized);
        assert!(answer.into_string().unwrap().contains("csrf_missing"));

        let answer = with_csrf(&client, Method::Post, "/notes", "csrf_refresh_token");
        assert!(answer.into_string().unwrap().contains("csrf_mismatch"));
        let answer = with_csrf(&client, Method::Post, "/notes", "csrf_access_token");
        assert_eq!(answer.into_string().unwrap(), "ada noted: tea");
    }

    #[test]
    fn a_refresh_sets_all_cookies_anew() {
        let client = logged_in();
        let before = client.cookies();
        let answer = with_csrf(&client, Method::Post, "/session/refresh", "csrf_refresh_token");
        assert_eq!(answer.status(), Status::NoContent);
        assert!(answer.headers().get("Set-Cookie").count() >= 4);
        drop(answer);
        for cookie in before.iter() {
            assert_ne!(client.cookies().get(cookie.name()), Some(cookie), "{}", cookie.name());
        }
        let answer = with_csrf(&client, Method::Post, "/notes", "csrf_access_token");
        assert_eq!(answer.status(), Status::Ok);
    }

    #[test]
    fn a_logout_unsets_the_cookies_and_ends_the_session() {
        let client = logged_in();
        let kept = client.cookies().get("access_token_cookie").unwrap().clone();
        let answer = with_csrf(&client, Method::Delete, "/session", "csrf_access_token");
        assert_eq!(answer.status(), Status::NoContent);
        let unset: Vec<_> = answer.headers().get("Set-Cookie").collect();
        assert!(unset.len() >= 4);
        assert!(unset.iter().all(|cookie| cookie.contains("Max-Age=0")), "{unset:?}");
        drop(answer);

        let answer = client.get("/notes").cookie(kept).dispatch();
        assert!(answer.into_string().unwrap().contains("token_revoked"));
    }

    #[test]
    fn a_logout_after_the_access_token_has_expired_unsets_the_cookies_and_ends_the_session() {
        let clock = ManualClock::new();
        let client = logged_in_at(&clock);
        let kept = client.cookies().get("refresh_token_cookie").unwrap().clone();
        let csrf = client.cookies().get("csrf_refresh_token").unwrap().value().to_string();
        clock.advance(Duration::minutes(16));
        let answer = client.get("/notes").dispatch();
        assert!(answer.into_string().unwrap().contains("token_expired"));

        let answer = with_csrf(&client, Method::Delete, "/session", "csrf_access_token");
        assert_eq!(answer.status(), Status::NoContent);
        drop(answer);
        assert_eq!(client.cookies().iter().count(), 0);
        let request = client.post("/session/refresh").cookie(kept);
        let answer = request.header(Header::new("X-CSRF-TOKEN", csrf)).dispatch();
        assert!(answer.into_string().unwrap().contains("token_revoked"));
    }

    #[test]
    fn a_logout_without_the_csrf_value_unsets_the_cookies_and_leaves_the_session() {
        let client = logged_in();
        let kept = client.cookies().get("access_token_cookie").unwrap().clone();
        assert_eq!(client.delete("/session").dispatch().status(), Status::NoContent);
        assert_eq!(client.cookies().iter().count(), 0);
        assert_eq!(client.get("/notes").cookie(kept).dispatch().status(), Status::Ok);
    }

    #[test]
    fn a_logout_with_no_token_or_a_bad_one_unsets_the_cookies() {
        for value in ["", "x"] {
            let client = Client::untracked(rocket()).expect("the example launches");
            let request = client.delete("/session").cookie(("access_token_cookie", value));
            let answer = request.dispatch();
            assert_eq!(answer.status(), Status::NoContent);
            assert!(answer.headers().get("Set-Cookie").count() >= 4);
        }
    }
}
