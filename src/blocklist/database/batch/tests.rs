use std::collections::HashMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use rocket::futures::future::{BoxFuture, FutureExt, join_all};
use rocket::tokio::runtime::{Builder, Runtime};
use rocket::tokio::sync::Semaphore;
use rocket::tokio::task::yield_now;
use rocket::tokio::time::{Instant, advance};

use super::*;
use crate::blocklist::database::rows::Fields;

/// A store that replies only when the test lets it.
struct Scripted {
    rows: HashMap<EntryKey, Option<Fields>>,
    /// A permit for each query that may be answered.
    permits: Semaphore,
    /// The keys of each query.
    queries: Mutex<Vec<Vec<EntryKey>>>,
    cancelled: AtomicUsize,
    fault: Mutex<Option<Fault>>,
}

#[derive(Clone, Copy)]
enum Fault {
    Error,
    Panic,
    ForeignRow,
}

impl Scripted {
    /// A store with an entry for each of these ids.
    fn with(ids: impl IntoIterator<Item = u8>) -> Arc<Self> {
        Self::of(ids.into_iter().map(|id| (key(id), Some(Fields::Revoked))))
    }

    fn of(rows: impl IntoIterator<Item = (EntryKey, Option<Fields>)>) -> Arc<Self> {
        Arc::new(Self {
            rows: rows.into_iter().collect(),
            permits: Semaphore::new(0),
            queries: Mutex::default(),
            cancelled: AtomicUsize::new(0),
            fault: Mutex::default(),
        })
    }

    fn batches(&self) -> Vec<usize> {
        self.queries.lock().expect("no panic").iter().map(Vec::len).collect()
    }

    fn cancelled(&self) -> usize {
        self.cancelled.load(Ordering::SeqCst)
    }

    fn answer(&self, queries: usize) {
        self.permits.add_permits(queries);
    }

    fn fail(&self, fault: Option<Fault>) {
        *self.fault.lock().expect("no panic") = fault;
    }
}

#[rocket::async_trait]
impl Reader for Scripted {
    async fn read(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError> {
        struct Cancelled<'a>(&'a AtomicUsize);
        impl Drop for Cancelled<'_> {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }

        self.queries.lock().expect("no panic").push(keys.to_vec());
        let waiting = Cancelled(&self.cancelled);
        self.permits.acquire().await.expect("open").forget();
        mem::forget(waiting);
        let fault = *self.fault.lock().expect("no panic");
        let mut rows: Vec<_> = keys
            .iter()
            .filter_map(|key| Some(Row { key: *key, fields: *self.rows.get(key)? }))
            .collect();
        match fault {
            None => {}
            Some(Fault::Error) => return Err(StoreError::new("no answer")),
            Some(Fault::Panic) => panic!("a scripted panic"),
            Some(Fault::ForeignRow) => rows.push(Row { key: key(255), fields: None }),
        }
        Ok(rows)
    }
}

const MAX_IN_FLIGHT: usize = 3;

fn key(id: u8) -> EntryKey {
    [id; 17]
}

fn paused() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}

/// Runs a test on a paused clock, which advances only when every task is idle.
fn run(test: impl Future<Output = ()>) {
    paused().block_on(test);
}

/// Runs the other tasks until they wait.
async fn settle() {
    for _ in 0..20 {
        yield_now().await;
    }
}

/// Starts a lookup with one key for each id, polled once.
fn ask<'a>(
    batcher: &'a Batcher<Scripted>,
    ids: impl IntoIterator<Item = u8>,
) -> Vec<BoxFuture<'a, Result<Vec<Row>, StoreError>>> {
    let ask = |id| {
        let mut lookup = async move { batcher.rows(&[key(id)]).await }.boxed();
        assert!((&mut lookup).now_or_never().is_none());
        lookup
    };
    ids.into_iter().map(ask).collect()
}

fn ids(rows: &[Row]) -> Vec<u8> {
    rows.iter().map(|row| row.key[0]).collect()
}

#[test]
fn a_lone_lookup_is_sent_immediately() {
    run(async {
        let store = Scripted::with([1]);
        let batcher = Batcher::new(store.clone(), MAX_IN_FLIGHT);
        let begin = Instant::now();
        for _ in 0..3 {
            store.answer(1);
            let rows = batcher.rows(&[key(1), key(2), key(3)]).await.expect("an answer");
            assert_eq!(ids(&rows), [1]);
        }
        assert_eq!(store.batches(), [3, 3, 3]);
        assert_eq!(begin.elapsed(), Duration::ZERO);
    });
}

#[test]
fn lookups_during_a_query_share_the_next_one() {
    run(async {
        let store = Scripted::with((0..20).filter(|id| id % 2 == 0));
        let batcher = Batcher::new(store.clone(), MAX_IN_FLIGHT);
        let first = ask(&batcher, [0]);
        settle().await;
        let others = ask(&batcher, 1..20);
        settle().await;
        // No lookup joins a query in flight.
        assert_eq!(store.batches(), [1]);
        store.answer(2);
        for (id, rows) in join_all(first.into_iter().chain(others)).await.into_iter().enumerate() {
            let expected = if id % 2 == 0 { vec![id as u8] } else { vec![] };
            assert_eq!(ids(&rows.expect("an answer")), expected, "{id}");
        }
        assert_eq!(store.batches(), [1, 19]);
    });
}

#[test]
fn lookups_of_the_same_key_are_all_answered() {
    run(async {
        let store = Scripted::with([1, 2]);
        let batcher = Batcher::new(store.clone(), MAX_IN_FLIGHT);
        let lookups = ask(&batcher, [1, 1, 2, 3, 1]);
        store.answer(1);
        let answers = join_all(lookups).await;
        let found: Vec<_> =
            answers.iter().map(|rows| rows.as_ref().map(|rows| ids(rows)).expect("rows")).collect();
        // A store may return the row once for each time its key is in the query.
        assert!(found.iter().zip([1, 1, 2, 0, 1]).all(|(found, id)| match id {
            0 => found.is_empty(),
            id => !found.is_empty() && found.iter().all(|found| *found == id),
        }));
        assert_eq!(store.batches(), [5]);
    });
}

#[test]
fn a_batch_has_a_maximum_size() {
    run(async {
        let store = Scripted::with([]);
        let batcher = Batcher::new(store.clone(), MAX_IN_FLIGHT);
        let first = ask(&batcher, [1]);
        settle().await;
        // A full batch does not wait for the query in flight.
        let lookups = ask(&batcher, std::iter::repeat_n(1, MAX_BATCH + 3));
        settle().await;
        assert_eq!(store.batches(), [1, MAX_BATCH]);
        store.answer(3);
        for rows in join_all(first.into_iter().chain(lookups)).await {
            assert!(rows.expect("an answer").is_empty());
        }
        assert_eq!(store.batches(), [1, MAX_BATCH, 3]);
    });
}

#[test]
fn a_stuck_store_has_at_most_max_in_flight_batches() {
    run(async {
        let store = Scripted::with([1]);
        let batcher = Batcher::new(store.clone(), MAX_IN_FLIGHT);
        let mut lookups = vec![];
        for _ in 0..20 {
            lookups.extend(ask(&batcher, std::iter::repeat_n(1, MAX_BATCH / 2)));
            advance(SLOW_AFTER * 3).await;
            settle().await;
        }
        assert_eq!(store.batches().len(), MAX_IN_FLIGHT);
        // The queued lookups are sent in as few batches as possible.
        let number = lookups.len();
        store.answer(number);
        for rows in join_all(lookups).await {
            assert!(!rows.expect("an answer").is_empty());
        }
        let batches = store.batches();
        assert_eq!(batches.iter().sum::<usize>(), number);
        assert!(
            batches[MAX_IN_FLIGHT..].iter().rev().skip(1).all(|size| *size == MAX_BATCH),
            "{batches:?}"
        );
    });
}

#[test]
fn a_worker_on_a_blocked_thread_does_not_hold_up_lookups() {
    // Something else blocks its thread: here, its runtime is not driven.
    let store = Scripted::with([1, 2, 3]);
    let batcher = Batcher::new(store.clone(), MAX_IN_FLIGHT);
    let other = paused();
    let first = other.block_on(async { ask(&batcher, [1]) });
    std::thread::scope(|scope| {
        scope.spawn(|| {
            run(async {
                store.answer(1);
                let waiting = ask(&batcher, [2]);
                settle().await;
                assert!(store.batches().is_empty());
                advance(SLOW_AFTER * 3).await;
                assert_eq!(ids(&batcher.rows(&[key(3)]).await.expect("an answer")), [3]);
                for rows in join_all(waiting).await {
                    assert_eq!(ids(&rows.expect("an answer")), [2]);
                }
            });
        });
    });
    drop((first, other));
    run(async {
        store.answer(1);
        assert_eq!(ids(&batcher.rows(&[key(1)]).await.expect("an answer")), [1]);
    });
}

#[test]
fn an_error_fails_its_whole_batch_and_no_other() {
    run(async {
        for fault in [Fault::Error, Fault::ForeignRow, Fault::Panic] {
            let store = Scripted::with([1]);
            let batcher = Batcher::new(store.clone(), MAX_IN_FLIGHT);
            store.fail(Some(fault));
            let lookups = ask(&batcher, [1, 2, 3]);
            store.answer(1);
            for rows in join_all(lookups).await {
                rows.err().expect("no answer");
            }
            store.fail(None);
            store.answer(1);
            let rows = batcher.rows(&[key(1)]).await.expect("an answer");
            assert_eq!((ids(&rows), store.batches()), (vec![1], vec![3, 1]));
        }
    });
}

#[test]
fn lookups_queued_behind_a_panicking_worker_fail() {
    run(async {
        let store = Scripted::with([1]);
        let batcher = Batcher::new(store.clone(), MAX_IN_FLIGHT);
        let first = ask(&batcher, [1]);
        settle().await;
        let waiting = ask(&batcher, [1, 2]);
        store.fail(Some(Fault::Panic));
        store.answer(1);
        for rows in join_all(first.into_iter().chain(waiting)).await {
            rows.err().expect("no answer");
        }
        assert_eq!(store.batches(), [1]);
    });
}

#[test]
fn every_lookup_of_a_batch_gets_the_text_of_its_error() {
    run(async {
        let store = Scripted::with([]);
        let batcher = Batcher::new(store.clone(), MAX_IN_FLIGHT);
        store.fail(Some(Fault::Error));
        let lookups = ask(&batcher, [1, 2]);
        store.answer(1);
        for rows in join_all(lookups).await {
            assert_eq!(rows.err().expect("no answer").to_string(), "no answer");
        }
    });
}

#[test]
fn a_malformed_row_concerns_only_the_lookups_of_its_key() {
    run(async {
        let store = Scripted::of([(key(7), None)]);
        let batcher = Batcher::new(store.clone(), MAX_IN_FLIGHT);
        let lookups = ask(&batcher, [6, 7, 8]);
        store.answer(1);
        let answers = join_all(lookups).await;
        let rows = |at: usize| answers[at].as_ref().expect("an answer").as_slice();
        assert!(rows(0).is_empty() && rows(2).is_empty());
        assert!(matches!(rows(1), [Row { fields: None, .. }]));
    });
}

#[test]
fn a_cancelled_lookup_does_not_affect_the_others() {
    run(async {
        let store = Scripted::with([1, 2, 3]);
        let batcher = Batcher::new(store.clone(), MAX_IN_FLIGHT);
        let mut in_flight = ask(&batcher, [1, 2]);
        settle().await;
        let mut waiting = ask(&batcher, [2, 3]);
        drop((in_flight.remove(0), waiting.remove(0)));
        store.answer(2);
        let answers = join_all(in_flight.into_iter().chain(waiting)).await;
        let found: Vec<_> = answers.into_iter().map(|rows| ids(&rows.expect("rows"))).collect();
        assert_eq!(found, [[2], [3]]);
        // A cancelled lookup is not sent.
        assert_eq!(store.batches(), [2, 1]);
        assert_eq!(store.cancelled(), 0);
    });
}

#[test]
fn a_query_whose_lookups_are_all_cancelled_is_cancelled() {
    run(async {
        let store = Scripted::with([1]);
        let batcher = Batcher::new(store.clone(), MAX_IN_FLIGHT);
        for leaves_after in [SLOW_AFTER / 2, SLOW_AFTER * 3] {
            let (before, lookups) = (store.cancelled(), ask(&batcher, [1, 2]));
            settle().await;
            advance(leaves_after).await;
            settle().await;
            drop(lookups);
            advance(SLOW_AFTER).await;
            settle().await;
            assert_eq!(store.cancelled(), before + 1, "after {leaves_after:?}");
        }
        store.answer(1);
        assert_eq!(ids(&batcher.rows(&[key(1)]).await.expect("an answer")), [1]);
    });
}

#[test]
fn a_stuck_batch_does_not_hold_up_the_others() {
    run(async {
        let store = Scripted::with([1, 2]);
        let batcher = Batcher::new(store.clone(), MAX_IN_FLIGHT);
        let stuck = ask(&batcher, [1]);
        settle().await;
        let next = ask(&batcher, [2]);
        advance(SLOW_AFTER / 2).await;
        settle().await;
        assert_eq!(store.batches(), [1]);
        advance(SLOW_AFTER).await;
        settle().await;
        assert_eq!(store.batches(), [1, 1]);
        // When the second batch is slow as well, a later lookup is sent immediately.
        advance(SLOW_AFTER * 2).await;
        settle().await;
        let last = ask(&batcher, [1]);
        settle().await;
        assert_eq!(store.batches(), [1, 1, 1]);
        store.answer(3);
        let answers = join_all(stuck.into_iter().chain(next).chain(last)).await;
        let found: Vec<_> = answers.into_iter().map(|rows| ids(&rows.expect("rows"))).collect();
        assert_eq!(found, [[1], [2], [1]]);
    });
}

#[test]
fn lookups_fail_when_their_runtime_ends_and_later_ones_succeed() {
    let store = Scripted::with([1]);
    let batcher = Batcher::new(store.clone(), MAX_IN_FLIGHT);
    let other = paused();
    let lookups = other.block_on(async {
        let lookups = ask(&batcher, [1, 1]);
        settle().await;
        lookups.into_iter().chain(ask(&batcher, [1])).collect::<Vec<_>>()
    });
    drop(other);
    run(async {
        for rows in join_all(lookups).await {
            rows.err().expect("no answer");
        }
        store.answer(1);
        assert_eq!(ids(&batcher.rows(&[key(1)]).await.expect("an answer")), [1]);
    });
}

#[test]
fn a_lookup_outside_a_runtime_breaks_nothing() {
    let store = Scripted::with([1]);
    let batcher = Batcher::new(store.clone(), MAX_IN_FLIGHT);
    let ask = AssertUnwindSafe(|| batcher.rows(&[key(1)]).now_or_never());
    assert!(catch_unwind(ask).is_err());
    run(async {
        store.answer(1);
        assert_eq!(ids(&batcher.rows(&[key(1)]).await.expect("an answer")), [1]);
    });
}
