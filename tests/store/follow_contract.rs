//! Every store can be followed: what it has is known by following it alone.

use std::sync::Arc;

use rocket_jwt_extended::blocklist::{BlocklistPool, RedisBlocklist};
use rocket_jwt_extended::testing::replicable_blocklist_contract;

use crate::store_support::{self, server};

async fn is_followed<P: BlocklistPool>(url: &str) {
    replicable_blocklist_contract(async || server::<P>(url).await).await;
}

#[rocket::async_test]
async fn sqlite_is_followed() {
    use rocket_db_pools::sqlx::{Executor, SqlitePool};

    let home = store_support::sqlite::Home::new().await;
    is_followed::<SqlitePool>(&home.url).await;
    let first = store_support::pool::<SqlitePool>(&home.url).await;
    first.execute("PRAGMA journal_mode = WAL").await.expect("the mode is set");
    is_followed::<SqlitePool>(&home.url).await;
    home.end().await;
}

#[rocket::async_test]
async fn postgres_is_followed_by_sqlx() {
    use rocket_db_pools::sqlx::PgPool;

    let home = store_support::sqlx_postgres::Home::new().await;
    is_followed::<PgPool>(&home.url).await;
    home.end().await;
}

#[rocket::async_test]
async fn postgres_is_followed_by_deadpool() {
    use rocket_db_pools::deadpool_postgres::Pool;

    let home = store_support::deadpool_postgres::Home::new().await;
    is_followed::<Pool>(&home.url).await;
    home.end().await;
}

#[rocket::async_test]
async fn mysql_is_followed() {
    use rocket_db_pools::sqlx::MySqlPool;

    let home = store_support::sqlx_mysql::Home::new().await;
    is_followed::<MySqlPool>(&home.url).await;
    home.end().await;
}

#[rocket::async_test]
async fn redis_is_followed() {
    let home = store_support::deadpool_redis::Home::new().await;
    replicable_blocklist_contract(async || {
        let pool = store_support::pool(&store_support::redis()).await;
        // A prefix that, as a pattern, would mean something else.
        Arc::new(RedisBlocklist::with_prefix(pool, format!("{}[a-z]*:", home.prefix)))
    })
    .await;
    let keys: Vec<String> = home.ask(&["KEYS", &format!("{}*", home.prefix)]).await;
    for key in keys {
        home.ask::<()>(&["DEL", &key]).await;
    }
    home.end().await;
}
