//! The connections of a store are its own: nothing the application does to its pool is in their way,
//! and one that never does what it is asked is replaced.
#![cfg(all(
    feature = "test-util",
    any(
        feature = "sqlx_sqlite",
        feature = "sqlx_postgres",
        feature = "sqlx_mysql",
        feature = "deadpool_postgres",
    )
))]

use rocket::time::{Duration, OffsetDateTime};
use rocket_jwt_extended::blocklist::{Blocklist, Exchanged, Revocation, Standing, TokenIds};

use crate::store_support::{exchange_at, refresh, server, try_pool, unique};

/// What `store` records is known to `other`, immediately and after `then`.
async fn is_recorded(store: &dyn Blocklist, other: &dyn Blocklist, then: impl AsyncFnOnce()) {
    let (revoked, exchanged, sid) = (unique(), unique(), unique());
    let revoked_ids = TokenIds::new(Some(&revoked), None, None, None);
    let exchanged_ids = refresh(&exchanged, &sid);
    let now = OffsetDateTime::now_utc();
    // Read first, so that a snapshot that is kept shows.
    assert_eq!(store.standing(&revoked_ids).await.expect("a standing"), Standing::Live);
    store.revoke(&Revocation::token(&revoked, now + Duration::HOUR)).await.expect("recorded");
    let first = store.exchange(&exchanged_ids, &exchange_at(now, Duration::ZERO)).await;
    assert_eq!(first.expect("exchanged"), Exchanged::First);
    let check = async || {
        for store in [store, other] {
            let standing = store.standing(&revoked_ids).await.expect("a standing");
            assert_eq!(standing, Standing::Revoked);
            let standing = store.standing(&exchanged_ids).await.expect("a standing");
            assert!(matches!(standing, Standing::Exchanged { .. }), "{standing:?}");
        }
    };
    check().await;
    then().await;
    check().await;

    // What another server records is known here.
    let theirs = unique();
    let ids = TokenIds::new(Some(&theirs), None, None, None);
    other.revoke(&Revocation::token(&theirs, now + Duration::HOUR)).await.expect("recorded");
    assert_eq!(store.standing(&ids).await.expect("a standing"), Standing::Revoked);
}

#[cfg(any(feature = "sqlx_sqlite", feature = "sqlx_postgres", feature = "sqlx_mysql"))]
mod sqlx {
    use super::*;

    macro_rules! tests {
        ($feature:literal, $place:ident, $database:ident, $($left_open:literal),*) => {
            #[cfg(feature = $feature)]
            mod $place {
                use rocket_db_pools::sqlx::{self, $database, Executor};
                use rocket_jwt_extended::blocklist::BlocklistPool;

                use super::*;
                use crate::store_support::{$place::Home, try_pool};

                type Pool = sqlx::Pool<$database>;

                #[rocket::async_test]
                async fn a_transaction_left_open_in_the_pool_loses_nothing() {
                    let home = Home::new().await;
                    let other = server::<Pool>(&home.url).await;
                    for left_open in [$($left_open),*] {
                        // The only connection, which everything borrowed from the pool would be.
                        let pool = try_pool::<Pool>(&home.url, 1).await.expect("a pool");
                        let store = pool.blocklist().await.expect("a store");
                        pool.acquire().await.expect("it").execute(left_open).await.expect("it runs");
                        is_recorded(&*store, &*other, async || {
                            let mut connection = pool.acquire().await.expect("it");
                            let _ = connection.execute("ROLLBACK").await;
                        })
                        .await;
                    }
                    home.end().await;
                }

                #[rocket::async_test]
                async fn the_store_goes_on_when_the_pool_is_closed_or_exhausted() {
                    let home = Home::new().await;
                    let other = server::<Pool>(&home.url).await;
                    let pool = try_pool::<Pool>(&home.url, 1).await.expect("a pool");
                    let store = pool.blocklist().await.expect("a store");
                    let taken = pool.acquire().await.expect("a connection");
                    is_recorded(&*store, &*other, async || {}).await;
                    drop(taken);
                    pool.close().await;
                    is_recorded(&*store, &*other, async || {}).await;
                    home.end().await;
                }
            }
        };
    }

    tests!("sqlx_sqlite", sqlite, Sqlite, "BEGIN");
    tests!(
        "sqlx_postgres",
        sqlx_postgres,
        Postgres,
        "BEGIN",
        "BEGIN ISOLATION LEVEL REPEATABLE READ"
    );
    tests!("sqlx_mysql", sqlx_mysql, MySql, "BEGIN", "SET autocommit = 0");

    /// The hook runs on the store's own connections, too. One that only reads is replaced, with either
    /// kind of statement.
    macro_rules! read_only {
        ($feature:literal, $place:ident, $database:ident, $read_only:literal) => {
            #[cfg(feature = $feature)]
            #[rocket::async_test]
            async fn $place() {
                use std::sync::Arc;
                use std::sync::atomic::{AtomicBool, Ordering};

                use rocket_db_pools::sqlx::{Executor, pool::PoolOptions, $database};
                use rocket_jwt_extended::blocklist::SqlxBlocklist;

                let home = crate::store_support::$place::Home::new().await;
                let other = server::<rocket_db_pools::sqlx::Pool<$database>>(&home.url).await;
                let reads_only = Arc::new(AtomicBool::new(true));
                let hook = reads_only.clone();
                let pool = PoolOptions::<$database>::new()
                    .max_connections(2)
                    .after_connect(move |connection, _| {
                        let reads_only = hook.load(Ordering::SeqCst);
                        Box::pin(async move {
                            if reads_only {
                                connection.execute($read_only).await?;
                            }
                            Ok(())
                        })
                    })
                    .connect(&home.url)
                    .await
                    .expect("a pool");
                let store = SqlxBlocklist::new(pool);
                store.create_table().await.expect("the table is there, and can be read");
                let ids = TokenIds::new(Some("jti"), None, None, None);
                assert_eq!(store.standing(&ids).await.expect("a standing"), Standing::Live);
                let refused = store.revoke(&Revocation::token("jti", None)).await;
                assert!(refused.is_err(), "a session that only reads");
                assert_eq!(store.standing(&ids).await.expect("a standing"), Standing::Live);

                reads_only.store(false, Ordering::SeqCst);
                is_recorded(&store, &*other, async || {}).await;
                home.end().await;
            }
        };
    }

    mod a_session_that_only_reads_is_replaced {
        use super::*;

        read_only!(
            "sqlx_postgres",
            sqlx_postgres,
            Postgres,
            "SET default_transaction_read_only = on"
        );
        read_only!("sqlx_mysql", sqlx_mysql, MySql, "SET SESSION TRANSACTION READ ONLY");
    }

    /// A database in memory without a shared cache is another for each connection, so the pool's own is
    /// used.
    #[cfg(feature = "sqlx_sqlite")]
    #[rocket::async_test]
    async fn a_database_in_memory_is_that_of_the_pool() {
        use rocket_db_pools::sqlx::{Sqlite, pool::PoolOptions, sqlite::SqliteConnectOptions};
        use rocket_jwt_extended::blocklist::SqlxBlocklist;

        let shared = "sqlite::memory:".parse().expect("options");
        for (options, is_shared) in [(SqliteConnectOptions::new(), false), (shared, true)] {
            let options: SqliteConnectOptions = options;
            let pool = PoolOptions::<Sqlite>::new().max_connections(1).connect_with(options).await;
            let pool = pool.expect("a pool");
            let store = SqlxBlocklist::new(pool.clone());
            store.create_table().await.expect("a table");
            let other = SqlxBlocklist::new(pool.clone());
            is_recorded(&store, &other, async || {}).await;
            let count =
                rocket_db_pools::sqlx::query_scalar::<_, i64>("SELECT count(*) FROM jwt_blocklist");
            let count = count.fetch_one(&pool).await.expect("the table is in the pool's database");
            assert_eq!(count, 3, "shared: {is_shared}");
        }
    }

    /// Each connection of the pool would have entries of its own.
    #[cfg(feature = "sqlx_sqlite")]
    #[rocket::async_test]
    async fn a_database_of_each_connection_fails_the_launch() {
        use rocket_db_pools::sqlx::SqlitePool;
        use rocket_jwt_extended::blocklist::BlocklistPool;

        for url in ["sqlite://:memory:?cache=private", "sqlite://some?mode=memory"] {
            let many = try_pool::<SqlitePool>(url, 4).await.expect("a pool");
            let error = many.blocklist().await.err().expect("no store").to_string();
            assert!(error.contains("set `max_connections = 1`"), "{url}: {error}");
            let one = try_pool::<SqlitePool>(url, 1).await.expect("a pool");
            let store = one.blocklist().await.expect("a store");
            is_recorded(&*store, &*one.blocklist().await.expect("a store"), async || {}).await;
        }
        for url in ["sqlite::memory:", "sqlite://file:some?mode=memory"] {
            let pool = try_pool::<SqlitePool>(url, 4).await.expect("a pool");
            let store = pool.blocklist().await.expect("a store");
            is_recorded(&*store, &*pool.blocklist().await.expect("a store"), async || {}).await;
        }
    }
}

#[cfg(feature = "deadpool_postgres")]
mod deadpool_postgres {
    use rocket_db_pools::deadpool_postgres::{Hook, Manager, Pool};
    use rocket_jwt_extended::blocklist::{BlocklistPool, PostgresBlocklist};

    use super::*;
    use crate::store_support::{deadpool_postgres::Home, try_pool, with_setting};

    #[rocket::async_test]
    async fn a_transaction_left_open_in_the_pool_loses_nothing() {
        let home = Home::new().await;
        let other = server::<Pool>(&home.url).await;
        for left_open in ["BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ"] {
            let pool = try_pool::<Pool>(&home.url, 1).await.expect("a pool");
            let store = pool.blocklist().await.expect("a store");
            let run = async |statement: &str| {
                let connection = pool.get().await.expect("the only connection");
                connection.batch_execute(statement).await.expect("it runs");
            };
            run(left_open).await;
            is_recorded(&*store, &*other, async || run("ROLLBACK").await).await;
        }
        home.end().await;
    }

    #[rocket::async_test]
    async fn the_store_goes_on_when_the_pool_is_closed_or_exhausted() {
        let home = Home::new().await;
        let other = server::<Pool>(&home.url).await;
        let pool = try_pool::<Pool>(&home.url, 1).await.expect("a pool");
        let store = pool.blocklist().await.expect("a store");
        let taken = pool.get().await.expect("a connection");
        is_recorded(&*store, &*other, async || {}).await;
        drop(taken);
        pool.close();
        is_recorded(&*store, &*other, async || {}).await;
        home.end().await;
    }

    #[rocket::async_test]
    async fn a_session_that_only_reads_is_replaced() {
        let home = Home::new().await;
        let other = server::<Pool>(&home.url).await;
        let (schema, role) = (&home.schema, unique());
        home.run(&format!(
            "CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA {schema} TO {role}; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.jwt_blocklist TO {role}; \
             ALTER ROLE {role} SET default_transaction_read_only = on"
        ))
        .await;
        let url = home.url.replacen("postgres@", &format!("{role}@"), 1);
        let store = server::<Pool>(&url).await;
        let ids = TokenIds::new(Some("jti"), None, None, None);
        assert_eq!(store.standing(&ids).await.expect("a standing"), Standing::Live);
        let refused = store.revoke(&Revocation::token("jti", None)).await;
        assert!(refused.is_err(), "a session that only reads");
        assert_eq!(store.standing(&ids).await.expect("a standing"), Standing::Live);

        home.run(&format!("ALTER ROLE {role} SET default_transaction_read_only = off")).await;
        is_recorded(&*store, &*other, async || {}).await;
        drop(store);
        home.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
        home.end().await;
    }

    /// The server ends the idle connections of the store: nobody gets an error.
    #[rocket::async_test]
    async fn connections_that_were_terminated_are_replaced() {
        let home = Home::new().await;
        let name = unique();
        let url = with_setting(&home.url, &format!("application_name={name}"));
        let store = server::<Pool>(&url).await;
        let other = server::<Pool>(&home.url).await;
        for _ in 0..4 {
            is_recorded(&*store, &*other, async || {
                home.run(&format!(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
                     WHERE application_name = '{name}'"
                ))
                .await;
            })
            .await;
        }
        home.end().await;
    }

    /// A hook that the store can't run on its own connections fails the launch.
    #[rocket::async_test]
    async fn a_hook_that_sets_another_schema_is_an_error() {
        let home = Home::new().await;
        let schema = home.schema.clone();
        let config = crate::store_support::postgres().parse().expect("an address");
        let no_tls = rocket_db_pools::deadpool_postgres::tokio_postgres::NoTls;
        let pool = Pool::builder(Manager::new(config, no_tls))
            .post_create(Hook::async_fn(move |client, _| {
                let set = format!("SET search_path = {schema}");
                Box::pin(async move {
                    client.batch_execute(&set).await.map_err(|error| {
                        rocket_db_pools::deadpool_postgres::HookError::Backend(error)
                    })
                })
            }))
            .build()
            .expect("a pool");
        let error = PostgresBlocklist::new(pool).create_table().await.expect_err("another schema");
        assert!(error.to_string().contains(&home.schema), "{error}");
        home.end().await;
    }
}

/// A connection to a file that was replaced reads the old one, also in a process that only reads.
#[cfg(all(feature = "sqlx_sqlite", unix))]
mod a_replaced_file_is_noticed {
    use std::path::Path;

    use rocket_db_pools::sqlx::{self, SqlitePool};
    use rocket_jwt_extended::blocklist::{ReplicableBlocklist, SqlxBlocklist};

    use super::*;
    use crate::store_support::{pool, sqlite::Home};

    type Store = SqlxBlocklist<sqlx::Sqlite>;

    async fn store(home: &Home) -> Store {
        let store = Store::new(pool::<SqlitePool>(&home.url).await);
        store.create_table().await.expect("a table");
        store
    }

    /// As `cp file copy; mv copy file` does.
    fn replace(path: &Path) {
        let copy = path.with_extension("copy");
        std::fs::copy(path, &copy).expect("a copy");
        std::fs::rename(copy, path).expect("it is renamed");
    }

    /// Whether it is so within some seconds; the file is compared once per second.
    async fn soon(is_so: impl AsyncFn() -> bool) -> bool {
        let begun = std::time::Instant::now();
        while !is_so().await {
            if begun.elapsed().as_secs() > 20 {
                return false;
            }
            rocket::tokio::task::yield_now().await;
        }
        true
    }

    #[rocket::async_test]
    async fn by_lookups_and_by_the_reader_of_changes() {
        let home = Home::new().await;
        let (reader, replica) = (store(&home).await, store(&home).await);
        let token = unique();
        let ids = TokenIds::new(Some(&token), None, None, None);
        assert_eq!(reader.standing(&ids).await.expect("a standing"), Standing::Live);
        let cursor = replica.changes(None).await.expect("changes").cursor;
        for replaced in [1, 2] {
            replace(home.path());
            let writer = store(&home).await;
            let token = unique();
            let ids = TokenIds::new(Some(&token), None, None, None);
            writer.revoke(&Revocation::token(&token, None)).await.expect("recorded");
            let is_known =
                async || reader.standing(&ids).await.expect("a standing") == Standing::Revoked;
            assert!(soon(is_known).await, "replaced {replaced} times");
            let is_read = async || {
                let changes = replica.changes(Some(&cursor)).await.expect("changes");
                changes.entries.len() == replaced
            };
            assert!(soon(is_read).await, "replaced {replaced} times");
        }
        home.end().await;
    }

    /// A store that would answer from a file without a name would lose what it records.
    #[rocket::async_test]
    async fn a_file_that_is_gone_is_an_error() {
        let home = Home::new().await;
        let reader = store(&home).await;
        let ids = TokenIds::new(Some("token"), None, None, None);
        assert_eq!(reader.standing(&ids).await.expect("a standing"), Standing::Live);
        std::fs::remove_file(home.path()).expect("it is removed");
        assert!(soon(async || reader.standing(&ids).await.is_err()).await);
        home.end().await;
    }
}
