//! A shared store at the speed of memory: what it holds, kept up to date, and the clock that says
//! whether it is.

pub(super) mod changes;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rocket::time::OffsetDateTime;
use rocket::tokio::{sync::Mutex, time};

use self::changes::{Cursor, ReplicableBlocklist};
use super::entry::{Entry, EntryKey, Revocation, TokenIds};
use super::memory::MemoryBlocklist;
use super::store::{Blocklist, Standing, StoreError, UseUp};
use crate::clock::{self, Clock, Uptime};

/// No poll has succeeded.
const NEVER: u64 = u64::MAX;

/// A store, with its entries in memory.
///
/// It answers from memory as long as the last successful poll *began* at most `bound` ago. A poll that
/// begins after a revocation was acknowledged finds it; so whatever was acknowledged longer ago than
/// `bound` is in the memory, or the memory is not asked.
///
/// Entries are only ever widened, so merging them needs no order: not between polls, nor with what is
/// recorded here meanwhile.
pub(crate) struct Replica {
    store: Arc<dyn ReplicableBlocklist>,
    memory: MemoryBlocklist,
    // Keys of entries that can't be right. For them the store is asked, and says so.
    doubtful: RwLock<HashSet<EntryKey>>,
    is_any_doubtful: AtomicBool,
    clock: Arc<dyn Clock>,
    uptime: Uptime,
    bound: Duration,
    // By `uptime`, in nanoseconds: when the last pass that came to its end had begun.
    began: AtomicU64,
    place: Mutex<Place>,
}

/// How far the store was followed.
#[derive(Default)]
struct Place {
    cursor: Option<Cursor>,
    // By `uptime`: when the pass had begun in whose midst it is.
    began: Option<u64>,
}

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The pass goes on.
    More,
    /// The pass is over.
    Done,
}

impl Replica {
    pub(crate) fn new(
        store: Arc<dyn ReplicableBlocklist>,
        clock: Arc<dyn Clock>,
        uptime: Uptime,
        bound: Duration,
    ) -> Self {
        Self {
            store,
            memory: MemoryBlocklist::new(),
            doubtful: RwLock::default(),
            is_any_doubtful: AtomicBool::new(false),
            clock,
            uptime,
            bound,
            began: AtomicU64::new(NEVER),
            place: Mutex::default(),
        }
    }

    /// Takes over a page of what has changed; an answer later than `limit` is none.
    ///
    /// After a failure the pass goes on where it was, and still counts from its beginning.
    pub(super) async fn step(&self, limit: Duration) -> Result<Step, StoreError> {
        let mut place = self.place.lock().await;
        // Read before the question is sent.
        let began = place.began.unwrap_or_else(|| self.uptime.nanos());
        let changes = time::timeout(limit, self.store.changes(place.cursor.as_ref()))
            .await
            .unwrap_or_else(|_| Err(StoreError::new(format!("no answer within {limit:?}"))))?;
        let now = self.clock.now();
        for entry in &changes.entries {
            self.take(entry, now);
        }
        place.cursor = Some(changes.cursor);
        if changes.more {
            place.began = Some(began);
            return Ok(Step::More);
        }
        place.began = None;
        // Only now, as it says that all of it is in the memory.
        self.began.store(began, Ordering::SeqCst);
        Ok(Step::Done)
    }

    /// Follows the store to the end of a pass.
    pub(crate) async fn poll(&self, limit: Duration) -> Result<(), StoreError> {
        while self.step(limit).await? == Step::More {}
        Ok(())
    }

    /// Polls at this interval, forever, and says when it falls behind and when it is back.
    pub(crate) async fn follow(&self, interval: Duration, limit: Duration) {
        let mut is_behind = false;
        loop {
            let next = time::Instant::now() + interval;
            loop {
                let step = self.step(limit).await;
                match (self.is_fresh(), is_behind) {
                    (false, false) => {
                        is_behind = true;
                        let why = match &step {
                            Err(error) => error.to_string(),
                            Ok(_) => "it takes long to follow".into(),
                        };
                        log::warn!("JWT: the blocklist is asked for each request: {why}");
                    }
                    (true, true) => {
                        is_behind = false;
                        log::warn!("JWT: the blocklist is answered for from memory again");
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

    /// Whether the memory is recent enough to be asked.
    pub(crate) fn is_fresh(&self) -> bool {
        // In this order: a pass that ends in between can only make it older.
        let began = self.began.load(Ordering::SeqCst);
        let now = self.uptime.nanos();
        began != NEVER && Duration::from_nanos(now.saturating_sub(began)) <= self.bound
    }

    /// How the token stands as far as the memory knows, if that may be asked.
    pub(crate) fn known(&self, ids: &TokenIds<'_>) -> Option<Result<Standing, StoreError>> {
        (self.is_fresh() && !self.is_doubtful(ids)).then(|| self.memory.look(ids))
    }

    fn is_doubtful(&self, ids: &TokenIds<'_>) -> bool {
        self.is_any_doubtful.load(Ordering::SeqCst) && {
            let doubtful = self.doubtful.read().unwrap_or_else(PoisonError::into_inner);
            ids.keys().iter().any(|key| doubtful.contains(key))
        }
    }

    fn take(&self, entry: &Entry, now: OffsetDateTime) {
        let is_sound = self.memory.merge(entry, now);
        if !is_sound {
            let mut doubtful = self.doubtful.write().unwrap_or_else(PoisonError::into_inner);
            doubtful.insert(entry.key);
            self.is_any_doubtful.store(true, Ordering::SeqCst);
        }
    }
}

#[rocket::async_trait]
impl Blocklist for Replica {
    /// In the store, then here at once.
    async fn revoke(&self, entry: &Revocation) -> Result<(), StoreError> {
        self.store.revoke(entry).await?;
        self.take(&Entry::of(entry), self.clock.now());
        Ok(())
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

    /// In the store: of several servers it alone knows who is the first.
    async fn use_up(
        &self,
        ids: &TokenIds<'_>,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<UseUp, StoreError> {
        let done = self.store.use_up(ids, now, until).await?;
        let first = match done {
            UseUp::First => Some(now),
            UseUp::Again { first } => Some(first),
            UseUp::Revoked => None,
        };
        if let (Some(first), Some(key)) = (first, ids.token_key()) {
            let [used, until] = [first, until].map(|time| Some(clock::millis(time)));
            let entry = Entry { key, revoked: false, cut_off: None, used, until };
            self.take(&entry, self.clock.now());
        }
        Ok(done)
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

    /// A store that others have written in, and nobody can.
    struct Written(Vec<Entry>);

    #[rocket::async_trait]
    impl Blocklist for Written {
        async fn revoke(&self, _: &Revocation) -> Result<(), StoreError> {
            Err(StoreError::new("read only"))
        }

        async fn standing(&self, _: &TokenIds<'_>) -> Result<Standing, StoreError> {
            Err(StoreError::new("not to be asked"))
        }

        async fn use_up(
            &self,
            _: &TokenIds<'_>,
            _: OffsetDateTime,
            _: OffsetDateTime,
        ) -> Result<UseUp, StoreError> {
            Err(StoreError::new("read only"))
        }

        async fn prune(&self, _: OffsetDateTime) -> Result<u64, StoreError> {
            Ok(0)
        }
    }

    #[rocket::async_trait]
    impl ReplicableBlocklist for Written {
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
    async fn an_entry_is_in_memory_until_it_leaves_and_widened_in_any_order() {
        let now = OffsetDateTime::UNIX_EPOCH + Span::days(20_000);
        let entry = |sid: &str, until: Option<Span>| {
            Entry::of(&Revocation::session(sid, until.map(|span| now + span)))
        };
        let hours = |count| Some(Span::hours(count));
        let store = Written(vec![
            entry("left", hours(0)),
            entry("short", hours(1)),
            entry("widened", hours(3)),
            entry("widened", hours(1)),
            entry("for good", None),
            entry("for good", hours(1)),
        ]);
        let clock = Arc::new(Fixed(now));
        let replica = Replica::new(Arc::new(store), clock, Uptime::default(), Duration::MAX);
        let is_known = |sid: &str| {
            let standing = replica.known(&TokenIds::new(None, Some(sid), None, None));
            standing.expect("it was polled").expect("an answer") == Standing::Revoked
        };
        assert!(replica.known(&TokenIds::new(None, Some("short"), None, None)).is_none());
        replica.poll(Duration::from_secs(1)).await.expect("a poll");
        assert_eq!(replica.memory.len(), 3);
        assert_eq!(
            ["left", "short", "widened", "for good"].map(is_known),
            [false, true, true, true]
        );
        replica.prune(now + Span::hours(2)).await.expect("pruned");
        assert_eq!(["short", "widened", "for good"].map(is_known), [false, true, true]);
        assert_eq!(replica.memory.len(), 2);
    }
}
