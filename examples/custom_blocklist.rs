//! A store of your own: entries in memory, and in a file, so that a restart loses nothing.
//!
//! It is for one process; several servers need a database that they share. The documentation of
//! `Blocklist` says what a store must do.
//!
//! Run it with `cargo run --example custom_blocklist`.

#[macro_use]
extern crate rocket;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::RwLock;

use rocket::http::Status;
use rocket::serde::{Deserialize, Serialize, json};
use rocket::time::OffsetDateTime;
use rocket::tokio::{fs, io::AsyncWriteExt, sync::Mutex};
use rocket::{Build, Rocket};
use rocket_jwt_extended::blocklist::{
    Blocklist, EVERYTHING, EntryKey, Exchange, Exchanged, IdKey, LastExchange, Owner, Revocation,
    RevocationKind, SessionRow, Standing, StoreError, TokenIds,
};
use rocket_jwt_extended::{AccessToken, Error, Jwt, RefreshToken, Rejection, TokenPair};

/// Lookups read the map. A write appends a line to the file, and then changes the map.
struct Journal {
    entries: RwLock<HashMap<EntryKey, Entry>>,
    /// Locked for a whole write, so that two of them never read the same entry.
    file: Mutex<fs::File>,
}

/// What is known of a token, a session, a subject or everything. Times are in milliseconds since the Unix epoch; an
/// entry without `until` never expires.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(crate = "rocket::serde")]
struct Entry {
    revoked: bool,
    cut_off: Option<i64>,
    session: Option<Session>,
    until: Option<i64>,
}

/// A [`SessionRow`] that can be written.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(crate = "rocket::serde")]
struct Session {
    ended: bool,
    current: Option<IdKey>,
    last: Option<(IdKey, i64, [u8; 16])>,
    ended_by: Option<IdKey>,
    owner: Option<(IdKey, i64, Option<i64>)>,
}

/// A line of the file: the entry of a key as it is from now on.
#[derive(Serialize, Deserialize)]
#[serde(crate = "rocket::serde")]
struct Line {
    key: EntryKey,
    entry: Entry,
}

impl From<SessionRow> for Session {
    fn from(SessionRow { ended, current, last, ended_by, owner }: SessionRow) -> Self {
        let last = last.map(|LastExchange { token, at, seed }| (token, at, seed));
        let owner = owner.map(|Owner { subject, seen, ends }| (subject, seen, ends));
        Self { ended, current, last, ended_by, owner }
    }
}

impl From<Session> for SessionRow {
    fn from(Session { ended, current, last, ended_by, owner }: Session) -> Self {
        let last = last.map(|(token, at, seed)| LastExchange { token, at, seed });
        let owner = owner.map(|(subject, seen, ends)| Owner { subject, seen, ends });
        Self { ended, current, last, ended_by, owner }
    }
}

impl Journal {
    /// Reads the file, and continues it.
    async fn open(path: &Path) -> Result<Self, StoreError> {
        let text = match fs::read_to_string(path).await {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(StoreError::new(error)),
        };
        // Text after the last line's end was never acknowledged: the process died while it wrote.
        let complete = text.rfind('\n').map_or(0, |end| end + 1);
        let mut entries = HashMap::new();
        for line in text[..complete].lines() {
            let Line { key, entry } = json::from_str(line).map_err(as_text)?;
            entries.insert(key, entry);
        }
        let file = fs::OpenOptions::new().create(true).append(true).open(path).await;
        let file = file.map_err(StoreError::new)?;
        file.set_len(complete as u64).await.map_err(StoreError::new)?;
        Ok(Self { entries: RwLock::new(entries), file: Mutex::new(file) })
    }

    /// The entry of a key.
    fn entry(&self, key: Option<EntryKey>) -> Result<Option<Entry>, StoreError> {
        let entries = self.entries.read().map_err(as_text)?;
        Ok(key.and_then(|key| entries.get(&key).cloned()))
    }

    /// Returns when the entry is on the disk, and lookups find it.
    async fn write(
        &self,
        file: &mut fs::File,
        key: EntryKey,
        entry: Entry,
    ) -> Result<(), StoreError> {
        let line = Line { key, entry };
        let mut text = json::to_string(&line).map_err(as_text)?;
        text.push('\n');
        file.write_all(text.as_bytes()).await.map_err(StoreError::new)?;
        file.sync_data().await.map_err(StoreError::new)?;
        self.entries.write().map_err(as_text)?.insert(key, line.entry);
        Ok(())
    }

    /// Whether the token itself, its subject or everything is revoked.
    fn is_revoked(&self, ids: &TokenIds<'_>) -> Result<bool, StoreError> {
        for key in [ids.token_key(), ids.subject_key(), Some(EVERYTHING)] {
            let Some(entry) = self.entry(key)? else { continue };
            let is_cut_off = |cut_off| ids.is_cut_off_by(time(cut_off));
            if entry.revoked || entry.cut_off.is_some_and(is_cut_off) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn session(&self, ids: &TokenIds<'_>) -> Result<Option<SessionRow>, StoreError> {
        Ok(self.entry(ids.session_key())?.and_then(|entry| entry.session).map(SessionRow::from))
    }
}

/// The later of two ends; `None` is never.
fn later(old: Option<&Entry>, until: Option<OffsetDateTime>) -> Option<i64> {
    let until = until.map(millis);
    match old {
        Some(old) => old.until.zip(until).map(|(old, new)| old.max(new)),
        None => until,
    }
}

#[rocket::async_trait]
impl Blocklist for Journal {
    async fn revoke(&self, revocation: &Revocation) -> Result<bool, StoreError> {
        let mut file = self.file.lock().await;
        let key = revocation.key();
        let old = self.entry(Some(key))?;
        let until = later(old.as_ref(), revocation.until());
        let mut entry = Entry { until, ..old.unwrap_or_default() };
        let is_change = match revocation.kind() {
            RevocationKind::Token => !std::mem::replace(&mut entry.revoked, true),
            RevocationKind::Session => {
                let session = entry.session.get_or_insert_default();
                !std::mem::replace(&mut session.ended, true)
            }
            RevocationKind::Subject | RevocationKind::Everything => {
                let cut_off = revocation.cut_off().map(millis);
                let is_later = cut_off > entry.cut_off;
                entry.cut_off = entry.cut_off.max(cut_off);
                is_later
            }
        };
        self.write(&mut file, key, entry).await?;
        Ok(is_change)
    }

    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        Ok(match self.is_revoked(ids)? {
            true => Standing::Revoked,
            false => Standing::of(ids, self.session(ids)?.as_ref()),
        })
    }

    async fn exchange(
        &self,
        ids: &TokenIds<'_>,
        exchange: &Exchange,
    ) -> Result<Exchanged, StoreError> {
        let key = ids.jti_key().and(ids.session_key());
        let key = key.ok_or_else(|| StoreError::new("the token has no `jti`"))?;
        let mut file = self.file.lock().await;
        if self.is_revoked(ids)? {
            return Ok(Exchanged::Ended);
        }
        let (outcome, row) = exchange.decide(ids, self.session(ids)?.as_ref());
        if let Some(row) = row {
            let old = self.entry(Some(key))?;
            let until = later(old.as_ref(), exchange.until());
            let session = Some(row.into());
            self.write(&mut file, key, Entry { session, until, ..Entry::default() }).await?;
        }
        Ok(outcome)
    }

    /// The file keeps expired entries, which does no harm.
    async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        let mut entries = self.entries.write().map_err(as_text)?;
        let before = entries.len();
        entries.retain(|_, entry| entry.until.is_none_or(|until| until > millis(now)));
        Ok((before - entries.len()) as u64)
    }
}

fn as_text(error: impl std::fmt::Display) -> StoreError {
    StoreError::new(error.to_string())
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
    use rocket::http::Method;
    use rocket::local::asynchronous::Client;
    use rocket::serde::json::Value;
    use rocket_jwt_extended::testing::Bearer;

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
            self.0.req(method, path).header(Bearer(token)).dispatch().await.status().code
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

    /// The crate's own suite for stores.
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
        assert_eq!(lines.matches("\"last\":[").count(), 1, "{lines}");
    }

    #[rocket::async_test]
    async fn a_line_cut_short_by_a_crash_is_dropped() {
        let file = File::new("crash");
        let server = Server::start(&file.0).await;
        let ([first, _], [second, _]) = (server.login().await, server.login().await);
        assert_eq!(server.ask(Method::Delete, "/session", &first).await, 204);
        drop(server);
        let mut text = std::fs::read_to_string(&file.0).unwrap();
        text.push_str(r#"{"key":[115,"#);
        std::fs::write(&file.0, text).unwrap();

        let server = Server::start(&file.0).await;
        assert_eq!(server.ask(Method::Get, "/me", &first).await, 401);
        assert_eq!(server.ask(Method::Delete, "/session", &second).await, 204);
        drop(server);
        let server = Server::start(&file.0).await;
        assert_eq!(server.ask(Method::Get, "/me", &second).await, 401);
    }
}
