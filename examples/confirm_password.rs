//! Step-up authentication: a sensitive route requires the password again, within the same session.
//!
//! Run it with `cargo run --example confirm_password`.

#[macro_use]
extern crate rocket;

use rocket::http::{Header, Status};
use rocket::serde::{Deserialize, Serialize, json::Json};
use rocket::{Build, Rocket};
use rocket_jwt_extended::{
    AccessToken, Duration, Error, Fresh, Jwt, JwtFairing, RefreshToken, Rejection, TokenPair,
};

/// How long a confirmed password is valid.
const CONFIRMED: Duration = Duration::minutes(5);

/// The application's custom claims.
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

#[derive(Deserialize)]
#[serde(crate = "rocket::serde")]
struct Confirmation {
    password: String,
}

/// A placeholder for a user lookup and a comparison of password hashes.
fn check(name: &str, password: &str) -> bool {
    [("ada", "lovelace"), ("alan", "turing")].contains(&(name, password))
}

#[post("/login", data = "<who>")]
fn login(jwt: &Jwt, who: Json<Credentials>) -> Result<TokenPair, Status> {
    if !check(&who.name, &who.password) {
        return Err(Status::Unauthorized);
    }
    let profile = Profile { role: "admin".into() };
    Ok(jwt.token_pair(&who.name).fresh_for(CONFIRMED).claims(&profile).issue()?)
}

/// A token in a response that no cache stores.
#[derive(Responder)]
struct Confirmed {
    token: String,
    cache: Header<'static>,
}

/// A fresh access token for the user and the session of the token that was sent.
///
/// The password is compared with that of the token's user, since the request must not choose the
/// user. Count the attempts together with those of the login, since an attacker with a stolen token
/// can guess here. A wrong password is answered with 403, since 401 tells clients to refresh or to
/// log in.
#[post("/confirm", data = "<given>")]
fn confirm(
    jwt: &Jwt,
    token: AccessToken<Profile>,
    given: Json<Confirmation>,
) -> Result<Confirmed, Result<Status, Error>> {
    if !check(token.identity(), &given.password) {
        return Err(Ok(Status::Forbidden));
    }
    let fresh = jwt
        .access_token(token.identity())
        .session(&token)
        .claims(&token.claims)
        .fresh_for(CONFIRMED)
        .encode()
        .map_err(Err)?;
    Ok(Confirmed { token: fresh, cache: Header::new("Cache-Control", "no-store") })
}

/// Answers `fresh_token_required` to a token that is not fresh: the page then asks for the
/// password.
#[delete("/account")]
fn delete_account(token: Fresh) -> String {
    format!("deleted {}", token.identity())
}

#[get("/me")]
fn me(token: AccessToken<Profile>) -> String {
    format!("{} ({})", token.identity(), token.claims.role)
}

#[post("/refresh")]
async fn refresh(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
    jwt.rotate(token).await
}

#[delete("/session")]
async fn logout(jwt: &Jwt, token: AccessToken) -> Result<Status, Error> {
    jwt.revoke_session(&token).await?;
    Ok(Status::NoContent)
}

fn application(fairing: JwtFairing) -> Rocket<Build> {
    rocket::build()
        .attach(fairing)
        .mount("/", routes![login, confirm, delete_account, me, refresh, logout])
}

#[launch]
fn rocket() -> _ {
    application(Jwt::fairing())
}

#[cfg(all(test, feature = "test-util"))]
mod tests {
    use rocket::http::Method;
    use rocket::local::blocking::Client;
    use rocket::serde::json::{Value, json};
    use rocket_jwt_extended::testing::{Bearer, ManualClock};

    use super::*;

    struct Api {
        client: Client,
        clock: ManualClock,
    }

    impl Api {
        fn new() -> Self {
            let clock = ManualClock::new();
            let client = Client::untracked(application(Jwt::fairing().clock(clock.clone())));
            Self { client: client.expect("the example launches"), clock }
        }

        /// Returns an access token and a refresh token.
        fn login(&self) -> [String; 2] {
            let body = json!({ "name": "ada", "password": "lovelace" });
            let pair: Value =
                self.client.post("/login").json(&body).dispatch().into_json().unwrap();
            ["access_token", "refresh_token"].map(|key| pair[key].as_str().unwrap().into())
        }

        fn ask(&self, method: Method, path: &'static str, token: &str) -> (u16, String) {
            let answer = self.client.req(method, path).header(Bearer(token)).dispatch();
            (answer.status().code, answer.into_string().unwrap_or_default())
        }

        fn confirm(&self, token: &str, password: &str) -> (u16, String) {
            let body = json!({ "name": "alan", "password": password });
            let request = self.client.post("/confirm").header(Bearer(token)).json(&body);
            let answer = request.dispatch();
            (answer.status().code, answer.into_string().unwrap_or_default())
        }

        fn can_delete(&self, token: &str) -> bool {
            let (status, body) = self.ask(Method::Delete, "/account", token);
            assert!(status == 200 || body.contains("fresh_token_required"), "{status} {body}");
            status == 200
        }
    }

    #[test]
    fn a_login_is_fresh_for_a_while_and_a_refresh_is_not() {
        let api = Api::new();
        let [access, refresh] = api.login();
        assert!(api.can_delete(&access));
        let (status, pair) = api.ask(Method::Post, "/refresh", &refresh);
        assert_eq!(status, 200);
        let pair: Value = rocket::serde::json::from_str(&pair).unwrap();
        assert!(!api.can_delete(pair["access_token"].as_str().unwrap()));
        api.clock.advance(CONFIRMED);
        assert!(!api.can_delete(&access));
    }

    #[test]
    fn the_password_gives_a_fresh_token_with_the_same_claims_for_a_while() {
        let api = Api::new();
        let [access, _] = api.login();
        api.clock.advance(CONFIRMED);
        let (status, confirmed) = api.confirm(&access, "lovelace");
        assert_eq!(status, 200);
        assert!(api.can_delete(&confirmed));
        assert_eq!(api.ask(Method::Get, "/me", &confirmed), (200, "ada (admin)".into()));
        api.clock.advance(CONFIRMED);
        assert!(!api.can_delete(&confirmed));
        assert_eq!(api.ask(Method::Get, "/me", &confirmed).0, 200);
    }

    #[test]
    fn only_the_password_of_the_tokens_user_will_do() {
        let api = Api::new();
        let [access, refresh] = api.login();
        assert_eq!(api.confirm(&access, "byron").0, 403);
        // A user in the body is ignored.
        assert_eq!(api.confirm(&access, "turing").0, 403);
        assert_eq!(api.confirm(&refresh, "lovelace").0, 401);
        assert_eq!(api.confirm("nonsense", "lovelace").0, 401);
    }

    #[test]
    fn a_logout_ends_the_fresh_token_too() {
        let api = Api::new();
        let [access, refresh] = api.login();
        let (_, confirmed) = api.confirm(&access, "lovelace");
        assert_eq!(api.ask(Method::Delete, "/session", &access).0, 204);
        assert_eq!(api.ask(Method::Get, "/me", &confirmed).0, 401);
        assert_eq!(api.ask(Method::Post, "/refresh", &refresh).0, 401);
    }
}
