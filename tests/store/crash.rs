//! Connections are cut while tokens are used up: none is used twice, and a mark that was promised
//! stays.
#![cfg(all(feature = "test-util", any(feature = "sqlx_mysql", feature = "deadpool_postgres")))]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rocket::time::{Duration, OffsetDateTime};
use rocket::tokio;
use rocket_jwt_extended::blocklist::{Blocklist, TokenIds, UseUp};

/// Uses tokens up, four calls each on two servers, while `cut` cuts all their connections over and
/// over.
async fn survives(stores: [Arc<dyn Blocklist>; 2], cut: impl AsyncFn()) {
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
                        let jti = format!("token {token}");
                        tokio::spawn(async move {
                            let ids = TokenIds::new(Some(&jti), None, None, None);
                            let now = OffsetDateTime::now_utc();
                            store.use_up(&ids, now, now + Duration::HOUR).await
                        })
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
    while !done.load(Ordering::SeqCst) {
        cut().await;
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }

    let outcomes = working.await.expect("no panic");
    let (mut failed, mut first) = (0, 0);
    for (token, results) in outcomes.iter().enumerate() {
        let jti = format!("token {token}");
        let ids = TokenIds::new(Some(&jti), None, None, None);
        failed += results.iter().filter(|result| result.is_err()).count();
        let firsts = results.iter().filter(|result| matches!(result, Ok(UseUp::First))).count();
        let known = results.iter().filter(|result| result.is_ok()).count();
        assert!(firsts <= 1, "{jti} was used up {firsts} times");
        first += firsts;

        // The last connections cut are noticed at their next use only.
        let now = OffsetDateTime::now_utc();
        let mut after = stores[0].use_up(&ids, now, now + Duration::HOUR).await;
        for _ in 0..20 {
            if after.is_err() {
                after = stores[0].use_up(&ids, now, now + Duration::HOUR).await;
            }
        }
        let after = after.expect("the server is back");
        if known > 0 {
            assert!(matches!(after, UseUp::Again { .. }), "{jti}: {results:?}, then {after:?}");
        }
    }
    assert!(failed > 0, "no call was cut");
    assert!(first > 0, "no call got through");
}

#[cfg(feature = "deadpool_postgres")]
#[rocket::async_test]
async fn postgres_uses_up_once_while_connections_are_cut() {
    use rocket_db_pools::deadpool_postgres::Pool;

    let home = crate::store_support::deadpool_postgres::Home::new().await;
    let url = format!("{}&application_name={}", home.url, home.schema);
    let one = crate::store_support::server::<Pool>(&url).await;
    let two = crate::store_support::server::<Pool>(&url).await;
    let cut = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{}'",
        home.schema
    );
    survives([one, two], async || home.run(&cut).await).await;
    home.end().await;
}

#[cfg(feature = "sqlx_mysql")]
#[rocket::async_test]
async fn mysql_uses_up_once_while_connections_are_cut() {
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
        for id in ids {
            // One that has gone meanwhile is as good.
            let _ = sqlx::query(&format!("KILL {id}")).execute(&home.admin).await;
        }
    })
    .await;
    home.end().await;
}
