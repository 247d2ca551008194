//! The access of the rest of the crate to the blocklist: the store, its replica in memory, and the
//! time limit.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use rocket::time::OffsetDateTime;
use rocket::tokio::time;
use uuid::Uuid;

use super::entry::{Entry, TokenIds, session_key};
use super::prune_limit::PruneLimit;
use super::replica::Replica;
use super::replica::changes::ReplicableBlocklist;
use super::store::{Blocklist, SessionStore, Standing, StoreError};
use crate::clock::{self, BootClock, Clock};

/// The time limit for one page of entries at launch, when no request waits.
const LAUNCH: Duration = Duration::from_secs(30);

/// A store, perhaps with a replica of it in this server's memory.
///
/// Guards read from the replica; issuing and reuse checks read from the store itself.
pub(crate) struct BlocklistAccess {
    store: Arc<dyn Blocklist>,
    replica: Option<Arc<Replica>>,
    /// `blocklist_timeout`.
    timeout: Duration,
    prune_limit: Arc<PruneLimit>,
}

impl BlocklistAccess {
    pub(crate) fn new(
        store: Arc<dyn Blocklist>,
        timeout: Duration,
        prune_limit: PruneLimit,
    ) -> Self {
        Self { store, replica: None, timeout, prune_limit: Arc::new(prune_limit) }
    }

    /// Adds a replica that is polled every `interval`, and loads it before returning.
    pub(crate) async fn replicated(
        store: Arc<dyn ReplicableBlocklist>,
        interval: Duration,
        timeout: Duration,
        clock: Arc<dyn Clock>,
        boot_clock: BootClock,
        prune_limit: PruneLimit,
    ) -> Result<Self, StoreError> {
        let replica = Replica::new(store.clone(), clock, boot_clock, interval + timeout);
        replica.poll(timeout.max(LAUNCH)).await?;
        let prune_limit = Arc::new(prune_limit);
        Ok(Self { store, replica: Some(Arc::new(replica)), timeout, prune_limit })
    }

    /// The store itself: for issuing, and for lookups that must see the most recent writes of other
    /// servers.
    pub(crate) fn primary(&self) -> Arc<dyn Blocklist> {
        self.store.clone()
    }

    /// The replica, or else the store. Guards read from it. Entries are written through it, so that the
    /// replica knows them immediately.
    pub(crate) fn replica_or_primary(&self) -> Arc<dyn Blocklist> {
        match &self.replica {
            Some(replica) => replica.clone(),
            None => self.store.clone(),
        }
    }

    /// Limits how far ahead the clock may be when the pruning task removes entries.
    pub(crate) fn prune_limit(&self) -> Arc<PruneLimit> {
        self.prune_limit.clone()
    }

    /// The token's standing in the replica, or in the store if there is none, if it is available
    /// without waiting.
    pub(crate) fn try_standing(&self, ids: &TokenIds<'_>) -> Option<Result<Standing, StoreError>> {
        match &self.replica {
            Some(replica) => replica.try_standing(ids),
            None => self.store.try_standing(ids),
        }
    }

    /// The store, if it can list sessions. The replica has no list.
    pub(crate) fn session_store(&self) -> Option<&dyn SessionStore> {
        self.store.session_store()
    }

    /// Records in the replica immediately that the store has ended a session.
    pub(crate) fn note_ended(&self, session: Uuid, until: Option<OffsetDateTime>) {
        if let Some(replica) = &self.replica {
            replica.note(&Entry {
                key: session_key(session),
                revoked: true,
                cut_off: None,
                until: until.map(clock::millis),
            });
        }
    }

    pub(crate) fn replica(&self) -> Option<&Arc<Replica>> {
        self.replica.as_ref()
    }

    /// The store's result, or an error after `blocklist_timeout`.
    pub(crate) async fn bounded<T>(
        &self,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        // An in-memory store is ready on the first poll, and needs no timer.
        let mut answer = pin!(answer);
        let first_poll = poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await;
        if let Poll::Ready(answer) = first_poll {
            return answer;
        }
        let limit = self.timeout;
        time::timeout(limit, answer)
            .await
            .unwrap_or_else(|_| Err(StoreError::new(format!("no answer within {limit:?}"))))
    }
}
