//! The contract of a store that can be followed: what is known of it by following alone.

use std::collections::HashSet;
use std::time::Duration as StdDuration;

use super::*;
use crate::blocklist::{Cursor, EntryKey, Replica, ReplicableBlocklist};
use crate::clock::{SystemClock, Uptime};

const LIMIT: StdDuration = StdDuration::from_secs(30);

/// Checks that a store keeps the contract of [`ReplicableBlocklist`]: the cases of
/// [`blocklist_contract()`], answered by what was handed out alone, and some of its own. `make` is as
/// there.
///
/// What it can't check is what a store hands out when transactions are committed late, or in another
/// order than they were begun in, and after a fail-over.
///
/// # Panics
///
/// With the name of the case that the store does not pass.
///
/// # Example
///
/// See [`ReplicableBlocklist`] for the store.
///
/// ```rust
/// use rocket_jwt_extended::blocklist::ReplicableBlocklist;
/// use rocket_jwt_extended::testing::replicable_blocklist_contract;
///
/// async fn keeps_the_contract<S: ReplicableBlocklist>(connect: impl AsyncFn() -> S) {
///     replicable_blocklist_contract(connect).await;
/// }
/// ```
pub async fn replicable_blocklist_contract<B: ReplicableBlocklist>(make: impl AsyncFn() -> B) {
    blocklist_contract(async || Followed::new(make().await)).await;
    a_pass_hands_out_all_there_is(&make().await).await;
    what_comes_later_is_handed_out_by_the_next_pass(&make().await, &make().await).await;
}

/// Answers from memory alone, after a poll.
struct Followed(Replica);

impl Followed {
    fn new(store: impl ReplicableBlocklist) -> Self {
        let clock = Arc::new(SystemClock);
        // Each answer is of a poll just now; how recent it is, is another matter.
        let bound = StdDuration::from_secs(3600);
        Self(Replica::new(Arc::new(store), clock, Uptime::default(), bound))
    }
}

#[rocket::async_trait]
impl Blocklist for Followed {
    async fn revoke(&self, entry: &Revocation) -> Result<(), StoreError> {
        self.0.revoke(entry).await
    }

    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        self.0.poll(LIMIT).await?;
        self.0.known(ids).unwrap_or_else(|| Err(StoreError::new("an entry that can't be right")))
    }

    async fn use_up(
        &self,
        ids: &TokenIds<'_>,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<UseUp, StoreError> {
        self.0.use_up(ids, now, until).await
    }

    async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        self.0.prune(now).await
    }
}

/// The keys that one pass hands out, and its end.
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

/// Without a cursor, and with one that means nothing to the store.
async fn a_pass_hands_out_all_there_is(store: &dyn ReplicableBlocklist) {
    const CASE: &str = "a_pass_hands_out_all_there_is";
    struct Meaningless;

    let one = record(CASE, store).await;
    for from in [None, Some(Cursor::new(Meaningless))] {
        let (keys, _) = pass(CASE, store, from).await;
        assert!(keys.contains(&one), "blocklist contract: {CASE}: an entry was left out");
    }
}

async fn what_comes_later_is_handed_out_by_the_next_pass(
    store: &dyn ReplicableBlocklist,
    other: &dyn ReplicableBlocklist,
) {
    const CASE: &str = "what_comes_later_is_handed_out_by_the_next_pass";
    let (_, mut end) = pass(CASE, store, None).await;
    for round in 0..8 {
        let one = record(CASE, if round % 2 == 0 { other } else { store }).await;
        let (keys, next) = pass(CASE, store, Some(end)).await;
        assert!(keys.contains(&one), "blocklist contract: {CASE}: an entry was left out");
        end = next;
    }
}
