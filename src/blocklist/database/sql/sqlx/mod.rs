//! The store in an SQLite, PostgreSQL, MySQL or MariaDB database, through `sqlx`.

pub(crate) mod backend;
mod changes;
mod connection;
mod driver;

use std::sync::Arc;

use rocket::time::OffsetDateTime;
use rocket_db_pools::sqlx;
use uuid::Uuid;

use self::backend::{SqlxBackend, SqlxConnections};
use self::connection::SqlxConnection;
use self::driver::{is_duplicate, lacks_epoch};
use super::connections::Lease;
use super::dialect::TableName;
use super::launch;
use super::literals::Value;
use super::lookup;
use super::sessions::{self, Listed, Subject};
use super::statements::Statements;
use super::writes::{self, Writer};
use crate::blocklist::database::batch::{Batcher, Reader};
use crate::blocklist::database::pool::{BlocklistPool, sealed};
use crate::blocklist::database::rows::{self, Row, Rows, Write};
use crate::blocklist::entry::{EntryKey, Revocation, TokenIds};
use crate::blocklist::exchange::{Exchange, Exchanged};
use crate::blocklist::replica::changes::{Changes, Cursor, ReplicableBlocklist};
use crate::blocklist::sessions::{Begun, Limit, NewSession, Recorded, Renewal};
use crate::blocklist::store::{Blocklist, SessionStore, Standing, StoreError};

/// A blocklist in a table of an SQLite, PostgreSQL, MySQL or MariaDB database, shared by all
/// servers.
///
/// `DB` is [`sqlx::Sqlite`], [`sqlx::Postgres`] or [`sqlx::MySql`], behind the features
/// `sqlx_sqlite`, `sqlx_postgres` and `sqlx_mysql`.
///
/// For a [database of `rocket_db_pools`](rocket_db_pools::Database), calling
/// [`JwtFairing::database_blocklist()`](crate::JwtFairing::database_blocklist) is enough. The
/// constructors here are for a pool that the application creates itself, or for another table.
///
/// The store opens its own connections with the options and hooks of the pool: at most eight, and
/// at most as many as the pool may have. It never uses the pool's connections, so a transaction
/// that the application left open cannot affect it, and it still works after the pool is closed. It
/// uses the pool itself only if a new connection would have another database (`:memory:` without a
/// shared cache).
///
/// # Example
///
/// ```rust
/// # #[cfg(feature = "sqlx_sqlite")] mod _inner {
/// use rocket_db_pools::sqlx;
/// use rocket_jwt_extended::blocklist::{SqlxBlocklist, StoreError};
///
/// async fn store(pool: sqlx::SqlitePool) -> Result<SqlxBlocklist<sqlx::Sqlite>, StoreError> {
///     let store = SqlxBlocklist::with_table(pool, "revoked_tokens")?;
///     store.create_table().await?;
///     Ok(store)
/// }
/// # }
/// ```
pub struct SqlxBlocklist<DB: SqlxBackend> {
    table: Arc<Table<DB>>,
    batcher: Batcher<Table<DB>>,
}

struct Table<DB: SqlxBackend> {
    connections: SqlxConnections<DB>,
    statements: Statements,
}

impl<DB: SqlxBackend> SqlxBlocklist<DB> {
    /// A store in the table `jwt_blocklist`, which must exist or be created with
    /// [`create_table()`](Self::create_table()).
    pub fn new(pool: sqlx::Pool<DB>) -> Self {
        Self::of(pool, &TableName::DEFAULT)
    }

    /// A store in a table with another name.
    ///
    /// # Errors
    ///
    /// If the name has other characters than ASCII letters, digits and `_`, begins with a digit, or
    /// is longer than 48 characters.
    pub fn with_table(pool: sqlx::Pool<DB>, table: &str) -> Result<Self, StoreError> {
        Ok(Self::of(pool, &TableName::new(table)?))
    }

    fn of(pool: sqlx::Pool<DB>, table: &TableName<'_>) -> Self {
        let (connections, max_in_flight) = connection::connections(pool);
        let table = Arc::new(Table { connections, statements: DB::statements(table) });
        Self { batcher: Batcher::new(table.clone(), max_in_flight), table }
    }

    /// Creates the table and its indexes if the table is missing, and tries to write an entry, of which
    /// nothing remains. If the table exists, the right to create tables is not needed.
    ///
    /// Several servers may call this at the same time.
    ///
    /// # Errors
    ///
    /// If the table, with all its columns, neither exists nor can be created, or if a right to read
    /// or write it is missing. A database that is currently read-only causes only a warning in the
    /// log.
    pub async fn create_table(&self) -> Result<(), StoreError> {
        let Table { connections, statements } = &*self.table;
        connections.opener().check()?;
        // The connection is not reused: a failure here may leave a transaction open.
        let mut lease = connections.open().await.map_err(StoreError::new)?;
        launch::set_up(&mut lease.connection, statements).await
    }

    /// The statements of this store, named after the methods that run them, for `EXPLAIN`.
    #[cfg(feature = "test-util")]
    pub fn statements(&self) -> Vec<(&'static str, &str)> {
        self.table.statements.named()
    }
}

#[rocket::async_trait]
impl<DB: SqlxBackend> Writer for Table<DB> {
    fn statements(&self) -> &Statements {
        &self.statements
    }

    /// Executes a write. If MySQL's epoch is missing, as its table was emptied, restores it and
    /// repeats the write.
    async fn write(&self, statement: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let result = match self.write_once(statement, values).await {
            Err(error) if self.has_repaired(&error).await? => {
                self.write_once(statement, values).await
            }
            result => result,
        };
        match result {
            // In MySQL, this error means that an INSERT had no effect.
            Err(error) if is_duplicate(&error) => Ok(0),
            result => result.map_err(StoreError::new),
        }
    }
}

impl<DB: SqlxBackend> Table<DB> {
    async fn listed(
        &self,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Listed>, StoreError> {
        let read = |mut lease: Lease<SqlxConnection<DB>>| async move {
            let rows = DB::listed(lease.connection.get(), statement, values).await;
            (lease, rows)
        };
        self.connections.run(read).await.map_err(StoreError::new)
    }

    /// Restores MySQL's epoch, if a write failed for the lack of it.
    async fn has_repaired(&self, error: &sqlx::Error) -> Result<bool, StoreError> {
        let Statements { repair: Some(repair), table, .. } = &self.statements else {
            return Ok(false);
        };
        if !lacks_epoch(error) {
            return Ok(false);
        }
        // A server that repairs it meanwhile does no harm. If it can't be repaired, the error of the repair
        // says why.
        self.write_once(repair, &[]).await.map_err(StoreError::new)?;
        log::warn!("JWT: the row of `{table}_epoch` was missing");
        Ok(true)
    }

    async fn write_once(&self, statement: &str, values: &[Value<'_>]) -> Result<u64, sqlx::Error> {
        let write = |mut lease: Lease<SqlxConnection<DB>>| async move {
            let written = DB::write(lease.connection.get(), statement, values);
            let written = written.await;
            (lease, written)
        };
        self.connections.run(write).await
    }
}

#[rocket::async_trait]
impl<DB: SqlxBackend> Reader for Table<DB> {
    async fn read(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError> {
        let Statements { standing, standing_and_role, .. } = &self.statements;
        let with_role = standing_and_role.as_ref().map(|lookup| lookup.keys(keys)).transpose()?;
        let with_role = with_role.map(|(statement, _)| statement);
        let (statement, keys) = standing.keys(keys)?;
        let keys = &*keys;
        let read = |mut lease: Lease<SqlxConnection<DB>>| async move {
            let statement = with_role.filter(|_| lease.connection.is_due()).unwrap_or(statement);
            let found = DB::read(lease.connection.get(), statement, keys).await;
            let rows = found.map(|found| {
                lease.connection.set_role(found.only_reads);
                found.rows
            });
            (lease, rows)
        };
        let rows = self.connections.run(read).await.map_err(StoreError::new)?;
        rows.into_iter().map(lookup::row).collect()
    }
}

#[rocket::async_trait]
impl<DB: SqlxBackend> Rows for SqlxBlocklist<DB> {
    async fn rows(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError> {
        self.batcher.rows(keys).await
    }

    async fn write(
        &self,
        key: &EntryKey,
        write: Write<'_>,
        exchange: &Exchange,
    ) -> Result<bool, StoreError> {
        writes::write(&*self.table, key, write, exchange).await
    }
}

#[rocket::async_trait]
impl<DB: SqlxBackend> Blocklist for SqlxBlocklist<DB> {
    async fn revoke(&self, entry: &Revocation) -> Result<bool, StoreError> {
        writes::revoke(&*self.table, entry).await
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

    async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        writes::prune(&*self.table, now).await
    }
}

#[rocket::async_trait]
impl<DB: SqlxBackend> SessionStore for SqlxBlocklist<DB> {
    async fn begin(
        &self,
        ids: &TokenIds<'_>,
        session: &NewSession<'_>,
        limit: Option<Limit>,
    ) -> Result<Begun, StoreError> {
        let Table { connections, statements, .. } = &*self.table;
        let subject = &Subject::of(ids)?;
        let begin = |mut lease: Lease<SqlxConnection<DB>>| async move {
            let connection = &mut lease.connection;
            let begun =
                sessions::begin(connection, &statements.sessions, subject, session, limit).await;
            (lease, begun)
        };
        match connections.run(begin).await {
            Err(error) if self.table.has_repaired(&error).await? => {
                connections.run(begin).await.map_err(StoreError::new)?
            }
            result => result.map_err(StoreError::new)?,
        }
    }

    async fn sessions(
        &self,
        ids: &TokenIds<'_>,
        now: OffsetDateTime,
    ) -> Result<Vec<Recorded>, StoreError> {
        let subject = Subject::of(ids)?;
        let values = subject.list_values(now);
        let rows = self.table.listed(&self.table.statements.sessions.list, &values);
        sessions::live(rows.await?, &subject, now)
    }

    async fn end_session(
        &self,
        ids: &TokenIds<'_>,
        session: Uuid,
        until: Option<OffsetDateTime>,
    ) -> Result<bool, StoreError> {
        sessions::end(&*self.table, &Subject::of(ids)?, session, until).await
    }

    async fn end_other_sessions(
        &self,
        ids: &TokenIds<'_>,
        until: Option<OffsetDateTime>,
    ) -> Result<Vec<Uuid>, StoreError> {
        let subject = Subject::of(ids)?;
        // This includes sessions whose tokens have expired, since this server's clock may be wrong.
        let values = subject.list_values(OffsetDateTime::UNIX_EPOCH);
        let rows = self.table.listed(&self.table.statements.sessions.all, &values).await?;
        sessions::end_others(&*self.table, &subject, rows, ids.session_key(), until).await
    }

    async fn renew(&self, ids: &TokenIds<'_>, renewal: &Renewal) -> Result<Standing, StoreError> {
        let touch = async |key: &EntryKey| sessions::touch(&*self.table, ids, key, renewal).await;
        rows::renew(self, ids, touch).await
    }
}

#[rocket::async_trait]
impl<DB: SqlxBackend> ReplicableBlocklist for SqlxBlocklist<DB> {
    async fn changes(&self, after: Option<&Cursor>) -> Result<Changes, StoreError> {
        DB::changes(&self.table.connections, &self.table.statements, after).await
    }
}

impl<DB: SqlxBackend> sealed::Sealed for sqlx::Pool<DB> {}

#[rocket::async_trait]
impl<DB: SqlxBackend> BlocklistPool for sqlx::Pool<DB> {
    async fn blocklist(&self) -> Result<Arc<dyn ReplicableBlocklist>, StoreError> {
        let store = SqlxBlocklist::new(self.clone());
        store.create_table().await?;
        Ok(Arc::new(store))
    }
}
