//! The background tasks: polling for the replica, and pruning.

use rocket::tokio::{self, time};
use rocket::{Orbit, Rocket};

use crate::jwt::Jwt;

pub(super) fn spawn(jwt: &Jwt, rocket: &Rocket<Orbit>) {
    poll_changes(jwt, rocket);
    prune(jwt, rocket);
}

fn poll_changes(jwt: &Jwt, rocket: &Rocket<Orbit>) {
    let Some(interval) = jwt.settings().blocklist_replica else { return };
    let Some(replica) = jwt.blocklist().replica().cloned() else { return };
    let [interval, limit] =
        [interval, jwt.settings().blocklist_timeout].map(|span| span.unsigned_abs());
    let mut shutdown = rocket.shutdown();
    tokio::spawn(async move {
        tokio::select! {
            _ = &mut shutdown => {}
            () = replica.follow(interval, limit) => {}
        }
    });
}

fn prune(jwt: &Jwt, rocket: &Rocket<Orbit>) {
    let store = jwt.blocklist().replica_or_primary();
    let limit = jwt.blocklist().prune_limit();
    let cache = jwt.signature_cache().cloned();
    let clock = jwt.clock();
    let interval = jwt.settings().blocklist_prune_interval.unsigned_abs();
    let mut shutdown = rocket.shutdown();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = &mut shutdown => break,
                _ = time::sleep(interval) => {
                    if let Some(cache) = &cache {
                        cache.prune(clock.now());
                    }
                    match store.prune(limit.cap(clock.now())).await {
                        Ok(removed) => log::debug!("JWT: pruned {removed} entries of the blocklist"),
                        Err(error) => log::warn!("JWT: pruning the blocklist failed: {error}"),
                    }
                }
            }
        }
    });
}
