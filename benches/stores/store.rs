//! The stores, each in a separate database or table that contains some entries.

use std::sync::Arc;

use rocket::figment::Figment;
use rocket::figment::providers::Serialized;
use rocket::futures::future::BoxFuture;
use rocket::time::{Duration, OffsetDateTime};
use rocket_db_pools::sqlx::{Executor, MySqlPool, PgPool, SqlitePool};
use rocket_db_pools::{Config, Pool, deadpool_postgres, deadpool_redis};
use rocket_jwt_extended::blocklist::{
    PostgresBlocklist, RedisBlocklist, ReplicableBlocklist, SqlxBlocklist,
};
use rocket_jwt_extended::{Blocklist, MemoryBlocklist, Revocation};
use uuid::Uuid;

use crate::checkout::Checkout;

pub const REDIS: &str = "deadpool_redis";
pub const REDIS_BY_HAND: &str = "deadpool_redis, a checkout for each request";

/// The number of unrelated entries in a store.
const ENTRIES: usize = 1000;

pub struct Store {
    pub name: &'static str,
    pub blocklist: Arc<dyn Blocklist>,
    /// The same store, with a replica in memory.
    pub followed: Option<Arc<dyn ReplicableBlocklist>>,
    remove: BoxFuture<'static, ()>,
}

impl Store {
    async fn new(
        name: &'static str,
        blocklist: impl Blocklist,
        remove: impl std::future::Future<Output = ()> + Send + 'static,
    ) -> Self {
        // Redis keys expire by themselves; other entries are removed with their table.
        let until = OffsetDateTime::now_utc() + Duration::minutes(10);
        let blocklist: Arc<dyn Blocklist> = Arc::new(blocklist);
        // The entries are written one after another: in SQLite, concurrent writers would time out.
        for _ in 0..ENTRIES {
            let entry = Revocation::token(Uuid::now_v7().to_string(), until);
            blocklist.revoke(&entry).await.expect("an entry");
        }
        Self { name, blocklist, followed: None, remove: Box::pin(remove) }
    }

    async fn followed(
        name: &'static str,
        blocklist: Arc<dyn ReplicableBlocklist>,
        remove: impl std::future::Future<Output = ()> + Send + 'static,
    ) -> Self {
        let store = Self::new(name, blocklist.clone(), remove).await;
        Self { followed: Some(blocklist), ..store }
    }

    /// Removes all entries.
    pub async fn remove(self) {
        self.remove.await;
    }
}

/// The in-memory store is the first.
pub async fn all() -> Vec<Store> {
    vec![
        Store::new("memory", MemoryBlocklist::new(), async {}).await,
        replica().await,
        sqlite("sqlx_sqlite", false).await,
        sqlite("sqlx_sqlite, WAL", true).await,
        sqlx_postgres().await,
        sqlx_mysql().await,
        deadpool_postgres().await,
        redis().await,
        redis_by_hand().await,
    ]
}

async fn sqlite(name: &'static str, write_ahead: bool) -> Store {
    let file = format!("{}/{}", env!("CARGO_TARGET_TMPDIR"), unique());
    let pool: SqlitePool = pool(format!("sqlite://{file}")).await;
    if write_ahead {
        pool.execute("PRAGMA journal_mode = WAL").await.expect("a write-ahead log");
    }
    let store = SqlxBlocklist::new(pool.clone());
    store.create_table().await.expect("a table");
    let remove = async move {
        pool.close().await;
        std::fs::remove_file(file).expect("the file is removed");
    };
    Store::new(name, store, remove).await
}

async fn sqlx_postgres() -> Store {
    let (pool, table): (PgPool, _) = (pool(postgres()).await, unique());
    let store = SqlxBlocklist::with_table(pool.clone(), &table).expect("a name");
    store.create_table().await.expect("a table");
    let remove = async move {
        pool.execute(&*format!("DROP TABLE {table}")).await.expect("the table is dropped");
    };
    Store::new("sqlx_postgres", store, remove).await
}

/// `blocklist_replica` of a store on a server.
async fn replica() -> Store {
    let (pool, table): (PgPool, _) = (pool(postgres()).await, unique());
    let store = SqlxBlocklist::with_table(pool.clone(), &table).expect("a name");
    store.create_table().await.expect("a table");
    let remove = async move {
        pool.execute(&*format!("DROP TABLE {table}")).await.expect("the table is dropped");
    };
    Store::followed("sqlx_postgres, replica", Arc::new(store), remove).await
}

async fn sqlx_mysql() -> Store {
    let url = address("TEST_MYSQL_URL", "mysql://root@127.0.0.1:3306/test");
    let (pool, table): (MySqlPool, _) = (pool(url).await, unique());
    let store = SqlxBlocklist::with_table(pool.clone(), &table).expect("a name");
    store.create_table().await.expect("a table");
    let remove = async move {
        let drop = format!("DROP TABLE {table}, {table}_epoch");
        pool.execute(&*drop).await.expect("the tables are dropped");
    };
    Store::new("sqlx_mysql", store, remove).await
}

async fn deadpool_postgres() -> Store {
    let (pool, table): (deadpool_postgres::Pool, _) = (pool(postgres()).await, unique());
    let store = PostgresBlocklist::with_table(pool.clone(), &table).expect("a name");
    store.create_table().await.expect("a table");
    let remove = async move {
        let connection = pool.get().await.expect("a connection");
        let drop = format!("DROP TABLE {table}");
        connection.batch_execute(&drop).await.expect("the table is dropped");
    };
    Store::new("deadpool_postgres", store, remove).await
}

async fn redis() -> Store {
    let url = address("TEST_REDIS_URL", "redis://127.0.0.1:6379");
    let pool: deadpool_redis::Pool = pool(url).await;
    let store = RedisBlocklist::with_prefix(pool, format!("{}:", unique()));
    Store::new(REDIS, store, async {}).await
}

async fn redis_by_hand() -> Store {
    let url = address("TEST_REDIS_URL", "redis://127.0.0.1:6379");
    let prefix = format!("{}:", unique());
    // It has a separate pool, so it does not compete for this store's connections.
    let store = RedisBlocklist::with_prefix(pool(url.clone()).await, &prefix);
    let store = Checkout { pool: pool(url).await, prefix, store };
    Store::new(REDIS_BY_HAND, store, async {}).await
}

/// A pool with Rocket's default size: four connections per worker.
async fn pool<P: Pool>(url: String) -> P {
    let max_connections = rocket::Config::default().workers * 4;
    let config =
        Config { url: url.clone(), max_connections, connect_timeout: 5, ..Config::default() };
    match P::init(&Figment::from(Serialized::defaults(config))).await {
        Ok(pool) => pool,
        Err(error) => panic!("no pool for {url}: {error}"),
    }
}

fn unique() -> String {
    format!("jwt_bench_{}", Uuid::now_v7().simple())
}

fn postgres() -> String {
    address("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/test")
}

fn address(variable: &str, default: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| default.into())
}
