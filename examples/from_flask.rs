//! Replaces a Flask application route by route: accepts tokens of Flask-JWT-Extended, and reads and
//! writes Flask's table of revoked tokens.
//!
//! The table is that of Flask-JWT-Extended's documentation: `token_blocklist` with the columns `id`, `jti` and
//! `created_at`.
//!
//! Run it with `cargo run --example from_flask --features sqlx_sqlite`. It reads the database
//! `blocklist` of `Rocket.toml`, in which Flask has created its table.

#[macro_use]
extern crate rocket;

use rocket::figment::Figment;
use rocket::http::Status;
use rocket::time::OffsetDateTime;
use rocket::{Build, Rocket};
use rocket_db_pools::sqlx::{self, SqlitePool};
use rocket_jwt_extended::blocklist::{
    Blocklist, Exchange, Exchanged, Revocation, RevocationKind, SqlxBlocklist, Standing,
    StoreError, TokenIds,
};
use rocket_jwt_extended::{
    AccessToken, AnyToken, Claims, Error, Fresh, Jwt, RefreshToken, Rejection, TokenPair,
};

/// A blocklist of this crate, combined with Flask's table until the last of Flask's tokens has
/// expired.
struct WithFlask<B> {
    own: B,
    flask: SqlitePool,
}

impl<B> WithFlask<B> {
    /// Whether Flask's table contains the token. The column `jti` should have an index.
    async fn flask_has(&self, ids: &TokenIds<'_>) -> Result<bool, StoreError> {
        let Some(jti) = ids.jti() else { return Ok(false) };
        let query = sqlx::query("SELECT 1 FROM token_blocklist WHERE jti = ? LIMIT 1").bind(jti);
        let row = query.fetch_optional(&self.flask).await.map_err(StoreError::new)?;
        Ok(row.is_some())
    }
}

#[rocket::async_trait]
impl<B: Blocklist> Blocklist for WithFlask<B> {
    async fn revoke(&self, entry: &Revocation) -> Result<bool, StoreError> {
        let is_change = self.own.revoke(entry).await?;
        // Flask has no sessions or subjects, and refuses expired tokens without a row.
        let has_expired = entry.until().is_some_and(|until| until <= OffsetDateTime::now_utc());
        if entry.kind() == RevocationKind::Token && !has_expired {
            let insert = sqlx::query(
                "INSERT INTO token_blocklist (jti, created_at) SELECT ?1, CURRENT_TIMESTAMP \
                 WHERE NOT EXISTS (SELECT 1 FROM token_blocklist WHERE jti = ?1)",
            );
            insert.bind(entry.id()).execute(&self.flask).await.map_err(StoreError::new)?;
        }
        Ok(is_change)
    }

    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        match self.own.standing(ids).await? {
            Standing::Revoked => Ok(Standing::Revoked),
            _ if self.flask_has(ids).await? => Ok(Standing::Revoked),
            standing => Ok(standing),
        }
    }

    async fn exchange(
        &self,
        ids: &TokenIds<'_>,
        exchange: &Exchange,
    ) -> Result<Exchanged, StoreError> {
        match self.flask_has(ids).await? {
            true => Ok(Exchanged::Ended),
            false => self.own.exchange(ids, exchange).await,
        }
    }

    /// Rows of Flask's table are never deleted.
    async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        self.own.prune(now).await
    }
}

/// There is no password check, since the example is about the steps after it.
#[post("/login", data = "<name>")]
fn login(jwt: &Jwt, name: &str) -> Result<TokenPair, Error> {
    jwt.token_pair(name).fresh().issue()
}

#[get("/me")]
fn me(token: AccessToken<Claims>) -> String {
    let role = token.claims.get("role").and_then(|role| role.as_str());
    format!("{} ({})", token.identity(), role.unwrap_or("no role"))
}

#[post("/password")]
fn change_password(token: Fresh) -> String {
    format!("changed for {}", token.identity())
}

/// A refresh token of Flask can be exchanged once, which begins a session.
#[post("/refresh")]
async fn refresh(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
    jwt.rotate(token).await
}

#[delete("/logout")]
async fn logout(jwt: &Jwt, token: AnyToken) -> Result<Status, Error> {
    // Also revokes the token itself, for the routes that Flask still has.
    jwt.revoke(&token).await?;
    jwt.revoke_session(&token).await?;
    Ok(Status::NoContent)
}

fn application(figment: Figment, blocklist: impl Blocklist) -> Rocket<Build> {
    // The same secret, algorithm, claims and lifetimes as Flask's `JWT_…` settings. In your
    // application, put them in `Rocket.toml`.
    let figment = figment
        .merge(("jwt.access_token_expires", "15m"))
        .merge(("jwt.refresh_token_expires", "30d"))
        .merge(("jwt.invalid_token_status", 422));
    rocket::custom(figment)
        .attach(Jwt::fairing().blocklist(blocklist))
        .mount("/", routes![login, me, change_password, refresh, logout])
}

#[launch]
async fn rocket() -> _ {
    let figment = rocket::Config::figment();
    let url = figment.extract_inner::<String>("databases.blocklist.url").expect("a URL");
    let flask = SqlitePool::connect_lazy(&url).expect("it is the URL of a database");
    let own = SqlxBlocklist::new(flask.clone());
    own.create_table().await.expect("the blocklist's table can be made");
    application(figment, WithFlask { own, flask })
}

#[cfg(all(test, feature = "aws_lc_rs"))]
mod tests {
    use rocket::http::Method;
    use rocket::local::asynchronous::Client;
    use rocket::serde::json::{Value, json};
    use rocket_jwt_extended::jsonwebtoken::{self, EncodingKey};
    use rocket_jwt_extended::testing::Bearer;
    use rocket_jwt_extended::{Duration, MemoryBlocklist};
    use sqlx::sqlite::SqlitePoolOptions;
    use uuid::Uuid;

    use super::*;

    /// Flask's database, with the table as Flask-SQLAlchemy creates it.
    async fn flask_database() -> SqlitePool {
        // Each connection has a separate database in memory.
        let one = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:");
        let pool = one.await.unwrap();
        for statement in [
            "CREATE TABLE token_blocklist (id INTEGER NOT NULL, jti VARCHAR(36) NOT NULL, \
             created_at DATETIME NOT NULL, PRIMARY KEY (id))",
            "CREATE INDEX ix_token_blocklist_jti ON token_blocklist (jti)",
        ] {
            sqlx::query(statement).execute(&pool).await.unwrap();
        }
        pool
    }

    /// This server, with the secret and the database that it shares with Flask.
    struct Server {
        client: Client,
        secret: String,
        flask: SqlitePool,
    }

    impl Server {
        async fn start() -> Self {
            Self::start_with(rocket::Config::figment()).await
        }

        async fn start_with(figment: Figment) -> Self {
            let secret = format!("{}{}", Uuid::new_v4(), Uuid::new_v4());
            let flask = flask_database().await;
            let blocklist = WithFlask { own: MemoryBlocklist::new(), flask: flask.clone() };
            let figment = figment.merge(("jwt.secret_key", &secret)).merge(("log_level", "off"));
            let client = Client::untracked(application(figment, blocklist)).await;
            Self { client: client.expect("the example launches"), secret, flask }
        }

        /// A token as Flask-JWT-Extended 4.7 signs it with PyJWT, and its `jti`.
        fn flask_token(&self, changes: Value) -> (String, String) {
            let (jti, now) =
                (Uuid::new_v4().to_string(), OffsetDateTime::now_utc().unix_timestamp());
            let mut claims = json!({
                "fresh": false, "iat": now, "jti": jti, "type": "access", "sub": "7", "nbf": now,
                "csrf": Uuid::new_v4().to_string(), "exp": now + 900, "role": "admin",
            });
            for (name, value) in changes.as_object().unwrap() {
                claims[name] = value.clone();
            }
            // `jsonwebtoken` requires the choice of a backend.
            let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
            let key = EncodingKey::from_secret(self.secret.as_bytes()).unwrap();
            let token = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key);
            (token.unwrap(), jti)
        }

        async fn ask(&self, method: Method, path: &'static str, token: &str) -> (u16, String) {
            let answer = self.client.req(method, path).header(Bearer(token)).dispatch().await;
            (answer.status().code, answer.into_string().await.unwrap_or_default())
        }

        async fn me(&self, token: &str) -> (u16, String) {
            self.ask(Method::Get, "/me", token).await
        }

        /// Does what Flask's logout does.
        async fn flask_revokes(&self, jti: &str) {
            let insert =
                "INSERT INTO token_blocklist (jti, created_at) VALUES (?, CURRENT_TIMESTAMP)";
            sqlx::query(insert).bind(jti).execute(&self.flask).await.unwrap();
        }

        async fn flask_refuses(&self) -> Vec<String> {
            let query = sqlx::query_scalar("SELECT jti FROM token_blocklist ORDER BY id");
            query.fetch_all(&self.flask).await.unwrap()
        }
    }

    #[rocket::async_test]
    async fn tokens_of_flask_open_routes() {
        let server = Server::start().await;
        let (token, _) = server.flask_token(json!({}));
        assert_eq!(server.me(&token).await, (200, "7 (admin)".into()));
        let (status, body) = server.ask(Method::Post, "/password", &token).await;
        assert_eq!(status, 401);
        assert!(body.contains("fresh_token_required"), "{body}");

        let soon = OffsetDateTime::now_utc().unix_timestamp() as f64 + 300.5;
        for fresh in [json!(true), json!(soon)] {
            let (token, _) = server.flask_token(json!({ "fresh": fresh }));
            assert_eq!(server.ask(Method::Post, "/password", &token).await.0, 200);
        }
        // Tokens that Flask refuses.
        let (bad, _) = server.flask_token(json!({ "type": "refresh" }));
        assert_eq!(server.me(&bad).await.0, 422);
        let (old, _) = server.flask_token(json!({ "exp": 1_700_000_000 }));
        assert_eq!(server.me(&old).await.0, 401);
    }

    #[rocket::async_test]
    async fn a_number_as_subject_is_accepted_if_the_configuration_says_so() {
        let server = Server::start().await;
        let (token, _) = server.flask_token(json!({ "sub": 7 }));
        let (status, body) = server.me(&token).await;
        assert_eq!(status, 422);
        assert!(body.contains("Subject must be a string"), "{body}");

        let figment = rocket::Config::figment().merge(("jwt.verify_sub", false));
        let server = Server::start_with(figment).await;
        let (token, _) = server.flask_token(json!({ "sub": 7 }));
        assert_eq!(server.me(&token).await, (200, "7 (admin)".into()));
    }

    #[rocket::async_test]
    async fn what_flask_has_revoked_is_refused() {
        let server = Server::start().await;
        let (access, jti) = server.flask_token(json!({}));
        server.flask_revokes(&jti).await;
        let (status, body) = server.me(&access).await;
        assert_eq!(status, 401);
        assert!(body.contains("token_revoked"), "{body}");

        let (refresh, jti) = server.flask_token(json!({ "type": "refresh" }));
        server.flask_revokes(&jti).await;
        assert_eq!(server.ask(Method::Post, "/refresh", &refresh).await.0, 401);
        let (other, _) = server.flask_token(json!({}));
        assert_eq!(server.me(&other).await.0, 200);

        // The token is revoked between the guard and the exchange.
        let (own, flask) = (MemoryBlocklist::new(), server.flask.clone());
        let (ids, now) = (TokenIds::new(Some(&jti), None, None, None), OffsetDateTime::now_utc());
        let exchange = Exchange::new(Uuid::now_v7(), [0; 16], now, Duration::ZERO, now);
        let exchanged = WithFlask { own, flask }.exchange(&ids, &exchange).await;
        assert_eq!(exchanged.unwrap(), Exchanged::Ended);
    }

    #[rocket::async_test]
    async fn a_refresh_token_of_flask_begins_a_session_with_its_claims() {
        let server = Server::start().await;
        let (refresh, _) = server.flask_token(json!({ "type": "refresh" }));
        let (status, body) = server.ask(Method::Post, "/refresh", &refresh).await;
        assert_eq!(status, 200, "{body}");
        let pair: Value = rocket::serde::json::from_str(&body).unwrap();
        let [access, next] =
            ["access_token", "refresh_token"].map(|key| pair[key].as_str().unwrap());
        assert_eq!(server.me(access).await, (200, "7 (admin)".into()));

        // Revoking either of them also revokes the other, and Flask's refresh token.
        assert_eq!(server.ask(Method::Delete, "/logout", access).await.0, 204);
        for token in [next, &refresh] {
            assert_eq!(server.ask(Method::Post, "/refresh", token).await.0, 401);
        }
    }

    #[rocket::async_test]
    async fn what_is_revoked_here_is_in_flasks_table_once() {
        let server = Server::start().await;
        let (old, jti) = server.flask_token(json!({}));
        assert_eq!(server.ask(Method::Delete, "/logout", &old).await.0, 204);
        assert_eq!(server.me(&old).await.0, 401);

        let jwt = Jwt::fetch(server.client.rocket()).unwrap();
        let pair = jwt.token_pair("7").issue().unwrap();
        let id = jwt.decode::<Claims>(pair.access_token()).unwrap().jti().unwrap().to_string();
        assert_eq!(server.ask(Method::Delete, "/logout", pair.access_token()).await.0, 204);
        assert_eq!(server.flask_refuses().await, [jti, id]);
    }

    #[rocket::async_test]
    async fn without_flasks_table_nobody_is_let_in() {
        let server = Server::start().await;
        let (token, _) = server.flask_token(json!({}));
        sqlx::query("DROP TABLE token_blocklist").execute(&server.flask).await.unwrap();
        assert_eq!(server.me(&token).await.0, 503);
        assert_eq!(server.ask(Method::Delete, "/logout", &token).await.0, 503);
    }

    /// The suite that the stores of this crate pass.
    #[rocket::async_test]
    async fn it_keeps_the_contract_of_a_blocklist() {
        use std::sync::Arc;

        let (own, flask) = (Arc::new(MemoryBlocklist::new()), flask_database().await);
        let store = async || WithFlask { own: own.clone(), flask: flask.clone() };
        rocket_jwt_extended::testing::blocklist_contract(store).await;
    }
}
