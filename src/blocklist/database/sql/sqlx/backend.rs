//! The requirements for a database of `sqlx` that contains a blocklist.

use rocket_db_pools::sqlx;

use super::connection::Opener;
use super::driver::Operations;
use crate::blocklist::database::sql::connections::Connections;
use crate::blocklist::database::sql::statements::Statements;
use crate::blocklist::replica::changes::{Changes, Cursor};
use crate::blocklist::store::StoreError;

/// A database of `sqlx` that can store a [`SqlxBlocklist`](super::SqlxBlocklist). This trait is
/// sealed; it is implemented for [`sqlx::Sqlite`], [`sqlx::Postgres`] and [`sqlx::MySql`].
pub trait SqlxBackend: sqlx::Database + Operations + ReadChanges {}

/// Reads the changes of a table. Each database has an implementation in `changes`.
#[rocket::async_trait]
pub trait ReadChanges: Operations {
    async fn changes(
        connections: &SqlxConnections<Self>,
        statements: &Statements,
        after: Option<&Cursor>,
    ) -> Result<Changes, StoreError>;
}

/// The connections that the store opens itself.
pub(crate) type SqlxConnections<DB> = Connections<Opener<DB>>;

#[cfg(feature = "sqlx_sqlite")]
impl SqlxBackend for sqlx::Sqlite {}

#[cfg(feature = "sqlx_postgres")]
impl SqlxBackend for sqlx::Postgres {}

#[cfg(feature = "sqlx_mysql")]
impl SqlxBackend for sqlx::MySql {}
