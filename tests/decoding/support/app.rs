//! What a token's text comes to.

use crate::support::*;
use rocket::local::blocking::Client;
use rocket_jwt_extended::{
    AccessToken, AnyToken, Fresh, Jwt, JwtFairing, NoClaims, RefreshToken, Rejection,
};

/// What stands for a token that was accepted.
pub const GOOD: &str = "good";

#[get("/access")]
fn access(_token: AccessToken) -> &'static str {
    GOOD
}

#[get("/refresh")]
fn refresh(_token: RefreshToken) -> &'static str {
    GOOD
}

#[get("/any")]
fn any(_token: AnyToken) -> &'static str {
    GOOD
}

#[get("/fresh")]
fn fresh(_token: Fresh) -> &'static str {
    GOOD
}

/// An application at [`START`], with a clock that can be moved.
pub struct App {
    pub client: Client,
    pub clock: ManualClock,
}

impl App {
    pub fn new(lines: &str) -> Self {
        Self::hooked(&format!("secret_key = \"{}\"\n{lines}", secret()), Jwt::fairing())
    }

    /// One of other keys or hooks.
    pub fn hooked(lines: &str, fairing: JwtFairing) -> Self {
        let clock = clock_at_start();
        let rocket = rocket::custom(raw_figment(&format!("[default.jwt]\n{lines}")))
            .attach(fairing.clock(clock.clone()))
            .mount("/", routes![access, refresh, any, fresh]);
        Self { client: Client::untracked(rocket).expect("it launches"), clock }
    }

    pub fn jwt(&self) -> &Jwt {
        jwt(&self.client)
    }

    /// [`GOOD`], or why `Jwt::decode()` refuses.
    pub fn decode(&self, token: &str) -> String {
        match self.refusal(token) {
            Some(rejection) => rejection.to_string(),
            None => GOOD.into(),
        }
    }

    pub fn refusal(&self, token: &str) -> Option<Rejection> {
        self.jwt().decode::<NoClaims>(token).err()
    }

    /// [`GOOD`], or why the guard of that route refuses.
    pub fn guard(&self, route: &str, token: &str) -> String {
        let request = self.client.get(format!("/{route}")).header(Bearer(token));
        let (status, body) = answer(request.dispatch());
        match body {
            serde_json::Value::String(text) if status.code == 200 => text,
            body => body["msg"].as_str().unwrap_or("no message").into(),
        }
    }
}

/// A token with that member of the payload, written as it is, instead of the usual one; with none
/// of it where nothing is given.
pub fn token_with(name: &str, json: Option<&str>) -> String {
    let rest = without(&[name]).to_string();
    let payload = match json {
        Some(json) => format!("{{\"{name}\":{json},{}", &rest[1..]),
        None => rest,
    };
    sign_text(r#"{"alg":"HS256","typ":"JWT"}"#, &payload)
}

/// The token with a bit of its signature flipped.
pub fn forged(token: &str) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let (message, signature) = token.rsplit_once('.').unwrap();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    signature[0] ^= 1;
    format!("{message}.{}", base64url(&signature))
}
