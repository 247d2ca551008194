//! What is logged of a store that can't be followed: once when it is behind, once when it is back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use log::Level;
use rocket::local::asynchronous::Client;
use rocket_jwt_extended::Jwt;

use crate::support::capture::{Line, log_of};
use crate::support::store_stub::{Answer, Call, StoreStub};
use crate::support::*;

/// Polls fail.
fn mute(call: Call<'_>) -> Answer {
    match call {
        Call::Changes(_) => Answer::Fail("a wire was cut"),
        _ => Answer::FromMemory,
    }
}

async fn polled(store: &StoreStub, times: usize) {
    let end = store.polls() + times;
    until(|| store.polls() >= end).await;
}

#[test]
fn a_replica_that_falls_behind_says_so_once_and_once_when_it_is_back() {
    let ((), lines) = log_of(|| {
        rocket::async_test(async {
            let (store, uptime) = (Arc::<StoreStub>::default(), Arc::<AtomicU64>::default());
            let clock = uptime.clone();
            let fairing = Jwt::fairing()
                .uptime(move || Duration::from_secs(clock.load(Ordering::SeqCst)))
                .replicable_blocklist(store.clone());
            let rocket = app("blocklist_replica = \"100ms\"", fairing, vec![]);
            let _client = Client::untracked(rocket).await.unwrap();
            for _ in 0..2 {
                store.set(mute);
                // Failures within the bound are nobody's affair.
                polled(&store, 5).await;
                uptime.fetch_add(10, Ordering::SeqCst);
                polled(&store, 10).await;
                store.set(|_| Answer::FromMemory);
                polled(&store, 10).await;
            }
        });
    });
    let said: Vec<&Line> =
        lines.iter().filter(|line| line.text.contains("the blocklist replica is ")).collect();
    let texts: Vec<_> = said.iter().map(|line| &*line.text).collect();
    let behind = "JWT: the blocklist replica is stale, requests query the store: a wire was cut";
    let back = "JWT: the blocklist replica is up to date again";
    assert_eq!(texts, [behind, back, behind, back]);
    assert!(said.iter().all(|line| line.level == Level::Warn));
}

#[test]
fn a_store_that_cannot_be_replicated_fails_the_launch_with_a_line_that_says_why() {
    for (fairing, why) in [
        (Jwt::fairing(), "in memory already"),
        (Jwt::fairing().blocklist(StoreStub::default()), "own store with `replicable_blocklist()`"),
        (Jwt::fairing().replicable_blocklist(StoreStub::new(mute)), "a wire was cut"),
    ] {
        let (launched, lines) = log_of(|| {
            let rocket = app("blocklist_replica = \"1s\"", fairing, vec![]);
            match rocket::local::blocking::Client::untracked(rocket) {
                Ok(_) => true,
                Err(error) => {
                    let _ = error.kind();
                    false
                }
            }
        });
        assert!(!launched, "{why}");
        let errors: Vec<_> = lines
            .iter()
            .filter(|line| line.level == Level::Error && line.text.contains("`blocklist_replica`"))
            .collect();
        assert_eq!(errors.len(), 1, "{why}: {lines:?}");
        assert!(errors[0].text.contains(why), "{:?}", errors[0]);
    }
}
