//! Custom refusals, here problem details (RFC 9457), for both guards and routes.
//!
//! Run it with `cargo run --example custom_refusals`.

#[macro_use]
extern crate rocket;

use rocket::Request;
use rocket::http::{ContentType, Status};
use rocket::serde::json::json;
use rocket_jwt_extended::{
    AccessToken, Error, Fresh, Jwt, Reason, RefreshToken, Rejection, TokenPair,
};

type Problem = (Status, (ContentType, String));

/// The crate adds the `WWW-Authenticate` challenge where RFC 6750 requires one.
fn problem(rejection: &Rejection, request: &Request<'_>) -> Problem {
    let detail = match rejection.reason() {
        Reason::Expired => "You were away for long. Please log in again.".into(),
        Reason::NotFresh => "Please confirm your password.".into(),
        _ => rejection.to_string(),
    };
    let body = json!({
        "type": format!("https://api.example.com/problems/{}", rejection.code()),
        "status": rejection.status().code,
        "detail": detail,
        "instance": request.uri().path().as_str(),
    });
    let problem_json = ContentType::new("application", "problem+json");
    (rejection.status(), (problem_json, body.to_string()))
}

/// There is no password check, since the example is about the steps after it.
#[post("/login", data = "<name>")]
fn login(jwt: &Jwt, name: &str) -> Result<TokenPair, Error> {
    jwt.token_pair(name).issue()
}

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().into()
}

#[post("/password")]
fn change_password(token: Fresh) -> String {
    token.identity().into()
}

#[post("/refresh")]
async fn refresh(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
    jwt.rotate(token).await
}

#[launch]
fn rocket() -> _ {
    rocket::build()
        .attach(Jwt::fairing().on_rejection(problem))
        .mount("/", routes![login, me, change_password, refresh])
}

#[cfg(test)]
mod tests {
    use rocket::http::Method;
    use rocket::local::blocking::{Client, LocalResponse};
    use rocket::serde::json::Value;
    use rocket_jwt_extended::Duration;
    use rocket_jwt_extended::testing::Bearer;

    use super::*;

    fn ask<'c>(client: &'c Client, method: Method, path: &str, token: &str) -> LocalResponse<'c> {
        client.req(method, path.to_string()).header(Bearer(token)).dispatch()
    }

    #[test]
    fn every_refusal_is_a_problem() {
        let client = Client::untracked(rocket()).expect("the example launches");
        let jwt = Jwt::fetch(client.rocket()).unwrap();
        let stale = jwt.access_token("ada").encode().unwrap();
        let expired = jwt.access_token("ada").expires_in(Duration::ZERO).encode().unwrap();
        for (method, path, token, code, detail) in [
            (Method::Get, "/me", &expired, "token_expired", "You were away for long"),
            (Method::Post, "/password", &stale, "fresh_token_required", "Please confirm"),
            (Method::Post, "/refresh", &stale, "wrong_token_type", "Only refresh tokens"),
        ] {
            let answer = ask(&client, method, path, token);
            assert_eq!(answer.status(), Status::Unauthorized);
            let problem_json = ContentType::new("application", "problem+json");
            assert_eq!(answer.content_type(), Some(problem_json));
            let challenge = answer.headers().get_one("WWW-Authenticate");
            assert_eq!(challenge, Some("Bearer error=\"invalid_token\""));
            let body: Value = answer.into_json().unwrap();
            assert!(body["type"].as_str().unwrap().ends_with(code), "{body}");
            assert!(body["detail"].as_str().unwrap().starts_with(detail), "{body}");
            assert_eq!(body["instance"], path);
        }
    }

    #[test]
    fn what_is_none_of_a_guards_refusals_is_left_alone() {
        let client = Client::untracked(rocket()).expect("the example launches");
        let answer = client.get("/nowhere").dispatch();
        assert_eq!(answer.status(), Status::NotFound);
        assert_eq!(answer.content_type(), Some(ContentType::HTML));
    }
}
