//! The connections that a store opens itself, with the options and hooks of the application's pool.

use std::path::{Path, PathBuf};

use rocket::tokio::time::Instant;
use rocket_db_pools::sqlx::pool::PoolConnection;
use rocket_db_pools::sqlx::{self, ConnectOptions};

use super::driver::{Operations, is_duplicate};
use crate::blocklist::database::sql::connections::{Connections, MAX_CONNECTIONS, Open, RECHECK};
use crate::blocklist::database::sql::launch::{Fault, Session};
use crate::blocklist::database::sql::literals::Value;
use crate::blocklist::database::sql::retry::Verdict;
use crate::blocklist::database::sql::sessions::{Listed, Transacting};
use crate::blocklist::store::StoreError;

/// Opens connections.
pub struct Opener<DB: sqlx::Database> {
    /// A pool that keeps no connections, but runs the hooks of the application's pool, such as
    /// `after_connect`.
    pool: sqlx::Pool<DB>,
    /// The application's pool itself, as no other connection has the same database.
    is_borrowed: bool,
    /// The database ends with its last connection.
    is_volatile: bool,
    /// The database's file, if it is one.
    file: Option<PathBuf>,
}

impl<DB: Operations> Opener<DB> {
    /// If each connection of the application's pool had a separate database, the connections would
    /// not share entries.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match self.is_borrowed && self.pool.options().get_max_connections() > 1 {
            true => Err(StoreError::new(
                "each connection of the pool has a database in memory of its own: write \
                 `sqlite::memory:`, which all share, or set `max_connections = 1`",
            )),
            false => Ok(()),
        }
    }
}

pub struct SqlxConnection<DB: sqlx::Database> {
    connection: OwnOrBorrowed<DB>,
    /// Whether the server was read-only at the last query.
    only_reads: bool,
    asked: Option<Instant>,
}

enum OwnOrBorrowed<DB: sqlx::Database> {
    Own(DB::Connection),
    Borrowed(PoolConnection<DB>),
}

impl<DB: sqlx::Database> From<OwnOrBorrowed<DB>> for SqlxConnection<DB> {
    fn from(connection: OwnOrBorrowed<DB>) -> Self {
        Self { connection, only_reads: false, asked: None }
    }
}

impl<DB: sqlx::Database> SqlxConnection<DB> {
    /// Whether the role of the server must be queried again.
    pub(super) fn is_due(&self) -> bool {
        self.asked.is_none_or(|asked| asked.elapsed() >= RECHECK)
    }

    /// Stores the role of the server, if it was queried.
    pub(super) fn set_role(&mut self, only_reads: Option<bool>) {
        if let Some(only_reads) = only_reads {
            self.only_reads = only_reads;
            self.asked = Some(Instant::now());
        }
    }

    pub(super) fn get(&mut self) -> &mut DB::Connection {
        match &mut self.connection {
            OwnOrBorrowed::Own(connection) => connection,
            OwnOrBorrowed::Borrowed(connection) => connection,
        }
    }
}

/// As many connections as the application's pool may have, at most [`MAX_CONNECTIONS`].
pub(super) fn connections<DB: Operations>(
    pool: sqlx::Pool<DB>,
) -> (Connections<Opener<DB>>, usize) {
    let limit = pool.options().get_max_connections().clamp(1, MAX_CONNECTIONS as u32);
    let options = pool.connect_options();
    let is_volatile = DB::is_volatile(&options);
    let opener = match DB::is_private(&options) {
        true => Opener { pool, is_borrowed: true, is_volatile, file: None },
        false => {
            let own = pool.options().clone().max_connections(limit).min_connections(0);
            let own = own.idle_timeout(None).max_lifetime(None);
            // The values of a statement for PostgreSQL are in its text, among them the seed of an exchange.
            let silent = (*options).clone().disable_statement_logging();
            let pool = own.connect_lazy_with(silent);
            Opener { pool, is_borrowed: false, is_volatile, file: DB::file(&options) }
        }
    };
    let limit = limit as usize;
    (Connections::new(opener, limit), limit)
}

#[rocket::async_trait]
impl<DB: Operations> Open for Opener<DB> {
    type Connection = SqlxConnection<DB>;
    type Error = sqlx::Error;

    async fn open(&self) -> Result<SqlxConnection<DB>, sqlx::Error> {
        let mut connection = self.pool.acquire().await?;
        if self.is_borrowed {
            // A login that was cancelled leaves its transaction open; usually there is none.
            let _ = DB::run(&mut connection, "ROLLBACK").await;
            return Ok(OwnOrBorrowed::Borrowed(connection).into());
        }
        let mut connection = connection.detach();
        DB::prepare_session(&mut connection).await?;
        Ok(OwnOrBorrowed::Own(connection).into())
    }

    fn aborted() -> sqlx::Error {
        sqlx::Error::WorkerCrashed
    }

    fn verdict(error: &sqlx::Error) -> Verdict {
        match error {
            sqlx::Error::Database(error) => DB::verdict(&**error),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::WorkerCrashed => Verdict::Lost,
            _ => Verdict::Failed,
        }
    }

    fn only_reads(connection: &SqlxConnection<DB>) -> bool {
        connection.only_reads
    }

    fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    fn ages(&self) -> bool {
        !self.is_volatile
    }

    fn is_kept(&self) -> bool {
        !self.is_borrowed
    }
}

#[rocket::async_trait]
impl<DB: Operations> Session for SqlxConnection<DB> {
    type Error = sqlx::Error;

    async fn run(&mut self, statements: &str) -> Result<(), sqlx::Error> {
        DB::run(self.get(), statements).await
    }

    async fn role(&mut self) -> Option<String> {
        DB::role(self.get()).await.ok().flatten()
    }

    fn fault(error: &sqlx::Error) -> Fault {
        error.as_database_error().map_or(Fault::Other, DB::fault)
    }
}

#[rocket::async_trait]
impl<DB: Operations> Transacting for SqlxConnection<DB> {
    async fn write(&mut self, statement: &str, values: &[Value<'_>]) -> Result<u64, sqlx::Error> {
        match DB::write(self.get(), statement, values).await {
            Err(error) if is_duplicate(&error) => Ok(0),
            result => result,
        }
    }

    async fn listed(
        &mut self,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Listed>, sqlx::Error> {
        DB::listed(self.get(), statement, values).await
    }
}
