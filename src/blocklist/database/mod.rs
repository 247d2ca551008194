//! The stores in databases, and how a pool of `rocket_db_pools` becomes one.

mod batch;
#[cfg(feature = "deadpool_redis")]
pub(super) mod redis;
mod rows;
#[cfg(feature = "_sql")]
pub(super) mod sql;

use std::sync::Arc;

use super::replica::changes::ReplicableBlocklist;
use super::store::StoreError;

/// A `rocket_db_pools` pool that can hold a blocklist. This trait is sealed.
///
/// | feature | pool | store |
/// |---|---|---|
/// | `sqlx_sqlite` | `sqlx::SqlitePool` | `SqlxBlocklist<sqlx::Sqlite>` |
/// | `sqlx_postgres` | `sqlx::PgPool` | `SqlxBlocklist<sqlx::Postgres>` |
/// | `sqlx_mysql` | `sqlx::MySqlPool` | `SqlxBlocklist<sqlx::MySql>` |
/// | `deadpool_postgres` | `deadpool_postgres::Pool` | `PostgresBlocklist` |
/// | `deadpool_redis` | `deadpool_redis::Pool` | `RedisBlocklist` |
///
/// The features have the names of those of `rocket_db_pools`, and enable them.
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
#[rocket::async_trait]
pub trait BlocklistPool: rocket_db_pools::Pool + sealed::Sealed {
    /// A store in the table `jwt_blocklist`, or in the keys that begin with `jwt:`. It shares the
    /// pool, and closes with it.
    ///
    /// The table is created if it is missing; several servers may do so at the same time. If the
    /// table exists, the right to create tables is not needed.
    ///
    /// # Errors
    ///
    /// If the database cannot be reached, or if the table is missing and cannot be created.
    async fn blocklist(&self) -> Result<Arc<dyn ReplicableBlocklist>, StoreError>;
}

mod sealed {
    pub trait Sealed {}
}

#[cfg(feature = "_sqlx")]
mod for_sqlx {
    use rocket_db_pools::sqlx;

    use super::sql::sqlx::driver::SqlxBackend;
    use super::sql::sqlx::SqlxBlocklist;
    use super::{Arc, BlocklistPool, ReplicableBlocklist, StoreError};

    impl<DB: SqlxBackend> super::sealed::Sealed for sqlx::Pool<DB> {}

    #[rocket::async_trait]
    impl<DB: SqlxBackend> BlocklistPool for sqlx::Pool<DB> {
        async fn blocklist(&self) -> Result<Arc<dyn ReplicableBlocklist>, StoreError> {
            let store = SqlxBlocklist::new(self.clone());
            store.create_table().await?;
            Ok(Arc::new(store))
        }
    }
}

#[cfg(feature = "deadpool_postgres")]
mod for_postgres {
    use rocket_db_pools::deadpool_postgres::Pool;

    use super::sql::deadpool_postgres::PostgresBlocklist;
    use super::{Arc, BlocklistPool, ReplicableBlocklist, StoreError};

    impl super::sealed::Sealed for Pool {}

    #[rocket::async_trait]
    impl BlocklistPool for Pool {
        async fn blocklist(&self) -> Result<Arc<dyn ReplicableBlocklist>, StoreError> {
            let store = PostgresBlocklist::new(self.clone());
            store.create_table().await?;
            Ok(Arc::new(store))
        }
    }
}

#[cfg(feature = "deadpool_redis")]
mod for_redis {
    use rocket_db_pools::deadpool_redis::Pool;

    use super::redis::RedisBlocklist;
    use super::{Arc, BlocklistPool, ReplicableBlocklist, StoreError};

    impl super::sealed::Sealed for Pool {}

    #[rocket::async_trait]
    impl BlocklistPool for Pool {
        async fn blocklist(&self) -> Result<Arc<dyn ReplicableBlocklist>, StoreError> {
            let store = RedisBlocklist::new(self.clone());
            store.check().await?;
            Ok(Arc::new(store))
        }
    }
}
