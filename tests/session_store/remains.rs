//! Of a session that has expired, nothing remains in the store.

use std::sync::Arc;

use rocket::time::{Duration, OffsetDateTime};
use rocket_db_pools::sqlx::{self, Row};
use rocket_jwt_extended::blocklist::{Blocklist, Exchange, MemoryBlocklist, Renewal, Revocation};
use uuid::Uuid;

use crate::store_support::{self, server};
use crate::support::{LIMIT, Login, end_redis, keys, redis_store, use_store};

#[rocket::async_test]
async fn memory_forgets_all_of_it() {
    let store = Arc::new(MemoryBlocklist::new());
    let now = OffsetDateTime::now_utc();
    use_store(&*store, Some(now + Duration::HOUR)).await;
    assert_eq!((store.len(), store.indexed()), (3, 4), "three sessions of one subject");
    store.prune(now).await.expect("pruned");
    assert_eq!((store.len(), store.indexed()), (3, 3), "only the one that was ended is forgotten");
    store.prune(now + Duration::HOUR * 2).await.expect("pruned");
    assert_eq!((store.len(), store.indexed()), (0, 0));
}

macro_rules! sql {
    ($test:ident, $place:ident, $pool:ty) => {
        #[rocket::async_test]
        async fn $test() {
            let home = store_support::$place::Home::new().await;
            let store = server::<$pool>(&home.url).await;
            let pool = store_support::pool::<$pool>(&home.url).await;
            let count = async |table: &str| {
                let text = format!("SELECT COUNT(*) FROM {table}");
                let row = sqlx::query(&text).fetch_one(&pool).await.expect("a count");
                row.get::<i64, _>(0)
            };
            let now = OffsetDateTime::now_utc();
            use_store(&*store, Some(now - Duration::MINUTE)).await;
            use_store(&*store, Some(now + Duration::HOUR)).await;
            // Three sessions, and the lock of their subject.
            assert_eq!(
                [count("jwt_blocklist").await, count("jwt_blocklist_details").await],
                [8, 6]
            );
            assert_eq!(store.prune(now).await.expect("pruned"), 4);
            assert_eq!(
                [count("jwt_blocklist").await, count("jwt_blocklist_details").await],
                [4, 3]
            );
            home.end().await;
        }
    };
}

sql!(sqlite_forgets_all_of_it, sqlite, sqlx::SqlitePool);
sql!(postgres_forgets_all_of_it, sqlx_postgres, sqlx::PgPool);
sql!(mysql_forgets_all_of_it, sqlx_mysql, sqlx::MySqlPool);

/// Each key expires with the rows that it concerns.
#[rocket::async_test]
async fn redis_forgets_all_of_it() {
    let home = store_support::deadpool_redis::Home::new().await;
    let store = redis_store(&home).await;
    let sessions = store.session_store().expect("it lists sessions");
    let now = OffsetDateTime::now_utc();
    // What has expired already leaves nothing at all.
    use_expired(&store, now).await;
    assert_eq!(keys(&home).await, Vec::<String>::new());

    let lifetime = async |key: &str| home.ask::<i64>(&["PTTL", key]).await;
    let hours = |count: i64| now + Duration::HOUR * count as f64;
    let is_about = |found: i64, hours: i64| (found - hours * 3_600_000).abs() < 60_000;
    let user = format!("user {}", Uuid::now_v7());
    let login = Login::new(&user, now);
    let new = login.session(now, Some(hours(1)));
    sessions.begin(&login.access(), &new, LIMIT).await.expect("it begins");
    let [row, notes, index] = login.redis_keys(&home);
    let all = async || {
        let mut found = vec![];
        for key in [&row, &notes, &index] {
            found.push(lifetime(key).await);
        }
        found
    };
    let mut expected = vec![row.clone(), notes.clone(), index.clone()];
    expected.sort();
    assert_eq!(keys(&home).await, expected);
    assert!(all().await.into_iter().all(|found| is_about(found, 1)), "{:?}", all().await);

    // An exchange and a renewal extend all three.
    let exchange = Exchange::new(Uuid::now_v7(), [7; 16], now, Duration::ZERO, hours(2));
    let exchange = exchange.owned_by(&login.refresh(), hours(2));
    store.exchange(&login.refresh(), &exchange).await.expect("an answer");
    assert!(all().await.into_iter().all(|found| is_about(found, 2)), "{:?}", all().await);
    let renewal = Renewal { now, ends: Some(hours(3)), until: Some(hours(3)) };
    sessions.renew(&login.access(), &renewal).await.expect("an answer");
    assert!(all().await.into_iter().all(|found| is_about(found, 3)), "{:?}", all().await);
    // Without a server's setting, too.
    let next = login.after(&exchange);
    let exchange = Exchange::new(Uuid::now_v7(), [7; 16], now, Duration::ZERO, hours(4));
    store.exchange(&next.refresh(), &exchange).await.expect("an answer");
    assert!(all().await.into_iter().all(|found| is_about(found, 4)), "{:?}", all().await);

    // An index expires with its last session, and one that never expires keeps it.
    let brief = Login::new(&user, now);
    let new = brief.session(now, Some(hours(1)));
    sessions.begin(&brief.access(), &new, LIMIT).await.expect("it begins");
    assert!(is_about(lifetime(&index).await, 4));
    let permanent = Login::new(&user, now);
    let new = permanent.session(now, None);
    sessions.begin(&permanent.access(), &new, None).await.expect("it begins");
    for key in permanent.redis_keys(&home) {
        assert_eq!(lifetime(&key).await, -1, "{key}");
    }
    // It forgets the sessions that have expired, without anybody listing them.
    home.ask::<()>(&["ZADD", &index, "1000", &brief.name()]).await;
    sessions.renew(&login.access(), &renewal).await.expect("an answer");
    let names: Vec<String> = home.ask(&["ZRANGE", &index, "0", "-1"]).await;
    assert_eq!(names, [login.name(), permanent.name()]);

    // A logout, which knows of no list, keeps the row; all of it expires.
    store.revoke(&Revocation::session(&login.sid, hours(4))).await.expect("recorded");
    assert!(is_about(lifetime(&row).await, 4) && is_about(lifetime(&notes).await, 4));
    end_redis(home).await;
}

async fn use_expired(store: &dyn Blocklist, now: OffsetDateTime) {
    let sessions = store.session_store().expect("it lists sessions");
    let login = Login::new("expired", now);
    let new = login.session(now, Some(now - Duration::HOUR));
    sessions.begin(&login.access(), &new, LIMIT).await.expect("it begins");
    assert_eq!(sessions.sessions(&login.access(), now).await.expect("a list"), []);
}
