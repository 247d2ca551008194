//! A malformed row is an error that names it, is never listed as live, and can be ended.

use rocket::time::{Duration, OffsetDateTime};
use rocket_db_pools::sqlx;
use rocket_jwt_extended::blocklist::{Blocklist, Limit, Renewal};
use uuid::Uuid;

use crate::store_support::{self, deadpool_redis::Home, server};
use crate::support::{Login, end_redis, redis_store};

const LIMIT: Option<Limit> = Some(Limit { max: 5, ends_oldest: true });

fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

fn until() -> Option<OffsetDateTime> {
    Some(now() + Duration::HOUR)
}

async fn log_in(store: &dyn Blocklist, login: &Login) -> Result<(), String> {
    let sessions = store.session_store().expect("it lists sessions");
    let begun = sessions.begin(&login.access(), &login.session(now(), until()), LIMIT).await;
    begun.map(|_| ()).map_err(|error| error.to_string())
}

/// The list fails, and so does a login that has to count the sessions. Both errors name what is malformed.
async fn is_refused(store: &dyn Blocklist, login: &Login, name: &str, what: &str) {
    let sessions = store.session_store().expect("it lists sessions");
    let listed = sessions.sessions(&login.access(), now()).await;
    let error = listed.expect_err(what).to_string();
    assert!(error.contains(name), "{what}: {error}");
    assert!(!error.contains(&login.user), "{what}: {error}");
    let next = Login::new(&login.user, now());
    let error = log_in(store, &next).await.expect_err(what);
    assert!(error.contains(name), "{what}: {error}");
    // Nothing of that login remains, and the connection is as good as before.
    let other = Login::new(&format!("user {}", Uuid::now_v7()), now());
    log_in(store, &other).await.expect(what);
    let listed = sessions.sessions(&other.access(), now()).await.expect(what);
    assert_eq!(listed.len(), 1, "{what}");
}

/// A session whose row was damaged is ended as any other.
async fn can_be_ended(store: &dyn Blocklist, login: &Login, what: &str) {
    let sessions = store.session_store().expect("it lists sessions");
    let ended = sessions.end_session(&login.access(), login.id(), until()).await.expect(what);
    assert!(ended, "{what}");
    assert_eq!(sessions.sessions(&login.access(), now()).await.expect(what), [], "{what}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

macro_rules! sql {
    ($test:ident, $place:ident, $pool:ty, $bytes:expr) => {
        #[rocket::async_test]
        async fn $test() {
            let home = store_support::$place::Home::new().await;
            let store = server::<$pool>(&home.url).await;
            let pool = store_support::pool::<$pool>(&home.url).await;
            let bytes: fn(&[u8]) -> String = $bytes;
            let run = async |text: String| {
                let done = sqlx::query(&text).execute(&pool).await;
                assert_eq!(done.expect("the statement runs").rows_affected(), 1, "{text}");
            };
            let far = i64::MAX;
            for (table, column, value) in [
                ("jwt_blocklist", "current_jti", "NULL".to_owned()),
                ("jwt_blocklist", "current_jti", bytes(b"short")),
                ("jwt_blocklist", "seen", "NULL".to_owned()),
                ("jwt_blocklist", "seen", far.to_string()),
                ("jwt_blocklist", "ends", far.to_string()),
                ("jwt_blocklist_details", "label", bytes(b"\xff")),
                ("jwt_blocklist_details", "details", bytes(b"a\xc3")),
            ] {
                let what = format!("{column} = {value}");
                // MySQL fills an id that is too short.
                if what.contains(&bytes(b"short")) && stringify!($place) == "sqlx_mysql" {
                    continue;
                }
                let login = Login::new(&format!("user {}", Uuid::now_v7()), now());
                log_in(&*store, &login).await.expect("it begins");
                let key = login.refresh().session_key().expect("a session");
                let entry = bytes(&key);
                run(format!("UPDATE {table} SET {column} = {value} WHERE entry = {entry}")).await;
                is_refused(&*store, &login, &format!("s{}", login.name()), &what).await;
                if column == "current_jti" {
                    let error = store.standing(&login.access()).await.expect_err(&what);
                    assert!(error.to_string().contains(&login.name()), "{error}");
                    let sessions = store.session_store().expect("it lists sessions");
                    let renewal = Renewal { now: now(), ends: until(), until: until() };
                    let error = sessions.renew(&login.access(), &renewal).await.expect_err(&what);
                    assert!(error.to_string().contains(&login.name()), "{error}");
                }
                can_be_ended(&*store, &login, &what).await;
            }
            // The cut-off of a subject.
            for (revoked, cut_off) in
                [("FALSE", "NULL"), ("TRUE", "NULL"), ("FALSE", &far.to_string())]
            {
                let login = Login::new(&format!("user {}", Uuid::now_v7()), now());
                log_in(&*store, &login).await.expect("it begins");
                let key = login.refresh().subject_key().expect("a subject");
                run(format!(
                    "INSERT INTO jwt_blocklist (entry, revoked, cut_off, changed) \
                     VALUES ({}, {revoked}, {cut_off}, 0)",
                    bytes(&key)
                ))
                .await;
                let name = format!("u{}", hex(&login.subject()));
                is_refused(&*store, &login, &name, &format!("cut-off {cut_off}")).await;
            }
            home.end().await;
        }
    };
}

sql!(sqlite_names_a_malformed_row, sqlite, sqlx::SqlitePool, |bytes| format!("x'{}'", hex(bytes)));
sql!(mysql_names_a_malformed_row, sqlx_mysql, sqlx::MySqlPool, |bytes| format!(
    "x'{}'",
    hex(bytes)
));
sql!(postgres_names_a_malformed_row, sqlx_postgres, sqlx::PgPool, |bytes| format!(
    "decode('{}', 'hex')",
    hex(bytes)
));

#[rocket::async_test]
async fn redis_names_a_malformed_value() {
    let home = Home::new().await;
    let store = redis_store(&home).await;
    let id = "0196fa3c000070008000000000000001";
    let seen = "1700000000000";
    for (value, can_end) in [
        ("nonsense".to_owned(), false),
        (String::new(), false),
        ("0 - - 0".to_owned(), false),
        // Eight fields follow.
        (format!("0 - - 0 {id} - - - - SUBJECT {seen}"), false),
        (format!("0 - - 0 {id} - - - - SUBJECT {seen} - -"), false),
        (format!("0 soon - 0 {id} - - - - SUBJECT {seen} -"), false),
        (format!("0 - soon 0 {id} - - - - SUBJECT {seen} -"), false),
        ("0 - - 0 - - - - - SUBJECT 1700000000000 -".to_owned(), true),
        (format!("0 - - 0 {} - - - - SUBJECT {seen} -", &id[1..]), true),
        (format!("0 - - 0 {} - - - - SUBJECT {seen} -", id.to_uppercase()), true),
        (format!("0 - - 0 {id} - - - - SUBJECT - -"), true),
        (format!("0 - - 0 {id} - - - - SUBJECT now -"), true),
        (format!("0 - - 0 {id} - - - - SUBJECT {seen} never"), true),
    ] {
        let login = Login::new(&format!("user {}", Uuid::now_v7()), now());
        log_in(&store, &login).await.expect("it begins");
        let [row, ..] = login.redis_keys(&home);
        let damaged = value.replace("SUBJECT", &hex(&login.subject()));
        home.ask::<()>(&["SET", &row, &damaged]).await;
        is_refused(&store, &login, &format!("s{}", login.name()), &value).await;
        let sessions = store.session_store().expect("it lists sessions");
        match can_end {
            true => can_be_ended(&store, &login, &value).await,
            false => {
                let ended = sessions.end_session(&login.access(), login.id(), until()).await;
                let is_named = |error: String| error.contains(&login.name());
                assert!(
                    ended.map_or_else(|error| is_named(error.to_string()), |ended| !ended),
                    "{value}"
                );
            }
        }
        let standing = store.standing(&login.access()).await;
        assert!(standing.is_err() || can_end, "{value}");
    }

    // A time that is out of range.
    for (seen, ends) in [("9000000000000000000", "-"), ("1700000000000", "9000000000000000000")] {
        let login = Login::new(&format!("user {}", Uuid::now_v7()), now());
        log_in(&store, &login).await.expect("it begins");
        let [row, ..] = login.redis_keys(&home);
        let value = format!("0 - - 0 {id} - - - - {} {seen} {ends}", hex(&login.subject()));
        home.ask::<()>(&["SET", &row, &value]).await;
        let sessions = store.session_store().expect("it lists sessions");
        let error = sessions.sessions(&login.access(), now()).await.expect_err("out of range");
        assert!(error.to_string().contains(&login.name()), "{error}");
        can_be_ended(&store, &login, &value).await;
    }

    // A label that is no text.
    let login = Login::new(&format!("user {}", Uuid::now_v7()), now());
    log_in(&store, &login).await.expect("it begins");
    let [_, notes, index] = login.redis_keys(&home);
    let damage = "redis.call('HSET', KEYS[1], 'label', '\\255')";
    home.ask::<()>(&["EVAL", damage, "1", &notes]).await;
    let sessions = store.session_store().expect("it lists sessions");
    let error = sessions.sessions(&login.access(), now()).await.expect_err("no text");
    assert!(error.to_string().contains(&login.name()), "{error}");

    // Keys of other types.
    for key in [&notes, &index] {
        home.ask::<()>(&["SET", key, "text"]).await;
        let listed = sessions.sessions(&login.access(), now()).await;
        assert!(listed.is_err(), "{key}: {listed:?}");
    }
    // A member of the index that names no session is skipped.
    home.ask::<()>(&["DEL", &index]).await;
    home.ask::<()>(&["ZADD", &index, "inf", "no name"]).await;
    assert_eq!(sessions.sessions(&login.access(), now()).await.expect("a list"), []);

    // The cut-off of a subject.
    for value in ["nonsense", "0 - - 0", "1 - - 0"] {
        let login = Login::new(&format!("user {}", Uuid::now_v7()), now());
        log_in(&store, &login).await.expect("it begins");
        let subject = hex(&login.subject());
        home.ask::<()>(&["SET", &format!("{}u{subject}", home.prefix), value]).await;
        is_refused(&store, &login, &format!("u{subject}"), value).await;
    }
    end_redis(home).await;
}
