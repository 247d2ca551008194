//! What a replica learns: every end of a session and the cut-off of everything, and no use of a session.

use std::collections::HashMap;

use rocket::time::{Duration, OffsetDateTime};
use rocket_db_pools::{deadpool_postgres, sqlx};
use rocket_jwt_extended::blocklist::{
    Cursor, EVERYTHING, Entry, EntryKey, Exchange, Exchanged, Limit, Renewal, ReplicableBlocklist,
    Revocation,
};
use uuid::Uuid;

use crate::store_support::{self, server};
use crate::support::{Login, end_redis, id_of, redis_store};

/// The entries of the next pass.
async fn pass(
    store: &dyn ReplicableBlocklist,
    from: &mut Option<Cursor>,
) -> HashMap<EntryKey, Entry> {
    let mut found = HashMap::new();
    loop {
        let changes = store.changes(from.as_ref()).await.expect("a page");
        found.extend(changes.entries.into_iter().map(|entry| (entry.key, entry)));
        *from = Some(changes.cursor);
        if !changes.more {
            return found;
        }
    }
}

async fn tells_every_end(store: &dyn ReplicableBlocklist) {
    let sessions = store.session_store().expect("it lists sessions");
    let now = OffsetDateTime::now_utc();
    let until = Some(now + Duration::HOUR);
    let user = format!("user {}", Uuid::now_v7());
    let logins: Vec<_> =
        (1..=7).map(|minutes| Login::new(&user, now - Duration::minutes(minutes))).collect();
    for login in &logins {
        sessions.begin(&login.access(), &login.session(now, until), None).await.expect("it begins");
    }
    let [limited, ended, newer, reused, own, used, other] = &logins[..] else {
        panic!("seven logins")
    };
    let key = |login: &Login| login.access().session_key().expect("a session");
    let exchange = |login: &Login| {
        let exchange = Exchange::new(id_of(now), [7; 16], now, Duration::ZERO, until);
        exchange.owned_by(&login.refresh(), until).only_recorded()
    };
    let exchanged = async |login: &Login, exchange: Exchange| {
        store.exchange(&login.refresh(), &exchange).await.expect("an answer")
    };

    // A row that is used is no entry.
    assert_eq!(exchanged(used, exchange(used)).await, Exchanged::First);
    assert_eq!(exchanged(reused, exchange(reused)).await, Exchanged::First);
    let renewal = Renewal { now, ends: until, until };
    sessions.renew(&used.access(), &renewal).await.expect("an answer");
    let mut cursor = None;
    let first = pass(store, &mut cursor).await;
    for login in &logins {
        assert!(first.get(&key(login)).is_none_or(|entry| !entry.revoked), "it is live");
    }

    let is_told = async |cursor: &mut Option<Cursor>, login: &Login, how: &str| {
        let entries = pass(store, cursor).await;
        assert!(entries.get(&key(login)).is_some_and(|entry| entry.revoked), "{how}");
    };
    let all = sessions.end_session(&own.access(), ended.id(), until).await.expect("an answer");
    assert!(all);
    is_told(&mut cursor, ended, "ended by its user").await;
    let late = Login { jti: id_of(now).to_string(), ..newer.clone() };
    let outcome = exchanged(&late, exchange(&late)).await;
    assert_eq!(outcome, Exchanged::Newer { ended_now: true });
    is_told(&mut cursor, newer, "a lost write").await;
    let outcome = exchanged(reused, exchange(reused)).await;
    assert_eq!(outcome, Exchanged::Reused { ended_now: true });
    is_told(&mut cursor, reused, "a reuse").await;
    // Four are live: the oldest makes room.
    let limit = Some(Limit { max: 4, ends_oldest: true });
    let next = Login::new(&user, now);
    let begun = sessions.begin(&next.access(), &next.session(now, until), limit).await;
    begun.expect("it begins");
    is_told(&mut cursor, other, "it made room").await;
    let others = sessions.end_other_sessions(&own.access(), until).await.expect("an answer");
    assert_eq!(others.len(), 3);
    let entries = pass(store, &mut cursor).await;
    for login in [limited, used, &next] {
        assert!(entries.get(&key(login)).is_some_and(|entry| entry.revoked), "the others");
    }
    assert!(entries.get(&key(own)).is_none_or(|entry| !entry.revoked), "its own");

    let cut_off = now - Duration::DAY * 1000;
    store.revoke(&Revocation::everything(cut_off, until)).await.expect("recorded");
    let entries = pass(store, &mut cursor).await;
    let everything = entries.get(&EVERYTHING).expect("an entry");
    assert_eq!((everything.revoked, everything.cut_off), (false, Some(millis(cut_off))));
    let from_the_start = pass(store, &mut None).await;
    assert_eq!(from_the_start.get(&EVERYTHING), Some(everything));
}

fn millis(time: OffsetDateTime) -> i64 {
    (time.unix_timestamp_nanos() / 1_000_000) as i64
}

macro_rules! sql {
    ($test:ident, $place:ident, $pool:ty) => {
        #[rocket::async_test]
        async fn $test() {
            let home = store_support::$place::Home::new().await;
            tells_every_end(&*server::<$pool>(&home.url).await).await;
            home.end().await;
        }
    };
}

sql!(sqlite_tells_every_end, sqlite, sqlx::SqlitePool);
sql!(mysql_tells_every_end, sqlx_mysql, sqlx::MySqlPool);
sql!(postgres_by_sqlx_tells_every_end, sqlx_postgres, sqlx::PgPool);
sql!(postgres_by_deadpool_tells_every_end, deadpool_postgres, deadpool_postgres::Pool);

#[rocket::async_test]
async fn redis_tells_every_end() {
    let home = store_support::deadpool_redis::Home::new().await;
    tells_every_end(&redis_store(&home).await).await;
    end_redis(home).await;
}
