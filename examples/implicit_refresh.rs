//! Sessions that last as long as they are used: an access token in a cookie that is about to expire
//! is renewed in the response, without code in the page or the route.
//!
//! A stolen cookie is renewed as well, for as long as it is used, so a logout is essential.
//!
//! Run it with `cargo run --example implicit_refresh`.

#[macro_use]
extern crate rocket;

use rocket::http::{CookieJar, Status};
use rocket::{Build, Rocket};
use rocket_jwt_extended::{
    AccessToken, AllowExpired, Error, IgnoreRevocation, Jwt, JwtFairing, Rejection,
};

/// There is no password check, since the example is about the steps after it.
///
/// The tokens of a pair belong to a session, and so do all tokens made from them. With a single
/// token instead, a logout would not revoke the tokens from which it was renewed.
#[post("/login", data = "<name>")]
fn login(jwt: &Jwt, jar: &CookieJar<'_>, name: &str) -> Result<(), Error> {
    let pair = jwt.token_pair(name).issue()?;
    jwt.cookies(jar).set_access(pair.access_token())
}

#[get("/")]
fn index(token: AccessToken) -> String {
    format!("hello, {}", token.identity())
}

/// The cookies are unset even if the token is invalid. An expired token still ends its session,
/// since a token renewed from it elsewhere may be valid. This guard never renews a token. The page
/// sends the value of the cookie `csrf_access_token` in the header `X-CSRF-TOKEN`.
#[delete("/session")]
async fn logout(
    jwt: &Jwt,
    jar: &CookieJar<'_>,
    token: Result<IgnoreRevocation<AllowExpired>, Rejection>,
) -> Result<Status, Error> {
    jwt.cookies(jar).unset();
    if let Ok(token) = token {
        jwt.revoke_session(&token).await?;
    }
    Ok(Status::NoContent)
}

fn application(fairing: JwtFairing) -> Rocket<Build> {
    let figment = rocket::Config::figment()
        .merge(("jwt.token_location", "cookies"))
        .merge(("jwt.access_token_expires", "1h"))
        .merge(("jwt.implicit_refresh_within", "30m"));
    rocket::custom(figment).attach(fairing).mount("/", routes![login, index, logout])
}

#[launch]
fn rocket() -> _ {
    application(Jwt::fairing())
}

#[cfg(test)]
mod tests {
    use rocket::http::{Cookie, Header};
    use rocket::local::blocking::Client;
    use rocket_jwt_extended::Duration;
    use rocket_jwt_extended::testing::ManualClock;

    use super::*;

    fn logged_in() -> (Client, impl Fn(i64)) {
        let clock = ManualClock::new();
        let fairing = Jwt::fairing().clock(clock.clone());
        let client = Client::tracked(application(fairing)).expect("the example launches");
        client.post("/login").body("ada").dispatch();
        let pass_minutes = move |minutes| clock.advance(Duration::minutes(minutes));
        (client, pass_minutes)
    }

    /// Logs out as the page does, with the given cookie or the client's cookies.
    fn log_out(client: &Client, cookie: Option<Cookie<'static>>) {
        let csrf = client.cookies().get("csrf_access_token").unwrap().value().to_string();
        let mut request = client.delete("/session").header(Header::new("X-CSRF-TOKEN", csrf));
        if let Some(cookie) = cookie {
            request = request.cookie(cookie);
        }
        assert_eq!(request.dispatch().status(), Status::NoContent);
    }

    #[test]
    fn a_session_lasts_as_long_as_it_is_used() {
        let (client, pass_minutes) = logged_in();
        for _ in 0..10 {
            pass_minutes(45);
            let answer = client.get("/").dispatch();
            assert_eq!(answer.into_string().unwrap(), "hello, ada");
        }
        pass_minutes(61);
        assert_eq!(client.get("/").dispatch().status(), Status::Unauthorized);
    }

    #[test]
    fn a_token_that_is_still_young_stays() {
        let (client, pass_minutes) = logged_in();
        pass_minutes(29);
        assert_eq!(client.get("/").dispatch().headers().get("Set-Cookie").count(), 0);
        pass_minutes(1);
        assert_eq!(client.get("/").dispatch().headers().get("Set-Cookie").count(), 2);
    }

    #[test]
    fn a_logout_after_the_end_unsets_the_cookies_and_ends_the_session() {
        let (client, pass_minutes) = logged_in();
        let first = client.cookies().get("access_token_cookie").unwrap().clone();
        // A token that was renewed elsewhere, possibly by an attacker.
        pass_minutes(45);
        let answer = client.get("/").dispatch();
        let renewed = answer.cookies().get("access_token_cookie").unwrap().clone();
        drop(answer);
        pass_minutes(20);
        log_out(&client, Some(first));
        assert!(client.cookies().get("access_token_cookie").is_none());
        let answer = client.get("/").cookie(renewed).dispatch();
        assert!(answer.into_string().unwrap().contains("token_revoked"));
    }

    #[test]
    fn a_logout_is_not_undone_and_ends_what_was_renewed_too() {
        let (client, pass_minutes) = logged_in();
        let first = client.cookies().get("access_token_cookie").unwrap().clone();
        pass_minutes(45);
        client.get("/").dispatch();
        let second = client.cookies().get("access_token_cookie").unwrap().clone();
        assert_ne!(first, second);
        log_out(&client, None);
        assert!(client.cookies().get("access_token_cookie").is_none());
        assert_eq!(client.get("/").dispatch().status(), Status::Unauthorized);
        for token in [first, second] {
            let answer = client.get("/").cookie(token).dispatch();
            assert!(answer.into_string().unwrap().contains("token_revoked"));
        }
    }
}
