//! Ends all sessions of a user, without a list of them.
//!
//! Run it with `cargo run --example logout_everywhere`.

#[macro_use]
extern crate rocket;

use rocket::{Build, Rocket};
use rocket_jwt_extended::{AccessToken, Error, Fresh, Jwt, JwtFairing, TokenPair};

/// There is no password check, since the example is about the steps after it.
#[post("/login", data = "<name>")]
fn login(jwt: &Jwt, name: &str) -> Result<TokenPair, Error> {
    jwt.token_pair(name).fresh().issue()
}

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().into()
}

/// Ends every session of the user, and begins a new one in the response.
#[post("/password")]
async fn change_password(jwt: &Jwt, token: Fresh) -> Result<TokenPair, Error> {
    // … first store the new password.
    jwt.revoke_all(token.identity()).await?;
    jwt.token_pair(token.identity()).fresh().issue()
}

fn application(fairing: JwtFairing) -> Rocket<Build> {
    // Without a longest lifetime, the entry that ends a user's sessions would never expire.
    let figment = rocket::Config::figment().merge(("jwt.max_token_lifetime", "30d"));
    rocket::custom(figment).attach(fairing).mount("/", routes![login, me, change_password])
}

#[launch]
fn rocket() -> _ {
    application(Jwt::fairing().on_event(|event| info!("{event:?}")))
}

#[cfg(test)]
mod tests {
    use rocket::http::Header;
    use rocket::local::blocking::{Client, LocalRequest};
    use rocket::serde::json::Value;

    use super::*;

    fn access_token(request: LocalRequest<'_>) -> String {
        let pair: Value = request.dispatch().into_json().unwrap();
        pair["access_token"].as_str().unwrap().into()
    }

    #[test]
    fn a_new_password_ends_the_sessions_on_all_devices() {
        let client = Client::untracked(application(Jwt::fairing())).expect("the example launches");
        let login = |name| access_token(client.post("/login").body(name));
        let bearer = |token: &str| Header::new("Authorization", format!("Bearer {token}"));
        let me = |token: &str| client.get("/me").header(bearer(token)).dispatch().status().code;

        let devices = [login("ada"), login("ada"), login("ada")];
        let another = login("alan");
        let new = access_token(client.post("/password").header(bearer(&devices[1])));
        for device in &devices {
            assert_eq!(me(device), 401);
        }
        assert_eq!(me(&new), 200);
        assert_eq!(me(&login("ada")), 200);
        assert_eq!(me(&another), 200);
    }
}
