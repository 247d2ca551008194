//! The store in a Redis server, through `deadpool_redis`.

mod changes;
mod connection;
mod faults;
mod keyspace;
mod pooled;
mod primary;
mod rights;
mod scripts;
mod sessions;
mod shared_connection;

use std::sync::Arc;

use rocket::time::OffsetDateTime;
use rocket_db_pools::deadpool_redis::Pool;
use rocket_db_pools::deadpool_redis::redis;

use self::changes::ChangeReader;
use self::keyspace::Keyspace;
use self::primary::RoleCheck;
use self::shared_connection::SharedConnection;
use super::batch::Batcher;
use super::pool::{BlocklistPool, sealed};
use super::rows::{self, Row, Rows, Write};
use crate::blocklist::entry::{EntryKey, Revocation, TokenIds};
use crate::blocklist::exchange::{Exchange, Exchanged, LastExchange};
use crate::blocklist::replica::changes::{Changes, Cursor, ReplicableBlocklist};
use crate::blocklist::store::{Blocklist, SessionStore, Standing, StoreError};
use crate::clock;

/// The default prefix of keys.
const DEFAULT_PREFIX: &str = "jwt:";

/// The most batches in flight: all of them use one connection, which replies in order.
const MAX_IN_FLIGHT: usize = 32;

/// A blocklist in a Redis server, version 5 or later, shared by all servers.
///
/// Each entry is a key that Redis expires when its lifetime has passed. The key's name is a prefix, a
/// letter for the kind and the sixteen bytes of the id in hexadecimal. Its value is
/// `revoked cut_off expires changed`, for the row of a session also `current last exchanged seed
/// ended_by subject seen ends`, with times in milliseconds since the Unix epoch, ids in hexadecimal, and `-`
/// for what is absent. With the setting `sessions`, each subject also has a sorted set of its sessions
/// (`i`), and each session a hash with its label and details (`d`).
///
/// The guarantees depend on the configuration of Redis. Without `appendonly`, a restart loses the
/// latest revocations or all of them. With any `maxmemory-policy` but `noeviction`, Redis may evict
/// them at any time. In both cases, revoked tokens become valid again.
///
/// For a [database of `rocket_db_pools`](rocket_db_pools::Database), calling
/// [`JwtFairing::database_blocklist()`](crate::JwtFairing::database_blocklist) is enough. The
/// constructors here are for a pool that the application creates itself, or for another prefix.
///
/// # Use of the pool
///
/// The store takes one connection with its first lookup, keeps it until the store is dropped, and
/// multiplexes all requests over it. So the application has one connection fewer. A pool of only
/// one connection is left to the application: the store's connection is then taken out of the pool,
/// and is an additional one.
///
/// The connection is replaced when it was closed, or when it is silent: a request timed out or was
/// cancelled, no reply has arrived since, and the server does not reply to a ping within half a
/// second. It is also replaced when its server is no longer the primary, which each request checks
/// (`ROLE`). The request is then repeated once. Another connection is used for a moment at launch,
/// and for each poll of `blocklist_replica`.
pub struct RedisBlocklist {
    pool: Pool,
    role: Arc<RoleCheck>,
    keys: Arc<Keyspace>,
    batcher: Batcher<Keyspace>,
}

impl RedisBlocklist {
    /// A store in the keys that begin with `jwt:`.
    pub fn new(pool: Pool) -> Self {
        Self::with_prefix(pool, DEFAULT_PREFIX)
    }

    /// A store in the keys that begin with `prefix`. Nothing else may write keys with this prefix.
    pub fn with_prefix(pool: Pool, prefix: impl Into<String>) -> Self {
        let role = Arc::new(RoleCheck::new());
        let connection = SharedConnection::new(pool.clone(), role.clone());
        let keys = Arc::new(Keyspace { connection, prefix: prefix.into() });
        Self { batcher: Batcher::new(keys.clone(), MAX_IN_FLIGHT), keys, role, pool }
    }

    /// Checks the server as the launch does: that it can be reached and is the primary, and that
    /// this user has the rights to the store's commands, with commands that change nothing. Logs a
    /// warning if the server may evict entries.
    ///
    /// # Errors
    ///
    /// If a check fails. The error lists every problem with an instruction to fix it. A server that
    /// does not reveal its configuration is not an error.
    pub async fn check(&self) -> Result<(), StoreError> {
        rights::check(&self.pool, &self.keys, &self.role).await
    }

    async fn eval(
        &self,
        script: &str,
        key: &EntryKey,
        arguments: &[String],
    ) -> Result<bool, StoreError> {
        self.run(script, key, arguments).await
    }

    async fn run<T: redis::FromRedisValue>(
        &self,
        script: &str,
        key: &EntryKey,
        arguments: &[String],
    ) -> Result<T, StoreError> {
        let mut request = redis::pipe();
        request.add_command(scripts::eval(script, &self.keys, &self.keys.name(key), arguments));
        let (result,) = self.keys.connection.write(request).await?;
        Ok(result)
    }
}

#[rocket::async_trait]
impl Rows for RedisBlocklist {
    async fn rows(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError> {
        self.batcher.rows(keys).await
    }

    async fn write(
        &self,
        key: &EntryKey,
        write: Write<'_>,
        exchange: &Exchange,
    ) -> Result<bool, StoreError> {
        let id = rows::id_text;
        let none = || "-".to_owned();
        let next = id(exchange.next().as_bytes());
        let exchanged = |last: &LastExchange| {
            [next.clone(), id(&last.token), last.at.to_string(), id(&last.seed), none()]
        };
        let (from, fields) = match write {
            Write::Begin(last) => (none(), exchanged(last)),
            Write::Advance { from, last } => (id(from), exchanged(last)),
            Write::End { from } => (id(from), [none(), none(), none(), none(), next.clone()]),
        };
        let times = [exchange.until(), Some(exchange.now())]
            .map(|time| time.map_or_else(none, |at| clock::millis(at).to_string()));
        let owner = exchange.owner().map(|owner| {
            let ends = owner.ends.map_or_else(none, |ends| ends.to_string());
            [id(&owner.subject), owner.seen.to_string(), ends]
        });
        let owner = owner.unwrap_or_else(|| [none(), none(), none()]);
        let arguments = [from].into_iter().chain(fields).chain(times).chain(owner);
        self.eval(scripts::EXCHANGE, key, &arguments.collect::<Vec<_>>()).await
    }
}

#[rocket::async_trait]
impl Blocklist for RedisBlocklist {
    async fn revoke(&self, entry: &Revocation) -> Result<bool, StoreError> {
        let millis = |time: Option<_>| time.map_or("-".into(), |at| clock::millis(at).to_string());
        let revoked = if entry.cut_off().is_none() { "1" } else { "0" };
        let now =
            clock::millis(entry.recorded_at().unwrap_or_else(OffsetDateTime::now_utc)).to_string();
        let arguments = [revoked.into(), millis(entry.cut_off()), millis(entry.until()), now];
        self.eval(scripts::REVOKE, &entry.key(), &arguments).await
    }

    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        rows::standing(self, ids).await
    }

    async fn exchange(
        &self,
        ids: &TokenIds<'_>,
        exchange: &Exchange,
    ) -> Result<Exchanged, StoreError> {
        rows::exchange(self, ids, exchange).await
    }

    fn session_store(&self) -> Option<&dyn SessionStore> {
        Some(self)
    }

    /// Does nothing: Redis expires the keys itself.
    async fn prune(&self, _: OffsetDateTime) -> Result<u64, StoreError> {
        Ok(0)
    }
}

#[rocket::async_trait]
impl ReplicableBlocklist for RedisBlocklist {
    async fn changes(&self, after: Option<&Cursor>) -> Result<Changes, StoreError> {
        ChangeReader { pool: &self.pool, keys: &self.keys, role: &self.role }
            .page_after(after)
            .await
    }
}

impl sealed::Sealed for Pool {}

#[rocket::async_trait]
impl BlocklistPool for Pool {
    async fn blocklist(&self) -> Result<Arc<dyn ReplicableBlocklist>, StoreError> {
        let store = RedisBlocklist::new(self.clone());
        store.check().await?;
        Ok(Arc::new(store))
    }
}
