//! Connections are cut while tokens are exchanged: no session forks, and no exchange that was promised is
//! lost.
#![cfg(all(feature = "test-util", any(feature = "sqlx_mysql", feature = "deadpool_postgres")))]

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rocket::time::{Duration, OffsetDateTime};
use rocket::tokio;
use rocket_jwt_extended::blocklist::{Blocklist, BlocklistPool, Exchanged, Standing, StoreError};
use uuid::Uuid;

use crate::relay::Relay;
use crate::store_support::{exchange_at, refresh, try_pool};

/// The `jti` that a call of its own gets for this token.
async fn exchange(store: &dyn Blocklist, token: &str) -> Result<(bool, Uuid), StoreError> {
    let exchange = exchange_at(OffsetDateTime::now_utc(), Duration::HOUR);
    match store.exchange(&refresh(token, &format!("session of {token}")), &exchange).await? {
        Exchanged::First => Ok((true, exchange.next())),
        Exchanged::Repeated { next, .. } => Ok((false, next)),
        other => panic!("{token}: {other:?}"),
    }
}

/// Exchanges tokens, four calls each on two servers, while `cut` cuts all their connections over and
/// over, and returns how many it has cut.
async fn survives(stores: [Arc<dyn Blocklist>; 2], cut: impl AsyncFn() -> u64) {
    const TOKENS: usize = 200;

    let done = Arc::new(AtomicBool::new(false));
    let working = {
        let (done, stores) = (done.clone(), stores.clone());
        tokio::spawn(async move {
            let mut outcomes = Vec::new();
            for token in 0..TOKENS {
                let calls: Vec<_> = (0..4)
                    .map(|call| {
                        let store = stores[call % 2].clone();
                        tokio::spawn(async move { exchange(&*store, &format!("{token}")).await })
                    })
                    .collect();
                let mut results = Vec::new();
                for call in calls {
                    results.push(call.await.expect("no panic"));
                }
                outcomes.push(results);
            }
            done.store(true, Ordering::SeqCst);
            outcomes
        })
    };
    let mut was_cut = 0;
    while !done.load(Ordering::SeqCst) {
        was_cut += cut().await;
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }

    let outcomes = working.await.expect("no panic");
    let mut first = 0;
    for (token, results) in outcomes.iter().enumerate() {
        let firsts = results.iter().filter(|result| matches!(result, Ok((true, _)))).count();
        assert!(firsts <= 1, "{token} was exchanged {firsts} times");
        first += firsts;

        let mut pairs: HashSet<_> = results.iter().flatten().map(|(_, next)| *next).collect();
        // The last connections that were cut are noticed only when they are used next.
        let mut after = exchange(&*stores[0], &format!("{token}")).await;
        for _ in 0..20 {
            if after.is_err() {
                after = exchange(&*stores[0], &format!("{token}")).await;
            }
        }
        let (is_first, next) = after.expect("the server is back");
        assert!(!is_first || pairs.is_empty(), "{token}: {results:?}, then first");
        pairs.insert(next);
        assert_eq!(pairs.len(), 1, "{token}: {results:?}, then {next}");
    }
    assert!(was_cut > 0, "no connection was cut");
    assert!(first > 0, "no call got through");
}

/// The connection ends after a write, before its answer: the write is repeated, and its own effect is not
/// taken for that of another call.
async fn finds_its_own_effect<P: BlocklistPool>(url: &str) {
    let relay = Relay::to(url).await;
    let pool = try_pool::<P>(&relay.url, 1).await.expect("a pool");
    let store = pool.blocklist().await.expect("a store");
    let now = OffsetDateTime::now_utc();
    let call = async |token: &str, next: &rocket_jwt_extended::Exchange| {
        store
            .exchange(&refresh(token, &format!("session of {token}")), next)
            .await
            .expect("an answer")
    };
    let reuse = Exchanged::Reused { ended_now: true };
    // So that a driver that prepares its statements has done so.
    let warm = async |token: &str| {
        let [first, second, reused] = [(); 3].map(|()| exchange_at(now, Duration::ZERO));
        assert_eq!(call(token, &first).await, Exchanged::First);
        let successor = first.next().to_string();
        let sid = format!("session of {token}");
        store.exchange(&refresh(&successor, &sid), &second).await.expect("an answer");
        assert_eq!(call(token, &reused).await, reuse);
    };

    // The row is begun, advanced, and ended: each time a lookup, then the write.
    for (name, expected) in
        [("begun", Exchanged::First), ("advanced", Exchanged::First), ("ended", reuse)]
    {
        warm(&format!("warm, {name}")).await;
        let (sid, mut token) = (format!("session {name}"), "first".to_string());
        if name != "begun" {
            let next = exchange_at(now, Duration::ZERO);
            let outcome = store.exchange(&refresh(&token, &sid), &next).await;
            assert_eq!(outcome.expect("an answer"), Exchanged::First);
            if name == "advanced" {
                token = next.next().to_string();
            }
        }
        let accepted = relay.accepted();
        relay.lose_the_answer_after(relay.heard() + 1);
        let (ids, next) = (refresh(&token, &sid), exchange_at(now, Duration::ZERO));
        assert_eq!(store.exchange(&ids, &next).await.expect("an answer"), expected, "{name}");
        assert_eq!(relay.accepted(), accepted + 1, "no connection was lost");
        let standing = store.standing(&ids).await.expect("a standing");
        match expected {
            Exchanged::First => assert!(matches!(standing, Standing::Exchanged { .. })),
            _ => assert_eq!(standing, Standing::Revoked),
        }
    }
}

#[cfg(feature = "sqlx_postgres")]
#[rocket::async_test]
async fn postgres_through_sqlx_finds_its_own_effect() {
    let home = crate::store_support::sqlx_postgres::Home::new().await;
    finds_its_own_effect::<rocket_db_pools::sqlx::PgPool>(&home.url).await;
    home.end().await;
}

#[cfg(feature = "deadpool_postgres")]
#[rocket::async_test]
async fn postgres_through_deadpool_finds_its_own_effect() {
    let home = crate::store_support::deadpool_postgres::Home::new().await;
    finds_its_own_effect::<rocket_db_pools::deadpool_postgres::Pool>(&home.url).await;
    home.end().await;
}

#[cfg(feature = "sqlx_mysql")]
#[rocket::async_test]
async fn mysql_finds_its_own_effect() {
    let home = crate::store_support::sqlx_mysql::Home::new().await;
    finds_its_own_effect::<rocket_db_pools::sqlx::MySqlPool>(&home.url).await;
    home.end().await;
}

#[cfg(feature = "deadpool_postgres")]
#[rocket::async_test]
async fn postgres_exchanges_once_while_connections_are_cut() {
    use rocket_db_pools::deadpool_postgres::Pool;

    let home = crate::store_support::deadpool_postgres::Home::new().await;
    let url = format!("{}&application_name={}", home.url, home.schema);
    let one = crate::store_support::server::<Pool>(&url).await;
    let two = crate::store_support::server::<Pool>(&url).await;
    let cut = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{}'",
        home.schema
    );
    survives([one, two], async || {
        let admin = home.admin.get().await.expect("a connection");
        admin.execute(&cut, &[]).await.expect("the connections")
    })
    .await;
    home.end().await;
}

#[cfg(feature = "sqlx_mysql")]
#[rocket::async_test]
async fn mysql_exchanges_once_while_connections_are_cut() {
    use rocket_db_pools::sqlx::{self, MySqlPool};

    let home = crate::store_support::sqlx_mysql::Home::new().await;
    let one = crate::store_support::server::<MySqlPool>(&home.url).await;
    let two = crate::store_support::server::<MySqlPool>(&home.url).await;
    survives([one, two], async || {
        let list = "SELECT id FROM information_schema.processlist WHERE db = ?";
        let ids: Vec<i64> = sqlx::query_scalar(list)
            .bind(&home.database)
            .fetch_all(&home.admin)
            .await
            .expect("the connections");
        let mut cut = 0;
        for id in ids {
            // Unless it has ended meanwhile.
            let killed = sqlx::query(&format!("KILL {id}")).execute(&home.admin).await;
            cut += u64::from(killed.is_ok());
        }
        cut
    })
    .await;
    home.end().await;
}
