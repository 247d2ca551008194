//! An API with cookies for a page on another origin: CORS with the crate `rocket_cors`, and CSRF
//! values in response bodies.
//!
//! The page at `https://app.example` logs in, keeps the CSRF values in memory, and sends them with
//! its requests:
//!
//! ```js
//! let csrf = await (await fetch("https://api.example.test/session", {
//!     method: "POST",
//!     credentials: "include",
//!     body: new URLSearchParams({ name: "ada", password: "lovelace" }),
//! })).json();
//!
//! await fetch("https://api.example.test/notes", {
//!     method: "POST",
//!     credentials: "include",
//!     headers: { "X-CSRF-TOKEN": csrf.access },
//!     body: "buy milk",
//! });
//! ```
//!
//! Run it with `cargo run --example another_origin`.

#[macro_use]
extern crate rocket;

use rocket::fairing::AdHoc;
use rocket::form::Form;
use rocket::http::{CookieJar, Header, Method, Status};
use rocket::serde::{Serialize, json::Json};
use rocket::{Build, Rocket};
use rocket_cors::{AllowedHeaders, AllowedOrigins, Cors, CorsOptions};
use rocket_jwt_extended::{AccessToken, Error, Jwt, JwtFairing, NoClaims, RefreshToken, TokenPair};

/// The origins whose pages may use this API. Never allow every origin: with credentials, any site
/// could then act for the user and read the responses, including the CSRF values.
const PAGES: [&str; 1] = ["https://app.example"];

/// Answers preflights, and refuses requests from other origins with 403 before a route runs.
/// Refusals have the CORS headers too, so that the page can read the reason.
fn cors() -> Cors {
    let methods = [Method::Get, Method::Post, Method::Delete];
    let options = CorsOptions {
        allowed_origins: AllowedOrigins::some_exact(&PAGES),
        allowed_methods: methods.into_iter().map(From::from).collect(),
        allowed_headers: AllowedHeaders::some(&["Content-Type", "X-CSRF-TOKEN"]),
        allow_credentials: true,
        ..CorsOptions::default()
    };
    options.to_cors().expect("the options fit together")
}

/// The CSRF values of both tokens, for a page that cannot read this server's cookies.
#[derive(Serialize)]
#[serde(crate = "rocket::serde")]
struct Csrf {
    #[serde(skip_serializing_if = "Option::is_none")]
    access: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<String>,
}

/// A response that no cache stores.
#[derive(Responder)]
struct NotStored<T> {
    body: T,
    cache: Header<'static>,
}

impl Csrf {
    fn of(jwt: &Jwt, pair: &TokenPair) -> Result<NotStored<Json<Self>>, Error> {
        let refresh = jwt.decode::<NoClaims>(pair.refresh_token())?;
        Ok(Self::answer(pair.csrf(), refresh.csrf()))
    }

    fn answer(access: Option<&str>, refresh: Option<&str>) -> NotStored<Json<Self>> {
        let csrf = Self { access: access.map(Into::into), refresh: refresh.map(Into::into) };
        NotStored { body: Json(csrf), cache: Header::new("Cache-Control", "no-store") }
    }
}

#[derive(FromForm)]
struct Credentials {
    name: String,
    password: String,
}

#[post("/session", data = "<who>")]
fn login(
    jwt: &Jwt,
    jar: &CookieJar<'_>,
    who: Form<Credentials>,
) -> Result<NotStored<Json<Csrf>>, Result<Status, Error>> {
    if (who.name.as_str(), who.password.as_str()) != ("ada", "lovelace") {
        return Err(Ok(Status::Unauthorized));
    }
    let pair = jwt.token_pair(&who.name).fresh().issue().map_err(Err)?;
    jwt.cookies(jar).set_pair(&pair).map_err(Err)?;
    Csrf::of(jwt, &pair).map_err(Err)
}

#[post("/session/refresh")]
async fn refresh(
    jwt: &Jwt,
    jar: &CookieJar<'_>,
    token: RefreshToken,
) -> Result<NotStored<Json<Csrf>>, Error> {
    let pair = jwt.rotate(token).await?;
    jwt.cookies(jar).set_pair(&pair)?;
    Csrf::of(jwt, &pair)
}

/// Returns the value to a page that was reloaded and has lost it.
#[get("/session")]
fn session(token: AccessToken) -> NotStored<Json<Csrf>> {
    Csrf::answer(token.csrf(), None)
}

/// The same for the refresh token's value, when the access token has expired.
#[get("/session/refresh")]
fn refreshable_session(token: RefreshToken) -> NotStored<Json<Csrf>> {
    Csrf::answer(None, token.csrf())
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
        // Use `Lax`, the default, if the page is on the same site: `app.example.test` and
        // `api.example.test`.
        .merge(("jwt.cookie_samesite", "None"))
        .merge(("jwt.cookie_secure", true))
        // The page cannot read these cookies.
        .merge(("jwt.csrf_in_cookies", false));
    rocket::custom(figment)
        .attach(cors())
        // `rocket_cors` omits it for a list of origins. A cache must not use the headers for one
        // origin in a response to another.
        .attach(AdHoc::on_response("Vary", |_, response| {
            Box::pin(async move { response.adjoin_raw_header("Vary", "Origin") })
        }))
        .attach(fairing)
        .mount("/", routes![login, refresh, session, refreshable_session, add_note])
}

#[launch]
fn rocket() -> _ {
    application(Jwt::fairing())
}

#[cfg(all(test, feature = "test-util"))]
mod tests {
    use rocket::http::ContentType;
    use rocket::local::blocking::{Client, LocalResponse};
    use rocket::serde::json::Value;
    use rocket_jwt_extended::Duration;
    use rocket_jwt_extended::testing::ManualClock;

    use super::*;

    const OURS: &str = PAGES[0];

    const OTHERS: [&str; 6] = [
        "https://evil.example",
        "https://app.example.evil.example",
        "https://evil.app.example",
        "https://app.example:8443",
        "http://app.example",
        "null",
    ];

    fn launched() -> (Client, ManualClock) {
        let clock = ManualClock::new();
        let rocket = application(Jwt::fairing().clock(clock.clone()));
        (Client::tracked(rocket).expect("the example launches"), clock)
    }

    fn header<'r>(answer: &'r LocalResponse<'_>, name: &str) -> Option<&'r str> {
        answer.headers().get_one(name)
    }

    fn origin(origin: &str) -> Header<'static> {
        Header::new("Origin", origin.to_string())
    }

    /// Logs in as the page does, and returns the two CSRF values.
    fn log_in(client: &Client) -> Value {
        let request = client.post("/session").header(origin(OURS)).header(ContentType::Form);
        let answer = request.body("name=ada&password=lovelace").dispatch();
        assert_eq!(answer.status(), Status::Ok);
        assert_eq!(header(&answer, "Cache-Control"), Some("no-store"));
        answer.into_json().unwrap()
    }

    fn post<'c>(client: &'c Client, path: &'static str, csrf: &Value) -> LocalResponse<'c> {
        let csrf = Header::new("X-CSRF-TOKEN", csrf.as_str().unwrap_or_default().to_string());
        client.post(path).header(origin(OURS)).header(csrf).body("tea").dispatch()
    }

    fn preflight<'c>(client: &'c Client, from: &str) -> LocalResponse<'c> {
        let headers = Header::new("Access-Control-Request-Headers", "content-type,x-csrf-token");
        let method = Header::new("Access-Control-Request-Method", "POST");
        client.options("/notes").header(origin(from)).header(method).header(headers).dispatch()
    }

    #[test]
    fn a_preflight_of_our_page_is_answered_without_a_token() {
        let (client, _) = launched();
        let answer = preflight(&client, OURS);
        assert_eq!(answer.status(), Status::NoContent);
        assert_eq!(header(&answer, "Access-Control-Allow-Origin"), Some(OURS));
        assert_eq!(header(&answer, "Access-Control-Allow-Credentials"), Some("true"));
        let allowed = header(&answer, "Access-Control-Allow-Headers").unwrap().to_lowercase();
        assert!(allowed.contains("content-type") && allowed.contains("x-csrf-token"), "{allowed}");
        assert!(header(&answer, "Access-Control-Allow-Methods").unwrap().contains("POST"));
        assert!(answer.headers().get("Vary").any(|name| name == "Origin"));
    }

    #[test]
    fn other_origins_are_refused_before_a_route_runs() {
        let (client, _) = launched();
        let csrf = log_in(&client);
        for other in OTHERS {
            let value = Header::new("X-CSRF-TOKEN", csrf["access"].as_str().unwrap().to_string());
            for answer in [
                preflight(&client, other),
                client.get("/session").header(origin(other)).dispatch(),
                client.post("/notes").header(origin(other)).header(value).dispatch(),
            ] {
                assert_eq!(answer.status(), Status::Forbidden, "{other}");
                assert_eq!(header(&answer, "Access-Control-Allow-Origin"), None, "{other}");
                assert_eq!(header(&answer, "Access-Control-Allow-Credentials"), None, "{other}");
            }
        }
    }

    #[test]
    fn the_csrf_values_are_in_the_body_and_in_no_cookie() {
        let (client, _) = launched();
        let csrf = log_in(&client);
        let names: Vec<_> =
            client.cookies().iter().map(|cookie| cookie.name().to_string()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        for cookie in client.cookies().iter() {
            assert_eq!(cookie.same_site(), Some(rocket::http::SameSite::None));
            assert_eq!((cookie.secure(), cookie.http_only()), (Some(true), Some(true)));
        }
        let answer = post(&client, "/notes", &csrf["access"]);
        assert_eq!(header(&answer, "Access-Control-Allow-Origin"), Some(OURS));
        assert_eq!(answer.into_string().unwrap(), "ada noted: tea");
    }

    #[test]
    fn a_refusal_can_be_read_by_our_page() {
        let (client, _) = launched();
        let csrf = log_in(&client);
        for (value, code) in [(&Value::Null, "csrf"), (&csrf["refresh"], "csrf_mismatch")] {
            let answer = post(&client, "/notes", value);
            assert_eq!(answer.status(), Status::Unauthorized);
            assert_eq!(header(&answer, "Access-Control-Allow-Origin"), Some(OURS));
            assert_eq!(header(&answer, "Access-Control-Allow-Credentials"), Some("true"));
            assert!(answer.into_string().unwrap().contains(code));
        }
    }

    #[test]
    fn a_refresh_hands_out_new_values() {
        let (client, clock) = launched();
        let old = log_in(&client);
        clock.advance(Duration::minutes(15));
        assert_eq!(post(&client, "/notes", &old["access"]).status(), Status::Unauthorized);
        let new: Value = post(&client, "/session/refresh", &old["refresh"]).into_json().unwrap();
        assert_ne!(new["access"], old["access"]);
        assert_ne!(new["refresh"], old["refresh"]);
        assert_eq!(post(&client, "/notes", &new["access"]).status(), Status::Ok);
    }

    #[test]
    fn a_page_that_was_reloaded_gets_the_values_again() {
        let (client, _) = launched();
        let csrf = log_in(&client);
        for (path, name) in [("/session", "access"), ("/session/refresh", "refresh")] {
            let answer = client.get(path).header(origin(OURS)).dispatch();
            assert_eq!(header(&answer, "Cache-Control"), Some("no-store"));
            assert_eq!(answer.into_json::<Value>().unwrap()[name], csrf[name]);
        }
    }
}
