//! The pools of `rocket_db_pools` whose databases can store a blocklist.

use std::sync::Arc;

use crate::blocklist::replica::changes::ReplicableBlocklist;
use crate::blocklist::store::StoreError;

/// A `rocket_db_pools` pool whose database can store a blocklist. This trait is sealed.
///
/// | feature | pool | store |
/// |---|---|---|
/// | `sqlx_sqlite` | `sqlx::SqlitePool` | `SqlxBlocklist<sqlx::Sqlite>` |
/// | `sqlx_postgres` | `sqlx::PgPool` | `SqlxBlocklist<sqlx::Postgres>` |
/// | `sqlx_mysql` | `sqlx::MySqlPool` | `SqlxBlocklist<sqlx::MySql>` |
/// | `deadpool_postgres` | `deadpool_postgres::Pool` | `PostgresBlocklist` |
/// | `deadpool_redis` | `deadpool_redis::Pool` | `RedisBlocklist` |
///
/// The features have the same names as those of `rocket_db_pools`, and enable them.
///
/// # Example
///
/// ```rust
/// # #[cfg(feature = "sqlx_sqlite")] mod _inner {
/// # use rocket::launch;
/// use rocket_db_pools::{sqlx, Database};
/// use rocket_jwt_extended::Jwt;
///
/// #[derive(Database)]
/// #[database("main")]
/// struct Main(sqlx::SqlitePool);
///
/// #[launch]
/// fn rocket() -> _ {
///     rocket::build()
///         .attach(Main::init())
///         .attach(Jwt::fairing().database_blocklist::<Main>())
/// }
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold a blocklist",
    label = "a pool without a store, or whose feature is not switched on",
    note = "the pools that can, and the features of `rocket_jwt_extended` that switch them on: \
            `sqlx::SqlitePool` (`sqlx_sqlite`), `sqlx::PgPool` (`sqlx_postgres`), \
            `sqlx::MySqlPool` (`sqlx_mysql`), `deadpool_postgres::Pool` (`deadpool_postgres`), \
            `deadpool_redis::Pool` (`deadpool_redis`)",
    note = "for any other database, implement `Blocklist` and attach it with `Jwt::fairing().blocklist(…)`"
)]
#[rocket::async_trait]
pub trait BlocklistPool: rocket_db_pools::Pool + sealed::Sealed {
    /// A store in the table `jwt_blocklist`, or in the keys that begin with `jwt:`. In SQL it opens
    /// its own connections with the options of the pool; in Redis it shares the pool.
    ///
    /// The table is created if it is missing; several servers may do so at the same time. If the
    /// table exists, the right to create tables is not needed.
    ///
    /// # Errors
    ///
    /// If the database cannot be reached, if the table is missing and cannot be created, or if a right
    /// to read or write it is missing.
    async fn blocklist(&self) -> Result<Arc<dyn ReplicableBlocklist>, StoreError>;
}

pub(super) mod sealed {
    /// Each store's module implements it for the pool that the store uses.
    pub trait Sealed {}
}
