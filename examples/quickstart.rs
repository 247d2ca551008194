//! A JSON API with login, logout, fresh tokens and rotation: the README's quickstart.
//!
//! Run it with `cargo run --example quickstart`, and try it with the `curl` commands of the README.

#[macro_use]
extern crate rocket;

use rocket::http::Status;
use rocket::serde::{Deserialize, Serialize, json::Json};
use rocket_jwt_extended::{AccessToken, Error, Fresh, Jwt, RefreshToken, Rejection, TokenPair};

/// Custom claims, at the top level of the token's payload.
#[derive(Serialize, Deserialize)]
#[serde(crate = "rocket::serde")]
struct Profile {
    role: String,
}

#[derive(Deserialize)]
#[serde(crate = "rocket::serde")]
struct Credentials {
    name: String,
    password: String,
}

/// Stands in for a user lookup and a check of the password hash.
fn check(who: &Credentials) -> Result<Profile, Status> {
    match (who.name.as_str(), who.password.as_str()) {
        ("ada", "lovelace") => Ok(Profile { role: "admin".into() }),
        ("alan", "turing") => Ok(Profile { role: "reader".into() }),
        _ => Err(Status::Unauthorized),
    }
}

#[post("/login", data = "<who>")]
fn login(jwt: &Jwt, who: Json<Credentials>) -> Result<TokenPair, Status> {
    let profile = check(&who)?;
    Ok(jwt.token_pair(&who.name).fresh().claims(&profile).issue()?)
}

#[get("/me")]
fn me(token: AccessToken<Profile>) -> String {
    format!("{} ({})", token.identity(), token.claims.role)
}

#[post("/password")]
fn change_password(token: Fresh) -> String {
    format!("changed for {}", token.identity())
}

#[post("/refresh")]
async fn refresh(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
    jwt.rotate(token).await
}

#[delete("/logout")]
async fn logout(jwt: &Jwt, token: AccessToken) -> Result<Status, Error> {
    jwt.revoke_session(&token).await?;
    Ok(Status::NoContent)
}

/// Issues an access token that has already expired, to show its refusal without waiting.
#[post("/login/expired", data = "<who>")]
fn login_expired(jwt: &Jwt, who: Json<Credentials>) -> Result<TokenPair, Status> {
    let profile = check(&who)?;
    let lifetime = rocket_jwt_extended::Duration::ZERO;
    Ok(jwt.token_pair(&who.name).expires_in(lifetime).claims(&profile).issue()?)
}

#[launch]
fn rocket() -> _ {
    rocket::build()
        .attach(Jwt::fairing())
        .mount("/", routes![login, me, change_password, refresh, logout])
        .mount("/", routes![login_expired])
}

#[cfg(test)]
mod tests {
    use rocket::http::{Header, Method};
    use rocket::local::blocking::Client;
    use rocket::serde::json::{Value, json};

    use super::*;

    struct Api(Client);

    impl Api {
        fn new() -> Self {
            Self(Client::untracked(rocket()).expect("the example launches"))
        }

        fn login(&self, path: &'static str, name: &str, password: &str) -> (u16, Value) {
            let body = json!({ "name": name, "password": password });
            let answer = self.0.post(path).json(&body).dispatch();
            (answer.status().code, answer.into_json().unwrap_or_default())
        }

        fn ask(&self, method: Method, path: &'static str, token: &Value) -> (u16, String) {
            let bearer = format!("Bearer {}", token.as_str().unwrap_or_default());
            let request = self.0.req(method, path).header(Header::new("Authorization", bearer));
            let answer = request.dispatch();
            (answer.status().code, answer.into_string().unwrap_or_default())
        }

        fn refresh(&self, token: &Value) -> Value {
            let (status, body) = self.ask(Method::Post, "/refresh", token);
            assert_eq!(status, 200, "{body}");
            rocket::serde::json::from_str(&body).unwrap()
        }
    }

    #[test]
    fn a_login_opens_what_needs_a_fresh_token() {
        let api = Api::new();
        let (status, pair) = api.login("/login", "ada", "lovelace");
        assert_eq!(status, 200);
        let access = &pair["access_token"];
        assert_eq!(api.ask(Method::Get, "/me", access), (200, "ada (admin)".into()));
        assert_eq!(api.ask(Method::Post, "/password", access), (200, "changed for ada".into()));
        assert_eq!(api.login("/login", "ada", "byron").0, 401);
    }

    #[test]
    fn a_refresh_keeps_the_claims_and_is_not_fresh() {
        let api = Api::new();
        let (_, pair) = api.login("/login", "alan", "turing");
        let next = api.refresh(&pair["refresh_token"]);
        let access = &next["access_token"];
        assert_eq!(api.ask(Method::Get, "/me", access), (200, "alan (reader)".into()));
        let (status, body) = api.ask(Method::Post, "/password", access);
        assert_eq!(status, 401);
        assert!(body.contains("fresh_token_required"), "{body}");
        assert_eq!(api.ask(Method::Post, "/refresh", access).0, 401);
    }

    #[test]
    fn a_logout_ends_both_tokens() {
        let api = Api::new();
        let (_, pair) = api.login("/login", "ada", "lovelace");
        assert_eq!(api.ask(Method::Delete, "/logout", &pair["access_token"]).0, 204);
        for (method, path, token) in
            [(Method::Get, "/me", "access_token"), (Method::Post, "/refresh", "refresh_token")]
        {
            let (status, body) = api.ask(method, path, &pair[token]);
            assert_eq!(status, 401);
            assert!(body.contains("token_revoked"), "{body}");
        }
    }

    #[test]
    fn an_expired_token_is_of_no_use() {
        let api = Api::new();
        let (status, pair) = api.login("/login/expired", "ada", "lovelace");
        assert_eq!(status, 200);
        let (status, body) = api.ask(Method::Get, "/me", &pair["access_token"]);
        assert_eq!(status, 401);
        assert!(body.contains("token_expired"), "{body}");
    }
}
