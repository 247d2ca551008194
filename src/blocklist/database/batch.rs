//! Batches the lookups of concurrent requests.
//!
//! While a query is in flight to the database, new lookups are queued, and the next query reads the
//! keys of all of them. A lookup never waits for others to join it: if no query is in flight, it is
//! sent immediately. A lookup never joins a query that has been sent already, so each lookup sees
//! everything that was recorded before it was made.
//!
//! Only lookups are batched: each write is a separate statement.
//!
//! An error fails the whole batch. An error in a single entry, such as a malformed value, is stored
//! in its [`Row`] and fails only the lookups of that entry.

use std::mem;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rocket::futures::future::{Either, join_all, select};
use rocket::tokio;
use rocket::tokio::sync::oneshot;
use rocket::tokio::time::{Instant, timeout};

use super::rows::{self, Row};
use crate::blocklist::entry::{EVERYTHING, EntryKey};
use crate::blocklist::store::StoreError;

/// The most keys of a lookup: those of its token, its session and its subject, and the key of
/// everything.
pub(super) const KEYS_PER_LOOKUP: usize = 4;

/// The most lookups in a batch. A larger batch would gain little, as the round trip is shared
/// widely already. All databases look this many keys up in the index one by one; for some hundreds,
/// their planners may prefer to scan the whole table.
pub(super) const MAX_BATCH: usize = 64;

/// After this long an in-flight batch counts as slow, and another is started concurrently, so that
/// one stuck query does not delay all requests.
const SLOW_AFTER: Duration = Duration::from_millis(5);

/// Reads the rows of a batch.
#[rocket::async_trait]
pub(super) trait Reader: Send + Sync + 'static {
    /// Reads the rows of these keys with a query that starts after this call.
    async fn read(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError>;
}

/// Combines concurrent lookups into batches.
pub(super) struct Batcher<R> {
    reader: Arc<R>,
    queue: Arc<Queue>,
}

impl<R: Reader> Batcher<R> {
    /// A batcher that has at most `max_in_flight` batches in flight.
    pub(super) fn new(reader: Arc<R>, max_in_flight: usize) -> Self {
        let queue = Queue { max_in_flight: max_in_flight.max(1), state: Mutex::default() };
        Self { reader, queue: Arc::new(queue) }
    }

    /// Reads the rows of at least one and at most [`KEYS_PER_LOOKUP`] keys.
    ///
    /// A separate task sends the batch, rather than one of the waiting requests, so each request
    /// can be cancelled without affecting the others.
    pub(super) async fn rows(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError> {
        let (reply, result) = oneshot::channel();
        let lookup = Lookup { keys: keys.to_vec(), reply };
        if let Some(worker) = self.queue.enqueue(lookup) {
            worker.spawn(&self.reader);
        }
        // The sender is only dropped without a reply if the worker panicked or its runtime is
        // shutting down.
        result.await.unwrap_or_else(|_| Err(StoreError::new("the batch was aborted")))
    }
}

/// The lookup of one request.
struct Lookup {
    keys: Vec<EntryKey>,
    reply: oneshot::Sender<Result<Vec<Row>, StoreError>>,
}

impl Lookup {
    /// Whether the request was cancelled.
    fn is_cancelled(&self) -> bool {
        self.reply.is_closed()
    }
}

struct Queue {
    state: Mutex<QueueState>,
    max_in_flight: usize,
}

#[derive(Default)]
struct QueueState {
    lookups: Vec<Lookup>,
    /// The number of running workers.
    workers: usize,
    /// The number of workers that are not slow.
    fresh: usize,
    /// When a worker was last started, or last took a batch.
    active_at: Option<Instant>,
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a lookup, and returns a worker to be spawned if one is needed: if all workers are
    /// slow, if the queue contains a full batch, or if no worker has been active for a long time
    /// because something else blocks their threads.
    fn enqueue(self: &Arc<Self>, lookup: Lookup) -> Option<Worker> {
        let mut state = self.state();
        state.lookups.push(lookup);
        let is_full = state.lookups.len().is_multiple_of(MAX_BATCH);
        let is_stalled = || state.active_at.is_none_or(|at| at.elapsed() > 2 * SLOW_AFTER);
        let needs_worker = state.fresh == 0 || is_full || is_stalled();
        needs_worker.then(|| self.worker(&mut state)).flatten()
    }

    fn worker(self: &Arc<Self>, state: &mut QueueState) -> Option<Worker> {
        (state.workers < self.max_in_flight).then(|| {
            state.workers += 1;
            state.fresh += 1;
            state.active_at = Some(Instant::now());
            Worker { queue: self.clone(), state: State::Fresh }
        })
    }
}

/// Sends queued lookups in batches until the queue is empty.
struct Worker {
    queue: Arc<Queue>,
    state: State,
}

#[derive(PartialEq)]
enum State {
    /// Its batch has been in flight for less than [`SLOW_AFTER`].
    Fresh,
    /// Its batch has been in flight for longer.
    Slow,
    /// It found the queue empty and has ended.
    Done,
}

impl Worker {
    fn spawn<R: Reader>(self, reader: &Arc<R>) {
        tokio::spawn(self.run(reader.clone()));
    }

    async fn run<R: Reader>(mut self, reader: Arc<R>) {
        while let Some(mut lookups) = self.take_batch() {
            let mut keys = Vec::with_capacity(lookups.len() * KEYS_PER_LOOKUP);
            let all = lookups.iter().flat_map(|lookup| &lookup.keys);
            keys.extend(all.clone().filter(|key| **key != EVERYTHING));
            // All lookups share it, so it is read once.
            keys.extend(all.clone().find(|key| **key == EVERYTHING));
            let mut reading = reader.read(&keys);
            let rows = match timeout(SLOW_AFTER, &mut reading).await {
                Ok(rows) => rows,
                Err(_) if lookups.iter().all(Lookup::is_cancelled) => continue,
                Err(_) => {
                    if let Some(next) = self.set_slow() {
                        next.spawn(&reader);
                    }
                    let all_cancelled =
                        join_all(lookups.iter_mut().map(|lookup| lookup.reply.closed()));
                    match select(reading, pin!(all_cancelled)).await {
                        Either::Left((rows, _)) => rows,
                        Either::Right(_) => continue,
                    }
                }
            };
            reply(lookups, rows);
        }
    }

    /// Takes up to [`MAX_BATCH`] lookups whose requests still wait. If there are none, the worker
    /// is done, and the next lookup starts another.
    fn take_batch(&mut self) -> Option<Vec<Lookup>> {
        let mut state = self.queue.state();
        state.active_at = Some(Instant::now());
        if mem::replace(&mut self.state, State::Fresh) == State::Slow {
            state.fresh += 1;
        }
        state.lookups.retain(|lookup| !lookup.is_cancelled());
        match state.lookups.len() {
            0 => {
                state.workers -= 1;
                state.fresh -= 1;
                self.state = State::Done;
                None
            }
            1..=MAX_BATCH => Some(mem::take(&mut state.lookups)),
            _ => Some(state.lookups.drain(..MAX_BATCH).collect()),
        }
    }

    /// Marks this worker as slow, and returns another to be spawned if lookups are queued.
    fn set_slow(&mut self) -> Option<Worker> {
        let mut state = self.queue.state();
        state.fresh -= 1;
        self.state = State::Slow;
        match state.lookups.is_empty() {
            true => None,
            false => self.queue.worker(&mut state),
        }
    }
}

/// A worker that is dropped before it is done (the reader panicked, or the runtime is shutting
/// down) takes no more batches. If it was the last one, the queued lookups fail, as nothing else
/// would ever reply to them.
impl Drop for Worker {
    fn drop(&mut self) {
        if self.state == State::Done {
            return;
        }
        let mut state = self.queue.state();
        state.workers -= 1;
        state.fresh -= usize::from(self.state == State::Fresh);
        let orphaned = match state.workers {
            0 => mem::take(&mut state.lookups),
            _ => vec![],
        };
        // Dropping the lookups wakes their requests, so the lock is released first.
        drop(state);
        drop(orphaned);
    }
}

fn reply(lookups: Vec<Lookup>, rows: Result<Vec<Row>, StoreError>) {
    match rows.and_then(|rows| sort(rows, &lookups)) {
        Ok(rows) => {
            for Lookup { keys, reply } in lookups {
                // The receiver may be gone (request cancelled).
                let _ = reply.send(Ok(keys.iter().flat_map(|key| of(key, &rows)).collect()));
            }
        }
        Err(error) => {
            let error = Arc::new(error);
            for Lookup { reply, .. } in lookups {
                let _ = reply.send(Err(StoreError::new(error.clone())));
            }
        }
    }
}

/// Sorts the rows by key. A row whose key is not in the batch makes the whole result unreliable.
fn sort(mut rows: Vec<Row>, lookups: &[Lookup]) -> Result<Vec<Row>, StoreError> {
    if rows.is_empty() {
        return Ok(rows);
    }
    let mut keys: Vec<_> = lookups.iter().flat_map(|lookup| &lookup.keys).collect();
    keys.sort_unstable();
    if rows.iter().any(|row| keys.binary_search(&&row.key).is_err()) {
        return Err(rows::malformed());
    }
    rows.sort_unstable_by_key(|row| row.key);
    Ok(rows)
}

fn of<'a>(key: &'a EntryKey, sorted: &'a [Row]) -> impl Iterator<Item = Row> + 'a {
    let begin = sorted.partition_point(|row| row.key < *key);
    sorted.iter().skip(begin).take_while(move |row| row.key == *key).copied()
}

#[cfg(test)]
mod tests;
