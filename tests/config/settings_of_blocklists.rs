//! Settings of how the blocklist is asked and kept small. The runtime's time is moved, not waited
//! for.

use crate::support::app::{routes, setting, with_secret};
use crate::support::log_capture::install;
use crate::support::store_stub::{Answer, Call, StoreStub};
use crate::support::*;
use rocket::figment::Figment;
use rocket::local::asynchronous::Client;
use rocket::tokio::runtime::Builder;
use rocket::tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use rocket::tokio::time::Instant;
use rocket_jwt_extended::Jwt;

/// A store that answers nothing and tells when it is pruned.
fn silent(sender: UnboundedSender<()>) -> StoreStub {
    StoreStub::new(move |call| match call {
        Call::Prune(_) => {
            let _ = sender.send(());
            Answer::FromMemory
        }
        _ => Answer::Hang,
    })
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
            let fairing = Jwt::fairing().blocklist(silent(sender)).clock(clock_at_start());
            let rocket = rocket::custom(figment).attach(fairing).mount("/", routes());
            let client = Client::untracked(rocket).await.unwrap();
            let asked = Instant::now();
            let response = client.get("/me").header(Bearer(&sign(&claims()))).dispatch().await;
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
            let fairing = Jwt::fairing().blocklist(silent(sender)).clock(clock_at_start());
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

/// A store that fails when it is asked for a standing, and tells when it is polled.
fn followed(sender: UnboundedSender<()>) -> StoreStub {
    StoreStub::new(move |call| match call {
        Call::Standing(_) => Answer::Fail("asked"),
        Call::Changes(_) => {
            let _ = sender.send(());
            Answer::FromMemory
        }
        _ => Answer::FromMemory,
    })
}

#[test]
fn blocklist_replica_is_how_often_the_store_is_followed() {
    let observe = |figment: Figment| {
        install();
        in_moved_time(async {
            let (sender, mut polled) = unbounded_channel();
            let fairing =
                Jwt::fairing().replicable_blocklist(followed(sender)).clock(clock_at_start());
            let rocket = rocket::custom(figment).attach(fairing).mount("/", routes());
            let client = Client::untracked(rocket).await.unwrap();
            let response = client.get("/me").header(Bearer(&sign(&claims()))).dispatch().await;
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
