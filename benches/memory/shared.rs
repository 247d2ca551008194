//! Measures the bytes of an entry in Redis and in PostgreSQL: a million entries, written by the
//! stores of this crate into a separate database or table.

use std::future::Future;

use rocket::figment::Figment;
use rocket::figment::providers::Serialized;
use rocket::futures::{StreamExt, stream};
use rocket::time::{Duration, OffsetDateTime};
use rocket::tokio::runtime::Builder;
use rocket_db_pools::deadpool_redis::{self, redis};
use rocket_db_pools::{Config, Pool, deadpool_postgres};
use rocket_jwt_extended::blocklist::{PostgresBlocklist, RedisBlocklist};
use rocket_jwt_extended::{Blocklist, Revocation};
use uuid::Uuid;

use crate::ids;

const ENTRIES: u64 = 1_000_000;

/// Coprime to the number of entries.
const STRIDE: u64 = 618_031;

/// The number of concurrent writes.
const WRITERS: usize = 48;

pub fn table() -> String {
    let runtime = Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let (redis, key) = runtime.block_on(redis());
    let [heap, primary, other] = runtime.block_on(postgres());
    let whole = heap + primary + other;
    format!(
        "| | bytes per entry |\n|---|---:|\n\
         | Redis, `used_memory` | {redis:.0} |\n\
         | of which `MEMORY USAGE` of a key | {key:.0} |\n\
         | PostgreSQL, table and indexes | {whole:.0} |\n\
         | of which the table | {heap:.0} |\n\
         | of which the primary key | {primary:.0} |\n\
         | of which the indexes on `expires` and `changed` | {other:.0} |\n\n\
         Session entries in random order, which expire within thirty days.\n"
    )
}

/// The growth of the server's memory, and the size that it reports for one key.
async fn redis() -> (f64, f64) {
    let url = std::env::var("TEST_REDIS_URL").unwrap_or("redis://127.0.0.1:6379".into());
    let pool: deadpool_redis::Pool = pool(format!("{url}/15")).await;
    let mut connection = pool.get().await.expect("a connection");
    let keys: u64 = redis::cmd("DBSIZE").query_async(&mut connection).await.expect("a number");
    assert_eq!(keys, 0, "database 15 of Redis is in use");

    let store = RedisBlocklist::new(pool.clone());
    // The stream of changes reaches its greatest length before the counted entries are written.
    fill(&store, ENTRIES..ENTRIES + 40_000).await;
    let before = used(&mut connection).await;
    fill(&store, 0..ENTRIES).await;
    let after = used(&mut connection).await;
    let name = format!("jwt:s{}", ids::id(1).simple());
    let mut usage = redis::cmd("MEMORY");
    let of_key: u64 =
        usage.arg("USAGE").arg(name).query_async(&mut connection).await.expect("a size");
    redis::cmd("FLUSHDB").query_async::<_, ()>(&mut connection).await.expect("emptied");
    ((after - before) / ENTRIES as f64, of_key as f64)
}

async fn used(connection: &mut deadpool_redis::Connection) -> f64 {
    let info: String =
        redis::cmd("INFO").arg("memory").query_async(connection).await.expect("memory");
    let line = info.lines().find_map(|line| line.strip_prefix("used_memory:")).expect("a size");
    line.trim().parse().expect("bytes")
}

/// The table, its primary key, and its other indexes.
async fn postgres() -> [f64; 3] {
    let url = std::env::var("TEST_POSTGRES_URL")
        .unwrap_or("postgres://postgres@127.0.0.1:5432/test".into());
    // Durability does not matter here.
    let url = format!("{url}?options=-c%20synchronous_commit%3Doff");
    let pool: deadpool_postgres::Pool = pool(url).await;
    let table = format!("jwt_bench_{}", Uuid::now_v7().simple());
    let store = PostgresBlocklist::with_table(pool.clone(), &table).expect("a name");
    store.create_table().await.expect("a table");
    fill(&store, 0..ENTRIES).await;
    let connection = pool.get().await.expect("a connection");
    let sizes = format!(
        "SELECT pg_table_size('{table}'), pg_relation_size('{table}_pkey'), \
         pg_relation_size('{table}_expires') + pg_relation_size('{table}_changed')"
    );
    let row = connection.query_one(&sizes, &[]).await.expect("sizes");
    let dropped = connection.batch_execute(&format!("DROP TABLE {table}")).await;
    dropped.expect("the table is dropped");
    [0, 1, 2].map(|column| row.get::<_, i64>(column) as f64 / ENTRIES as f64)
}

fn fill(store: &impl Blocklist, numbers: std::ops::Range<u64>) -> impl Future<Output = ()> + '_ {
    let now = OffsetDateTime::now_utc();
    let first = numbers.start;
    let count = numbers.end - first;
    stream::iter(0..count).for_each_concurrent(WRITERS, move |turn| async move {
        let number = first + turn.wrapping_mul(STRIDE) % count;
        let until =
            now + Duration::seconds_f64(ids::mix(number) as f64 / u64::MAX as f64 * 2.592e6);
        let entry = Revocation::session(ids::id(number).to_string(), until);
        store.revoke(&entry).await.expect("an entry");
    })
}

async fn pool<P: Pool>(url: String) -> P {
    let config = Config { url, max_connections: 16, connect_timeout: 5, ..Config::default() };
    match P::init(&Figment::from(Serialized::defaults(config))).await {
        Ok(pool) => pool,
        Err(error) => panic!("no pool: {error}"),
    }
}
