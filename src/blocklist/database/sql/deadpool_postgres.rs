//! The store in a PostgreSQL database, through `deadpool_postgres`.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use deadpool::managed::Manager;
use rocket::time::OffsetDateTime;
use rocket::tokio::time::timeout;
use rocket_db_pools::deadpool_postgres::tokio_postgres::types::{ToSql, Type};
use rocket_db_pools::deadpool_postgres::tokio_postgres::{self, SimpleQueryMessage};
use rocket_db_pools::deadpool_postgres::{ClientWrapper, Pool};

use super::changes_postgres::{ChangeQueries, ChangeRow, Driver, change_row};
use super::connections::{Connections, Lease, MAX_CONNECTIONS, Open};
use super::dialect::TableName;
use super::launch::{self, Fault, Session};
use super::literals::Value;
use super::lookup::{self, Columns, columns};
use super::retry::{Verdict, verdict_on};
use super::sessions::{Listed, Transacting, listed};
use super::statements::Statements;
use super::writes::{self, Writer};
use crate::blocklist::database::batch::{Batcher, Reader};
use crate::blocklist::database::pool::{BlocklistPool, sealed};
use crate::blocklist::database::rows::{self, Row, Rows, Write};
use crate::blocklist::entry::{EntryKey, Revocation, TokenIds};
use crate::blocklist::exchange::{Exchange, Exchanged};
use crate::blocklist::replica::changes::{Changes, Cursor, ReplicableBlocklist};
use crate::blocklist::store::{Blocklist, SessionStore, Standing, StoreError};

/// A blocklist in a table of a PostgreSQL database, shared by all servers.
///
/// The table and its statements are those of `SqlxBlocklist<sqlx::Postgres>`, so servers with
/// either driver can share one table.
///
/// For a [database of `rocket_db_pools`](rocket_db_pools::Database), calling
/// [`JwtFairing::database_blocklist()`](crate::JwtFairing::database_blocklist) is enough. The
/// constructors here are for a pool that the application creates itself, or for another table.
///
/// The store opens its own connections with the pool's manager: at most eight, and at most as many
/// as the pool may have. It never uses the pool's connections, so a transaction that the
/// application left open cannot affect it, and it still works after the pool is closed. Hooks of
/// the pool (`post_create`) cannot be run on them: if one changes the role or the schema,
/// [`create_table()`](Self::create_table()) is an error.
pub struct PostgresBlocklist {
    pub(super) table: Arc<Table>,
    batcher: Batcher<Table>,
}

pub(super) struct Table {
    pool: Pool,
    pub(super) connections: Connections<Opener>,
    pub(super) statements: Statements,
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
        let max_in_flight = pool.status().max_size.clamp(1, MAX_CONNECTIONS);
        let connections = Connections::new(Opener(pool.clone()), max_in_flight);
        let statements = Statements::postgres(table);
        let table = Arc::new(Table { pool, connections, statements });
        Self { batcher: Batcher::new(table.clone(), max_in_flight), table }
    }

    /// Creates the table and its indexes if the table is missing, and tries to write an entry, of which
    /// nothing remains. If the table exists, the right to create tables is not needed.
    ///
    /// Several servers may call this at the same time.
    ///
    /// # Errors
    ///
    /// If the table, with all its columns, neither exists nor can be created; if a right to read or
    /// write it is missing; or if a hook of the pool sets another role or schema than a connection
    /// has without it. A database that is currently read-only causes only a warning in the log.
    pub async fn create_table(&self) -> Result<(), StoreError> {
        let Table { pool, connections, statements } = &*self.table;
        // The connection is not reused: a failure here may leave a transaction open.
        let mut lease = connections.open().await?;
        // A closed pool has no connections to compare with.
        if let Ok(theirs) = pool.get().await {
            let [ours, theirs] = [place(&lease.connection).await?, place(&theirs).await?];
            if ours != theirs {
                return Err(StoreError::new(format!(
                    "connections of the pool have another role or schema ({theirs}) than those of the \
                     blocklist ({ours}), on which no hook of the pool is run: set them in the URL \
                     (`?options=-c%20search_path%3D…`), or with `ALTER ROLE … SET search_path`"
                )));
            }
        }
        launch::set_up(&mut lease.connection, statements).await
    }

    /// The statements of this store, named after the methods that run them, for `EXPLAIN`.
    #[cfg(feature = "test-util")]
    pub fn statements(&self) -> Vec<(&'static str, &str)> {
        self.table.statements.named()
    }
}

#[rocket::async_trait]
impl Writer for Table {
    fn statements(&self) -> &Statements {
        &self.statements
    }

    async fn write(&self, statement: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let write = |lease: Lease<ClientWrapper>| async move {
            let params = params(values);
            let written = lease.connection.execute_typed(statement, &borrowed(&params)).await;
            (lease, written.map_err(Failure::from))
        };
        Ok(self.connections.run(write).await?)
    }
}

impl Table {
    pub(super) async fn listed(
        &self,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Listed>, StoreError> {
        let read = |mut lease: Lease<ClientWrapper>| async move {
            let rows = lease.connection.listed(statement, values).await;
            (lease, rows)
        };
        Ok(self.connections.run(read).await?)
    }

    async fn rows(
        &self,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<tokio_postgres::Row>, Failure> {
        let read = |lease: Lease<ClientWrapper>| async move {
            let params = params(values);
            let rows = lease.connection.query_typed(statement, &borrowed(&params)).await;
            (lease, rows.map_err(Failure::from))
        };
        self.connections.run(read).await
    }
}

/// A value with its type, as the driver sends it: an unnamed statement then needs only one message;
/// see [`literals`](super::literals).
type BoundParam<'v> = (Box<dyn ToSql + Send + Sync + 'v>, Type);

fn params<'v>(values: &[Value<'v>]) -> Vec<BoundParam<'v>> {
    let param = |value: &Value<'v>| -> BoundParam<'v> {
        match *value {
            Value::Key(key) => (Box::new(key), Type::BYTEA),
            Value::Bytes(bytes) => (Box::new(bytes), Type::BYTEA),
            Value::Keys(keys) => {
                let keys: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
                (Box::new(keys), Type::BYTEA_ARRAY)
            }
            Value::Bool(value) => (Box::new(value), Type::BOOL),
            Value::Int(value) => (Box::new(value), Type::INT8),
        }
    };
    values.iter().map(param).collect()
}

fn borrowed<'p>(params: &'p [BoundParam<'_>]) -> Vec<(&'p (dyn ToSql + Sync), Type)> {
    params.iter().map(|(value, type_)| (&**value as &(dyn ToSql + Sync), type_.clone())).collect()
}

/// The role and the schemas of a connection.
async fn place(client: &tokio_postgres::Client) -> Result<String, Failure> {
    Ok(text(client, "SELECT concat(current_user, ', ', current_schemas(false))").await?)
}

async fn text(
    client: &tokio_postgres::Client,
    query: &str,
) -> Result<String, tokio_postgres::Error> {
    let rows = client.simple_query(query).await?;
    let text = rows.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.try_get(0).ok().flatten(),
        _ => None,
    });
    Ok(text.unwrap_or_default().to_owned())
}

/// Opens connections with the manager of the application's pool.
pub(super) struct Opener(Pool);

#[rocket::async_trait]
impl Open for Opener {
    type Connection = ClientWrapper;
    type Error = Failure;

    async fn open(&self) -> Result<ClientWrapper, Failure> {
        let create = self.0.manager().create();
        let created = match self.0.timeouts().create {
            Some(limit) => timeout(limit, create).await.map_err(|_| Failure::Timeout)?,
            None => create.await,
        };
        created.map_err(Failure::NoConnection)
    }

    fn aborted() -> Failure {
        Failure::Aborted
    }

    fn verdict(error: &Failure) -> Verdict {
        match error {
            Failure::Postgres(error) => match error.code() {
                Some(state) => verdict_on(state.code()),
                // The server did not respond, so the connection has ended or is out of step.
                None => Verdict::Lost,
            },
            Failure::Column(_) => Verdict::Failed,
            Failure::NoConnection(_) | Failure::Timeout | Failure::Aborted => Verdict::Failed,
        }
    }
}

#[rocket::async_trait]
impl Session for ClientWrapper {
    type Error = Failure;

    /// Several statements in one message are one transaction.
    async fn run(&mut self, statements: &str) -> Result<(), Failure> {
        Ok(self.batch_execute(statements).await?)
    }

    async fn role(&mut self) -> Option<String> {
        text(self, "SELECT quote_ident(current_user)").await.ok().filter(|role| !role.is_empty())
    }

    fn fault(error: &Failure) -> Fault {
        match error {
            Failure::Postgres(error) => {
                error.code().map_or(Fault::Other, |state| Fault::of_postgres(state.code()))
            }
            _ => Fault::Other,
        }
    }
}

#[rocket::async_trait]
impl Transacting for ClientWrapper {
    async fn write(&mut self, statement: &str, values: &[Value<'_>]) -> Result<u64, Failure> {
        let params = params(values);
        Ok(self.execute_typed(statement, &borrowed(&params)).await?)
    }

    async fn listed(
        &mut self,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Listed>, Failure> {
        let params = params(values);
        let rows = self.query_typed(statement, &borrowed(&params)).await?;
        let rows = rows.iter().map(|row| Ok(listed!(row)));
        rows.collect::<Result<_, tokio_postgres::Error>>().map_err(Failure::Column)
    }
}

#[rocket::async_trait]
impl Reader for Table {
    async fn read(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError> {
        let (statement, keys) = self.statements.standing.keys(keys)?;
        let rows = self.rows(statement, &[Value::Keys(&keys)]).await?;
        let columns = rows.iter().map(|row| {
            let fields = || -> Result<_, tokio_postgres::Error> { Ok(columns!(row)) };
            let columns: Columns = (row.try_get(0).map_err(Failure::Column)?, fields().ok());
            lookup::row(columns)
        });
        columns.collect()
    }
}

#[rocket::async_trait]
impl Rows for PostgresBlocklist {
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
impl Blocklist for PostgresBlocklist {
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
impl ReplicableBlocklist for PostgresBlocklist {
    async fn changes(&self, after: Option<&Cursor>) -> Result<Changes, StoreError> {
        ChangeQueries::new(&self.table.statements.table).page_after(&*self.table, after).await
    }
}

#[rocket::async_trait]
impl Driver for Table {
    async fn query(
        &self,
        statement: &str,
        params: &[Value<'_>],
    ) -> Result<Vec<ChangeRow>, StoreError> {
        let rows = self.rows(statement, params).await?;
        let rows = rows.iter().map(|row| Ok(change_row!(row)));
        Ok(rows.collect::<Result<Vec<_>, tokio_postgres::Error>>().map_err(Failure::Column)?)
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
pub(super) enum Failure {
    NoConnection(tokio_postgres::Error),
    Timeout,
    Aborted,
    Postgres(tokio_postgres::Error),
    /// A column of another type.
    Column(tokio_postgres::Error),
}

impl Failure {
    fn error(&self) -> Option<&tokio_postgres::Error> {
        match self {
            Self::NoConnection(error) | Self::Postgres(error) | Self::Column(error) => Some(error),
            Self::Timeout | Self::Aborted => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(error) = self.error() else {
            return f.write_str(match self {
                Self::Timeout => "no connection within the pool's `connect_timeout`",
                _ => "the connection was not opened, as the runtime shuts down",
            });
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
        self.error().map(|error| error as &(dyn Error + 'static))
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
