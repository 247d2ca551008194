//! Revokes a token, or its whole session, without a database.
//!
//! The default blocklist is in the memory of one process: it needs no set-up, and does not survive
//! a restart.
//!
//! Run it with `cargo run --example revocation_in_memory`.

#[macro_use]
extern crate rocket;

use rocket_jwt_extended::{AccessToken, AnyToken, Error, IgnoreRevocation, Jwt, TokenPair};

/// There is no password check, since the example is about the steps after it.
#[post("/login", data = "<name>")]
fn login(jwt: &Jwt, name: &str) -> Result<TokenPair, Error> {
    jwt.token_pair(name).issue()
}

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().into()
}

/// Revokes only the token that is sent, of either type.
#[delete("/token")]
async fn revoke(jwt: &Jwt, token: AnyToken) -> Result<String, Error> {
    jwt.revoke(&token).await?;
    Ok(format!("{} token revoked", token.token_type()))
}

/// Ends the session: revokes the access token, the refresh token, and all tokens made from it.
#[delete("/session")]
async fn logout(jwt: &Jwt, token: AnyToken) -> Result<&'static str, Error> {
    jwt.revoke_session(&token).await?;
    Ok("logged out")
}

/// For unimportant routes: the blocklist is not queried.
#[get("/name")]
fn name(token: IgnoreRevocation<AccessToken>) -> String {
    token.identity().into()
}

#[launch]
fn rocket() -> _ {
    rocket::build().attach(Jwt::fairing()).mount("/", routes![login, me, revoke, logout, name])
}

#[cfg(test)]
mod tests {
    use rocket::http::Method;
    use rocket::local::blocking::Client;
    use rocket::serde::json::Value;
    use rocket_jwt_extended::testing::Bearer;

    use super::*;

    fn client_and_pair() -> (Client, [String; 2]) {
        let client = Client::untracked(rocket()).expect("the example launches");
        let pair: Value = client.post("/login").body("ada").dispatch().into_json().unwrap();
        let tokens =
            ["access_token", "refresh_token"].map(|key| pair[key].as_str().unwrap().into());
        (client, tokens)
    }

    fn ask(client: &Client, method: Method, path: &'static str, token: &str) -> (u16, String) {
        let answer = client.req(method, path).header(Bearer(token)).dispatch();
        (answer.status().code, answer.into_string().unwrap())
    }

    #[test]
    fn a_token_is_revoked_alone() {
        let (client, [access, refresh]) = client_and_pair();
        let revoked = |what: &str| (200, format!("{what} token revoked"));
        assert_eq!(ask(&client, Method::Delete, "/token", &access), revoked("access"));
        let (status, body) = ask(&client, Method::Get, "/me", &access);
        assert!(status == 401 && body.contains("Token has been revoked"), "{body}");
        assert_eq!(ask(&client, Method::Delete, "/token", &refresh), revoked("refresh"));
        assert_eq!(ask(&client, Method::Delete, "/token", &refresh).0, 401);
    }

    #[test]
    fn either_token_ends_the_session() {
        for which in 0..2 {
            let (client, tokens) = client_and_pair();
            let logout = ask(&client, Method::Delete, "/session", &tokens[which]);
            assert_eq!(logout, (200, "logged out".into()));
            for token in &tokens {
                let (status, body) = ask(&client, Method::Delete, "/token", token);
                assert!(status == 401 && body.contains("token_revoked"), "{body}");
            }
        }
    }

    #[test]
    fn a_guard_can_do_without_the_blocklist() {
        let (client, [access, _]) = client_and_pair();
        ask(&client, Method::Delete, "/session", &access);
        assert_eq!(ask(&client, Method::Get, "/me", &access).0, 401);
        assert_eq!(ask(&client, Method::Get, "/name", &access), (200, "ada".into()));
    }
}
