//! A store that can't tell says so: never "live", and never with a password in it.
#![cfg(all(
    feature = "test-util",
    any(
        feature = "sqlx_sqlite",
        feature = "sqlx_postgres",
        feature = "sqlx_mysql",
        feature = "deadpool_postgres",
        feature = "deadpool_redis",
    )
))]

use std::error::Error;

use rocket::futures::future::join_all;
use rocket::time::{Duration, OffsetDateTime};
use rocket_jwt_extended::blocklist::{Blocklist, Revocation, Standing, StoreError, TokenIds};

const PASSWORD: &str = "correct-horse";

/// Every method fails, and no text of the failure tells the password.
#[allow(dead_code)]
async fn tells_nothing(store: &dyn Blocklist, but_prune: bool) {
    let now = OffsetDateTime::now_utc();
    let ids = TokenIds::new(Some("jti"), Some("sid"), Some("user"), None);
    let mut errors = vec![
        store.standing(&ids).await.expect_err("no standing"),
        store.use_up(&ids, now, now + Duration::HOUR).await.expect_err("not used up"),
        store.revoke(&Revocation::token("jti", None)).await.expect_err("not revoked"),
    ];
    if !but_prune {
        errors.push(store.prune(now).await.expect_err("not pruned"));
    }
    errors.iter().for_each(is_discreet);
}

fn is_discreet(error: &StoreError) {
    let mut text = format!("{error:#?}");
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(error) = cause {
        text.push_str(&format!("\n{error}\n{error:?}"));
        cause = error.source();
    }
    assert!(!text.contains(PASSWORD), "{text}");
}

/// The token is neither live nor anything else. Gives the reason.
async fn is_unknown(store: &dyn Blocklist, ids: &TokenIds<'_>, what: &str) -> String {
    let error = store.standing(ids).await.expect_err(what);
    let now = OffsetDateTime::now_utc();
    assert!(store.use_up(ids, now, now + Duration::HOUR).await.is_err(), "{what}");
    error.to_string()
}

/// What a row may not be. For each, nothing is known of the token it concerns; others are live, though
/// they are asked for at the same time.
async fn is_malformed(store: &dyn Blocklist, ids: &TokenIds<'_>, what: &str) {
    let error = is_unknown(store, ids, what).await;
    // It says where to look.
    let names = ids.keys().into_iter().map(|[kind, id @ ..]| {
        format!("{}{}", char::from(kind), uuid::Uuid::from_bytes(id).as_simple())
    });
    assert!(names.into_iter().any(|name| error.ends_with(&name)), "{what}: {error}");

    let names: Vec<_> = (0..40).map(|number| format!("other {number}")).collect();
    let all = names.iter().enumerate().map(|(number, name)| match number % 8 {
        7 => *ids,
        _ => TokenIds::new(Some(name), Some(name), Some(name), None),
    });
    let all: Vec<_> = all.collect();
    let answers = join_all(all.iter().map(|asked| store.standing(asked))).await;
    for (asked, answer) in all.iter().zip(answers) {
        match asked == ids {
            true => assert!(answer.is_err(), "{what}"),
            false => assert_eq!(answer.expect("an answer"), Standing::Live, "{what}"),
        }
    }
}

#[cfg(any(feature = "sqlx_sqlite", feature = "sqlx_postgres", feature = "sqlx_mysql"))]
mod sqlx {
    use rocket_jwt_extended::blocklist::BlocklistPool;

    use super::*;

    macro_rules! tests {
        ($feature:literal, $place:ident, $database:ident, $away:literal) => {
            #[cfg(feature = $feature)]
            mod $place {
                use std::time::Duration;

                use rocket_db_pools::sqlx::{self, pool::PoolOptions, $database};
                use rocket_jwt_extended::blocklist::SqlxBlocklist;

                use super::*;
                use crate::store_support::{pool, $place::Home};

                type Pool = sqlx::Pool<$database>;

                #[rocket::async_test]
                async fn a_server_out_of_reach_is_an_error() {
                    let options =
                        PoolOptions::<$database>::new().acquire_timeout(Duration::from_millis(300));
                    let pool = options.connect_lazy($away).expect("a good address");
                    let error = pool.blocklist().await.err().expect("no store");
                    is_discreet(&error);
                    tells_nothing(&SqlxBlocklist::new(pool), false).await;
                }

                #[rocket::async_test]
                async fn a_missing_table_is_an_error() {
                    let home = Home::new().await;
                    let pool = pool::<Pool>(&home.url).await;
                    tells_nothing(&SqlxBlocklist::new(pool), false).await;
                    home.end().await;
                }

                #[rocket::async_test]
                async fn a_malformed_row_is_an_error() {
                    let home = Home::new().await;
                    let pool = pool::<Pool>(&home.url).await;
                    let store = pool.blocklist().await.expect("a store");
                    let ids = TokenIds::new(Some("jti"), Some("sid"), Some("user"), None);
                    let [token, session, subject] =
                        [ids.token_key(), ids.session_key(), ids.subject_key()];
                    for (key, columns) in [
                        (token, "cut_off = NULL, used = NULL"),
                        (token, "cut_off = 1, used = NULL"),
                        (token, "cut_off = NULL, used = 9223372036854775807"),
                        (token, "cut_off = NULL, used = -9223372036854775808"),
                        (session, "cut_off = NULL, used = NULL"),
                        (session, "cut_off = 1, used = NULL"),
                        (session, "cut_off = NULL, used = 1"),
                        (subject, "cut_off = NULL, used = NULL"),
                        (subject, "cut_off = NULL, used = 1"),
                        (subject, "cut_off = 9223372036854775807, used = NULL"),
                    ] {
                        let key = key.expect("a key");
                        let entry = match stringify!($database) {
                            "Postgres" => "decode('{}', 'hex')",
                            _ => "x'{}'",
                        };
                        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
                        let entry = entry.replace("{}", &hex);
                        let insert = format!(
                            "INSERT INTO jwt_blocklist (entry, revoked, changed) \
                             VALUES ({entry}, $no, 0)"
                        );
                        let no = if stringify!($database) == "Sqlite" { "0" } else { "false" };
                        for statement in [
                            "DELETE FROM jwt_blocklist".into(),
                            insert.replace("$no", no),
                            format!("UPDATE jwt_blocklist SET {columns}"),
                        ] {
                            sqlx::query(&statement).execute(&pool).await.expect("it runs");
                        }
                        is_malformed(&*store, &ids, &format!("{}: {columns}", key[0])).await;
                    }
                    home.end().await;
                }
            }
        };
    }

    tests!("sqlx_sqlite", sqlite, Sqlite, "sqlite:///nowhere/correct-horse/no.sqlite");
    tests!(
        "sqlx_postgres",
        sqlx_postgres,
        Postgres,
        "postgres://someone:correct-horse@127.0.0.1:1/test"
    );
    tests!("sqlx_mysql", sqlx_mysql, MySql, "mysql://someone:correct-horse@127.0.0.1:1/test");

    /// The server itself refuses, with a text of its own.
    #[cfg(feature = "sqlx_mysql")]
    #[rocket::async_test]
    async fn a_wrong_password_is_an_error() {
        use rocket_db_pools::sqlx::{MySql, pool::PoolOptions};

        let url = crate::store_support::mysql();
        let (_, server) = url.rsplit_once('@').expect("an address with a user");
        let url = format!("mysql://nobody:{PASSWORD}@{server}");
        let pool = PoolOptions::<MySql>::new().connect_lazy(&url).expect("a good address");
        let error = pool.blocklist().await.err().expect("no store");
        assert!(error.to_string().contains("Access denied"), "{error}");
        is_discreet(&error);
    }
}

#[cfg(feature = "deadpool_postgres")]
mod deadpool_postgres {
    use rocket_db_pools::deadpool_postgres::Pool;
    use rocket_jwt_extended::blocklist::{BlocklistPool, PostgresBlocklist};

    use super::*;
    use crate::store_support::{deadpool_postgres::Home, pool, try_pool};

    #[rocket::async_test]
    async fn a_server_out_of_reach_is_an_error() {
        let url = format!("postgres://someone:{PASSWORD}@127.0.0.1:1/test");
        let pool = try_pool::<Pool>(&url, 2).await.expect("a pool that connects later");
        let error = pool.blocklist().await.err().expect("no store");
        assert!(error.to_string().contains("refused"), "{error}");
        is_discreet(&error);
        tells_nothing(&PostgresBlocklist::new(pool), false).await;
    }

    #[rocket::async_test]
    async fn what_the_server_says_is_told() {
        let home = Home::new().await;
        let store = PostgresBlocklist::new(pool::<Pool>(&home.url).await);
        let ids = TokenIds::new(Some("jti"), None, None, None);
        let error = store.standing(&ids).await.expect_err("no table").to_string();
        assert!(error.contains("relation \"jwt_blocklist\" does not exist"), "{error}");
        tells_nothing(&store, false).await;
        home.end().await;
    }

    #[rocket::async_test]
    async fn a_malformed_row_is_an_error() {
        let home = Home::new().await;
        let store = pool::<Pool>(&home.url).await.blocklist().await.expect("a store");
        let table = format!("{}.jwt_blocklist", home.schema);
        let ids = TokenIds::new(Some("jti"), None, None, None);
        let key: String =
            ids.token_key().expect("a key").iter().map(|byte| format!("{byte:02x}")).collect();
        for (columns, what) in [
            ("NULL, NULL", "it says nothing"),
            ("1, NULL", "a token has no cut-off"),
            ("NULL, 9223372036854775807", "no time has that number"),
        ] {
            home.run(&format!("DELETE FROM {table}")).await;
            home.run(&format!(
                "INSERT INTO {table} (entry, revoked, cut_off, used, changed) \
                 VALUES (decode('{key}', 'hex'), false, {columns}, 0)"
            ))
            .await;
            is_malformed(&*store, &ids, what).await;
        }
        home.run(&format!("ALTER TABLE {table} ALTER COLUMN used TYPE text")).await;
        is_unknown(&*store, &ids, "a column of another type").await;
        home.end().await;
    }
}

#[cfg(feature = "deadpool_redis")]
mod deadpool_redis {
    use rocket_db_pools::deadpool_redis::Pool;
    use rocket_jwt_extended::blocklist::{BlocklistPool, RedisBlocklist};

    use super::*;
    use crate::store_support::{deadpool_redis::Home, redis, try_pool};

    #[rocket::async_test]
    async fn a_server_out_of_reach_is_an_error() {
        let url = format!("redis://someone:{PASSWORD}@127.0.0.1:1");
        let pool = try_pool::<Pool>(&url, 2).await.expect("a pool that connects later");
        let error = pool.blocklist().await.err().expect("no store");
        is_discreet(&error);
        tells_nothing(&RedisBlocklist::new(pool), true).await;
    }

    #[rocket::async_test]
    async fn a_wrong_password_is_an_error() {
        let url = redis();
        let (_, server) = url.rsplit_once('/').expect("an address");
        let server = server.rsplit_once('@').map_or(server, |(_, server)| server);
        let url = format!("redis://nobody:{PASSWORD}@{server}");
        let pool = try_pool::<Pool>(&url, 2).await.expect("a pool that connects later");
        let error = pool.blocklist().await.err().expect("no store");
        is_discreet(&error);
    }

    #[rocket::async_test]
    async fn a_closed_pool_is_an_error() {
        let home = Home::new().await;
        let store = RedisBlocklist::with_prefix(home.pool.clone(), &home.prefix);
        home.pool.close();
        tells_nothing(&store, true).await;
    }

    #[rocket::async_test]
    async fn a_malformed_value_is_an_error() {
        let home = Home::new().await;
        let store = RedisBlocklist::with_prefix(home.pool.clone(), &home.prefix);
        let ids = TokenIds::new(Some("jti"), None, None, None);
        store.revoke(&Revocation::token("jti", None)).await.expect("recorded");
        let key = home.keys().await.pop().expect("its key");
        for value in [
            "",
            "1",
            "1 - - -",
            "1 - - - -",
            "1 - - - 1 ",
            "1 - - - 1 1",
            "1  - - - 1",
            " 1 - - - 1",
            "2 - - - 1",
            "true - - - 1",
            "0 - - - 1",
            "0 1 - - 1",
            "0 - x - 1",
            "0 - 1.5 - 1",
            "0 - 9223372036854775807 - 1",
            "0 - 9223372036854775808 - 1",
            "1 x - - 1",
            "1 - - x 1",
        ] {
            home.ask::<()>(&["SET", &key, value]).await;
            is_malformed(&store, &ids, value).await;
        }

        // One that the script can't read is not written over; with a shape, it may be.
        for value in ["", "x", "1 - - -", "0 - - x 1"] {
            home.ask::<()>(&["SET", &key, value]).await;
            let until = OffsetDateTime::now_utc() + Duration::HOUR;
            assert!(store.revoke(&Revocation::token("jti", until)).await.is_err(), "{value}");
            assert_eq!(home.ask::<String>(&["GET", &key]).await, value);
        }

        home.ask::<()>(&["DEL", &key]).await;
        home.ask::<()>(&["LPUSH", &key, "a list"]).await;
        is_malformed(&store, &ids, "a list").await;
        assert!(store.revoke(&Revocation::token("jti", None)).await.is_err(), "a list");
        home.end().await;
    }
}
