//! The store in an SQLite, PostgreSQL, MySQL or MariaDB database, through `sqlx`.

use std::sync::Arc;

use rocket::time::OffsetDateTime;
use rocket_db_pools::sqlx;

use super::gather::{Gatherer, Reader};
use super::retry;
use super::shared::{self, Row, Rows};
use super::statements::{self, Statements, TableName};
use super::{Blocklist, EntryKey, Revocation, Standing, StoreError, TokenIds, UseUp};
use crate::clock;

mod backend;
mod feed;

use backend::Value;

pub use backend::SqlxBackend;

/// A blocklist in a table of an SQLite, PostgreSQL, MySQL or MariaDB database, which all servers
/// share.
///
/// `DB` is [`sqlx::Sqlite`], [`sqlx::Postgres`] or [`sqlx::MySql`], each behind the feature of its
/// name: `sqlx_sqlite`, `sqlx_postgres`, `sqlx_mysql`.
///
/// A [database of `rocket_db_pools`](rocket_db_pools::Database) needs no more than
/// [`JwtFairing::database_blocklist()`](crate::JwtFairing::database_blocklist). The constructors
/// here are for a pool made by hand, or for another table.
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
    questions: Gatherer<Table<DB>>,
}

struct Table<DB: SqlxBackend> {
    pool: sqlx::Pool<DB>,
    statements: Statements,
}

impl<DB: SqlxBackend> SqlxBlocklist<DB> {
    /// A store in the table `jwt_blocklist`, which must be there or be made by
    /// [`create_table()`](Self::create_table()).
    pub fn new(pool: sqlx::Pool<DB>) -> Self {
        Self::of(pool, &TableName::DEFAULT)
    }

    /// A store in a table of another name.
    ///
    /// # Errors
    ///
    /// When the name is not of ASCII letters, digits and `_`, begins with a digit, or is longer
    /// than 48.
    pub fn with_table(pool: sqlx::Pool<DB>, table: &str) -> Result<Self, StoreError> {
        Ok(Self::of(pool, &TableName::new(table)?))
    }

    fn of(pool: sqlx::Pool<DB>, table: &TableName<'_>) -> Self {
        let lanes = pool.options().get_max_connections() as usize;
        let table = Arc::new(Table { pool, statements: DB::DIALECT.statements(table) });
        Self { questions: Gatherer::new(table.clone(), lanes), table }
    }

    /// Creates the table and its indexes if the table is missing. Where it is there already, no
    /// right to create anything is needed.
    ///
    /// Several servers may do so at the same time.
    ///
    /// # Errors
    ///
    /// When the table is neither there, with all its columns, nor can be created.
    pub async fn create_table(&self) -> Result<(), StoreError> {
        let Table { pool, statements } = &*self.table;
        if DB::run(pool, &statements.probe).await.is_ok() {
            return Ok(());
        }
        let created = DB::run(pool, &statements.create).await;
        // IF NOT EXISTS fails in PostgreSQL where two servers create at the same time, so what
        // counts is whether the table is there afterwards.
        match DB::run(pool, &statements.probe).await {
            Ok(()) => Ok(()),
            Err(missing) => Err(StoreError::new(created.err().unwrap_or(missing))),
        }
    }

    /// The statements this store runs, by the name of the method that does, for `EXPLAIN`.
    #[cfg(feature = "test-util")]
    pub fn statements(&self) -> [(&'static str, &str); 5] {
        self.table.statements.named()
    }
}

impl<DB: SqlxBackend> Table<DB> {
    async fn write(&self, statement: &str, values: &[Value]) -> Result<u64, sqlx::Error> {
        retry::persist(|| DB::write(&self.pool, statement, values), is_rolled_back).await
    }
}

#[rocket::async_trait]
impl<DB: SqlxBackend> Reader for Table<DB> {
    async fn read(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError> {
        let (statement, keys) = self.statements.standing.keys(keys)?;
        let read = || DB::read(&self.pool, statement, &keys);
        let rows = retry::persist(read, is_rolled_back).await.map_err(StoreError::new)?;
        rows.into_iter().map(statements::row).collect()
    }
}

#[rocket::async_trait]
impl<DB: SqlxBackend> Rows for SqlxBlocklist<DB> {
    async fn rows(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError> {
        self.questions.ask(keys).await
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

fn is_rolled_back(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| retry::is_rollback(&code))
}

fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.is_unique_violation())
}
