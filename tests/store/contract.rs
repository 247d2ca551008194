//! Every store keeps the contract, at each database's usual settings and at some unusual ones.
#![cfg(feature = "test-util")]

use std::sync::Arc;

use rocket_jwt_extended::blocklist::MemoryBlocklist;
use rocket_jwt_extended::testing::blocklist_contract;

#[rocket::async_test]
async fn memory_keeps_the_contract() {
    let store = Arc::new(MemoryBlocklist::new());
    blocklist_contract(async || store.clone()).await;
}

#[cfg(feature = "sqlx_sqlite")]
mod sqlite {
    use rocket_db_pools::sqlx::{Executor, SqlitePool};

    use super::*;
    use crate::store_support::{pool, server, sqlite};

    #[rocket::async_test]
    async fn sqlite_keeps_the_contract() {
        let home = sqlite::Home::new().await;
        blocklist_contract(async || server::<SqlitePool>(&home.url).await).await;
        home.end().await;
    }

    #[rocket::async_test]
    async fn sqlite_with_a_write_ahead_log_keeps_the_contract() {
        let home = sqlite::Home::new().await;
        // It is a property of the file.
        let first = pool::<SqlitePool>(&home.url).await;
        first.execute("PRAGMA journal_mode = WAL").await.expect("the mode is set");
        blocklist_contract(async || server::<SqlitePool>(&home.url).await).await;
        home.end().await;
    }
}

#[cfg(feature = "sqlx_postgres")]
mod sqlx_postgres {
    use rocket_db_pools::sqlx::PgPool;

    use super::*;
    use crate::store_support::{server, sqlx_postgres, with_setting};

    #[rocket::async_test]
    async fn postgres_by_sqlx_keeps_the_contract() {
        let home = sqlx_postgres::Home::new().await;
        blocklist_contract(async || server::<PgPool>(&home.url).await).await;
        home.end().await;
    }

    #[rocket::async_test]
    async fn serializable_postgres_by_sqlx_keeps_the_contract() {
        let home = sqlx_postgres::Home::new().await;
        let url = with_setting(&home.url, "default_transaction_isolation=serializable");
        blocklist_contract(async || server::<PgPool>(&url).await).await;
        home.end().await;
    }
}

#[cfg(feature = "deadpool_postgres")]
mod deadpool_postgres {
    use rocket_db_pools::deadpool_postgres::Pool;

    use super::*;
    use crate::store_support::{deadpool_postgres, server, with_setting};

    #[rocket::async_test]
    async fn postgres_by_deadpool_keeps_the_contract() {
        let home = deadpool_postgres::Home::new().await;
        blocklist_contract(async || server::<Pool>(&home.url).await).await;
        home.end().await;
    }

    #[rocket::async_test]
    async fn serializable_postgres_by_deadpool_keeps_the_contract() {
        let home = deadpool_postgres::Home::new().await;
        let url = with_setting(&home.url, "default_transaction_isolation=serializable");
        blocklist_contract(async || server::<Pool>(&url).await).await;
        home.end().await;
    }
}

#[cfg(feature = "sqlx_mysql")]
mod mysql {
    use rocket_db_pools::sqlx::MySqlPool;

    use super::*;
    use crate::store_support::{server, sqlx_mysql};

    #[rocket::async_test]
    async fn mysql_keeps_the_contract() {
        let home = sqlx_mysql::Home::new().await;
        blocklist_contract(async || server::<MySqlPool>(&home.url).await).await;
        home.end().await;
    }
}

#[cfg(feature = "deadpool_redis")]
mod redis {
    use rocket_db_pools::deadpool_redis::{Pool, redis};
    use rocket_jwt_extended::blocklist::RedisBlocklist;

    use super::*;
    use crate::store_support::{deadpool_redis, server};

    #[rocket::async_test]
    async fn redis_keeps_the_contract() {
        let home = deadpool_redis::Home::new().await;
        blocklist_contract(async || {
            let pool = crate::store_support::pool(&crate::store_support::redis()).await;
            RedisBlocklist::with_prefix(pool, &home.prefix)
        })
        .await;
        home.end().await;
    }

    #[rocket::async_test]
    async fn redis_as_the_fairing_makes_it_keeps_the_contract() {
        // A database of its own, as others have keys with the same prefix.
        let url = format!("{}/9", crate::store_support::redis().trim_end_matches('/'));
        let admin = crate::store_support::pool::<Pool>(&url).await;
        let empty = async || {
            let mut connection = admin.get().await.expect("a connection");
            let flush = redis::cmd("FLUSHDB");
            flush.query_async::<_, ()>(&mut connection).await.expect("it is empty");
        };
        empty().await;
        blocklist_contract(async || server::<Pool>(&url).await).await;
        empty().await;
    }
}

/// Both drivers of PostgreSQL work on one table.
#[cfg(all(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
#[rocket::async_test]
async fn postgres_by_both_drivers_keeps_the_contract() {
    use std::sync::atomic::{AtomicBool, Ordering};

    use crate::store_support::server;
    use rocket_db_pools::{deadpool_postgres, sqlx};

    let home = crate::store_support::sqlx_postgres::Home::new().await;
    let second = AtomicBool::new(false);
    blocklist_contract(async || {
        if second.swap(true, Ordering::SeqCst) {
            server::<sqlx::PgPool>(&home.url).await
        } else {
            server::<deadpool_postgres::Pool>(&home.url).await
        }
    })
    .await;
    home.end().await;
}
