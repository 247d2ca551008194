//! The few operations that the store needs, for each database of `sqlx`.
//!
//! Code that is generic over `sqlx::Database` would need a dozen bounds wherever the store is
//! named; here the same bodies are compiled once for each driver.

use std::path::PathBuf;

use rocket_db_pools::sqlx::{self, Connection, Executor, Row as _};

use crate::blocklist::database::sql::dialect::TableName;
use crate::blocklist::database::sql::launch::Fault;
#[cfg(feature = "sqlx_postgres")]
use crate::blocklist::database::sql::literals::Style;
use crate::blocklist::database::sql::literals::Value;
#[cfg(feature = "sqlx_mysql")]
use crate::blocklist::database::sql::lookup::COLUMNS;
use crate::blocklist::database::sql::lookup::{Columns, columns};
use crate::blocklist::database::sql::retry::Verdict;
#[cfg(any(feature = "sqlx_postgres", feature = "sqlx_mysql"))]
use crate::blocklist::database::sql::retry::verdict_on;
use crate::blocklist::database::sql::sessions::{Listed, listed};
use crate::blocklist::database::sql::statements::Statements;
use crate::blocklist::entry::EntryKey;

#[rocket::async_trait]
pub trait Operations: sqlx::Database {
    fn statements(table: &TableName<'_>) -> Statements;

    /// Whether another connection with these options has another database.
    fn is_private(_options: &<Self::Connection as Connection>::Options) -> bool {
        false
    }

    /// Whether the database ends with its last connection.
    fn is_volatile(_options: &<Self::Connection as Connection>::Options) -> bool {
        false
    }

    /// The database's file, if it is one.
    fn file(_options: &<Self::Connection as Connection>::Options) -> Option<PathBuf> {
        None
    }

    /// Makes each statement on a new connection a separate transaction.
    async fn prepare_session(_connection: &mut Self::Connection) -> Result<(), sqlx::Error> {
        Ok(())
    }

    /// Runs statements without parameters.
    async fn run(connection: &mut Self::Connection, statements: &str) -> Result<(), sqlx::Error>;

    /// The role, in the form that `GRANT` needs.
    async fn role(connection: &mut Self::Connection) -> Result<Option<String>, sqlx::Error>;

    /// Runs one statement, and returns the number of rows it wrote.
    async fn write(
        connection: &mut Self::Connection,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<u64, sqlx::Error>;

    /// Runs one lookup of these keys.
    async fn read(
        connection: &mut Self::Connection,
        statement: &str,
        keys: &[EntryKey],
    ) -> Result<Found, sqlx::Error>;

    /// Reads a list of sessions.
    async fn listed(
        connection: &mut Self::Connection,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Listed>, sqlx::Error>;

    fn verdict(error: &dyn sqlx::error::DatabaseError) -> Verdict;

    fn fault(error: &dyn sqlx::error::DatabaseError) -> Fault;
}

/// The result of a lookup.
pub struct Found {
    pub(super) rows: Vec<Columns>,
    /// Whether the server is read-only, if that was queried.
    pub(super) only_reads: Option<bool>,
}

pub(super) fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.is_unique_violation())
}

/// The columns of a row of a lookup.
macro_rules! row {
    ($row:ident) => {{
        let fields = || -> Result<_, sqlx::Error> { Ok(columns!($row)) };
        Ok::<Columns, sqlx::Error>(($row.try_get(0)?, fields().ok()))
    }};
}

/// A prepared statement with its values.
#[cfg(any(feature = "sqlx_sqlite", feature = "sqlx_mysql"))]
macro_rules! prepared {
    ($statement:ident, $values:ident) => {{
        let mut query = sqlx::query($statement);
        for value in $values {
            query = match *value {
                Value::Key(key) => query.bind(key),
                Value::Bytes(bytes) => query.bind(bytes),
                Value::Bool(value) => query.bind(value),
                Value::Int(value) => query.bind(value),
                // Only PostgreSQL has arrays.
                #[cfg(any(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
                Value::Keys(_) => query.bind(None::<i64>),
            };
        }
        query
    }};
}

/// The sessions in the rows of a list.
macro_rules! sessions {
    ($rows:ident) => {
        $rows.iter().map(|row| Ok(listed!(row))).collect()
    };
}

/// The rows of a lookup with a prepared statement.
#[cfg(any(feature = "sqlx_sqlite", feature = "sqlx_mysql"))]
macro_rules! read_prepared {
    ($connection:ident, $statement:ident, $keys:ident) => {{
        let mut query = sqlx::query($statement);
        for key in $keys {
            query = query.bind(&key[..]);
        }
        query.fetch_all($connection).await?
    }};
}

/// The result. These databases need no query for the role: a demoted primary does not keep its
/// connections.
#[cfg(any(feature = "sqlx_sqlite", feature = "sqlx_postgres"))]
macro_rules! found {
    ($rows:ident) => {{
        let rows = $rows.iter().map(|row| row!(row)).collect::<Result<_, sqlx::Error>>()?;
        Ok(Found { rows, only_reads: None })
    }};
}

/// The options have no accessors for these.
#[cfg(feature = "sqlx_sqlite")]
fn has_parameter(options: &sqlx::sqlite::SqliteConnectOptions, key: &str, value: &str) -> bool {
    let url = sqlx::ConnectOptions::to_url_lossy(options);
    url.query_pairs().any(|(name, other)| name == key && other == value)
}

#[cfg(feature = "sqlx_sqlite")]
#[rocket::async_trait]
impl Operations for sqlx::Sqlite {
    fn statements(table: &TableName<'_>) -> Statements {
        Statements::sqlite(table)
    }

    fn is_volatile(options: &sqlx::sqlite::SqliteConnectOptions) -> bool {
        has_parameter(options, "mode", "memory")
    }

    /// Whether this is a database in memory without a shared cache. The URL `sqlite::memory:` has a
    /// shared cache; otherwise SQLite shares one only for a URI.
    fn is_private(options: &sqlx::sqlite::SqliteConnectOptions) -> bool {
        let name = options.clone().get_filename();
        let name = name.to_string_lossy();
        name.is_empty()
            || name == ":memory:"
            || (Self::is_volatile(options)
                && (!name.starts_with("file:") || has_parameter(options, "cache", "private")))
    }

    fn file(options: &sqlx::sqlite::SqliteConnectOptions) -> Option<PathBuf> {
        (!Self::is_volatile(options)).then(|| options.clone().get_filename().into_owned())
    }

    /// A transaction, unless the statements begin one themselves.
    async fn run(connection: &mut Self::Connection, statements: &str) -> Result<(), sqlx::Error> {
        if ["BEGIN", "COMMIT", "ROLLBACK"].iter().any(|first| statements.starts_with(first)) {
            return connection.execute(statements).await.map(|_| ());
        }
        let mut transaction = connection.begin().await?;
        transaction.execute(statements).await?;
        transaction.commit().await
    }

    async fn role(_connection: &mut Self::Connection) -> Result<Option<String>, sqlx::Error> {
        Ok(None)
    }

    async fn write(
        connection: &mut Self::Connection,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<u64, sqlx::Error> {
        Ok(prepared!(statement, values).execute(connection).await?.rows_affected())
    }

    async fn read(
        connection: &mut Self::Connection,
        statement: &str,
        keys: &[EntryKey],
    ) -> Result<Found, sqlx::Error> {
        let rows = read_prepared!(connection, statement, keys);
        found!(rows)
    }

    async fn listed(
        connection: &mut Self::Connection,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Listed>, sqlx::Error> {
        let rows = prepared!(statement, values).fetch_all(connection).await?;
        sessions!(rows)
    }

    /// Read-only: the file was replaced or moved, or another process has to restore it.
    fn verdict(error: &dyn sqlx::error::DatabaseError) -> Verdict {
        match Self::fault(error) {
            Fault::ReadOnlyFile => Verdict::Refused,
            _ => Verdict::Failed,
        }
    }

    fn fault(error: &dyn sqlx::error::DatabaseError) -> Fault {
        // The lowest byte of an extended result code is the primary one.
        let code = error.code().and_then(|code| code.parse::<i32>().ok());
        match code.map(|code| code & 0xff) {
            Some(8) => Fault::ReadOnlyFile,
            _ => Fault::Other,
        }
    }
}

/// Each statement is one message with its values in it: see [`literals`](super::super::literals).
#[cfg(feature = "sqlx_postgres")]
#[rocket::async_trait]
impl Operations for sqlx::Postgres {
    fn statements(table: &TableName<'_>) -> Statements {
        Statements::postgres(table)
    }

    /// Several statements in one message are one transaction.
    async fn run(connection: &mut Self::Connection, statements: &str) -> Result<(), sqlx::Error> {
        connection.execute(statements).await.map(|_| ())
    }

    async fn role(connection: &mut Self::Connection) -> Result<Option<String>, sqlx::Error> {
        connection.fetch_one("SELECT quote_ident(current_user)").await?.try_get(0)
    }

    async fn write(
        connection: &mut Self::Connection,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<u64, sqlx::Error> {
        let text = Style::Postgres.inline(statement, values);
        Ok(connection.execute(&*text).await?.rows_affected())
    }

    async fn read(
        connection: &mut Self::Connection,
        statement: &str,
        keys: &[EntryKey],
    ) -> Result<Found, sqlx::Error> {
        let keys = [Value::Keys(keys)];
        let text = Style::Postgres.inline(statement, &keys);
        let rows = connection.fetch_all(&*text).await?;
        found!(rows)
    }

    async fn listed(
        connection: &mut Self::Connection,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Listed>, sqlx::Error> {
        let text = Style::Postgres.inline(statement, values);
        let rows = connection.fetch_all(&*text).await?;
        sessions!(rows)
    }

    fn verdict(error: &dyn sqlx::error::DatabaseError) -> Verdict {
        error.code().map_or(Verdict::Failed, |code| verdict_on(&code))
    }

    fn fault(error: &dyn sqlx::error::DatabaseError) -> Fault {
        error.code().map_or(Fault::Other, |code| Fault::of_postgres(&code))
    }
}

#[cfg(feature = "sqlx_mysql")]
#[rocket::async_trait]
impl Operations for sqlx::MySql {
    fn statements(table: &TableName<'_>) -> Statements {
        Statements::mysql(table)
    }

    /// The server's settings may have switched autocommit off.
    async fn prepare_session(connection: &mut Self::Connection) -> Result<(), sqlx::Error> {
        connection.execute("SET autocommit = 1").await.map(|_| ())
    }

    async fn run(connection: &mut Self::Connection, statements: &str) -> Result<(), sqlx::Error> {
        connection.execute(statements).await.map(|_| ())
    }

    async fn role(connection: &mut Self::Connection) -> Result<Option<String>, sqlx::Error> {
        let role = "SELECT CONCAT(QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', 1)), '@', \
                    QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)))";
        connection.fetch_one(role).await?.try_get(0)
    }

    async fn write(
        connection: &mut Self::Connection,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<u64, sqlx::Error> {
        Ok(prepared!(statement, values).execute(connection).await?.rows_affected())
    }

    async fn read(
        connection: &mut Self::Connection,
        statement: &str,
        keys: &[EntryKey],
    ) -> Result<Found, sqlx::Error> {
        let all = read_prepared!(connection, statement, keys);
        // If the role is queried, the last row contains it, without an entry.
        let (mut rows, mut only_reads) = (Vec::with_capacity(all.len()), None);
        for row in &all {
            let role: Option<i64> = if row.len() > COLUMNS { row.try_get(COLUMNS)? } else { None };
            match role {
                Some(flag) => only_reads = Some(flag != 0),
                None => rows.push(row!(row)?),
            }
        }
        Ok(Found { rows, only_reads })
    }

    async fn listed(
        connection: &mut Self::Connection,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Listed>, sqlx::Error> {
        let rows = prepared!(statement, values).fetch_all(connection).await?;
        sessions!(rows)
    }

    fn verdict(error: &dyn sqlx::error::DatabaseError) -> Verdict {
        use sqlx::mysql::MySqlDatabaseError;

        match error.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number) {
            // A lock timeout; with `autocommit`, the statement was its whole transaction.
            Some(1205) => Verdict::RolledBack,
            // The server is read-only, or has left its Galera cluster.
            Some(1290 | 1836 | 1792 | 1047) => Verdict::Refused,
            // The server is shutting down, or has ended the connection.
            Some(1053 | 1927 | 3169 | 4031) => Verdict::Lost,
            _ => error.code().map_or(Verdict::Failed, |code| verdict_on(&code)),
        }
    }

    fn fault(error: &dyn sqlx::error::DatabaseError) -> Fault {
        use sqlx::mysql::MySqlDatabaseError;

        match error.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number) {
            // A missing right to a database, a table or a column, or to connect.
            Some(1044 | 1142 | 1143 | 1227) => Fault::Denied,
            Some(1205 | 1213) => Fault::RolledBack,
            Some(1290 | 1836 | 1792) => Fault::ReadOnly,
            _ => Fault::Other,
        }
    }
}

/// Whether a write failed because MySQL's epoch is missing.
#[cfg(feature = "sqlx_mysql")]
pub(super) fn lacks_epoch(error: &sqlx::Error) -> bool {
    use sqlx::mysql::MySqlDatabaseError;

    let number = error
        .as_database_error()
        .and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>())
        .map(MySqlDatabaseError::number);
    // A column, `changed`, is NULL.
    number == Some(1048)
}

#[cfg(not(feature = "sqlx_mysql"))]
pub(super) fn lacks_epoch(_error: &sqlx::Error) -> bool {
    false
}
