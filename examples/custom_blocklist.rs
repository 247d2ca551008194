//! A blocklist of one's own: in memory, and in a file, so that a restart forgets nothing.
//!
//! It is for one process, like the one it is made of; several servers need a database between them.
//! What a store must do is said at `Blocklist`, in the documentation.
//!
//! Run it by `cargo run --example custom_blocklist`.

#[macro_use]
extern crate rocket;

use std::path::{Path, PathBuf};

use rocket::http::Status;
use rocket::serde::{Deserialize, Serialize, json};
use rocket::time::OffsetDateTime;
use rocket::tokio::{fs, io::AsyncWriteExt, sync::Mutex};
use rocket::{Build, Rocket};
use rocket_jwt_extended::blocklist::{
    Blocklist, MemoryBlocklist, Revocation, RevocationKind, Standing, StoreError, TokenIds, UseUp,
};
use rocket_jwt_extended::{AccessToken, Error, Jwt, RefreshToken, Rejection, TokenPair};

/// The memory answers, the file remembers: a line for each entry, in the order they came.
struct Journal {
    memory: MemoryBlocklist,
    file: Mutex<fs::File>,
}

/// Times are in milliseconds since the Unix epoch; an entry without `until` stays for good.
#[derive(Serialize, Deserialize)]
#[serde(crate = "rocket::serde", rename_all = "lowercase")]
enum Line {
    Token { jti: String, until: Option<i64> },
    Session { sid: String, until: Option<i64> },
    Subject { identity: String, cut_off: i64, until: Option<i64> },
    Used { jti: String, first: i64, until: i64 },
}

impl Journal {
    /// Reads what the file holds, and goes on writing to it.
    async fn open(path: &Path) -> Result<Self, StoreError> {
        let memory = MemoryBlocklist::new();
        let text = match fs::read_to_string(path).await {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(StoreError::new(error)),
        };
        // What follows the last line's end was never acknowledged: the process died in writing it.
        let complete = text.rfind('\n').map_or(0, |end| end + 1);
        for line in text[..complete].lines() {
            replay(
                &memory,
                json::from_str(line).map_err(|error| StoreError::new(error.to_string()))?,
            )
            .await?;
        }
        let file = fs::OpenOptions::new().create(true).append(true).open(path).await;
        let file = file.map_err(StoreError::new)?;
        file.set_len(complete as u64).await.map_err(StoreError::new)?;
        Ok(Self { memory, file: Mutex::new(file) })
    }

    /// Returns when the line is on the disk.
    async fn write(&self, line: &Line) -> Result<(), StoreError> {
        let mut text = json::to_string(line).map_err(|error| StoreError::new(error.to_string()))?;
        text.push('\n');
        let mut file = self.file.lock().await;
        file.write_all(text.as_bytes()).await.map_err(StoreError::new)?;
        file.sync_data().await.map_err(StoreError::new)
    }
}

async fn replay(memory: &MemoryBlocklist, line: Line) -> Result<(), StoreError> {
    match line {
        Line::Token { jti, until } => memory.revoke(&Revocation::token(jti, until.map(time))).await,
        Line::Session { sid, until } => {
            memory.revoke(&Revocation::session(sid, until.map(time))).await
        }
        Line::Subject { identity, cut_off, until } => {
            memory.revoke(&Revocation::subject(identity, time(cut_off), until.map(time))).await
        }
        Line::Used { jti, first, until } => {
            let ids = TokenIds::new(Some(&jti), None, None, None);
            memory.use_up(&ids, time(first), time(until)).await.map(|_| ())
        }
    }
}

#[rocket::async_trait]
impl Blocklist for Journal {
    async fn revoke(&self, entry: &Revocation) -> Result<(), StoreError> {
        let (id, until) = (entry.id().to_string(), entry.until().map(millis));
        self.memory.revoke(entry).await?;
        self.write(&match entry.kind() {
            RevocationKind::Token => Line::Token { jti: id, until },
            RevocationKind::Session => Line::Session { sid: id, until },
            RevocationKind::Subject => {
                let cut_off = entry.cut_off().ok_or_else(|| StoreError::new("no cut-off"))?;
                Line::Subject { identity: id, cut_off: millis(cut_off), until }
            }
        })
        .await
    }

    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        self.memory.standing(ids).await
    }

    async fn use_up(
        &self,
        ids: &TokenIds<'_>,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<UseUp, StoreError> {
        let use_up = self.memory.use_up(ids, now, until).await?;
        if let (UseUp::First, Some(jti)) = (use_up, ids.jti()) {
            let (jti, first, until) = (jti.into(), millis(now), millis(until));
            self.write(&Line::Used { jti, first, until }).await?;
        }
        Ok(use_up)
    }

    /// The file keeps what has expired, which does no harm.
    async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        self.memory.prune(now).await
    }
}

fn millis(time: OffsetDateTime) -> i64 {
    (time.unix_timestamp_nanos() / 1_000_000) as i64
}

fn time(millis: i64) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + rocket_jwt_extended::Duration::milliseconds(millis)
}

/// No password: the example is about what comes after.
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

#[delete("/session")]
async fn logout(jwt: &Jwt, token: AccessToken) -> Result<Status, Error> {
    jwt.revoke_session(&token).await?;
    Ok(Status::NoContent)
}

#[delete("/sessions")]
async fn logout_everywhere(jwt: &Jwt, token: AccessToken) -> Result<Status, Error> {
    jwt.revoke_all(token.identity()).await?;
    Ok(Status::NoContent)
}

async fn application(journal: PathBuf) -> Result<Rocket<Build>, StoreError> {
    Ok(rocket::build()
        .attach(Jwt::fairing().blocklist(Journal::open(&journal).await?))
        .mount("/", routes![login, me, refresh, logout, logout_everywhere]))
}

#[launch]
async fn rocket() -> _ {
    application("revoked.jsonl".into()).await.expect("the journal can be read")
}

#[cfg(test)]
mod tests {
    use rocket::figment::Figment;
    use rocket::http::{Header, Method};
    use rocket::local::asynchronous::Client;
    use rocket::serde::json::Value;

    use super::*;

    /// A server whose journal outlives it.
    struct Server(Client);

    impl Server {
        async fn start(path: &Path) -> Self {
            let rocket = application(path.into()).await.expect("the journal can be read");
            let secret = ("jwt.secret_key", "the same one before and after the restart");
            let figment = Figment::from(rocket.figment()).merge(secret);
            let client = Client::untracked(rocket.configure(figment)).await;
            Self(client.expect("the example launches"))
        }

        async fn login(&self) -> [String; 2] {
            let answer = self.0.post("/login").body("ada").dispatch().await;
            let pair: Value = answer.into_json().await.unwrap();
            ["access_token", "refresh_token"].map(|key| pair[key].as_str().unwrap().into())
        }

        async fn ask(&self, method: Method, path: &'static str, token: &str) -> u16 {
            let bearer = Header::new("Authorization", format!("Bearer {token}"));
            self.0.req(method, path).header(bearer).dispatch().await.status().code
        }
    }

    /// A journal that is removed in the end.
    struct File(PathBuf);

    impl File {
        fn new(name: &str) -> Self {
            let name = format!("custom_blocklist-{name}-{}.jsonl", std::process::id());
            Self(std::env::temp_dir().join(name))
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    /// What every store must do, as the crate's own suite has it.
    #[cfg(feature = "test-util")]
    #[rocket::async_test]
    async fn it_keeps_the_contract_of_a_blocklist() {
        use std::sync::Arc;

        let file = File::new("contract");
        let journal: Arc<dyn Blocklist> = Arc::new(Journal::open(&file.0).await.unwrap());
        rocket_jwt_extended::testing::blocklist_contract(async || journal.clone()).await;
    }

    #[rocket::async_test]
    async fn a_restart_forgets_nothing() {
        let file = File::new("restart");
        let server = Server::start(&file.0).await;
        let [all, _] = server.login().await;
        let [elsewhere, _] = server.login().await;
        assert_eq!(server.ask(Method::Delete, "/sessions", &all).await, 204);
        let [access, refresh] = server.login().await;
        let [_, used] = server.login().await;
        assert_eq!(server.ask(Method::Delete, "/session", &access).await, 204);
        assert_eq!(server.ask(Method::Post, "/refresh", &used).await, 200);
        let [live, _] = server.login().await;
        drop(server);

        let server = Server::start(&file.0).await;
        for (token, status) in [(&all, 401), (&elsewhere, 401), (&access, 401), (&live, 200)] {
            assert_eq!(server.ask(Method::Get, "/me", token).await, status);
        }
        assert_eq!(server.ask(Method::Post, "/refresh", &refresh).await, 401);
        // Within the grace: the same pair, not a second one.
        assert_eq!(server.ask(Method::Post, "/refresh", &used).await, 200);
        let lines = std::fs::read_to_string(&file.0).unwrap();
        assert_eq!(lines.matches("used").count(), 1, "{lines}");
    }

    #[rocket::async_test]
    async fn a_line_cut_short_by_a_crash_is_dropped() {
        let file = File::new("crash");
        let server = Server::start(&file.0).await;
        let ([first, _], [second, _]) = (server.login().await, server.login().await);
        assert_eq!(server.ask(Method::Delete, "/session", &first).await, 204);
        drop(server);
        let mut text = std::fs::read_to_string(&file.0).unwrap();
        text.push_str(r#"{"session":{"sid":"0"#);
        std::fs::write(&file.0, text).unwrap();

        let server = Server::start(&file.0).await;
        assert_eq!(server.ask(Method::Get, "/me", &first).await, 401);
        assert_eq!(server.ask(Method::Delete, "/session", &second).await, 204);
        drop(server);
        let server = Server::start(&file.0).await;
        assert_eq!(server.ask(Method::Get, "/me", &second).await, 401);
    }
}
