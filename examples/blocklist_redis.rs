//! Revocation shared by several servers: the blocklist is in Redis.
//!
//! Run it with `cargo run --example blocklist_redis --features deadpool_redis`. The Redis server is
//! configured in `Rocket.toml`; `ROCKET_DATABASES='{blocklist_redis={url="redis://…"}}'` overrides
//! it. Configure Redis to persist its data, or a restart makes revoked tokens valid again: see
//! `docs/stores.md`.
//!
//! All servers that share the blocklist accept the same tokens, so give them the same key: `export
//! ROCKET_JWT="{secret_key=\"$(openssl rand -base64 48)\"}"`.

#[macro_use]
extern crate rocket;

use rocket::figment::Figment;
use rocket::http::Status;
use rocket::{Build, Rocket, Route};
use rocket_db_pools::{Database, deadpool_redis};
use rocket_jwt_extended::{AccessToken, AnyToken, Error, Jwt, RefreshToken, Rejection, TokenPair};

#[derive(Database)]
#[database("blocklist_redis")]
struct Revoked(deadpool_redis::Pool);

/// There is no password check, since the example is about the steps after it.
#[post("/login", data = "<name>")]
fn login(jwt: &Jwt, name: &str) -> Result<TokenPair, Error> {
    jwt.token_pair(name).issue()
}

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().into()
}

#[post("/refresh")]
async fn refresh(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
    jwt.rotate(token).await
}

#[delete("/logout")]
async fn logout(jwt: &Jwt, token: AnyToken) -> Result<Status, Error> {
    jwt.revoke_session(&token).await?;
    Ok(Status::NoContent)
}

#[delete("/logout/all")]
async fn logout_everywhere(jwt: &Jwt, token: AccessToken) -> Result<Status, Error> {
    jwt.revoke_all(token.identity()).await?;
    Ok(Status::NoContent)
}

fn routes() -> Vec<Route> {
    routes![login, me, refresh, logout, logout_everywhere]
}

fn application(figment: Figment) -> Rocket<Build> {
    rocket::custom(figment)
        .attach(Revoked::init())
        .attach(Jwt::fairing().database_blocklist::<Revoked>())
        .mount("/", routes())
}

#[launch]
fn rocket() -> _ {
    // Without a longest lifetime, the entry that logs a user out everywhere would never expire.
    application(rocket::Config::figment().merge(("jwt.max_token_lifetime", "30d")))
}

#[cfg(test)]
mod tests {
    use rocket::http::Method;
    use rocket::local::blocking::Client;
    use rocket::serde::json::Value;
    use rocket_jwt_extended::testing::Bearer;
    use uuid::Uuid;

    use super::*;

    /// The secret and the user that only the servers of one test share.
    struct Shared {
        secret: String,
        user: String,
    }

    impl Shared {
        fn new() -> Self {
            let secret = format!("{}{}", Uuid::new_v4(), Uuid::new_v4());
            Self { secret, user: Uuid::new_v4().to_string() }
        }

        fn figment(&self) -> Figment {
            let url = std::env::var("TEST_REDIS_URL");
            rocket::Config::figment()
                .merge(("log_level", "off"))
                .merge(("jwt.secret_key", &self.secret))
                // The lifetime is short, so that the tests leave few entries in Redis.
                .merge(("jwt.refresh_token_expires", "1h"))
                .merge(("jwt.max_token_lifetime", "1h"))
                .merge((
                    "databases.blocklist_redis.url",
                    url.unwrap_or_else(|_| "redis://127.0.0.1:6379".into()),
                ))
        }

        fn server(&self) -> Client {
            Client::untracked(application(self.figment())).expect("the example launches")
        }

        fn log_in(&self, server: &Client) -> [String; 2] {
            pair(server.post("/login").body(&self.user).dispatch().into_json().unwrap())
        }
    }

    fn ask(
        server: &Client,
        method: Method,
        path: &'static str,
        token: &str,
    ) -> (u16, Option<Value>) {
        let answer = server.req(method, path).header(Bearer(token)).dispatch();
        (answer.status().code, answer.into_json())
    }

    /// Returns "ok", or the code of the refusal.
    fn me(server: &Client, token: &str) -> String {
        match ask(server, Method::Get, "/me", token) {
            (200, _) => "ok".into(),
            (status, body) => format!("{status} {}", body.unwrap()["code"].as_str().unwrap()),
        }
    }

    fn pair(body: Value) -> [String; 2] {
        ["access_token", "refresh_token"].map(|key| body[key].as_str().unwrap().into())
    }

    #[test]
    fn what_was_revoked_stays_so_after_a_restart() {
        let shared = Shared::new();
        let before = shared.server();
        let ([ended, _], [kept, old]) = (shared.log_in(&before), shared.log_in(&before));
        assert_eq!(ask(&before, Method::Delete, "/logout", &ended).0, 204);
        let (status, new) = ask(&before, Method::Post, "/refresh", &old);
        assert_eq!(status, 200);
        let [_, new] = pair(new.unwrap());
        drop(before);

        let after = shared.server();
        assert_eq!(me(&after, &ended), "401 token_revoked");
        assert_eq!(me(&after, &kept), "ok");
        // The exchange of a refresh token is recorded, too: after the new token was used, a use of
        // the old one counts as theft.
        assert_eq!(ask(&after, Method::Post, "/refresh", &new).0, 200);
        assert_eq!(ask(&after, Method::Post, "/refresh", &old).0, 401);
        assert_eq!(me(&after, &kept), "401 token_revoked");
    }

    #[test]
    fn a_second_server_sees_it_at_once() {
        let shared = Shared::new();
        let (one, two) = (shared.server(), shared.server());
        let ([ended, _], [kept, _]) = (shared.log_in(&one), shared.log_in(&two));
        assert_eq!((me(&two, &ended), me(&one, &kept)), ("ok".into(), "ok".into()));
        assert_eq!(ask(&one, Method::Delete, "/logout", &ended).0, 204);
        assert_eq!(me(&two, &ended), "401 token_revoked");
        assert_eq!(me(&two, &kept), "ok");

        assert_eq!(ask(&two, Method::Delete, "/logout/all", &kept).0, 204);
        assert_eq!(me(&one, &kept), "401 token_revoked");
        let [later, _] = shared.log_in(&one);
        assert_eq!(me(&two, &later), "ok");
    }

    #[test]
    fn either_fairing_may_be_attached_first() {
        let shared = Shared::new();
        let reversed = rocket::custom(shared.figment())
            .attach(Jwt::fairing().database_blocklist::<Revoked>())
            .attach(Revoked::init())
            .mount("/", routes());
        let reversed = Client::untracked(reversed).expect("the reversed order launches");
        let server = shared.server();
        let [token, _] = shared.log_in(&server);
        assert_eq!(me(&reversed, &token), "ok");
        assert_eq!(ask(&reversed, Method::Delete, "/logout", &token).0, 204);
        assert_eq!(me(&server, &token), "401 token_revoked");
    }
}
