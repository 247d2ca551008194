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

use crate::store_support::{exchange_at, key_name};

const PASSWORD: &str = "correct-horse";

/// Every method fails, and no text of the failure tells the password.
#[allow(dead_code)]
async fn tells_nothing(store: &dyn Blocklist, but_prune: bool) {
    let now = OffsetDateTime::now_utc();
    let ids = TokenIds::new(Some("jti"), Some("sid"), Some("user"), None);
    let mut errors = vec![
        store.standing(&ids).await.expect_err("no standing"),
        store.exchange(&ids, &exchange_at(now, Duration::ZERO)).await.expect_err("not exchanged"),
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
    let exchange = exchange_at(now, Duration::MINUTE);
    assert!(store.exchange(ids, &exchange).await.is_err(), "{what}");
    error.to_string()
}

/// What a row may not be. For each, nothing is known of the token it concerns; others are live, though
/// they are asked for at the same time.
async fn is_malformed(store: &dyn Blocklist, ids: &TokenIds<'_>, what: &str) {
    let error = is_unknown(store, ids, what).await;
    // It says where to look.
    let mut names = ids.keys().into_iter().map(key_name);
    assert!(names.any(|name| error.ends_with(&name)), "{what}: {error}");

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
                    let id = match stringify!($database) {
                        "Postgres" => "decode('0196fa3c00007000800000000000000b', 'hex')",
                        _ => "x'0196fa3c00007000800000000000000b'",
                    };
                    for (key, columns) in [
                        (token, "cut_off = NULL"),
                        (token, "cut_off = 1"),
                        (token, "revoked = $yes, cut_off = 1"),
                        (token, "revoked = $yes, ended_by = $id"),
                        (token, "current_jti = $id"),
                        (session, "cut_off = NULL"),
                        (session, "cut_off = 1"),
                        (session, "last_jti = $id, exchanged = 1, seed = $id"),
                        (session, "current_jti = $id, last_jti = $id, exchanged = 1"),
                        (session, "current_jti = $id, last_jti = $id, seed = $id"),
                        (session, "current_jti = $id, exchanged = 1, seed = $id"),
                        (session, "current_jti = $id, ended_by = $id"),
                        (session, "current_jti = $id, cut_off = 1"),
                        (session, "revoked = $yes, last_jti = $id, exchanged = 1, seed = $id"),
                        (subject, "cut_off = NULL"),
                        (subject, "cut_off = 9223372036854775807"),
                        (subject, "cut_off = 1, revoked = $yes"),
                        (subject, "cut_off = 1, current_jti = $id"),
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
                        let update = format!("UPDATE jwt_blocklist SET {columns}");
                        for statement in [
                            "DELETE FROM jwt_blocklist".into(),
                            insert.replace("$no", no),
                            update.replace("$yes", "true").replace("$id", id),
                        ] {
                            sqlx::query(&statement).execute(&pool).await.expect("it runs");
                        }
                        is_malformed(&*store, &ids, &format!("{}: {columns}", key[0])).await;
                    }
                    // An id of another length, where the column allows it.
                    let wider = match stringify!($database) {
                        "MySql" => "ALTER TABLE jwt_blocklist MODIFY current_jti VARBINARY(17)",
                        _ => "SELECT 1",
                    };
                    sqlx::query(wider).execute(&pool).await.expect("it runs");
                    let key = session.expect("a key");
                    for length in [0, 15, 17] {
                        sqlx::query("DELETE FROM jwt_blocklist")
                            .execute(&pool)
                            .await
                            .expect("rows");
                        let hex = |bytes: &[u8]| -> String {
                            bytes.iter().map(|byte| format!("{byte:02x}")).collect()
                        };
                        let literal = |bytes: &[u8]| match stringify!($database) {
                            "Postgres" => format!("decode('{}', 'hex')", hex(bytes)),
                            _ => format!("x'{}'", hex(bytes)),
                        };
                        let no = if stringify!($database) == "Sqlite" { "0" } else { "false" };
                        let (entry, id) = (literal(&key), literal(&vec![b'x'; length]));
                        let insert = format!(
                            "INSERT INTO jwt_blocklist (entry, revoked, current_jti, changed) \
                             VALUES ({entry}, {no}, {id}, 0)"
                        );
                        sqlx::query(&insert).execute(&pool).await.expect("it runs");
                        is_malformed(&*store, &ids, &format!("an id of {length} bytes")).await;
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
    use rocket_jwt_extended::blocklist::{BlocklistPool, EntryKey, PostgresBlocklist};

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
        let ids = TokenIds::new(Some("jti"), Some("sid"), None, None);
        let hex =
            |key: EntryKey| -> String { key.iter().map(|byte| format!("{byte:02x}")).collect() };
        let [token, session] =
            [ids.token_key(), ids.session_key()].map(|key| hex(key.expect("a key")));
        let id = "decode('0196fa3c00007000800000000000000b', 'hex')";
        for (key, columns, values, what) in [
            (&token, "cut_off", "NULL", "it says nothing"),
            (&token, "cut_off", "1", "a token has no cut-off"),
            (&token, "current_jti", id, "a token has no current one"),
            (&session, "cut_off", "NULL", "a live session has a current token"),
            (&session, "current_jti", "decode('00', 'hex')", "an id has sixteen bytes"),
            (&session, "current_jti, ended_by", &format!("{id}, {id}"), "it has not ended"),
            (&session, "current_jti, last_jti, exchanged", &format!("{id}, {id}, 1"), "no seed"),
        ] {
            home.run(&format!("DELETE FROM {table}")).await;
            home.run(&format!(
                "INSERT INTO {table} (entry, revoked, changed, {columns}) \
                 VALUES (decode('{key}', 'hex'), false, 0, {values})"
            ))
            .await;
            is_malformed(&*store, &ids, what).await;
        }
        home.run(&format!("ALTER TABLE {table} ALTER COLUMN exchanged TYPE text")).await;
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

    const ID: &str = "0196fa3c0000700080000000000000ab";

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
            "1 - -",
            "1 - - -",
            "1 - - 1 ",
            "1  - - 1",
            " 1 - - 1",
            "2 - - 1",
            "true - - 1",
            "0 - - 1",
            "0 1 - 1",
            "0 - x 1",
            "0 - 1.5 1",
            "0 - 9223372036854775808 1",
            "1 x - 1",
            "1 - x 1",
            // Of the layout with a mark for each token that was exchanged.
            "1 - - - 1",
            "0 - 1 - 1",
            "0 - 1764428400000 1764428400000 1764428400000",
            // The fields of a session.
            &format!("1 - - 1 {ID} {ID} 1 {ID} - - - -"),
            &format!("1 - - 1 {ID} - - - - - - -"),
        ] {
            home.ask::<()>(&["SET", &key, value]).await;
            is_malformed(&store, &ids, value).await;
        }

        // One that the script can't read is not written over; with a shape, it may be.
        for value in ["", "x", "1 - -", "0 - - x", "1 x - 1", "1 - x 1", "1 - - - 1", "0 - 1 2 3"] {
            home.ask::<()>(&["SET", &key, value]).await;
            let until = OffsetDateTime::now_utc() + Duration::HOUR;
            let error = store.revoke(&Revocation::token("jti", until)).await.expect_err(value);
            let name = key_name(ids.token_key().expect("a key"));
            assert!(error.to_string().contains(&name), "{value}: {error}");
            assert_eq!(home.ask::<String>(&["GET", &key]).await, value);
        }

        home.ask::<()>(&["DEL", &key]).await;
        home.ask::<()>(&["LPUSH", &key, "a list"]).await;
        is_malformed(&store, &ids, "a list").await;
        assert!(store.revoke(&Revocation::token("jti", None)).await.is_err(), "a list");
        home.end().await;
    }

    #[rocket::async_test]
    async fn a_malformed_session_is_an_error() {
        let home = Home::new().await;
        let store = RedisBlocklist::with_prefix(home.pool.clone(), &home.prefix);
        let ids = TokenIds::new(Some("jti"), Some("sid"), None, None).exchangeable();
        let key = format!("{}{}", home.prefix, key_name(ids.session_key().expect("a key")));
        for value in [
            "0 - - 1",
            "0 1 - 1",
            &format!("0 - - 1 {ID} {ID} 1 {ID}"),
            &format!("0 - - 1 {ID} {ID} 1 {ID} -"),
            &format!("0 - - 1 {ID} {ID} 1 {ID} - - - - -"),
            &format!("0 - - 1 {ID} {ID} 1 - - - - -"),
            &format!("0 - - 1 {ID} {ID} - {ID} - - - -"),
            &format!("0 - - 1 {ID} - 1 {ID} - - - -"),
            &format!("0 - - 1 - {ID} 1 {ID} - - - -"),
            &format!("1 - - 1 - {ID} 1 {ID} - - - -"),
            &format!("0 - - 1 {ID} {ID} 1 {ID} {ID} - - -"),
            &format!("0 1 - 1 {ID} {ID} 1 {ID} - - - -"),
            &format!("0 - - 1 {} {ID} 1 {ID} - - - -", &ID[1..]),
            &format!("0 - - 1 {ID}0 {ID} 1 {ID} - - - -"),
            &format!("0 - - 1 {} {ID} 1 {ID} - - - -", ID.to_uppercase()),
            &format!("0 - - 1 {ID} {ID} x {ID} - - - -"),
            &format!("0 - - 1 {ID} {ID} 1 {ID} - x 1 1"),
            &format!("0 - - 1 {ID} {ID} 1 {ID} - {ID} x 1"),
            &format!("0 - - 1 {ID} {ID} 1 {ID} - {ID} 1 x"),
        ] {
            home.ask::<()>(&["SET", &key, value]).await;
            is_malformed(&store, &ids, value).await;
        }
        home.end().await;
    }
}
