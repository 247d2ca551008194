//! The own connections of a store, opened with the options and the hooks of the application's pool.

use rocket_db_pools::sqlx;
use rocket_db_pools::sqlx::pool::PoolConnection;

use super::driver::{Operations, is_duplicate};
use crate::blocklist::database::sql::connections::{Connections, MAX_CONNECTIONS, Open};
use crate::blocklist::database::sql::launch::{Fault, Session};
use crate::blocklist::database::sql::literals::Value;
use crate::blocklist::database::sql::retry::Verdict;
use crate::blocklist::database::sql::sessions::{Listed, Transacting};

/// Opens connections.
pub struct Opener<DB: sqlx::Database> {
    /// A pool that keeps nothing: it knows the hooks of the application's, such as `after_connect`.
    pool: sqlx::Pool<DB>,
    /// The pool is the application's, as it alone has the database.
    is_borrowed: bool,
}

pub enum SqlxConnection<DB: sqlx::Database> {
    Own(DB::Connection),
    Borrowed(PoolConnection<DB>),
}

impl<DB: sqlx::Database> SqlxConnection<DB> {
    pub(super) fn get(&mut self) -> &mut DB::Connection {
        match self {
            Self::Own(connection) => connection,
            Self::Borrowed(connection) => connection,
        }
    }
}

/// As many connections as the application's pool may have, at most [`MAX_CONNECTIONS`].
pub(super) fn connections<DB: Operations>(
    pool: sqlx::Pool<DB>,
) -> (Connections<Opener<DB>>, usize) {
    let limit = pool.options().get_max_connections().clamp(1, MAX_CONNECTIONS as u32);
    let options = pool.connect_options();
    let opener = match DB::is_private(&options) {
        true => Opener { pool, is_borrowed: true },
        false => {
            let own = pool.options().clone().max_connections(limit).min_connections(0);
            let own = own.idle_timeout(None).max_lifetime(None);
            Opener { pool: own.connect_lazy_with((*options).clone()), is_borrowed: false }
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
        let connection = self.pool.acquire().await?;
        if self.is_borrowed {
            return Ok(SqlxConnection::Borrowed(connection));
        }
        let mut connection = connection.detach();
        DB::prepare_session(&mut connection).await?;
        Ok(SqlxConnection::Own(connection))
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
