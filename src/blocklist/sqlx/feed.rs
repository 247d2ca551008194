//! Following the table through `sqlx`: each database in its own way.

#[cfg(feature = "sqlx_mysql")]
mod mysql;
#[cfg(feature = "sqlx_postgres")]
mod postgres;
#[cfg(feature = "sqlx_sqlite")]
mod sqlite;

use rocket_db_pools::sqlx;

use super::super::follow::{Changes, Cursor, ReplicableBlocklist};
use super::{SqlxBackend, SqlxBlocklist, StoreError};

/// A database whose table can be followed.
#[rocket::async_trait]
pub trait Follow: sqlx::Database {
    async fn changes(
        pool: &sqlx::Pool<Self>,
        table: &str,
        after: Option<&Cursor>,
    ) -> Result<Changes, StoreError>;
}

#[rocket::async_trait]
impl<DB: SqlxBackend> ReplicableBlocklist for SqlxBlocklist<DB> {
    async fn changes(&self, after: Option<&Cursor>) -> Result<Changes, StoreError> {
        DB::changes(&self.table.pool, &self.table.statements.table, after).await
    }
}
