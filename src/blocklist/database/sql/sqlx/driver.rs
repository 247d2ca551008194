//! The databases of `sqlx`, behind the few operations the store needs.
//!
//! Code that is generic over `sqlx::Database` would need a dozen bounds wherever the store is
//! named; here the same bodies are compiled once for each driver.

use rocket::tokio;
use rocket_db_pools::sqlx::pool::PoolConnection;
use rocket_db_pools::sqlx::{self, Executor, Row as _};

use crate::blocklist::database::sql::retry;
use crate::blocklist::database::sql::statements::{Columns, Statements, TableName};
use crate::blocklist::entry::EntryKey;
use crate::blocklist::replica::changes::{Changes, Cursor};
use crate::blocklist::store::StoreError;

/// A value bound to a statement's parameter.
#[derive(Clone, Copy)]
pub enum Value {
    Key(EntryKey),
    Bool(bool),
    Int(Option<i64>),
}

/// The SQL dialect of a database.
#[derive(Clone, Copy)]
pub enum Dialect {
    #[cfg(feature = "sqlx_sqlite")]
    Sqlite,
    #[cfg(feature = "sqlx_postgres")]
    Postgres,
    #[cfg(feature = "sqlx_mysql")]
    MySql,
}

impl Dialect {
    pub(super) fn statements(self, table: &TableName<'_>) -> Statements {
        match self {
            #[cfg(feature = "sqlx_sqlite")]
            Dialect::Sqlite => Statements::sqlite(table),
            #[cfg(feature = "sqlx_postgres")]
            Dialect::Postgres => Statements::postgres(table),
            #[cfg(feature = "sqlx_mysql")]
            Dialect::MySql => Statements::mysql(table),
        }
    }
}

/// A database of `sqlx` that can hold a [`SqlxBlocklist`](super::SqlxBlocklist). This trait is
/// sealed; it is implemented for [`sqlx::Sqlite`], [`sqlx::Postgres`] and [`sqlx::MySql`].
pub trait SqlxBackend: sqlx::Database + Operations + ReadChanges {}

/// Reads the changes of a table. Each database has an implementation in `changes`.
#[rocket::async_trait]
pub trait ReadChanges: sqlx::Database {
    async fn changes(
        pool: &sqlx::Pool<Self>,
        table: &str,
        after: Option<&Cursor>,
    ) -> Result<Changes, StoreError>;
}

#[rocket::async_trait]
pub trait Operations: sqlx::Database {
    const DIALECT: Dialect;

    /// Runs statements without parameters, as one transaction where the database supports that.
    async fn run(pool: &sqlx::Pool<Self>, statements: &str) -> Result<(), sqlx::Error>;

    /// Runs one statement, and returns the number of rows it wrote.
    async fn write(
        pool: &sqlx::Pool<Self>,
        statement: &str,
        values: &[Value],
    ) -> Result<u64, sqlx::Error>;

    /// Runs one lookup of these keys.
    async fn read(
        pool: &sqlx::Pool<Self>,
        statement: &str,
        keys: &[EntryKey],
    ) -> Result<Vec<Columns>, sqlx::Error>;
}

/// Gets a connection from the pool.
///
/// A new connection is opened in a task of its own: if this request is cancelled, the connection
/// serves the next one. Otherwise, if opening a connection takes longer than a request waits, as it
/// may when all servers reconnect to a database together, none would ever be opened.
async fn connection<DB: sqlx::Database>(
    pool: &sqlx::Pool<DB>,
) -> Result<PoolConnection<DB>, sqlx::Error> {
    let acquire = pool.acquire();
    let is_full = pool.size() >= pool.options().get_max_connections();
    if is_full || pool.num_idle() > 0 {
        return acquire.await;
    }
    tokio::spawn(acquire).await.unwrap_or(Err(sqlx::Error::WorkerCrashed))
}

pub(super) fn is_rolled_back(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| retry::is_rollback(&code))
}

pub(super) fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.is_unique_violation())
}

/// A parameter for each key.
#[cfg(any(feature = "sqlx_sqlite", feature = "sqlx_mysql"))]
macro_rules! by_parameters {
    ($statement:ident, $keys:ident) => {{
        let mut query = sqlx::query($statement);
        for key in $keys {
            query = query.bind(&key[..]);
        }
        query
    }};
}

/// All keys in one parameter.
#[cfg(feature = "sqlx_postgres")]
macro_rules! by_array {
    ($statement:ident, $keys:ident) => {
        sqlx::query($statement).bind($keys)
    };
}

macro_rules! backend {
    ($database:ident, $bind:ident) => {
        impl SqlxBackend for sqlx::$database {}

        #[rocket::async_trait]
        impl Operations for sqlx::$database {
            const DIALECT: Dialect = Dialect::$database;

            async fn run(pool: &sqlx::Pool<Self>, statements: &str) -> Result<(), sqlx::Error> {
                let mut transaction = pool.begin().await?;
                transaction.execute(statements).await?;
                transaction.commit().await
            }

            async fn write(
                pool: &sqlx::Pool<Self>,
                statement: &str,
                values: &[Value],
            ) -> Result<u64, sqlx::Error> {
                let mut query = sqlx::query(statement);
                for value in values {
                    query = match value {
                        Value::Key(key) => query.bind(&key[..]),
                        Value::Bool(value) => query.bind(*value),
                        Value::Int(value) => query.bind(*value),
                    };
                }
                let mut connection = connection(pool).await?;
                Ok(query.execute(&mut *connection).await?.rows_affected())
            }

            async fn read(
                pool: &sqlx::Pool<Self>,
                statement: &str,
                keys: &[EntryKey],
            ) -> Result<Vec<Columns>, sqlx::Error> {
                let query = $bind!(statement, keys);
                let mut connection = connection(pool).await?;
                let rows = query.fetch_all(&mut *connection).await?;
                let columns = rows.iter().map(|row| {
                    let fields = || -> Result<_, sqlx::Error> {
                        Ok((row.try_get(1)?, row.try_get(2)?, row.try_get(3)?))
                    };
                    Ok((row.try_get(0)?, fields().ok()))
                });
                columns.collect()
            }
        }
    };
}

#[cfg(feature = "sqlx_sqlite")]
backend!(Sqlite, by_parameters);
#[cfg(feature = "sqlx_postgres")]
backend!(Postgres, by_array);
#[cfg(feature = "sqlx_mysql")]
backend!(MySql, by_parameters);
