//! What is logged of a store that can't be followed: once when it is behind, once when it is back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use log::Level;
use rocket::local::asynchronous::Client;
use rocket::time::OffsetDateTime;
use rocket::tokio::{task::yield_now, time::timeout};
use rocket_jwt_extended::blocklist::{Changes, Cursor, ReplicableBlocklist};
use rocket_jwt_extended::{
    Blocklist, Jwt, MemoryBlocklist, Revocation, Standing, StoreError, TokenIds, UseUp,
};

use crate::capture::{Line, log_of};
use crate::support::*;

#[derive(Default)]
struct Store {
    memory: MemoryBlocklist,
    is_mute: AtomicBool,
    polled: AtomicUsize,
    uptime: AtomicUsize,
}

#[rocket::async_trait]
impl Blocklist for Store {
    async fn revoke(&self, entry: &Revocation) -> Result<(), StoreError> {
        self.memory.revoke(entry).await
    }

    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        self.memory.standing(ids).await
    }

    async fn use_up(
        &self,
        ids: &TokenIds<'_>,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<UseUp, StoreError> {
        self.memory.use_up(ids, now, until).await
    }

    async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        self.memory.prune(now).await
    }
}

#[rocket::async_trait]
impl ReplicableBlocklist for Store {
    async fn changes(&self, _: Option<&Cursor>) -> Result<Changes, StoreError> {
        self.polled.fetch_add(1, Ordering::SeqCst);
        if self.is_mute.load(Ordering::SeqCst) {
            return Err(StoreError::new("a wire was cut"));
        }
        Ok(Changes { entries: vec![], cursor: Cursor::new(()), more: false })
    }
}

impl Store {
    async fn polled(&self, times: usize) {
        let end = self.polled.load(Ordering::SeqCst) + times;
        let wait = async {
            while self.polled.load(Ordering::SeqCst) < end {
                yield_now().await;
            }
        };
        timeout(Duration::from_secs(10), wait).await.expect("it takes no ten seconds");
    }
}

#[test]
fn a_replica_that_falls_behind_says_so_once_and_once_when_it_is_back() {
    let ((), lines) = log_of(|| {
        rocket::async_test(async {
            let store = Arc::new(Store::default());
            let clock = store.clone();
            let fairing = Jwt::fairing()
                .uptime(move || Duration::from_secs(clock.uptime.load(Ordering::SeqCst) as u64))
                .replicable_blocklist(store.clone());
            let rocket = app("blocklist_replica = \"1ms\"", fairing, vec![]);
            let _client = Client::untracked(rocket).await.unwrap();
            for _ in 0..2 {
                store.is_mute.store(true, Ordering::SeqCst);
                // Failures within the bound are nobody's affair.
                store.polled(5).await;
                store.uptime.fetch_add(10, Ordering::SeqCst);
                store.polled(10).await;
                store.is_mute.store(false, Ordering::SeqCst);
                store.polled(10).await;
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
        (Jwt::fairing(), "the blocklist is in memory already"),
        (Jwt::fairing().blocklist(Store::default()), "own store with `replicable_blocklist()`"),
        (
            Jwt::fairing()
                .replicable_blocklist(Store { is_mute: AtomicBool::new(true), ..Store::default() }),
            "a wire was cut",
        ),
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
