//! The store in an SQLite, PostgreSQL, MySQL or MariaDB database, through `sqlx`.

mod changes;
pub(crate) mod driver;

use std::sync::Arc;

use rocket::time::OffsetDateTime;
use rocket_db_pools::sqlx;

use self::driver::{is_duplicate, is_rolled_back, SqlxBackend, Value};
use super::retry::retry_rolled_back;
use super::statements::{self, Statements, TableName};
use crate::blocklist::database::batch::{Batcher, Reader};
use crate::blocklist::database::pool::{sealed, BlocklistPool};
use crate::blocklist::database::rows::{self, Row, Rows};
use crate::blocklist::entry::{EntryKey, Revocation, TokenIds};
use crate::blocklist::replica::changes::{Changes, Cursor, ReplicableBlocklist};
use crate::blocklist::store::{Blocklist, Standing, StoreError, UseUp};
use crate::clock;

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
    pool: sqlx::Pool<DB>,
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
        let max_in_flight = pool.options().get_max_connections() as usize;
        let table = Arc::new(Table { pool, statements: DB::DIALECT.statements(table) });
        Self { batcher: Batcher::new(table.clone(), max_in_flight), table }
    }

    /// Creates the table and its indexes if the table is missing. If it exists, the right to create
    /// tables is not needed.
    ///
    /// Several servers may call this at the same time.
    ///
    /// # Errors
    ///
    /// If the table, with all its columns, neither exists nor can be created.
    pub async fn create_table(&self) -> Result<(), StoreError> {
        let Table { pool, statements } = &*self.table;
        if DB::run(pool, &statements.probe).await.is_ok() {
            return Ok(());
        }
        let created = DB::run(pool, &statements.create).await;
        // In PostgreSQL, IF NOT EXISTS can fail when two servers create the table at the same time,
        // so only whether the table exists afterwards counts.
        match DB::run(pool, &statements.probe).await {
            Ok(()) => Ok(()),
            Err(missing) => Err(StoreError::new(created.err().unwrap_or(missing))),
        }
    }

    /// The statements of this store, named after the methods that run them, for `EXPLAIN`.
    #[cfg(feature = "test-util")]
    pub fn statements(&self) -> [(&'static str, &str); 5] {
        self.table.statements.named()
    }
}

impl<DB: SqlxBackend> Table<DB> {
    async fn write(&self, statement: &str, values: &[Value]) -> Result<u64, sqlx::Error> {
        retry_rolled_back(|| DB::write(&self.pool, statement, values), is_rolled_back).await
    }
}

#[rocket::async_trait]
impl<DB: SqlxBackend> Reader for Table<DB> {
    async fn read(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError> {
        let (statement, keys) = self.statements.standing.keys(keys)?;
        let read = || DB::read(&self.pool, statement, &keys);
        let rows = retry_rolled_back(read, is_rolled_back).await.map_err(StoreError::new)?;
        rows.into_iter().map(statements::row).collect()
    }
}

#[rocket::async_trait]
impl<DB: SqlxBackend> Rows for SqlxBlocklist<DB> {
    async fn rows(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError> {
        self.batcher.rows(keys).await
    }

    async fn mark_used(&self, key: EntryKey, now: i64, until: i64) -> Result<bool, StoreError> {
        let values = [Value::Key(key), Value::Int(Some(now)), Value::Int(Some(until))];
        match self.table.write(&self.table.statements.use_up, &values).await {
            Ok(inserted) => Ok(inserted == 1),
            Err(error) if is_duplicate(&error) => Ok(false),
            Err(error) => Err(StoreError::new(error)),
        }
    }
}

#[rocket::async_trait]
impl<DB: SqlxBackend> Blocklist for SqlxBlocklist<DB> {
    async fn revoke(&self, entry: &Revocation) -> Result<(), StoreError> {
        let values = [
            Value::Key(entry.key()),
            Value::Bool(entry.cut_off().is_none()),
            Value::Int(entry.cut_off().map(clock::millis)),
            Value::Int(entry.until().map(clock::millis)),
        ];
        self.table.write(&self.table.statements.revoke, &values).await.map_err(StoreError::new)?;
        Ok(())
    }

    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        rows::standing(self, ids).await
    }

    async fn use_up(
        &self,
        ids: &TokenIds<'_>,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<UseUp, StoreError> {
        rows::use_up(self, ids, now, until).await
    }

    async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        let values = [Value::Int(Some(clock::millis(now)))];
        let mut removed = 0;
        loop {
            let batch = self.table.write(&self.table.statements.prune, &values).await;
            let batch = batch.map_err(StoreError::new)?;
            removed += batch;
            if batch < statements::BATCH {
                return Ok(removed);
            }
        }
    }
}

#[rocket::async_trait]
impl<DB: SqlxBackend> ReplicableBlocklist for SqlxBlocklist<DB> {
    async fn changes(&self, after: Option<&Cursor>) -> Result<Changes, StoreError> {
        DB::changes(&self.table.pool, &self.table.statements.table, after).await
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
