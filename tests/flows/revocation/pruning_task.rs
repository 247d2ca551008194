//! The task that removes expired entries: it goes by the application's clock, it goes on after a
//! failure, and it ends with the server.

use std::sync::{Arc, Mutex};

use rocket::local::asynchronous::Client;
use rocket::time::OffsetDateTime;
use rocket::tokio::runtime::Builder;
use rocket::tokio::time::sleep;
use rocket_jwt_extended::{Duration, Jwt};

use crate::support::store_stub::{Answer, Call, StoreStub};
use crate::support::*;

/// The instants at which a store was pruned.
type Pruned = Arc<Mutex<Vec<OffsetDateTime>>>;

/// Runs in a runtime whose time moves on only when everything waits for it.
fn in_moved_time<T>(run: impl std::future::Future<Output = T>) -> T {
    Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(run)
}

/// Moves the runtime's time on until it is so.
async fn until(so: impl Fn() -> bool) {
    for _ in 0..100 {
        if so() {
            return;
        }
        sleep(std::time::Duration::from_millis(500)).await;
    }
    panic!("it is never so");
}

/// The first pruning fails.
async fn site(clock: &ManualClock) -> (Client, Arc<StoreStub>, Pruned) {
    let pruned = Pruned::default();
    let at = pruned.clone();
    let store = Arc::new(StoreStub::new(move |call| {
        let Call::Prune(now) = call else { return Answer::FromMemory };
        let mut at = at.lock().unwrap();
        at.push(now);
        match at.len() {
            1 => Answer::Fail("not yet"),
            _ => Answer::FromMemory,
        }
    }));
    let fairing = Jwt::fairing().clock(clock.clone()).blocklist(store.clone());
    let rocket = app("blocklist_prune_interval = \"1s\"", fairing, vec![]);
    (Client::untracked(rocket).await.unwrap(), store, pruned)
}

#[test]
fn expired_entries_are_removed_by_the_applications_clock() {
    in_moved_time(async {
        let clock = clock_at_start();
        let (client, store, pruned) = site(&clock).await;
        let jwt = Jwt::fetch(client.rocket()).unwrap();
        let token = jwt.access_token("ada").encode().unwrap();
        let token = jwt.decode::<rocket_jwt_extended::NoClaims>(&token).unwrap();
        jwt.revoke(&token).await.unwrap();
        // It failed once and went on.
        until(|| pruned.lock().unwrap().len() > 3).await;
        assert_eq!(store.memory.len(), 1);

        // Fifteen minutes of the token, and five.
        clock.advance(Duration::minutes(20));
        until(|| store.memory.is_empty()).await;
        let at = pruned.lock().unwrap();
        assert_eq!(at.first().unwrap().unix_timestamp(), START);
        assert_eq!(at.last().unwrap().unix_timestamp(), START + 20 * 60);
    });
}

#[test]
fn the_task_ends_at_shutdown() {
    in_moved_time(async {
        let clock = clock_at_start();
        let (client, store, pruned) = site(&clock).await;
        until(|| pruned.lock().unwrap().len() > 1).await;
        let shutdown = client.rocket().shutdown();
        drop(client);
        // Nobody but the task has the store any more, besides this test.
        let so_far = pruned.lock().unwrap().len();
        until(|| pruned.lock().unwrap().len() > so_far).await;
        assert_eq!(Arc::strong_count(&store), 2);

        shutdown.notify();
        until(|| Arc::strong_count(&store) == 1).await;
    });
}

#[rocket::async_test]
async fn a_server_that_is_told_to_stop_does_not_wait_for_the_task() {
    let store = Arc::<StoreStub>::default();
    let fairing = Jwt::fairing().blocklist(store.clone());
    // At its default interval the task would sleep for ten minutes.
    let figment = figment("").merge(("port", 0)).merge(("shutdown.ctrlc", false));
    let rocket = rocket::custom(figment).attach(fairing).ignite().await.unwrap();
    let shutdown = rocket.shutdown();
    let server = rocket::tokio::spawn(rocket.launch());
    shutdown.notify();
    let stopped = soon(server).await.unwrap().expect("it stops in good order");
    drop(stopped);
    until(|| Arc::strong_count(&store) == 1).await;
}
