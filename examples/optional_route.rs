//! A route for all visitors, which recognizes users who are logged in.
//!
//! The token is `None` only if the request has no token. A request with an invalid token is
//! refused. With `Option<AccessToken>`, which looks similar, the route would run for a forged
//! token.
//!
//! Run it with `cargo run --example optional_route`.

#[macro_use]
extern crate rocket;

use rocket_jwt_extended::{AccessToken, Error, Jwt, Optional, OrForward};

/// There is no password check, since the example is about the steps after it.
#[post("/login", data = "<name>")]
fn login(jwt: &Jwt, name: &str) -> Result<String, Error> {
    jwt.access_token(name).encode()
}

#[get("/")]
fn index(token: Optional) -> String {
    match token.token() {
        Some(token) => format!("hello, {}", token.identity()),
        None => "hello, whoever you are".into(),
    }
}

/// If the two cases have little in common, write two routes.
#[get("/home")]
fn home(token: OrForward<AccessToken>) -> String {
    format!("the home of {}", token.identity())
}

#[get("/home", rank = 2)]
fn welcome() -> &'static str {
    "please log in"
}

#[launch]
fn rocket() -> _ {
    rocket::build().attach(Jwt::fairing()).mount("/", routes![login, index, home, welcome])
}

#[cfg(test)]
mod tests {
    use rocket::http::Header;
    use rocket::local::blocking::Client;

    use super::*;

    #[test]
    fn everybody_is_let_in_but_who_sends_a_bad_token() {
        let client = Client::untracked(rocket()).expect("the example launches");
        let token = client.post("/login").body("ada").dispatch().into_string().unwrap();
        let get = |path: &'static str, token: Option<&str>| {
            let mut request = client.get(path);
            if let Some(token) = token {
                request.add_header(Header::new("Authorization", format!("Bearer {token}")));
            }
            let answer = request.dispatch();
            (answer.status().code, answer.into_string().unwrap())
        };
        assert_eq!(get("/", None), (200, "hello, whoever you are".into()));
        assert_eq!(get("/", Some(&token)), (200, "hello, ada".into()));
        assert_eq!(get("/home", None), (200, "please log in".into()));
        assert_eq!(get("/home", Some(&token)), (200, "the home of ada".into()));

        let cut = &token[..token.len() - 10];
        for path in ["/", "/home"] {
            assert_eq!(get(path, Some(cut)).0, 401);
            assert_eq!(get(path, Some("")).0, 401);
        }
    }
}
