//! The four locations of a token, and how a page sends it.
//!
//! ```js
//! fetch("/me", { headers: { Authorization: `Bearer ${token}` } });
//! fetch("/page");                             // the browser adds the cookie
//! new EventSource(`/events?jwt=${token}`);    // it cannot set a header
//! fetch("/notes", {
//!     method: "POST",
//!     headers: { "Content-Type": "application/json" },
//!     body: JSON.stringify({ access_token: token, text: "buy milk" }),
//! });
//! ```
//!
//! A token in a URL ends up in logs and browser histories (RFC 6750 §5.3). Here only one route
//! accepts it, and the launch logs a warning.
//!
//! Run it with `cargo run --example token_locations`.

#[macro_use]
extern crate rocket;

use rocket::http::CookieJar;
use rocket::serde::{Deserialize, json::Json};
use rocket_jwt_extended::{
    AccessToken, Cookies, Error, Headers, In, JsonBody, Jwt, QueryString, WithBody,
};

/// There is no password check, since the example is about the steps after it.
#[post("/login/<name>")]
fn login(jwt: &Jwt, jar: &CookieJar<'_>, name: &str) -> Result<String, Error> {
    let token = jwt.access_token(name).encode()?;
    jwt.cookies(jar).set_access(&token)?;
    Ok(token)
}

/// Searches the locations in `token_location`, in that order.
#[get("/me")]
fn me(token: AccessToken) -> String {
    let place = token.location().map(|place| place.to_string()).unwrap_or_default();
    format!("{}, by {place}", token.identity())
}

#[get("/page")]
fn page(token: In<Cookies>) -> String {
    format!("a page for {}", token.identity())
}

#[get("/events")]
fn events(token: In<(Headers, QueryString)>) -> String {
    format!("events for {}", token.identity())
}

#[derive(Deserialize)]
#[serde(crate = "rocket::serde")]
struct Note {
    text: String,
}

/// A body can be read only once: this guard reads both the token and the note from it.
#[post("/notes", data = "<note>")]
fn note(note: WithBody<In<JsonBody>, Json<Note>>) -> String {
    format!("{} noted: {}", note.token.identity(), note.body.text)
}

#[launch]
fn rocket() -> _ {
    // In your application, put this line in `Rocket.toml`, under `[default.jwt]`.
    let figment = rocket::Config::figment().merge(("jwt.token_location", ["headers", "cookies"]));
    rocket::custom(figment)
        .attach(Jwt::fairing())
        .mount("/", routes![login, me, page, events, note])
}

#[cfg(test)]
mod tests {
    use rocket::http::Header;
    use rocket::local::blocking::{Client, LocalRequest};
    use rocket::serde::json::json;

    use super::*;

    fn client_and_token() -> (Client, String) {
        let client = Client::untracked(rocket()).expect("the example launches");
        let token = client.post("/login/ada").dispatch().into_string().unwrap();
        (client, token)
    }

    fn answer(request: LocalRequest<'_>) -> (u16, String) {
        let answer = request.dispatch();
        (answer.status().code, answer.into_string().unwrap())
    }

    #[test]
    fn each_route_looks_where_it_says() {
        let (client, token) = client_and_token();
        let header = || Header::new("Authorization", format!("Bearer {token}"));
        let cookie = || ("access_token_cookie", token.clone());

        for (path, by_header, by_cookie) in [
            ("/me", (200, "ada, by headers"), (200, "ada, by cookies")),
            ("/page", (401, ""), (200, "a page for ada")),
            ("/events", (200, "events for ada"), (401, "")),
        ] {
            let (status, body) = answer(client.get(path).header(header()));
            assert!(
                status == by_header.0 && (status != 200 || body == by_header.1),
                "{path} {body}"
            );
            let (status, body) = answer(client.get(path).cookie(cookie()));
            assert!(
                status == by_cookie.0 && (status != 200 || body == by_cookie.1),
                "{path} {body}"
            );
        }
        let (status, body) = answer(client.get(format!("/events?jwt={token}")));
        assert_eq!((status, body.as_str()), (200, "events for ada"));
        assert_eq!(answer(client.get(format!("/me?jwt={token}"))).0, 401);
    }

    #[test]
    fn token_and_note_come_in_one_body() {
        let (client, token) = client_and_token();
        let body = json!({ "access_token": token, "text": "buy milk" });
        let (status, text) = answer(client.post("/notes").json(&body));
        assert_eq!((status, text.as_str()), (200, "ada noted: buy milk"));

        let (status, text) = answer(client.post("/notes").json(&json!({ "text": "buy milk" })));
        assert!(status == 401 && text.contains("access_token"), "{text}");
        // Any page can post this content type without a preflight.
        let plain = client.post("/notes").header(rocket::http::ContentType::Plain);
        assert_eq!(answer(plain.body(body.to_string())).0, 401);
    }

    #[test]
    fn an_answer_to_a_token_in_the_url_is_not_to_be_stored() {
        let (client, token) = client_and_token();
        let answer = client.get(format!("/events?jwt={token}")).dispatch();
        assert_eq!(answer.headers().get_one("Cache-Control"), Some("no-store"));
    }
}
