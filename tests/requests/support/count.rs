//! A blocklist that counts what it is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rocket::time::OffsetDateTime;
use rocket_jwt_extended::{
    Blocklist, MemoryBlocklist, Revocation, Standing, StoreError, TokenIds, UseUp, rocket,
};

/// A counter that is shared with hooks and stores.
#[derive(Clone, Default)]
pub struct Count(Arc<AtomicUsize>);

impl Count {
    pub fn up(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// The count since it was last taken.
    pub fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

/// [`MemoryBlocklist`], with its questions counted.
#[derive(Default)]
pub struct Counting {
    store: MemoryBlocklist,
    questions: Count,
}

impl Counting {
    pub fn new(questions: &Count) -> Self {
        Self { store: MemoryBlocklist::new(), questions: questions.clone() }
    }
}

#[rocket::async_trait]
impl Blocklist for Counting {
    async fn revoke(&self, entry: &Revocation) -> Result<(), StoreError> {
        self.store.revoke(entry).await
    }

    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        self.questions.up();
        self.store.standing(ids).await
    }

    async fn use_up(
        &self,
        ids: &TokenIds<'_>,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<UseUp, StoreError> {
        self.store.use_up(ids, now, until).await
    }

    async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        self.store.prune(now).await
    }
}

/// A blocklist that can't be reached.
pub struct Unreachable;

#[rocket::async_trait]
impl Blocklist for Unreachable {
    async fn revoke(&self, _: &Revocation) -> Result<(), StoreError> {
        Err(StoreError::new("unreachable"))
    }

    async fn standing(&self, _: &TokenIds<'_>) -> Result<Standing, StoreError> {
        Err(StoreError::new("unreachable"))
    }

    async fn use_up(
        &self,
        _: &TokenIds<'_>,
        _: OffsetDateTime,
        _: OffsetDateTime,
    ) -> Result<UseUp, StoreError> {
        Err(StoreError::new("unreachable"))
    }

    async fn prune(&self, _: OffsetDateTime) -> Result<u64, StoreError> {
        Err(StoreError::new("unreachable"))
    }
}
