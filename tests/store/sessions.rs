//! A session is one row, however many of its refresh tokens were exchanged.
#![cfg(all(
    feature = "test-util",
    feature = "sqlx_sqlite",
    feature = "sqlx_postgres",
    feature = "sqlx_mysql",
    feature = "deadpool_postgres",
    feature = "deadpool_redis",
))]

use std::sync::Arc;

use rocket::time::{Duration, OffsetDateTime};
use rocket::tokio;
use rocket_db_pools::deadpool_postgres;
use rocket_db_pools::sqlx::{self, Executor};
use rocket_jwt_extended::MemoryBlocklist;
use rocket_jwt_extended::blocklist::{
    Blocklist, BlocklistPool, Exchanged, RedisBlocklist, ReplicableBlocklist, Revocation, Standing,
};

use crate::store_support::{self, exchange_at, exchange_often, pool, refresh, server};

const TIMES: usize = 1000;
const SESSION: &str = "0196fa3c-0000-7000-8000-00000000000b";

/// Two servers exchange the tokens of a session in turn, and one of them ends it. `rows` counts the rows.
async fn is_one_row<B: Blocklist + ?Sized>(
    stores: [Arc<B>; 2],
    owner: Option<&str>,
    rows: impl AsyncFn() -> i64,
) {
    let [first, last] = exchange_often(&stores, SESSION, owner, TIMES).await;
    let (first, last) = (refresh(&first, SESSION), refresh(&last, SESSION));
    assert_eq!(rows().await, 1);
    assert_eq!(stores[0].standing(&first).await.expect("a standing"), Standing::Replaced);
    assert_eq!(stores[1].standing(&last).await.expect("a standing"), Standing::Live);

    // An old token ends the session, and so does a logout.
    let exchange = exchange_at(OffsetDateTime::now_utc(), Duration::HOUR);
    let outcome = stores[1].exchange(&first, &exchange).await.expect("an answer");
    assert_eq!(outcome, Exchanged::Reused { ended_now: true });
    let until = OffsetDateTime::now_utc() + Duration::HOUR;
    let changes = stores[0].revoke(&Revocation::session(SESSION, until)).await;
    assert!(!changes.expect("recorded"), "it had ended");
    for store in &stores {
        assert_eq!(store.standing(&last).await.expect("a standing"), Standing::Revoked);
    }
    assert_eq!(rows().await, 1);
}

async fn two<P: BlocklistPool>(url: &str) -> [Arc<dyn ReplicableBlocklist>; 2] {
    [server::<P>(url).await, server::<P>(url).await]
}

const COUNT: &str = "SELECT count(*) FROM jwt_blocklist";

#[rocket::async_test]
async fn in_memory_a_session_is_one_row() {
    let store = Arc::new(MemoryBlocklist::new());
    is_one_row([store.clone(), store.clone()], None, async || store.len() as i64).await;
}

#[rocket::async_test]
async fn in_sqlite_a_session_is_one_row() {
    let home = store_support::sqlite::Home::new().await;
    let admin = pool::<sqlx::SqlitePool>(&home.url).await;
    // Fewer writes to the disk for each exchange.
    admin.execute("PRAGMA journal_mode = WAL").await.expect("the mode is set");
    let rows = async || sqlx::query_scalar(COUNT).fetch_one(&admin).await.expect("a count");
    is_one_row(two::<sqlx::SqlitePool>(&home.url).await, None, rows).await;
    home.end().await;
}

#[rocket::async_test]
async fn in_mysql_a_session_is_one_row() {
    let home = store_support::sqlx_mysql::Home::new().await;
    let admin = pool::<sqlx::MySqlPool>(&home.url).await;
    let rows = async || sqlx::query_scalar(COUNT).fetch_one(&admin).await.expect("a count");
    is_one_row(two::<sqlx::MySqlPool>(&home.url).await, None, rows).await;
    home.end().await;
}

#[rocket::async_test]
async fn in_redis_a_session_is_one_key() {
    let home = store_support::deadpool_redis::Home::new().await;
    let store = async || {
        let pool = pool(&store_support::redis()).await;
        Arc::new(RedisBlocklist::with_prefix(pool, &home.prefix))
    };
    let rows = async || home.keys().await.len() as i64;
    is_one_row([store().await, store().await], None, rows).await;
    // Of all these writes, readers of changes need to know two.
    assert_eq!(home.ask::<i64>(&["XLEN", &home.stream()]).await, 2);
    home.end().await;
}

/// In PostgreSQL, an update of a row that writes no index (heap-only) costs the least.
async fn is_heap_only<P: BlocklistPool>() {
    for owner in [None, Some("ada")] {
        let home = store_support::sqlx_postgres::Home::new().await;
        let admin = pool::<sqlx::PgPool>(&home.url).await;
        let rows = async || sqlx::query_scalar(COUNT).fetch_one(&admin).await.expect("a count");
        is_one_row(two::<P>(&home.url).await, owner, rows).await;

        let query = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables \
                     WHERE relid = 'jwt_blocklist'::regclass";
        let (updates, heap_only) = loop {
            // The server counts the updates of a connection when that has been idle for a while.
            let (updates, heap_only): (i64, i64) =
                sqlx::query_as(query).fetch_one(&admin).await.expect("the statistics");
            if updates >= TIMES as i64 {
                break (updates, heap_only);
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        };
        println!("{heap_only} of {updates} updates are heap-only");
        assert!(heap_only * 10 >= updates * 9, "{heap_only} of {updates}");
        home.end().await;
    }
}

#[rocket::async_test]
async fn in_postgres_a_session_is_one_row_and_exchanges_are_heap_only() {
    is_heap_only::<sqlx::PgPool>().await;
}

#[rocket::async_test]
async fn in_postgres_through_deadpool_a_session_is_one_row_and_exchanges_are_heap_only() {
    is_heap_only::<deadpool_postgres::Pool>().await;
}

/// A logout is written, and committed while an exchange that has read the row before waits for it.
macro_rules! logout_during_an_exchange {
    ($name:ident, $home:ident, $database:ident, $pool:ty, $with_name:literal, $waiting:literal) => {
        #[rocket::async_test]
        async fn $name() {
            use rocket_jwt_extended::blocklist::SqlxBlocklist;

            let home = store_support::$home::Home::new().await;
            let admin = pool::<sqlx::Pool<sqlx::$database>>(&home.url).await;
            let named = SqlxBlocklist::new(admin.clone());
            named.create_table().await.expect("a table");
            let name = store_support::unique();
            let url = format!("{}{}", home.url, $with_name.replace("{}", &name));
            let store = server::<$pool>(&url).await;
            let now = OffsetDateTime::now_utc();
            for is_stolen in [false, true] {
                let sid = store_support::unique();
                let begun = exchange_at(now, Duration::HOUR);
                store.exchange(&refresh("first", &sid), &begun).await.expect("an answer");
                let token = match is_stolen {
                    true => "stolen".into(),
                    false => begun.next().to_string(),
                };

                let revocation = Revocation::session(&*sid, now + Duration::HOUR);
                let statements = named.statements();
                let (_, revoke) =
                    statements.iter().find(|(name, _)| *name == "revoke").expect("its name");
                let mut transaction = admin.begin().await.expect("a transaction");
                let until = (now + Duration::HOUR).unix_timestamp() * 1000;
                let query = sqlx::query(revoke).bind(until).bind(revocation.key().to_vec());
                let done = query.execute(&mut *transaction).await.expect("it runs");
                assert_eq!(done.rows_affected(), 1);

                let exchanging = {
                    let (store, sid) = (store.clone(), sid.clone());
                    tokio::spawn(async move {
                        let exchange = exchange_at(now, Duration::ZERO);
                        store.exchange(&refresh(&token, &sid), &exchange).await
                    })
                };
                loop {
                    let waiting = $waiting.replace("{}", &name);
                    let waiting = sqlx::query_scalar::<_, i64>(&waiting).fetch_one(&admin).await;
                    if waiting.expect("a count") > 0 {
                        break;
                    }
                    assert!(!exchanging.is_finished(), "it did not wait");
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
                transaction.commit().await.expect("committed");
                let outcome = exchanging.await.expect("no panic").expect("an answer");
                assert_eq!(outcome, Exchanged::Ended, "stolen: {is_stolen}");
            }
            home.end().await;
        }
    };
}

logout_during_an_exchange!(
    in_postgres_an_exchange_sees_a_logout_that_it_waited_for,
    sqlx_postgres,
    Postgres,
    sqlx::PgPool,
    "&application_name={}",
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{}' AND wait_event_type = 'Lock'"
);

logout_during_an_exchange!(
    in_postgres_through_deadpool_an_exchange_sees_a_logout_that_it_waited_for,
    sqlx_postgres,
    Postgres,
    deadpool_postgres::Pool,
    "&application_name={}",
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{}' AND wait_event_type = 'Lock'"
);

logout_during_an_exchange!(
    in_serializable_postgres_an_exchange_sees_a_logout_that_it_waited_for,
    sqlx_postgres,
    Postgres,
    deadpool_postgres::Pool,
    "%20-c%20default_transaction_isolation%3Dserializable&application_name={}",
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{}' AND wait_event_type = 'Lock'"
);

logout_during_an_exchange!(
    in_mysql_an_exchange_sees_a_logout_that_it_waited_for,
    sqlx_mysql,
    MySql,
    sqlx::MySqlPool,
    "",
    "SELECT count(*) FROM information_schema.innodb_trx AS t \
     JOIN information_schema.processlist AS p ON p.id = t.trx_mysql_thread_id \
     WHERE t.trx_state = 'LOCK WAIT' AND p.db = database()"
);
