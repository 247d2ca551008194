//! The connection that all requests share, and what happens to them when it fails.
#![cfg(all(feature = "test-util", feature = "deadpool_redis"))]

use rocket::futures::future::{FutureExt, join_all};
use rocket::time::{Duration, OffsetDateTime};
use rocket_db_pools::deadpool_redis::Pool;
use rocket_db_pools::deadpool_redis::redis::Cmd;
use rocket_jwt_extended::blocklist::{
    Blocklist, Exchanged, RedisBlocklist, Revocation, Standing, TokenIds,
};

use crate::relay::Relay;
use crate::store_support::{deadpool_redis::Home, exchange_at, redis, refresh, try_pool};

/// A store, and the network between it and its server.
struct Setting {
    home: Home,
    relay: Relay,
    pool: Pool,
    store: RedisBlocklist,
}

impl Setting {
    async fn new(max_connections: usize) -> Self {
        let (home, relay) = (Home::new().await, Relay::to(&redis()).await);
        let pool: Pool = try_pool(&relay.url, max_connections).await.expect("a pool");
        let store = RedisBlocklist::with_prefix(pool.clone(), &home.prefix);
        Self { home, relay, pool, store }
    }

    /// One token is revoked, and others are not.
    async fn with_an_entry() -> Self {
        let setting = Self::new(8).await;
        setting.store.revoke(&Revocation::token("revoked", later())).await.expect("recorded");
        setting
    }

    async fn standing(&self, token: &str) -> Standing {
        self.store.standing(&ids(token)).await.expect("an answer")
    }

    #[track_caller]
    fn has_one_connection(&self) {
        let status = self.pool.status();
        assert_eq!((status.size, status.available), (1, 0), "{status:?}");
    }

    /// Sends a request, and cancels it when it has been sent.
    async fn send_and_cancel(&self, token: &str) {
        let (heard, ids) = (self.relay.heard(), ids(token));
        let mut request = self.store.standing(&ids);
        rocket::tokio::select! {
            biased;
            () = self.relay.hears_more_than(heard) => {}
            answer = &mut request => panic!("{answer:?}"),
        }
    }
}

fn ids(token: &str) -> TokenIds<'_> {
    TokenIds::new(Some(token), Some("session"), Some("ada"), None)
}

fn later() -> OffsetDateTime {
    OffsetDateTime::now_utc() + Duration::HOUR
}

#[rocket::async_test]
async fn many_lookups_share_one_connection() {
    let setting = Setting::with_an_entry().await;
    let answers = join_all((0..500).map(|number| {
        let token = if number % 3 == 0 { "revoked" } else { "live" };
        setting.standing(token)
    }));
    for (number, standing) in answers.await.into_iter().enumerate() {
        let expected = if number % 3 == 0 { Standing::Revoked } else { Standing::Live };
        assert_eq!(standing, expected, "{number}");
    }
    assert_eq!(setting.relay.accepted(), 1);
    setting.has_one_connection();
    setting.home.end().await;
}

#[rocket::async_test]
async fn a_connection_that_was_closed_is_replaced() {
    let setting = Setting::with_an_entry().await;
    setting.relay.cut();
    assert_eq!(setting.standing("revoked").await, Standing::Revoked);
    setting.relay.cut();
    setting.store.revoke(&Revocation::token("another", later())).await.expect("recorded");
    setting.relay.cut();
    let now = OffsetDateTime::now_utc();
    let exchange = exchange_at(now, Duration::ZERO);
    let exchanged = setting.store.exchange(&ids("live").exchangeable(), &exchange).await;
    assert_eq!(exchanged.expect("an answer"), Exchanged::First);
    setting.relay.cut();
    join_all((0..100).map(|_| setting.standing("another"))).await;
    assert_eq!(setting.relay.accepted(), 5);
    setting.has_one_connection();
    setting.home.end().await;
}

#[rocket::async_test]
async fn a_connection_that_the_server_closes_is_replaced() {
    let home = Home::new().await;
    let pool: Pool = try_pool(&redis(), 8).await.expect("a pool");
    // The store takes the idle connection of the pool.
    let mut named = pool.get().await.expect("a connection");
    let mut name = Cmd::new();
    name.arg("CLIENT").arg("SETNAME").arg(&home.prefix);
    name.query_async::<_, ()>(&mut named).await.expect("a name");
    drop(named);

    let store = RedisBlocklist::with_prefix(pool.clone(), &home.prefix);
    let ask = async || {
        let ids = ids("live");
        let answers = join_all((0..100).map(|_| store.standing(&ids))).await;
        assert!(answers.iter().all(|answer| matches!(answer, Ok(Standing::Live))), "{answers:?}");
        let status = pool.status();
        assert_eq!((status.size, status.available), (1, 0), "{status:?}");
    };
    let clients = async || -> Vec<String> {
        let list: String = home.ask(&["CLIENT", "LIST"]).await;
        let ours = list.lines().filter(|client| client.contains(&home.prefix));
        ours.map(|client| client.split([' ', '=']).nth(1).expect("an id").into()).collect()
    };
    ask().await;
    let [id] = &clients().await[..] else { panic!("another client") };
    home.ask::<()>(&["CLIENT", "KILL", "ID", id]).await;
    ask().await;
    assert!(clients().await.is_empty());
}

#[rocket::async_test]
async fn a_silent_connection_is_replaced() {
    let setting = Setting::with_an_entry().await;
    setting.relay.deafen();
    setting.send_and_cancel("revoked").await;
    // Fewer than a full batch, which would not wait for the one in flight.
    let answers = join_all((0..60).map(|_| setting.standing("revoked"))).await;
    assert!(answers.iter().all(|standing| *standing == Standing::Revoked));
    assert_eq!(setting.relay.accepted(), 2);
    setting.has_one_connection();
    setting.home.end().await;
}

/// Idle connections are silent as well, and are not tried one after another.
#[rocket::async_test]
async fn idle_connections_of_a_silent_server_are_discarded() {
    let setting = Setting::with_an_entry().await;
    let others = join_all((0..5).map(|_| setting.pool.get())).await;
    drop(others);
    assert_eq!(setting.pool.status().size, 6);
    setting.relay.deafen();
    setting.send_and_cancel("revoked").await;
    assert_eq!(setting.standing("revoked").await, Standing::Revoked);
    assert_eq!(setting.relay.accepted(), 7);
    setting.has_one_connection();
    setting.home.end().await;
}

#[rocket::async_test]
async fn a_server_that_paused_answers_on_the_same_connection() {
    let setting = Setting::with_an_entry().await;
    for _ in 0..3 {
        setting.relay.hold(true);
        setting.send_and_cancel("live").await;
        setting.relay.hold(false);
        assert_eq!(setting.standing("revoked").await, Standing::Revoked);
    }
    assert_eq!(setting.relay.accepted(), 1);
    setting.home.end().await;
}

#[rocket::async_test]
async fn a_client_that_disconnects_costs_no_connection() {
    let setting = Setting::with_an_entry().await;
    for _ in 0..50 {
        // Cancelled before the reply can have come; twice, so that two in a row are cancelled.
        setting.relay.hold(true);
        assert!(setting.store.standing(&ids("live")).now_or_never().is_none());
        assert!(setting.store.standing(&ids("live")).now_or_never().is_none());
        setting.relay.hold(false);
        assert_eq!(setting.standing("revoked").await, Standing::Revoked);
    }
    assert_eq!(setting.relay.accepted(), 1);
    setting.has_one_connection();
    setting.home.end().await;
}

#[rocket::async_test]
async fn a_cancelled_request_takes_no_reply_of_another() {
    let setting = Setting::with_an_entry().await;
    setting.relay.hold(true);
    let (revoked, live) = (ids("revoked"), ids("live"));
    let mut requests: Vec<_> = (0..200)
        .map(|number| match number % 2 {
            0 => setting.store.standing(&revoked),
            _ => setting.store.standing(&live),
        })
        .collect();
    let heard = setting.relay.heard();
    for request in &mut requests {
        assert!(request.now_or_never().is_none());
    }
    setting.relay.hears_more_than(heard).await;
    let mut number = 0;
    let mut kept = requests;
    kept.retain(|_| {
        number += 1;
        number % 3 == 0
    });
    setting.relay.hold(false);
    for (place, standing) in join_all(kept).await.into_iter().enumerate() {
        // The third, sixth, ninth, and so on: in turn a revoked one and a live one.
        let expected = if place % 2 == 0 { Standing::Revoked } else { Standing::Live };
        assert_eq!(standing.expect("an answer"), expected, "{place}");
    }
    assert_eq!(setting.relay.accepted(), 1);
    setting.home.end().await;
}

#[rocket::async_test]
async fn all_requests_wait_for_the_same_attempt_to_connect() {
    let setting = Setting::new(8).await;
    setting.relay.hold(true);
    let ids = ids("live");
    let mut first = setting.store.standing(&ids);
    let mut others: Vec<_> = (0..100).map(|_| setting.store.standing(&ids)).collect();
    assert!((&mut first).now_or_never().is_none());
    for request in &mut others {
        assert!(request.now_or_never().is_none());
    }
    setting.relay.has_accepted(1).await;
    // The request that started the attempt is cancelled.
    drop(first);
    setting.relay.hold(false);
    for answer in join_all(others).await {
        assert_eq!(answer.expect("an answer"), Standing::Live);
    }
    assert_eq!(setting.relay.accepted(), 1);
    setting.has_one_connection();
}

/// All requests were cancelled before the attempt was done; the next one finds its result.
#[rocket::async_test]
async fn a_connection_is_opened_although_its_requests_were_cancelled() {
    let setting = Setting::new(8).await;
    setting.relay.hold(true);
    let ids = ids("live");
    let mut request = setting.store.standing(&ids);
    assert!((&mut request).now_or_never().is_none());
    setting.relay.has_accepted(1).await;
    drop(request);
    setting.relay.hold(false);
    assert_eq!(setting.standing("live").await, Standing::Live);
    assert_eq!(setting.relay.accepted(), 1);
    setting.home.end().await;
}

/// The write itself is repeated; its own effect is not taken for that of another call.
#[rocket::async_test]
async fn a_write_of_unknown_outcome_is_repeated_and_finds_its_own_effect() {
    let setting = Setting::new(8).await;
    let now = OffsetDateTime::now_utc();
    let (ids, next) = (refresh("token", "session"), exchange_at(now, Duration::ZERO));
    setting.store.standing(&ids).await.expect("an answer");
    // The write is sent after a lookup and a ping. Its answer is lost with its connection, and so is that of
    // every later request until the network is whole again.
    setting.relay.lose_the_answer_after(setting.relay.heard() + 2);
    let exchanged = setting.store.exchange(&ids, &next).await.expect("an answer");
    assert_eq!(exchanged, Exchanged::First);
    assert_eq!(setting.relay.accepted(), 2);
    let standing = setting.store.standing(&ids).await.expect("an answer");
    assert!(matches!(standing, Standing::Exchanged { .. }), "{standing:?}");

    // The one that ends the session, too.
    let reuse = exchange_at(now, Duration::ZERO);
    setting.relay.lose_the_answer_after(setting.relay.heard() + 2);
    let reused = setting.store.exchange(&ids, &reuse).await.expect("an answer");
    assert_eq!(reused, Exchanged::Reused { ended_now: true });
    assert_eq!(setting.relay.accepted(), 3);
    // The end was written once, and only it is a change.
    let length: i64 = setting.home.ask(&["XLEN", &setting.home.stream()]).await;
    assert_eq!(length, 1);
    setting.home.end().await;
}

#[rocket::async_test]
async fn a_pool_of_one_is_left_to_the_application() {
    let setting = Setting::new(1).await;
    assert_eq!(setting.standing("live").await, Standing::Live);
    let mut held = setting.pool.get().await.expect("the application's connection");
    assert_eq!(setting.standing("live").await, Standing::Live);
    setting.store.revoke(&Revocation::token("revoked", later())).await.expect("recorded");
    assert_eq!(setting.standing("revoked").await, Standing::Revoked);
    let mut ping = Cmd::new();
    ping.arg("PING").query_async::<_, String>(&mut held).await.expect("an answer");
    assert_eq!(setting.relay.accepted(), 2);
    setting.home.end().await;
}

#[rocket::async_test]
async fn the_connection_returns_to_the_pool_with_the_store() {
    let Setting { home, relay, pool, store } = Setting::new(2).await;
    let _other = pool.get().await.expect("a connection");
    store.standing(&ids("live")).await.expect("an answer");
    drop(store);
    // The worker of the batch may keep it a moment longer: the pool waits for it, as it has no other.
    let _ = pool.get().await.expect("the returned connection");
    assert_eq!(relay.accepted(), 2);
    home.end().await;
}

#[rocket::async_test]
async fn a_pool_that_is_closed_later_is_an_error_too() {
    let setting = Setting::new(8).await;
    setting.standing("live").await;
    setting.pool.close();
    setting.store.standing(&ids("live")).await.expect_err("no pool");
    setting.home.end().await;
}
