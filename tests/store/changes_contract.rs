//! Every store is replicable: its changes alone reveal all entries.

use std::sync::Arc;

use rocket_jwt_extended::blocklist::{BlocklistPool, RedisBlocklist};
use rocket_jwt_extended::testing::replicable_blocklist_contract;

use crate::store_support::{self, server};

async fn is_replicable<P: BlocklistPool>(url: &str) {
    replicable_blocklist_contract(async || server::<P>(url).await).await;
}

#[rocket::async_test]
async fn sqlite_is_replicable() {
    use rocket_db_pools::sqlx::{Executor, SqlitePool};

    let home = store_support::sqlite::Home::new().await;
    is_replicable::<SqlitePool>(&home.url).await;
    let first = store_support::pool::<SqlitePool>(&home.url).await;
    first.execute("PRAGMA journal_mode = WAL").await.expect("the mode is set");
    is_replicable::<SqlitePool>(&home.url).await;
    home.end().await;
}

#[rocket::async_test]
async fn postgres_is_replicable_with_sqlx() {
    use rocket_db_pools::sqlx::PgPool;

    let home = store_support::sqlx_postgres::Home::new().await;
    is_replicable::<PgPool>(&home.url).await;
    home.end().await;
}

#[rocket::async_test]
async fn postgres_is_replicable_with_deadpool() {
    use rocket_db_pools::deadpool_postgres::Pool;

    let home = store_support::deadpool_postgres::Home::new().await;
    is_replicable::<Pool>(&home.url).await;
    home.end().await;
}

#[rocket::async_test]
async fn mysql_is_replicable() {
    use rocket_db_pools::sqlx::MySqlPool;

    let home = store_support::sqlx_mysql::Home::new().await;
    is_replicable::<MySqlPool>(&home.url).await;
    home.end().await;
}

#[rocket::async_test]
async fn redis_is_replicable() {
    let home = store_support::deadpool_redis::Home::new().await;
    replicable_blocklist_contract(async || {
        let pool = store_support::pool(&store_support::redis()).await;
        // A prefix that would match other keys if it were used as a pattern.
        Arc::new(RedisBlocklist::with_prefix(pool, format!("{}[a-z]*:", home.prefix)))
    })
    .await;
    let keys: Vec<String> = home.ask(&["KEYS", &format!("{}*", home.prefix)]).await;
    for key in keys {
        home.ask::<()>(&["DEL", &key]).await;
    }
    home.end().await;
}
