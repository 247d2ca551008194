//! The questions of many requests, gathered into one.
//!
//! While a question is under way to a store on a server, those that come are kept, and the next one
//! asks for all of them together. Nobody waits for company: where nothing is under way, a question goes
//! at once. None is added to what has been sent already, so that each sees all that was recorded before
//! it was asked.
//!
//! Who asks together, fails together: an error of the store is one for all. What concerns a single entry,
//! as that it is malformed, stands in its [`Row`], and concerns those who asked for that one.

use std::mem;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rocket::futures::future::{join_all, select, Either};
use rocket::tokio;
use rocket::tokio::sync::oneshot;
use rocket::tokio::time::{timeout, Instant};

use super::shared::{self, Row};
use super::{EntryKey, StoreError};

/// How many keys a question has at most: its token's, its session's, its subject's.
pub(super) const KEYS: usize = 3;

/// How many questions are gathered at most. More would gain little: each has its share of the round trip
/// already. And all databases still look up so many keys one by one in an index, where for some hundreds
/// their planners may prefer to read the whole table.
pub(super) const MOST: usize = 64;

/// How long those who wait are kept back by what is under way. Then the next goes beside it: one that is
/// stuck does not hold up all.
const PATIENCE: Duration = Duration::from_millis(5);

/// What is asked.
#[rocket::async_trait]
pub(super) trait Reader: Send + Sync + 'static {
    /// The rows of these keys, by one question that is put after this was called.
    async fn read(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError>;
}

/// Where questions are handed in.
pub(super) struct Gatherer<R> {
    reader: Arc<R>,
    desk: Arc<Desk>,
}

impl<R: Reader> Gatherer<R> {
    /// With at most so many questions to the store under way at a time.
    pub(super) fn new(reader: Arc<R>, lanes: usize) -> Self {
        let desk = Desk { lanes: lanes.max(1), waiting: Mutex::default() };
        Self { reader, desk: Arc::new(desk) }
    }

    /// The rows of these keys, at least one and at most [`KEYS`].
    ///
    /// The question is carried by a task, not by one of those who ask: each may stop waiting, and the
    /// others are answered all the same.
    pub(super) async fn ask(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError> {
        let (answer, answered) = oneshot::channel();
        let question = Question { keys: keys.to_vec(), answer };
        if let Some(carrier) = self.desk.hand_in(question) {
            carrier.go(&self.reader);
        }
        // Without any answer a task has panicked, or its runtime is shutting down.
        answered.await.unwrap_or_else(|_| Err(StoreError::new("the question was lost")))
    }
}

/// What one request asks.
struct Question {
    keys: Vec<EntryKey>,
    answer: oneshot::Sender<Result<Vec<Row>, StoreError>>,
}

impl Question {
    /// Whether nobody waits for the answer any more.
    fn is_given_up(&self) -> bool {
        self.answer.is_closed()
    }
}

struct Desk {
    waiting: Mutex<Waiting>,
    lanes: usize,
}

#[derive(Default)]
struct Waiting {
    questions: Vec<Question>,
    /// How many carriers are out.
    carriers: usize,
    /// How many of them are expected back at any moment.
    prompt: usize,
    /// When one was sent, or came back, last.
    seen: Option<Instant>,
}

impl Desk {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The carrier to be sent, if one is needed: none is expected back; or there is as much here as one can
    /// take; or none was seen for long, as their threads are kept busy by something else.
    fn hand_in(self: &Arc<Self>, question: Question) -> Option<Carrier> {
        let mut waiting = self.waiting();
        waiting.questions.push(question);
        let is_full = waiting.questions.len().is_multiple_of(MOST);
        let is_late = || waiting.seen.is_none_or(|seen| seen.elapsed() > 2 * PATIENCE);
        let is_due = waiting.prompt == 0 || is_full || is_late();
        is_due.then(|| self.carrier(&mut waiting)).flatten()
    }

    fn carrier(self: &Arc<Self>, waiting: &mut Waiting) -> Option<Carrier> {
        (waiting.carriers < self.lanes).then(|| {
            waiting.carriers += 1;
            waiting.prompt += 1;
            waiting.seen = Some(Instant::now());
            Carrier { desk: self.clone(), is: Is::Prompt }
        })
    }
}

/// Takes what lies on the desk to the store, and comes back until nothing is left.
struct Carrier {
    desk: Arc<Desk>,
    is: Is,
}

/// Where a carrier is.
#[derive(PartialEq)]
enum Is {
    /// Out, and expected back at any moment.
    Prompt,
    /// Out for long.
    Late,
    /// Back for good.
    Back,
}

impl Carrier {
    fn go<R: Reader>(self, reader: &Arc<R>) {
        tokio::spawn(self.run(reader.clone()));
    }

    async fn run<R: Reader>(mut self, reader: Arc<R>) {
        while let Some(mut questions) = self.fetch() {
            let mut keys = Vec::with_capacity(questions.len() * KEYS);
            keys.extend(questions.iter().flat_map(|asked| &asked.keys));
            let mut reading = reader.read(&keys);
            let rows = match timeout(PATIENCE, &mut reading).await {
                Ok(rows) => rows,
                Err(_) if questions.iter().all(Question::is_given_up) => continue,
                Err(_) => {
                    if let Some(relief) = self.take_long() {
                        relief.go(&reader);
                    }
                    let all_leave =
                        join_all(questions.iter_mut().map(|asked| asked.answer.closed()));
                    match select(reading, pin!(all_leave)).await {
                        Either::Left((rows, _)) => rows,
                        Either::Right(_) => continue,
                    }
                }
            };
            answer(questions, rows);
        }
    }

    /// What lies on the desk, as far as somebody still waits for it. If that is nothing, this one is no
    /// longer out: the next who asks sends another.
    fn fetch(&mut self) -> Option<Vec<Question>> {
        let mut waiting = self.desk.waiting();
        waiting.seen = Some(Instant::now());
        if mem::replace(&mut self.is, Is::Prompt) == Is::Late {
            waiting.prompt += 1;
        }
        waiting.questions.retain(|asked| !asked.is_given_up());
        match waiting.questions.len() {
            0 => {
                waiting.carriers -= 1;
                waiting.prompt -= 1;
                self.is = Is::Back;
                None
            }
            1..=MOST => Some(mem::take(&mut waiting.questions)),
            _ => Some(waiting.questions.drain(..MOST).collect()),
        }
    }

    /// Is no longer expected back; another one goes, if somebody waits.
    fn take_long(&mut self) -> Option<Carrier> {
        let mut waiting = self.desk.waiting();
        waiting.prompt -= 1;
        self.is = Is::Late;
        match waiting.questions.is_empty() {
            true => None,
            false => self.desk.carrier(&mut waiting),
        }
    }
}

/// One that ends before its time, as the reader panicked or the runtime is shutting down, does not come
/// back. If there is no other, those who wait are not left waiting.
impl Drop for Carrier {
    fn drop(&mut self) {
        if self.is == Is::Back {
            return;
        }
        let mut waiting = self.desk.waiting();
        waiting.carriers -= 1;
        waiting.prompt -= usize::from(self.is == Is::Prompt);
        let lost = match waiting.carriers {
            0 => mem::take(&mut waiting.questions),
            _ => vec![],
        };
        // They are told when the lock is no longer held.
        drop(waiting);
        drop(lost);
    }
}

fn answer(questions: Vec<Question>, rows: Result<Vec<Row>, StoreError>) {
    match rows.and_then(|rows| sort(rows, &questions)) {
        Ok(rows) => {
            for Question { keys, answer } in questions {
                // Who has left does not mind.
                let _ = answer.send(Ok(keys.iter().flat_map(|key| of(key, &rows)).collect()));
            }
        }
        Err(error) => {
            let error = Arc::new(error);
            for Question { answer, .. } in questions {
                let _ = answer.send(Err(StoreError::new(error.clone())));
            }
        }
    }
}

/// The rows by key. One that nobody asked for makes the whole answer doubtful.
fn sort(mut rows: Vec<Row>, questions: &[Question]) -> Result<Vec<Row>, StoreError> {
    if rows.is_empty() {
        return Ok(rows);
    }
    let mut keys: Vec<_> = questions.iter().flat_map(|asked| &asked.keys).collect();
    keys.sort_unstable();
    if rows.iter().any(|row| keys.binary_search(&&row.key).is_err()) {
        return Err(shared::malformed());
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
