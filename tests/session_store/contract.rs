//! Every store keeps the contract, at each database's usual settings and at some unusual ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rocket_db_pools::{deadpool_postgres, sqlx};
use rocket_jwt_extended::blocklist::MemoryBlocklist;
use rocket_jwt_extended::testing::session_store_contract;

use crate::store_support::{self, server, with_setting};
use crate::support::{end_redis, redis_store};

#[rocket::async_test]
async fn memory_keeps_the_contract() {
    let store = Arc::new(MemoryBlocklist::new());
    session_store_contract(async || store.clone()).await;
}

#[rocket::async_test]
async fn sqlite_keeps_the_contract() {
    let home = store_support::sqlite::Home::new().await;
    session_store_contract(async || server::<sqlx::SqlitePool>(&home.url).await).await;
    home.end().await;
}

#[rocket::async_test]
async fn sqlite_with_a_write_ahead_log_keeps_the_contract() {
    use sqlx::Executor;

    let home = store_support::sqlite::Home::new().await;
    // It is a property of the file.
    let first = store_support::pool::<sqlx::SqlitePool>(&home.url).await;
    first.execute("PRAGMA journal_mode = WAL").await.expect("the mode is set");
    session_store_contract(async || server::<sqlx::SqlitePool>(&home.url).await).await;
    home.end().await;
}

#[rocket::async_test]
async fn postgres_by_sqlx_keeps_the_contract() {
    let home = store_support::sqlx_postgres::Home::new().await;
    session_store_contract(async || server::<sqlx::PgPool>(&home.url).await).await;
    home.end().await;
}

#[rocket::async_test]
async fn serializable_postgres_by_sqlx_keeps_the_contract() {
    let home = store_support::sqlx_postgres::Home::new().await;
    let url = with_setting(&home.url, "default_transaction_isolation=serializable");
    session_store_contract(async || server::<sqlx::PgPool>(&url).await).await;
    home.end().await;
}

#[rocket::async_test]
async fn postgres_by_deadpool_keeps_the_contract() {
    let home = store_support::deadpool_postgres::Home::new().await;
    session_store_contract(async || server::<deadpool_postgres::Pool>(&home.url).await).await;
    home.end().await;
}

/// Both drivers of PostgreSQL work on one table.
#[rocket::async_test]
async fn postgres_by_both_drivers_keeps_the_contract() {
    let home = store_support::sqlx_postgres::Home::new().await;
    let second = AtomicBool::new(false);
    session_store_contract(async || match second.swap(true, Ordering::SeqCst) {
        true => server::<sqlx::PgPool>(&home.url).await,
        false => server::<deadpool_postgres::Pool>(&home.url).await,
    })
    .await;
    home.end().await;
}

#[rocket::async_test]
async fn mysql_keeps_the_contract() {
    let home = store_support::sqlx_mysql::Home::new().await;
    session_store_contract(async || server::<sqlx::MySqlPool>(&home.url).await).await;
    home.end().await;
}

#[rocket::async_test]
async fn redis_keeps_the_contract() {
    let home = store_support::deadpool_redis::Home::new().await;
    session_store_contract(async || redis_store(&home).await).await;
    end_redis(home).await;
}
