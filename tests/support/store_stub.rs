//! A store whose behaviour a test chooses, call by call.

#![allow(dead_code)]

use std::future::{Future, pending};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rocket::time::OffsetDateTime;
use rocket::tokio::sync::Notify;
use rocket_jwt_extended::blocklist::{Changes, Cursor, Entry, ReplicableBlocklist};
use rocket_jwt_extended::{
    Blocklist, Exchange, Exchanged, MemoryBlocklist, Revocation, Standing, StoreError, TokenIds,
    rocket,
};

/// A call of one of the store's methods.
pub enum Call<'a> {
    Revoke(&'a Revocation),
    Standing(&'a TokenIds<'a>),
    Exchange(&'a TokenIds<'a>),
    Prune(OffsetDateTime),
    Changes(Option<&'a Cursor>),
}

/// The answer to a call.
pub enum Answer {
    /// That of the [`MemoryBlocklist`] behind the stub, or of its log of changes.
    FromMemory,
    /// An error.
    Fail(&'static str),
    /// None, ever.
    Hang,
    /// The answer from memory as it is now, held back until the gate opens.
    HoldBack(Arc<Gate>),
    /// This standing, for a lookup.
    Standing(Standing),
    /// These changes, for a poll.
    Changes(Changes),
}

/// Holds back an answer.
#[derive(Default)]
pub struct Gate {
    /// Notified when the answer is there.
    pub reached: Notify,
    /// Notify it to let the answer go.
    pub open: Notify,
}

type Behaviour = dyn Fn(Call<'_>) -> Answer + Send + Sync;

/// A [`MemoryBlocklist`] with a log of its changes, that counts calls, and behaves as it is told.
pub struct StoreStub {
    pub memory: MemoryBlocklist,
    /// What [`ReplicableBlocklist::changes()`] returns, in order.
    pub log: Mutex<Vec<Entry>>,
    behaviour: Mutex<Arc<Behaviour>>,
    lookups: AtomicUsize,
    polls: AtomicUsize,
}

impl Default for StoreStub {
    fn default() -> Self {
        Self::new(|_| Answer::FromMemory)
    }
}

impl StoreStub {
    /// A store that answers as the function says.
    pub fn new(behaviour: impl Fn(Call<'_>) -> Answer + Send + Sync + 'static) -> Self {
        Self {
            memory: MemoryBlocklist::new(),
            log: Mutex::default(),
            behaviour: Mutex::new(Arc::new(behaviour)),
            lookups: AtomicUsize::new(0),
            polls: AtomicUsize::new(0),
        }
    }

    /// A store that cannot be reached.
    pub fn unreachable() -> Self {
        Self::new(|_| Answer::Fail("unreachable"))
    }

    /// Changes the behaviour.
    pub fn set(&self, behaviour: impl Fn(Call<'_>) -> Answer + Send + Sync + 'static) {
        *self.behaviour.lock().unwrap() = Arc::new(behaviour);
    }

    /// How often the standing of a token was looked up.
    pub fn lookups(&self) -> usize {
        self.lookups.load(Ordering::SeqCst)
    }

    /// The same since it was last taken.
    pub fn take_lookups(&self) -> usize {
        self.lookups.swap(0, Ordering::SeqCst)
    }

    /// How often changes were read.
    pub fn polls(&self) -> usize {
        self.polls.load(Ordering::SeqCst)
    }

    fn answer(&self, call: Call<'_>) -> Answer {
        // Not under the lock, as the function may panic.
        let behaviour = self.behaviour.lock().unwrap().clone();
        behaviour(call)
    }
}

async fn give<T>(
    answer: Answer,
    from_memory: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match answer {
        Answer::FromMemory => from_memory.await,
        Answer::Fail(why) => Err(StoreError::new(why)),
        Answer::Hang => pending().await,
        Answer::HoldBack(gate) => {
            let held = from_memory.await;
            gate.reached.notify_one();
            gate.open.notified().await;
            held
        }
        Answer::Standing(_) | Answer::Changes(_) => panic!("the answer to another call"),
    }
}

#[rocket::async_trait]
impl Blocklist for StoreStub {
    async fn revoke(&self, entry: &Revocation) -> Result<bool, StoreError> {
        give(self.answer(Call::Revoke(entry)), async {
            let is_change = self.memory.revoke(entry).await?;
            self.log.lock().unwrap().push(Entry::of(entry));
            Ok(is_change)
        })
        .await
    }

    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        match self.answer(Call::Standing(ids)) {
            Answer::Standing(standing) => Ok(standing),
            answer => give(answer, self.memory.standing(ids)).await,
        }
    }

    async fn exchange(
        &self,
        ids: &TokenIds<'_>,
        exchange: &Exchange,
    ) -> Result<Exchanged, StoreError> {
        give(self.answer(Call::Exchange(ids)), async {
            let exchanged = self.memory.exchange(ids, exchange).await?;
            // Only what ends a session is a change.
            if let (Exchanged::Reused { .. }, Some(key)) = (exchanged, ids.session_key()) {
                let until = exchange.until().map(millis);
                let entry = Entry { key, revoked: true, cut_off: None, until };
                self.log.lock().unwrap().push(entry);
            }
            Ok(exchanged)
        })
        .await
    }

    async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        give(self.answer(Call::Prune(now)), self.memory.prune(now)).await
    }
}

#[rocket::async_trait]
impl ReplicableBlocklist for StoreStub {
    async fn changes(&self, after: Option<&Cursor>) -> Result<Changes, StoreError> {
        self.polls.fetch_add(1, Ordering::SeqCst);
        let from_log = async {
            let log = self.log.lock().unwrap();
            let seen = after.and_then(Cursor::get).copied().unwrap_or(0);
            let entries = log[seen..].to_vec();
            Ok(Changes { entries, cursor: Cursor::new(log.len()), more: false })
        };
        match self.answer(Call::Changes(after)) {
            Answer::Changes(changes) => Ok(changes),
            answer => give(answer, from_log).await,
        }
    }
}

fn millis(time: OffsetDateTime) -> i64 {
    (time.unix_timestamp_nanos() / 1_000_000) as i64
}
