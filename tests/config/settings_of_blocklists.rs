//! Settings of how the blocklist is asked and kept small. The runtime's time is moved, not waited
//! for.

use std::future::pending;
use std::sync::Mutex;

use crate::bench::{routes, setting, with_secret};
use crate::log_capture::install;
use crate::support::*;
use rocket::figment::Figment;
use rocket::local::asynchronous::Client;
use rocket::time::OffsetDateTime;
use rocket::tokio::runtime::Builder;
use rocket::tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use rocket::tokio::time::Instant;
use rocket_jwt_extended::blocklist::{Changes, Cursor, ReplicableBlocklist};
use rocket_jwt_extended::{Blocklist, Jwt, Revocation, Standing, StoreError, TokenIds, UseUp};

/// A store that answers nothing and tells when it is pruned.
struct Silent(Mutex<UnboundedSender<()>>);

#[rocket::async_trait]
impl Blocklist for Silent {
    async fn revoke(&self, _: &Revocation) -> Result<(), StoreError> {
        pending().await
    }

    async fn standing(&self, _: &TokenIds<'_>) -> Result<Standing, StoreError> {
        pending().await
    }

    async fn use_up(
        &self,
        _: &TokenIds<'_>,
        _: OffsetDateTime,
        _: OffsetDateTime,
    ) -> Result<UseUp, StoreError> {
        pending().await
    }

    async fn prune(&self, _: OffsetDateTime) -> Result<u64, StoreError> {
        let _ = self.0.lock().unwrap().send(());
        Ok(0)
    }
}

/// Runs in a runtime whose time stands still unless everything waits for it.
fn in_moved_time<T>(run: impl std::future::Future<Output = T>) -> T {
    Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(run)
}

#[test]
fn blocklist_timeout_is_how_long_an_answer_is_waited_for() {
    let observe = |figment: Figment| {
        install();
        in_moved_time(async {
            let (sender, _) = unbounded_channel();
            let fairing =
                Jwt::fairing().blocklist(Silent(Mutex::new(sender))).clock(ManualClock::new());
            let rocket = rocket::custom(figment).attach(fairing).mount("/", routes());
            let client = Client::untracked(rocket).await.unwrap();
            let asked = Instant::now();
            let response = client.get("/me").header(bearer(&sign(&claims()))).dispatch().await;
            format!("{} after {:?}", response.status().code, asked.elapsed())
        })
    };
    let base = with_secret("");
    setting(&base, "blocklist_timeout = \"500ms\"", ["503 after 2s", "503 after 500ms"], observe);
    setting(&base, "blocklist_timeout = 5", ["503 after 2s", "503 after 5s"], observe);
}

#[test]
fn blocklist_prune_interval_is_how_often_the_store_is_pruned() {
    let observe = |figment: Figment| {
        install();
        in_moved_time(async {
            let (sender, mut pruned) = unbounded_channel();
            let fairing =
                Jwt::fairing().blocklist(Silent(Mutex::new(sender))).clock(ManualClock::new());
            let rocket = rocket::custom(figment).attach(fairing).mount("/", routes());
            let launched = Instant::now();
            let _client = Client::untracked(rocket).await.unwrap();
            pruned.recv().await.unwrap();
            let first = launched.elapsed();
            pruned.recv().await.unwrap();
            format!("after {first:?} and {:?}", launched.elapsed())
        })
    };
    let base = with_secret("");
    let default = "after 600s and 1200s";
    setting(
        &base,
        "blocklist_prune_interval = \"1h\"",
        [default, "after 3600s and 7200s"],
        observe,
    );
    setting(&base, "blocklist_prune_interval = 1", [default, "after 1s and 2s"], observe);
}

/// A store that is never asked for a standing, and knows nothing.
struct Followed(Mutex<UnboundedSender<()>>);

#[rocket::async_trait]
impl Blocklist for Followed {
    async fn revoke(&self, _: &Revocation) -> Result<(), StoreError> {
        pending().await
    }

    async fn standing(&self, _: &TokenIds<'_>) -> Result<Standing, StoreError> {
        Err(StoreError::new("asked"))
    }

    async fn use_up(
        &self,
        _: &TokenIds<'_>,
        _: OffsetDateTime,
        _: OffsetDateTime,
    ) -> Result<UseUp, StoreError> {
        pending().await
    }

    async fn prune(&self, _: OffsetDateTime) -> Result<u64, StoreError> {
        Ok(0)
    }
}

#[rocket::async_trait]
impl ReplicableBlocklist for Followed {
    async fn changes(&self, _: Option<&Cursor>) -> Result<Changes, StoreError> {
        let _ = self.0.lock().unwrap().send(());
        Ok(Changes { entries: vec![], cursor: Cursor::new(()), more: false })
    }
}

#[test]
fn blocklist_replica_is_how_often_the_store_is_followed() {
    let observe = |figment: Figment| {
        install();
        in_moved_time(async {
            let (sender, mut polled) = unbounded_channel();
            let fairing = Jwt::fairing()
                .replicable_blocklist(Followed(Mutex::new(sender)))
                .clock(ManualClock::new());
            let rocket = rocket::custom(figment).attach(fairing).mount("/", routes());
            let client = Client::untracked(rocket).await.unwrap();
            let response = client.get("/me").header(bearer(&sign(&claims()))).dispatch().await;
            let status = response.status().code;
            if polled.try_recv().is_err() {
                return format!("{status}, never");
            }
            // At launch, at liftoff, and then.
            polled.recv().await.unwrap();
            let begin = Instant::now();
            polled.recv().await.unwrap();
            let first = begin.elapsed();
            polled.recv().await.unwrap();
            format!("{status}, after {first:?} and {:?}", begin.elapsed())
        })
    };
    let base = with_secret("");
    let default = "503, never";
    setting(
        &base,
        "blocklist_replica = \"250ms\"",
        [default, "200, after 250ms and 500ms"],
        observe,
    );
    setting(&base, "blocklist_replica = \"1h\"", [default, "200, after 3600s and 7200s"], observe);
    setting(&base, "blocklist_replica = false", [default, default], observe);
}
