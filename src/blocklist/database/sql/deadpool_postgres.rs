//! The store in a PostgreSQL database, through `deadpool_postgres`.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use rocket::time::OffsetDateTime;
use rocket::tokio;
use rocket_db_pools::deadpool_postgres::tokio_postgres::{self, types::ToSql};
use rocket_db_pools::deadpool_postgres::{Client, Pool, PoolError};

use super::changes_postgres::{change_row, ChangeQueries, ChangeRow, Driver, Param};
use super::retry::{self, retry_rolled_back};
use super::statements::{self, Columns, Statements, TableName};
use crate::blocklist::database::batch::{Batcher, Reader};
use crate::blocklist::database::pool::{sealed, BlocklistPool};
use crate::blocklist::database::rows::{self, Row, Rows};
use crate::blocklist::entry::{EntryKey, Revocation, TokenIds};
use crate::blocklist::replica::changes::{Changes, Cursor, ReplicableBlocklist};
use crate::blocklist::store::{Blocklist, Standing, StoreError, UseUp};
use crate::clock;

/// A blocklist in a table of a PostgreSQL database, shared by all servers.
///
/// The table and its statements are those of `SqlxBlocklist<sqlx::Postgres>`, so servers with
/// either driver can share one table.
///
/// For a [database of `rocket_db_pools`](rocket_db_pools::Database), calling
/// [`JwtFairing::database_blocklist()`](crate::JwtFairing::database_blocklist) is enough. The
/// constructors here are for a pool that the application creates itself, or for another table.
pub struct PostgresBlocklist {
    table: Arc<Table>,
    batcher: Batcher<Table>,
}

struct Table {
    pool: Pool,
    statements: Statements,
}

impl PostgresBlocklist {
    /// A store in the table `jwt_blocklist`, which must exist or be created with
    /// [`create_table()`](Self::create_table()).
    pub fn new(pool: Pool) -> Self {
        Self::of(pool, &TableName::DEFAULT)
    }

    /// A store in a table with another name.
    ///
    /// # Errors
    ///
    /// If the name has other characters than ASCII letters, digits and `_`, begins with a digit, or
    /// is longer than 48 characters.
    pub fn with_table(pool: Pool, table: &str) -> Result<Self, StoreError> {
        Ok(Self::of(pool, &TableName::new(table)?))
    }

    fn of(pool: Pool, table: &TableName<'_>) -> Self {
        let max_in_flight = pool.status().max_size;
        let table = Arc::new(Table { pool, statements: Statements::postgres(table) });
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
        let statements = &self.table.statements;
        let connection = self.table.connection().await?;
        if connection.batch_execute(&statements.probe).await.is_ok() {
            return Ok(());
        }
        // Several statements in one message run as one transaction.
        let created = connection.batch_execute(&statements.create).await;
        // IF NOT EXISTS can fail when two servers create the table at the same time, so only
        // whether the table exists afterwards counts.
        match connection.batch_execute(&statements.probe).await {
            Ok(()) => Ok(()),
            Err(missing) => Err(Failure::Postgres(created.err().unwrap_or(missing)).into()),
        }
    }

    /// The statements of this store, named after the methods that run them, for `EXPLAIN`.
    #[cfg(feature = "test-util")]
    pub fn statements(&self) -> [(&'static str, &str); 5] {
        self.table.statements.named()
    }
}

impl Table {
    /// Gets a connection from the pool. A new connection is opened in a task of its own: if this
    /// request is cancelled, the connection serves the next one. Otherwise, if opening a connection
    /// takes longer than a request waits, none would ever be opened.
    async fn connection(&self) -> Result<Client, Failure> {
        let status = self.pool.status();
        let connection = if status.available > 0 || status.size >= status.max_size {
            self.pool.get().await
        } else {
            let pool = self.pool.clone();
            let opened = tokio::spawn(async move { pool.get().await });
            opened.await.unwrap_or(Err(PoolError::Closed))
        };
        connection.map_err(Failure::NoConnection)
    }

    async fn write(
        &self,
        statement: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, StoreError> {
        let run = || async {
            let connection = self.connection().await?;
            let statement = connection.prepare_cached(statement).await?;
            Ok(connection.execute(&statement, values).await?)
        };
        Ok(retry_rolled_back(run, Failure::is_rolled_back).await?)
    }

    async fn columns(&self, statement: &str, keys: &[&[u8]]) -> Result<Vec<Columns>, Failure> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(statement).await?;
        let rows = connection.query(&statement, &[&keys]).await?;
        let columns = rows.iter().map(|row| {
            let fields = || Ok::<_, Failure>((row.try_get(1)?, row.try_get(2)?, row.try_get(3)?));
            Ok((row.try_get(0)?, fields().ok()))
        });
        columns.collect()
    }
}

#[rocket::async_trait]
impl Reader for Table {
    async fn read(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError> {
        let (statement, keys) = self.statements.standing.keys(keys)?;
        let keys: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
        let read = || self.columns(statement, &keys);
        let rows = retry_rolled_back(read, Failure::is_rolled_back).await?;
        rows.into_iter().map(statements::row).collect()
    }
}

#[rocket::async_trait]
impl Rows for PostgresBlocklist {
    async fn rows(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError> {
        self.batcher.rows(keys).await
    }

    async fn mark_used(&self, key: EntryKey, now: i64, until: i64) -> Result<bool, StoreError> {
        let inserted =
            self.table.write(&self.table.statements.use_up, &[&&key[..], &now, &until]).await?;
        Ok(inserted == 1)
    }
}

#[rocket::async_trait]
impl Blocklist for PostgresBlocklist {
    async fn revoke(&self, entry: &Revocation) -> Result<(), StoreError> {
        let key = entry.key();
        let revoked = entry.cut_off().is_none();
        let cut_off = entry.cut_off().map(clock::millis);
        let expires = entry.until().map(clock::millis);
        self.table
            .write(&self.table.statements.revoke, &[&&key[..], &revoked, &cut_off, &expires])
            .await?;
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
        let now = clock::millis(now);
        let mut removed = 0;
        loop {
            let batch = self.table.write(&self.table.statements.prune, &[&now]).await?;
            removed += batch;
            if batch < statements::BATCH {
                return Ok(removed);
            }
        }
    }
}

#[rocket::async_trait]
impl ReplicableBlocklist for PostgresBlocklist {
    async fn changes(&self, after: Option<&Cursor>) -> Result<Changes, StoreError> {
        ChangeQueries::new(&self.table.statements.table).page_after(&*self.table, after).await
    }
}

#[rocket::async_trait]
impl Driver for Table {
    async fn query(&self, statement: &str, params: &[Param]) -> Result<Vec<ChangeRow>, StoreError> {
        let params: Vec<&(dyn ToSql + Sync)> = params
            .iter()
            .map(|param| match param {
                Param::Int(int) => int as &(dyn ToSql + Sync),
                Param::Key(key) => key as &(dyn ToSql + Sync),
            })
            .collect();
        let read = || async {
            let connection = self.connection().await?;
            let statement = connection.prepare_cached(statement).await?;
            let rows = connection.query(&statement, &params).await?;
            let rows = rows.iter().map(|row| Ok(change_row!(row)));
            rows.collect::<Result<Vec<_>, Failure>>()
        };
        Ok(retry_rolled_back(read, Failure::is_rolled_back).await?)
    }
}

impl sealed::Sealed for Pool {}

#[rocket::async_trait]
impl BlocklistPool for Pool {
    async fn blocklist(&self) -> Result<Arc<dyn ReplicableBlocklist>, StoreError> {
        let store = PostgresBlocklist::new(self.clone());
        store.create_table().await?;
        Ok(Arc::new(store))
    }
}

/// Why an operation failed.
#[derive(Debug)]
enum Failure {
    NoConnection(PoolError),
    Postgres(tokio_postgres::Error),
}

impl Failure {
    fn is_rolled_back(&self) -> bool {
        let Failure::Postgres(error) = self else { return false };
        error.code().is_some_and(|state| retry::is_rollback(state.code()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = match self {
            // The text of `PoolError` would be "error occurred while creating a new object".
            Failure::NoConnection(PoolError::Backend(error)) => error,
            Failure::NoConnection(error) => return write!(f, "no connection: {error}"),
            Failure::Postgres(error) => error,
        };
        // The driver's text is only "db error"; the server's message is its source.
        match error.source() {
            Some(source) => write!(f, "{error}: {source}"),
            None => error.fmt(f),
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(match self {
            Failure::NoConnection(error) => error,
            Failure::Postgres(error) => error,
        })
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Failure::Postgres(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        StoreError::new(failure)
    }
}
