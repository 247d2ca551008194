//! Sessions that last as long as they are used: an access token in a cookie that is close to its
//! end is renewed in the answer, with nothing to do for page or route.
//!
//! A stolen cookie is renewed, too, for as long as it is used: keep the logout at hand.
//!
//! Run it by `cargo run --example implicit_refresh`.

#[macro_use]
extern crate rocket;

use rocket::http::{CookieJar, Status};
use rocket::{Build, Rocket};
use rocket_jwt_extended::{
    AccessToken, AllowExpired, Error, IgnoreRevocation, Jwt, JwtFairing, Rejection,
};

/// No password: the example is about what comes after.
///
/// A pair's tokens belong to a session, and so does what is made of them: with a lone token, a
/// logout would not reach those that it was renewed from.
#[post("/login", data = "<name>")]
fn login(jwt: &Jwt, jar: &CookieJar<'_>, name: &str) -> Result<(), Error> {
    let pair = jwt.token_pair(name).issue()?;
    jwt.cookies(jar).set_access(pair.access_token())
}

#[get("/")]
fn index(token: AccessToken) -> String {
    format!("hello, {}", token.identity())
}

/// The cookies are unset whatever the token is worth, and an expired token still ends its session: what
/// was renewed from it elsewhere may be alive. There is no renewal here, as this guard allows none. The
/// page sends the value of the cookie `csrf_access_token` in the header `X-CSRF-TOKEN`.
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

    /// Logs out as the page does, with this cookie or the browser's.
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
        // Renewed elsewhere, by a browser that a thief may have.
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
