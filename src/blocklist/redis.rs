//! The store in a Redis server, through `deadpool_redis`.

use std::sync::Arc;

use rocket::time::OffsetDateTime;
use rocket::tokio;
use rocket_db_pools::deadpool_redis::redis;
use rocket_db_pools::deadpool_redis::{Connection, Pool, PoolError};

use super::gather::Gatherer;
use super::shared::{self, Fields, Row, Rows};
use super::{Blocklist, EntryKey, Revocation, Standing, StoreError, TokenIds, UseUp};
use crate::clock;

mod feed;
mod keyspace;
mod line;
mod shared_line;

use keyspace::Keyspace;
use shared_line::SharedLine;

/// The prefix of keys unless the application chooses another.
const DEFAULT_PREFIX: &str = "jwt:";

/// How many questions may be under way at a time: all over one connection, which answers them in order.
const LANES: usize = 32;

/// Widens the entry: KEYS[1] by revoked, cut_off, expires. What it is then goes into the stream
/// KEYS[2] as well, for those who follow (`feed`), which keeps some sixteen thousand records.
///
/// `expires` stands in the value too, as a key's remaining life could be rounded down each time it
/// is read and set again. Scripts are sent whole (EVAL): they are short, revoking is rare, and
/// there is no "not loaded" to deal with after a restart of the server.
const REVOKE: &str = r"
local function later(a, b, none)
    if a == '-' then return none and a or b end
    if b == '-' then return none and b or a end
    if tonumber(a) > tonumber(b) then return a end
    return b
end
local revoked, cut_off, used, expires = ARGV[1], ARGV[2], '-', ARGV[3]
local old = redis.call('GET', KEYS[1])
if old then
    local r, c, u, e = string.match(old, '^([01]) (%S+) (%S+) (%S+) %d+$')
    if not r then return redis.error_reply('a malformed entry in the blocklist') end
    if r == '1' then revoked = r end
    cut_off, used, expires = later(c, cut_off, false), u, later(e, expires, true)
end
local now = redis.call('TIME')
local changed = string.format('%s%03d', now[1], math.floor(now[2] / 1000))
local value = table.concat({revoked, cut_off, used, expires, changed}, ' ')
redis.call('SET', KEYS[1], value)
if expires ~= '-' then redis.call('PEXPIREAT', KEYS[1], expires) end
local name = string.sub(KEYS[1], -33)
redis.call('XADD', KEYS[2], 'MAXLEN', '~', '16384', '*', 'entry', name .. ' ' .. value)
return 1
";

/// Inserts the mark of use unless there is an entry: KEYS[1] by used, expires; and into the stream.
const USE_UP: &str = r"
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local now = redis.call('TIME')
local changed = string.format('%s%03d', now[1], math.floor(now[2] / 1000))
local value = table.concat({'0', '-', ARGV[1], ARGV[2], changed}, ' ')
redis.call('SET', KEYS[1], value)
redis.call('PEXPIREAT', KEYS[1], ARGV[2])
local name = string.sub(KEYS[1], -33)
redis.call('XADD', KEYS[2], 'MAXLEN', '~', '16384', '*', 'entry', name .. ' ' .. value)
return 1
";

/// A blocklist in a Redis server, version 5 or later, which all servers share.
///
/// Each entry is a key that leaves by itself when it expires, by the clock of the Redis server. Its
/// name is a prefix, a letter for the kind and the sixteen bytes of the id in hexadecimal; its
/// value `revoked cut_off used expires changed`, times in milliseconds since the Unix epoch and `-`
/// for none.
///
/// What Redis promises is up to its configuration: without `appendonly` a restart forgets the last
/// revocations or all of them, and any `maxmemory-policy` but `noeviction` may drop them at any
/// time, whereupon revoked tokens live again.
///
/// A [database of `rocket_db_pools`](rocket_db_pools::Database) needs no more than
/// [`JwtFairing::database_blocklist()`](crate::JwtFairing::database_blocklist). The constructors
/// here are for a pool made by hand, or for another prefix.
///
/// # What it does with the pool
///
/// With the first question it takes one connection, and keeps it until it is dropped: the questions
/// of all requests go over that one. So the application
/// has one connection fewer; if the pool has but one, it is left to the application, and the one
/// that is kept is taken out of the pool and comes on top.
///
/// It is replaced when it was closed, or when it is silent: a request waited in vain, nobody was
/// answered since, and half a second brings no answer to a ping. What changes an entry is never sent
/// twice. Another connection is taken for a moment at launch, and for each poll of
/// `blocklist_replica`.
pub struct RedisBlocklist {
    pool: Pool,
    keys: Arc<Keyspace>,
    questions: Gatherer<Keyspace>,
}

impl RedisBlocklist {
    /// A store in the keys that begin with `jwt:`.
    pub fn new(pool: Pool) -> Self {
        Self::with_prefix(pool, DEFAULT_PREFIX)
    }

    /// A store in the keys that begin with `prefix`. Nothing else may write keys that do.
    pub fn with_prefix(pool: Pool, prefix: impl Into<String>) -> Self {
        let line = SharedLine::new(pool.clone());
        let keys = Arc::new(Keyspace { line, prefix: prefix.into() });
        Self { questions: Gatherer::new(keys.clone(), LANES), keys, pool }
    }

    /// Asks the server how it is configured, and logs a warning if it may evict entries.
    ///
    /// # Errors
    ///
    /// When the server can't be reached. One that does not tell is no error.
    pub async fn check(&self) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        // A ping first: INFO may be forbidden, which is not to be confused with a server out of
        // reach.
        redis::cmd("PING")
            .query_async::<_, String>(&mut connection)
            .await
            .map_err(StoreError::new)?;
        let info = redis::cmd("INFO").arg("memory").query_async::<_, String>(&mut connection).await;
        if let Some(policy) = info.ok().as_deref().and_then(evicts) {
            log::warn!("the Redis server of the JWT blocklist evicts keys (`{policy}`).");
            log::warn!("Revoked tokens may live again: set `maxmemory-policy noeviction`.");
        }
        Ok(())
    }

    /// A connection for what takes its time, and would keep requests waiting on the one they share.
    /// One that is still to be opened is opened in a task of its own: if
    /// this request stops waiting, the connection serves the next. Otherwise, where opening one
    /// takes longer than a request waits, none would ever be opened.
    async fn connection(&self) -> Result<Connection, StoreError> {
        let status = self.pool.status();
        let connection = if status.available > 0 || status.size >= status.max_size {
            self.pool.get().await
        } else {
            let pool = self.pool.clone();
            let opened = tokio::spawn(async move { pool.get().await });
            opened.await.unwrap_or(Err(PoolError::Closed))
        };
        connection.map_err(StoreError::new)
    }

    async fn eval(
        &self,
        script: &str,
        key: &EntryKey,
        arguments: &[String],
    ) -> Result<bool, StoreError> {
        let mut eval = redis::pipe();
        let name = self.keys.name(key);
        eval.cmd("EVAL").arg(script).arg(2).arg(name).arg(self.stream()).arg(arguments);
        let (done,) = self.keys.line.write(&eval).await?;
        Ok(done)
    }
}

#[rocket::async_trait]
impl Rows for RedisBlocklist {
    async fn rows(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError> {
        self.questions.ask(keys).await
    }

    async fn mark_used(&self, key: EntryKey, now: i64, until: i64) -> Result<bool, StoreError> {
        self.eval(USE_UP, &key, &[now.to_string(), until.to_string()]).await
    }
}

#[rocket::async_trait]
impl Blocklist for RedisBlocklist {
    async fn revoke(&self, entry: &Revocation) -> Result<(), StoreError> {
        let millis = |time: Option<_>| time.map_or("-".into(), |at| clock::millis(at).to_string());
        let revoked = if entry.cut_off().is_none() { "1" } else { "0" };
        let arguments = [revoked.into(), millis(entry.cut_off()), millis(entry.until())];
        self.eval(REVOKE, &entry.key(), &arguments).await?;
        Ok(())
    }

    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        shared::standing(self, ids).await
    }

    async fn use_up(
        &self,
        ids: &TokenIds<'_>,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<UseUp, StoreError> {
        shared::use_up(self, ids, now, until).await
    }

    /// Does nothing: keys leave by themselves.
    async fn prune(&self, _: OffsetDateTime) -> Result<u64, StoreError> {
        Ok(0)
    }
}

/// Reads `revoked cut_off used expires changed`: what is known, and when it expires.
fn fields(value: &[u8]) -> Option<(Fields, Option<i64>)> {
    let mut fields = std::str::from_utf8(value).ok()?.split(' ');
    let revoked = match fields.next()? {
        "0" => false,
        "1" => true,
        _ => return None,
    };
    let mut time = || match fields.next()? {
        "-" => Some(None),
        millis => millis.parse::<i64>().ok().map(Some),
    };
    let (cut_off, used, expires, changed) = (time()?, time()?, time()?, time()?);
    let is_whole = changed.is_some() && fields.next().is_none();
    is_whole.then_some((Fields { revoked, cut_off, used }, expires))
}

/// The policy by which a server with this `INFO memory` evicts keys, if it does.
fn evicts(info: &str) -> Option<&str> {
    let field = |name| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let is_limited = field("maxmemory").is_some_and(|limit| limit.trim() != "0");
    field("maxmemory_policy").map(str::trim).filter(|policy| is_limited && *policy != "noeviction")
}

#[cfg(test)]
mod tests {
    use super::evicts;

    #[test]
    fn only_a_limited_server_with_a_policy_evicts() {
        let info = |limit: u64, policy| {
            format!("# Memory\r\nmaxmemory:{limit}\r\nmaxmemory_policy:{policy}\r\nx:y\r\n")
        };
        assert_eq!(evicts(&info(1024, "allkeys-lru")), Some("allkeys-lru"));
        assert_eq!(evicts(&info(1024, "volatile-ttl")), Some("volatile-ttl"));
        assert_eq!(evicts(&info(1024, "noeviction")), None);
        assert_eq!(evicts(&info(0, "allkeys-lru")), None);
        assert_eq!(evicts(""), None);
    }
}
