//! The store in a PostgreSQL database, through `deadpool_postgres`.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use rocket::time::OffsetDateTime;
use rocket::tokio;
use rocket_db_pools::deadpool_postgres::tokio_postgres::{self, types::ToSql};
use rocket_db_pools::deadpool_postgres::{Client, Pool, PoolError};

use super::gather::{Gatherer, Reader};
use super::retry;
use super::shared::{self, Row, Rows};
use super::statements::{self, Columns, Statements, TableName};
use super::{Blocklist, EntryKey, Revocation, Standing, StoreError, TokenIds, UseUp};
use crate::clock;

mod feed;

/// A blocklist in a table of a PostgreSQL database, which all servers share.
///
/// The table and its statements are those of `SqlxBlocklist<sqlx::Postgres>`: servers with either
/// driver share one.
///
/// A [database of `rocket_db_pools`](rocket_db_pools::Database) needs no more than
/// [`JwtFairing::database_blocklist()`](crate::JwtFairing::database_blocklist). The constructors
/// here are for a pool made by hand, or for another table.
pub struct PostgresBlocklist {
    table: Arc<Table>,
    questions: Gatherer<Table>,
}

struct Table {
    pool: Pool,
    statements: Statements,
}

impl PostgresBlocklist {
    /// A store in the table `jwt_blocklist`, which must be there or be made by
    /// [`create_table()`](Self::create_table()).
    pub fn new(pool: Pool) -> Self {
        Self::of(pool, &TableName::DEFAULT)
    }

    /// A store in a table of another name.
    ///
    /// # Errors
    ///
    /// When the name is not of ASCII letters, digits and `_`, begins with a digit, or is longer
    /// than 48.
    pub fn with_table(pool: Pool, table: &str) -> Result<Self, StoreError> {
        Ok(Self::of(pool, &TableName::new(table)?))
    }

    fn of(pool: Pool, table: &TableName<'_>) -> Self {
        let lanes = pool.status().max_size;
        let table = Arc::new(Table { pool, statements: Statements::postgres(table) });
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
        let statements = &self.table.statements;
        let connection = self.table.connection().await?;
        if connection.batch_execute(&statements.probe).await.is_ok() {
            return Ok(());
        }
        // Several statements sent as one are one transaction.
        let created = connection.batch_execute(&statements.create).await;
        // IF NOT EXISTS fails where two servers create at the same time, so what counts is whether
        // the table is there afterwards.
        match connection.batch_execute(&statements.probe).await {
            Ok(()) => Ok(()),
            Err(missing) => Err(Failure::Refused(created.err().unwrap_or(missing)).into()),
        }
    }

    /// The statements this store runs, by the name of the method that does, for `EXPLAIN`.
    #[cfg(feature = "test-util")]
    pub fn statements(&self) -> [(&'static str, &str); 5] {
        self.table.statements.named()
    }
}

impl Table {
    /// A connection of the pool. One that is still to be opened is opened in a task of its own: if
    /// this request stops waiting, the connection serves the next. Otherwise, where opening one
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
        Ok(retry::persist(run, Failure::is_rolled_back).await?)
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
        let rows = retry::persist(read, Failure::is_rolled_back).await?;
        rows.into_iter().map(statements::row).collect()
    }
}

#[rocket::async_trait]
impl Rows for PostgresBlocklist {
    async fn rows(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError> {
        self.questions.ask(keys).await
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

/// Why there is no answer.
#[derive(Debug)]
enum Failure {
    NoConnection(PoolError),
    Refused(tokio_postgres::Error),
}

impl Failure {
    fn is_rolled_back(&self) -> bool {
        let Failure::Refused(error) = self else { return false };
        error.code().is_some_and(|state| retry::is_rollback(state.code()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = match self {
            // Its own text would be "error occurred while creating a new object".
            Failure::NoConnection(PoolError::Backend(error)) => error,
            Failure::NoConnection(error) => return write!(f, "no connection: {error}"),
            Failure::Refused(error) => error,
        };
        // The driver's text is no more than "db error"; what the server said is its source.
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
            Failure::Refused(error) => error,
        })
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Failure::Refused(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        StoreError::new(failure)
    }
}
