use std::collections::HashMap;
use std::future::Future;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};

use rocket::futures::future::{join_all, BoxFuture, FutureExt};
use rocket::tokio::runtime::{Builder, Runtime};
use rocket::tokio::sync::Semaphore;
use rocket::tokio::task::yield_now;
use rocket::tokio::time::{advance, Instant};

use super::*;
use crate::blocklist::shared::Fields;

/// A store that answers when it is told to.
struct Scripted {
    rows: HashMap<EntryKey, Option<Fields>>,
    /// How many questions may be answered.
    answers: Semaphore,
    /// The keys of each question.
    asked: Mutex<Vec<Vec<EntryKey>>>,
    given_up: AtomicUsize,
    fault: Mutex<Option<Fault>>,
}

#[derive(Clone, Copy)]
enum Fault {
    Error,
    Panic,
    ForeignRow,
}

impl Scripted {
    /// The entries of these are there.
    fn with(ids: impl IntoIterator<Item = u8>) -> Arc<Self> {
        let fields = Fields { revoked: true, cut_off: None, used: None };
        Self::of(ids.into_iter().map(|id| (key(id), Some(fields))))
    }

    fn of(rows: impl IntoIterator<Item = (EntryKey, Option<Fields>)>) -> Arc<Self> {
        Arc::new(Self {
            rows: rows.into_iter().collect(),
            answers: Semaphore::new(0),
            asked: Mutex::default(),
            given_up: AtomicUsize::new(0),
            fault: Mutex::default(),
        })
    }

    fn asked(&self) -> Vec<usize> {
        self.asked.lock().expect("no panic").iter().map(Vec::len).collect()
    }

    fn given_up(&self) -> usize {
        self.given_up.load(Ordering::SeqCst)
    }

    fn answer(&self, questions: usize) {
        self.answers.add_permits(questions);
    }

    fn fail(&self, fault: Option<Fault>) {
        *self.fault.lock().expect("no panic") = fault;
    }
}

#[rocket::async_trait]
impl Reader for Scripted {
    async fn read(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError> {
        struct GivenUp<'a>(&'a AtomicUsize);
        impl Drop for GivenUp<'_> {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }

        self.asked.lock().expect("no panic").push(keys.to_vec());
        let waiting = GivenUp(&self.given_up);
        self.answers.acquire().await.expect("open").forget();
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

const LANES: usize = 3;

fn key(id: u8) -> EntryKey {
    [id; 17]
}

fn paused() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}

/// On a clock that stands still unless all wait for it.
fn run(test: impl Future<Output = ()>) {
    paused().block_on(test);
}

/// Lets all others go as far as they come.
async fn settle() {
    for _ in 0..20 {
        yield_now().await;
    }
}

/// Has each id asked for by one who is polled already, with no other key.
fn ask<'a>(
    gatherer: &'a Gatherer<Scripted>,
    ids: impl IntoIterator<Item = u8>,
) -> Vec<BoxFuture<'a, Result<Vec<Row>, StoreError>>> {
    let ask = |id| {
        let mut question = async move { gatherer.ask(&[key(id)]).await }.boxed();
        assert!((&mut question).now_or_never().is_none());
        question
    };
    ids.into_iter().map(ask).collect()
}

fn ids(rows: &[Row]) -> Vec<u8> {
    rows.iter().map(|row| row.key[0]).collect()
}

#[test]
fn a_lone_question_goes_at_once() {
    run(async {
        let store = Scripted::with([1]);
        let gatherer = Gatherer::new(store.clone(), LANES);
        let begin = Instant::now();
        for _ in 0..3 {
            store.answer(1);
            let rows = gatherer.ask(&[key(1), key(2), key(3)]).await.expect("an answer");
            assert_eq!(ids(&rows), [1]);
        }
        assert_eq!(store.asked(), [3, 3, 3]);
        assert_eq!(begin.elapsed(), Duration::ZERO);
    });
}

#[test]
fn what_comes_meanwhile_is_asked_together() {
    run(async {
        let store = Scripted::with((0..20).filter(|id| id % 2 == 0));
        let gatherer = Gatherer::new(store.clone(), LANES);
        let first = ask(&gatherer, [0]);
        settle().await;
        let others = ask(&gatherer, 1..20);
        settle().await;
        // None is added to what is under way.
        assert_eq!(store.asked(), [1]);
        store.answer(2);
        for (id, rows) in join_all(first.into_iter().chain(others)).await.into_iter().enumerate() {
            let expected = if id % 2 == 0 { vec![id as u8] } else { vec![] };
            assert_eq!(ids(&rows.expect("an answer")), expected, "{id}");
        }
        assert_eq!(store.asked(), [1, 19]);
    });
}

#[test]
fn those_who_ask_for_the_same_are_all_answered() {
    run(async {
        let store = Scripted::with([1, 2]);
        let gatherer = Gatherer::new(store.clone(), LANES);
        let questions = ask(&gatherer, [1, 1, 2, 3, 1]);
        store.answer(1);
        let answers = join_all(questions).await;
        let found: Vec<_> =
            answers.iter().map(|rows| rows.as_ref().map(|rows| ids(rows)).expect("rows")).collect();
        // A store may give the row once for each time it was asked for.
        assert!(found.iter().zip([1, 1, 2, 0, 1]).all(|(found, id)| match id {
            0 => found.is_empty(),
            id => !found.is_empty() && found.iter().all(|found| *found == id),
        }));
        assert_eq!(store.asked(), [5]);
    });
}

#[test]
fn not_too_many_are_asked_together() {
    run(async {
        let store = Scripted::with([]);
        let gatherer = Gatherer::new(store.clone(), LANES);
        let first = ask(&gatherer, [1]);
        settle().await;
        // What is as much as one can carry waits for none.
        let questions = ask(&gatherer, std::iter::repeat_n(1, MOST + 3));
        settle().await;
        assert_eq!(store.asked(), [1, MOST]);
        store.answer(3);
        for rows in join_all(first.into_iter().chain(questions)).await {
            assert!(rows.expect("an answer").is_empty());
        }
        assert_eq!(store.asked(), [1, MOST, 3]);
    });
}

#[test]
fn a_store_that_is_stuck_is_asked_no_more_than_may_be() {
    run(async {
        let store = Scripted::with([1]);
        let gatherer = Gatherer::new(store.clone(), LANES);
        let mut questions = vec![];
        for _ in 0..20 {
            questions.extend(ask(&gatherer, std::iter::repeat_n(1, MOST / 2)));
            advance(PATIENCE * 3).await;
            settle().await;
        }
        assert_eq!(store.asked().len(), LANES);
        // All that came meanwhile is asked as few as it can be.
        let number = questions.len();
        store.answer(number);
        for rows in join_all(questions).await {
            assert!(!rows.expect("an answer").is_empty());
        }
        let asked = store.asked();
        assert_eq!(asked.iter().sum::<usize>(), number);
        assert!(asked[LANES..].iter().rev().skip(1).all(|asked| *asked == MOST), "{asked:?}");
    });
}

#[test]
fn one_that_does_not_come_back_in_time_is_not_waited_for() {
    // Its thread is kept busy by something else: here, its runtime is not run.
    let store = Scripted::with([1, 2, 3]);
    let gatherer = Gatherer::new(store.clone(), LANES);
    let other = paused();
    let first = other.block_on(async { ask(&gatherer, [1]) });
    std::thread::scope(|scope| {
        scope.spawn(|| {
            run(async {
                store.answer(1);
                let waiting = ask(&gatherer, [2]);
                settle().await;
                assert!(store.asked().is_empty());
                advance(PATIENCE * 3).await;
                assert_eq!(ids(&gatherer.ask(&[key(3)]).await.expect("an answer")), [3]);
                for rows in join_all(waiting).await {
                    assert_eq!(ids(&rows.expect("an answer")), [2]);
                }
            });
        });
    });
    drop((first, other));
    run(async {
        store.answer(1);
        assert_eq!(ids(&gatherer.ask(&[key(1)]).await.expect("an answer")), [1]);
    });
}

#[test]
fn an_error_refuses_all_who_asked_and_nobody_else() {
    run(async {
        for fault in [Fault::Error, Fault::ForeignRow, Fault::Panic] {
            let store = Scripted::with([1]);
            let gatherer = Gatherer::new(store.clone(), LANES);
            store.fail(Some(fault));
            let questions = ask(&gatherer, [1, 2, 3]);
            store.answer(1);
            for rows in join_all(questions).await {
                rows.expect_err("no answer");
            }
            store.fail(None);
            store.answer(1);
            let rows = gatherer.ask(&[key(1)]).await.expect("an answer");
            assert_eq!((ids(&rows), store.asked()), (vec![1], vec![3, 1]));
        }
    });
}

#[test]
fn who_waits_for_a_carrier_that_panics_is_not_left_waiting() {
    run(async {
        let store = Scripted::with([1]);
        let gatherer = Gatherer::new(store.clone(), LANES);
        let first = ask(&gatherer, [1]);
        settle().await;
        let waiting = ask(&gatherer, [1, 2]);
        store.fail(Some(Fault::Panic));
        store.answer(1);
        for rows in join_all(first.into_iter().chain(waiting)).await {
            rows.expect_err("no answer");
        }
        assert_eq!(store.asked(), [1]);
    });
}

#[test]
fn the_text_of_the_error_is_for_all() {
    run(async {
        let store = Scripted::with([]);
        let gatherer = Gatherer::new(store.clone(), LANES);
        store.fail(Some(Fault::Error));
        let questions = ask(&gatherer, [1, 2]);
        store.answer(1);
        for rows in join_all(questions).await {
            assert_eq!(rows.expect_err("no answer").to_string(), "no answer");
        }
    });
}

#[test]
fn what_cannot_be_read_concerns_who_asked_for_it() {
    run(async {
        let store = Scripted::of([(key(7), None)]);
        let gatherer = Gatherer::new(store.clone(), LANES);
        let questions = ask(&gatherer, [6, 7, 8]);
        store.answer(1);
        let answers = join_all(questions).await;
        let rows = |at: usize| answers[at].as_ref().expect("an answer").as_slice();
        assert!(rows(0).is_empty() && rows(2).is_empty());
        assert!(matches!(rows(1), [Row { fields: None, .. }]));
    });
}

#[test]
fn who_leaves_disturbs_nobody() {
    run(async {
        let store = Scripted::with([1, 2, 3]);
        let gatherer = Gatherer::new(store.clone(), LANES);
        let mut under_way = ask(&gatherer, [1, 2]);
        settle().await;
        let mut waiting = ask(&gatherer, [2, 3]);
        drop((under_way.remove(0), waiting.remove(0)));
        store.answer(2);
        let answers = join_all(under_way.into_iter().chain(waiting)).await;
        let found: Vec<_> = answers.into_iter().map(|rows| ids(&rows.expect("rows"))).collect();
        assert_eq!(found, [[2], [3]]);
        // Nobody asks for one who has left.
        assert_eq!(store.asked(), [2, 1]);
        assert_eq!(store.given_up(), 0);
    });
}

#[test]
fn what_nobody_waits_for_is_given_up() {
    run(async {
        let store = Scripted::with([1]);
        let gatherer = Gatherer::new(store.clone(), LANES);
        for leaves_after in [PATIENCE / 2, PATIENCE * 3] {
            let (before, questions) = (store.given_up(), ask(&gatherer, [1, 2]));
            settle().await;
            advance(leaves_after).await;
            settle().await;
            drop(questions);
            advance(PATIENCE).await;
            settle().await;
            assert_eq!(store.given_up(), before + 1, "after {leaves_after:?}");
        }
        store.answer(1);
        assert_eq!(ids(&gatherer.ask(&[key(1)]).await.expect("an answer")), [1]);
    });
}

#[test]
fn one_that_is_stuck_does_not_hold_up_all() {
    run(async {
        let store = Scripted::with([1, 2]);
        let gatherer = Gatherer::new(store.clone(), LANES);
        let stuck = ask(&gatherer, [1]);
        settle().await;
        let next = ask(&gatherer, [2]);
        advance(PATIENCE / 2).await;
        settle().await;
        assert_eq!(store.asked(), [1]);
        advance(PATIENCE).await;
        settle().await;
        assert_eq!(store.asked(), [1, 1]);
        // Once the second is stuck as well, one that comes later does not wait at all.
        advance(PATIENCE * 2).await;
        settle().await;
        let last = ask(&gatherer, [1]);
        settle().await;
        assert_eq!(store.asked(), [1, 1, 1]);
        store.answer(3);
        let answers = join_all(stuck.into_iter().chain(next).chain(last)).await;
        let found: Vec<_> = answers.into_iter().map(|rows| ids(&rows.expect("rows"))).collect();
        assert_eq!(found, [[1], [2], [1]]);
    });
}

#[test]
fn a_runtime_that_ends_takes_nobody_with_it() {
    let store = Scripted::with([1]);
    let gatherer = Gatherer::new(store.clone(), LANES);
    let other = paused();
    let questions = other.block_on(async {
        let questions = ask(&gatherer, [1, 1]);
        settle().await;
        questions.into_iter().chain(ask(&gatherer, [1])).collect::<Vec<_>>()
    });
    drop(other);
    run(async {
        for rows in join_all(questions).await {
            rows.expect_err("no answer");
        }
        store.answer(1);
        assert_eq!(ids(&gatherer.ask(&[key(1)]).await.expect("an answer")), [1]);
    });
}

#[test]
fn a_question_without_a_runtime_spoils_nothing() {
    let store = Scripted::with([1]);
    let gatherer = Gatherer::new(store.clone(), LANES);
    let ask = AssertUnwindSafe(|| gatherer.ask(&[key(1)]).now_or_never());
    assert!(catch_unwind(ask).is_err());
    run(async {
        store.answer(1);
        assert_eq!(ids(&gatherer.ask(&[key(1)]).await.expect("an answer")), [1]);
    });
}
