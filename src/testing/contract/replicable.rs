//! The contract of a replicable store: its changes alone must reveal every entry.

use std::collections::HashSet;
use std::time::Duration as StdDuration;

use super::*;
use crate::blocklist::replica::Replica;
use crate::blocklist::{Cursor, EntryKey, Exchanged, ReplicableBlocklist};
use crate::clock::{BootClock, SystemClock};

const LIMIT: StdDuration = StdDuration::from_secs(30);

/// Checks that a store fulfils the contract of [`ReplicableBlocklist`]. It runs the cases of
/// [`blocklist_contract()`] with answers that come only from the store's changes, and further
/// cases. `make` is the same as there.
///
/// The suite cannot check which entries a store returns after a fail-over, or if transactions are
/// committed late or in another order than they began.
///
/// # Panics
///
/// If the store fails a case, with the name of the case.
///
/// # Example
///
/// See [`ReplicableBlocklist`] for the store.
///
/// ```rust
/// use rocket_jwt_extended::blocklist::ReplicableBlocklist;
/// use rocket_jwt_extended::testing::replicable_blocklist_contract;
///
/// async fn fulfils_the_contract<S: ReplicableBlocklist>(connect: impl AsyncFn() -> S) {
///     replicable_blocklist_contract(connect).await;
/// }
/// ```
pub async fn replicable_blocklist_contract<B: ReplicableBlocklist>(make: impl AsyncFn() -> B) {
    blocklist_contract(async || FromChanges::new(make().await)).await;
    a_pass_returns_all_entries(&make().await).await;
    the_next_pass_returns_later_entries(&make().await, &make().await).await;
}

/// Polls before each lookup, and answers the lookup from memory only.
struct FromChanges(Replica);

impl FromChanges {
    fn new(store: impl ReplicableBlocklist) -> Self {
        let clock = Arc::new(SystemClock);
        // Each lookup polls first, so the bound on the replica's age does not matter here.
        let bound = StdDuration::from_secs(3600);
        Self(Replica::new(Arc::new(store), clock, BootClock::default(), bound))
    }
}

#[rocket::async_trait]
impl Blocklist for FromChanges {
    async fn revoke(&self, entry: &Revocation) -> Result<bool, StoreError> {
        self.0.revoke(entry).await
    }

    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        if ids.is_exchangeable() {
            // The row of a live session is not an entry: it is looked up in the store itself.
            return self.0.standing(ids).await;
        }
        self.0.poll(LIMIT).await?;
        self.0.known(ids).unwrap_or_else(|| Err(StoreError::new("an entry is malformed")))
    }

    async fn exchange(
        &self,
        ids: &TokenIds<'_>,
        exchange: &Exchange,
    ) -> Result<Exchanged, StoreError> {
        self.0.exchange(ids, exchange).await
    }

    async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        self.0.prune(now).await
    }
}

/// The keys that one pass returns, and the last cursor of the pass.
async fn pass(
    case: &str,
    store: &dyn ReplicableBlocklist,
    from: Option<Cursor>,
) -> (HashSet<EntryKey>, Cursor) {
    let (mut keys, mut cursor) = (HashSet::new(), from);
    loop {
        let changes = store.changes(cursor.as_ref()).await.unwrap_or_else(|error| {
            panic!("blocklist contract: {case}: `changes` failed: {error}")
        });
        keys.extend(changes.entries.iter().map(|entry| entry.key));
        match changes.more {
            true => cursor = Some(changes.cursor),
            false => return (keys, changes.cursor),
        }
    }
}

async fn record(case: &str, store: &dyn ReplicableBlocklist) -> EntryKey {
    let entry = Revocation::session(id(), hours(2));
    let recorded = store.revoke(&entry).await;
    recorded.unwrap_or_else(|error| panic!("blocklist contract: {case}: `revoke` failed: {error}"));
    entry.key()
}

/// A pass begins without a cursor, or with a cursor that the store does not know.
async fn a_pass_returns_all_entries(store: &dyn ReplicableBlocklist) {
    const CASE: &str = "a_pass_returns_all_entries";
    struct Unknown;

    let one = record(CASE, store).await;
    for from in [None, Some(Cursor::new(Unknown))] {
        let (keys, _) = pass(CASE, store, from).await;
        assert!(keys.contains(&one), "blocklist contract: {CASE}: an entry is missing");
    }
}

async fn the_next_pass_returns_later_entries(
    store: &dyn ReplicableBlocklist,
    other: &dyn ReplicableBlocklist,
) {
    const CASE: &str = "the_next_pass_returns_later_entries";
    let (_, mut end) = pass(CASE, store, None).await;
    for round in 0..8 {
        let one = record(CASE, if round % 2 == 0 { other } else { store }).await;
        let (keys, next) = pass(CASE, store, Some(end)).await;
        assert!(keys.contains(&one), "blocklist contract: {CASE}: an entry is missing");
        end = next;
    }
}
