//! A copy of a shared store in memory, and the clock that decides whether it is recent enough.

pub(super) mod changes;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rocket::time::OffsetDateTime;
use rocket::tokio::{sync::Mutex, time};

use self::changes::{Cursor, ReplicableBlocklist};
use super::entry::{Entry, EntryKey, Revocation, TokenIds};
use super::exchange::{Exchange, Exchanged};
use super::memory::MemoryBlocklist;
use super::prune_limit::{PruneLimit, SLACK};
use super::store::{Blocklist, Standing, StoreError};
use crate::clock::{self, BootClock, Clock};

/// No pass has been completed.
const NEVER: u64 = u64::MAX;

/// A store with a copy of its entries in memory.
///
/// Lookups are answered from memory while the last completed pass *began* at most `bound` ago. A
/// pass that begins after a revocation was acknowledged finds it. So a revocation that was
/// acknowledged longer ago than `bound` is in memory, or the memory is not used.
///
/// Entries are only ever extended, so they can be merged in any order, both between polls and with
/// entries that are recorded here meanwhile. Reading all entries again removes none from memory: a
/// server keeps refusing what a database has lost, until the entry expires or the server restarts.
///
/// The row of a live session is not in memory: it changes with each exchange, so a refresh token is
/// looked up in the store itself.
pub(crate) struct Replica {
    store: Arc<dyn ReplicableBlocklist>,
    memory: MemoryBlocklist,
    // Keys of malformed entries. The store itself is queried for them, and returns the error.
    malformed: RwLock<HashSet<EntryKey>>,
    is_any_malformed: AtomicBool,
    clock: Arc<dyn Clock>,
    boot_clock: BootClock,
    // An entry that expired only by a jump of the clock is merged.
    prune_limit: PruneLimit,
    bound: Duration,
    // When the last completed pass began, in nanoseconds of `boot_clock`.
    began: AtomicU64,
    position: Mutex<Position>,
}

/// The position of the current pass.
#[derive(Default)]
struct Position {
    cursor: Option<Cursor>,
    // When the unfinished pass began, in nanoseconds of `boot_clock`.
    began: Option<u64>,
}

/// The result of reading a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The pass continues.
    More,
    /// The pass has ended.
    Done,
}

impl Replica {
    pub(crate) fn new(
        store: Arc<dyn ReplicableBlocklist>,
        clock: Arc<dyn Clock>,
        boot_clock: BootClock,
        bound: Duration,
    ) -> Self {
        let prune_limit = PruneLimit::new(clock.now(), boot_clock.clone(), SLACK);
        Self {
            store,
            memory: MemoryBlocklist::new(),
            malformed: RwLock::default(),
            is_any_malformed: AtomicBool::new(false),
            clock,
            boot_clock,
            prune_limit,
            bound,
            began: AtomicU64::new(NEVER),
            position: Mutex::default(),
        }
    }

    /// Reads a page of changes, which fails after `limit`.
    ///
    /// After a failure the pass continues from the same position, and its age still counts from its
    /// beginning.
    pub(super) async fn step(&self, limit: Duration) -> Result<Step, StoreError> {
        let mut position = self.position.lock().await;
        // Read before the query is sent.
        let began = position.began.unwrap_or_else(|| self.boot_clock.nanos());
        let changes = time::timeout(limit, self.store.changes(position.cursor.as_ref()))
            .await
            .unwrap_or_else(|_| Err(StoreError::new(format!("no response within {limit:?}"))))?;
        let now = self.clock.now();
        for entry in &changes.entries {
            self.merge(entry, now);
        }
        position.cursor = Some(changes.cursor);
        if changes.more {
            position.began = Some(began);
            return Ok(Step::More);
        }
        position.began = None;
        // Stored only now, as it claims that the whole pass is in memory.
        self.began.store(began, Ordering::SeqCst);
        Ok(Step::Done)
    }

    /// Reads changes to the end of a pass.
    pub(crate) async fn poll(&self, limit: Duration) -> Result<(), StoreError> {
        while self.step(limit).await? == Step::More {}
        Ok(())
    }

    /// Polls at this interval, forever, and logs when the copy becomes stale and when it is fresh
    /// again.
    pub(crate) async fn follow(&self, interval: Duration, limit: Duration) {
        let mut is_stale = false;
        loop {
            let next = time::Instant::now() + interval;
            loop {
                let step = self.step(limit).await;
                match (self.is_fresh(), is_stale) {
                    (false, false) => {
                        is_stale = true;
                        let why = match &step {
                            Err(error) => error.to_string(),
                            Ok(_) => "reading the changes takes too long".into(),
                        };
                        log::warn!(
                            "JWT: the blocklist replica is stale, requests query the store: {why}"
                        );
                    }
                    (true, true) => {
                        is_stale = false;
                        log::warn!("JWT: the blocklist replica is up to date again");
                    }
                    _ => {}
                }
                if !matches!(step, Ok(Step::More)) {
                    break;
                }
            }
            time::sleep_until(next).await;
        }
    }

    /// Whether the copy is recent enough to be used.
    pub(crate) fn is_fresh(&self) -> bool {
        // The order matters: a pass that ends in between can then only make the copy look older.
        let began = self.began.load(Ordering::SeqCst);
        let now = self.boot_clock.nanos();
        began != NEVER && Duration::from_nanos(now.saturating_sub(began)) <= self.bound
    }

    /// The token's standing in memory, if the copy may be used for it.
    pub(crate) fn known(&self, ids: &TokenIds<'_>) -> Option<Result<Standing, StoreError>> {
        let is_usable = !ids.is_exchangeable() && self.is_fresh() && !self.is_malformed(ids);
        is_usable.then(|| self.memory.lookup(ids))
    }

    fn is_malformed(&self, ids: &TokenIds<'_>) -> bool {
        self.is_any_malformed.load(Ordering::SeqCst) && {
            let malformed = self.malformed.read().unwrap_or_else(PoisonError::into_inner);
            ids.keys().iter().any(|key| malformed.contains(key))
        }
    }

    /// Adds an entry that the store has already.
    pub(super) fn note(&self, entry: &Entry) {
        self.merge(entry, self.clock.now());
    }

    fn merge(&self, entry: &Entry, now: OffsetDateTime) {
        let is_valid = self.memory.merge(entry, self.prune_limit.cap(now));
        if !is_valid {
            let mut malformed = self.malformed.write().unwrap_or_else(PoisonError::into_inner);
            malformed.insert(entry.key);
            self.is_any_malformed.store(true, Ordering::SeqCst);
        }
    }
}

#[rocket::async_trait]
impl Blocklist for Replica {
    /// Records the entry in the store, then immediately in memory.
    async fn revoke(&self, entry: &Revocation) -> Result<bool, StoreError> {
        let is_change = self.store.revoke(entry).await?;
        self.merge(&Entry::of(entry), self.clock.now());
        Ok(is_change)
    }

    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        match self.known(ids) {
            Some(standing) => standing,
            None => self.store.standing(ids).await,
        }
    }

    fn try_standing(&self, ids: &TokenIds<'_>) -> Option<Result<Standing, StoreError>> {
        self.known(ids)
    }

    /// Only the store can decide which of several servers is the first.
    async fn exchange(
        &self,
        ids: &TokenIds<'_>,
        exchange: &Exchange,
    ) -> Result<Exchanged, StoreError> {
        let exchanged = self.store.exchange(ids, exchange).await?;
        let is_end = matches!(exchanged, Exchanged::Reused { .. } | Exchanged::Newer { .. });
        if let Some(key) = ids.session_key().filter(|_| is_end) {
            let until = exchange.until().map(clock::millis);
            self.merge(&Entry { key, revoked: true, cut_off: None, until }, self.clock.now());
        }
        Ok(exchanged)
    }

    async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        self.memory.prune(now).await?;
        self.store.prune(now).await
    }
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use rocket::time::Duration as Span;

    use super::changes::Changes;
    use super::*;

    /// A read-only store with these entries.
    struct ReadOnly(Vec<Entry>);

    #[rocket::async_trait]
    impl Blocklist for ReadOnly {
        async fn revoke(&self, _: &Revocation) -> Result<bool, StoreError> {
            Err(StoreError::new("read only"))
        }

        async fn standing(&self, _: &TokenIds<'_>) -> Result<Standing, StoreError> {
            Err(StoreError::new("must not be queried"))
        }

        async fn exchange(&self, _: &TokenIds<'_>, _: &Exchange) -> Result<Exchanged, StoreError> {
            Err(StoreError::new("read only"))
        }

        async fn prune(&self, _: OffsetDateTime) -> Result<u64, StoreError> {
            Ok(0)
        }
    }

    #[rocket::async_trait]
    impl ReplicableBlocklist for ReadOnly {
        async fn changes(&self, _: Option<&Cursor>) -> Result<Changes, StoreError> {
            Ok(Changes { entries: self.0.clone(), cursor: Cursor::new(()), more: false })
        }
    }

    struct Fixed(OffsetDateTime);

    impl Clock for Fixed {
        fn now(&self) -> OffsetDateTime {
            self.0
        }
    }

    #[rocket::async_test]
    async fn an_entry_is_in_memory_until_it_expires_and_extended_in_any_order() {
        let now = OffsetDateTime::UNIX_EPOCH + Span::days(20_000);
        let entry = |sid: &str, until: Option<Span>| {
            Entry::of(&Revocation::session(sid, until.map(|span| now + span)))
        };
        let hours = |count| Some(Span::hours(count));
        let store = ReadOnly(vec![
            entry("expired", hours(0)),
            entry("short", hours(1)),
            entry("extended", hours(3)),
            entry("extended", hours(1)),
            entry("permanent", None),
            entry("permanent", hours(1)),
        ]);
        let clock = Arc::new(Fixed(now));
        let replica = Replica::new(Arc::new(store), clock, BootClock::default(), Duration::MAX);
        let is_known = |sid: &str| {
            let standing = replica.known(&TokenIds::new(None, Some(sid), None, None));
            standing.expect("a poll").expect("a standing") == Standing::Revoked
        };
        assert!(replica.known(&TokenIds::new(None, Some("short"), None, None)).is_none());
        replica.poll(Duration::from_secs(1)).await.expect("a poll");
        assert_eq!(replica.memory.len(), 3);
        assert_eq!(
            ["expired", "short", "extended", "permanent"].map(is_known),
            [false, true, true, true]
        );
        replica.prune(now + Span::hours(2)).await.expect("pruned");
        assert_eq!(["short", "extended", "permanent"].map(is_known), [false, true, true]);
        assert_eq!(replica.memory.len(), 2);
    }

    #[rocket::async_test]
    async fn a_cut_off_of_everything_is_in_memory_and_never_goes_back() {
        let now = OffsetDateTime::UNIX_EPOCH + Span::days(20_000);
        let hour = now + Span::HOUR;
        let everything = |cut_off| Entry::of(&Revocation::everything(cut_off, hour));
        let store = ReadOnly(vec![
            everything(now - Span::HOUR),
            everything(now),
            everything(now - Span::MINUTE),
        ]);
        let clock = Arc::new(Fixed(now));
        let replica = Replica::new(Arc::new(store), clock, BootClock::default(), Duration::MAX);
        replica.poll(Duration::from_secs(1)).await.expect("a poll");
        assert_eq!(replica.memory.len(), 1);
        let second = now + Span::SECOND;
        for (issued, standing) in [
            (Some(now - Span::DAY), Standing::Revoked),
            (Some(now), Standing::Revoked),
            (Some(second), Standing::Live),
            (None, Standing::Revoked),
        ] {
            let ids = TokenIds::new(None, Some("any"), Some("anybody"), issued);
            let known = replica.known(&ids).expect("a poll").expect("a standing");
            assert_eq!(known, standing, "issued at {issued:?}");
        }
        // After a malformed entry without a known effect, every token is looked up in the store
        // itself.
        let mut malformed = everything(now);
        (malformed.revoked, malformed.cut_off) = (true, None);
        replica.note(&malformed);
        let ids = TokenIds::new(None, None, Some("anybody"), Some(second));
        assert!(replica.known(&ids).is_none());
    }
}
