//! From the pool of a database to a store in it.

use std::sync::Arc;

use super::{ReplicableBlocklist, StoreError};

/// A pool of `rocket_db_pools` that a blocklist can be kept in. It is sealed.
///
/// | feature | pool | store |
/// |---|---|---|
/// | `sqlx_sqlite` | `sqlx::SqlitePool` | `SqlxBlocklist<sqlx::Sqlite>` |
/// | `sqlx_postgres` | `sqlx::PgPool` | `SqlxBlocklist<sqlx::Postgres>` |
/// | `sqlx_mysql` | `sqlx::MySqlPool` | `SqlxBlocklist<sqlx::MySql>` |
/// | `deadpool_postgres` | `deadpool_postgres::Pool` | `PostgresBlocklist` |
/// | `deadpool_redis` | `deadpool_redis::Pool` | `RedisBlocklist` |
///
/// The features are named as those of `rocket_db_pools`, which they switch on.
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
    /// A table that is missing is created. Several servers may do so at the same time, and where it
    /// is there, no right to create one is needed.
    ///
    /// # Errors
    ///
    /// When the database can't be reached, or has no such table and does not let it be created.
    async fn blocklist(&self) -> Result<Arc<dyn ReplicableBlocklist>, StoreError>;
}

mod sealed {
    pub trait Sealed {}
}

#[cfg(any(feature = "sqlx_sqlite", feature = "sqlx_postgres", feature = "sqlx_mysql"))]
mod for_sqlx {
    use rocket_db_pools::sqlx;

    use super::super::sqlx::{SqlxBackend, SqlxBlocklist};
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

    use super::super::postgres::PostgresBlocklist;
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

    use super::super::redis::RedisBlocklist;
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
