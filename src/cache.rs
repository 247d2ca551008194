//! What a request remembers: the tokens it was asked about, and why it was refused.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rocket::tokio::sync::OnceCell;
use rocket::Request;

use crate::rejection::{Reason, Refusal, Rejection};
use crate::token::Verified;

/// One token of a request, and what was found out about it, each thing once.
pub(crate) struct Seen {
    pub(crate) encoded: String,
    pub(crate) decoded: OnceLock<Result<Arc<Verified>, Refusal>>,
    pub(crate) standing: OnceCell<Result<(), Reason>>,
    pub(crate) accepted: OnceLock<bool>,
}

impl Seen {
    pub(crate) fn new(encoded: &str) -> Self {
        Self {
            encoded: encoded.into(),
            decoded: OnceLock::new(),
            standing: OnceCell::new(),
            accepted: OnceLock::new(),
        }
    }
}

#[derive(Default)]
pub(crate) struct RequestCache {
    seen: Mutex<Vec<Arc<Seen>>>,
    refusal: Mutex<Option<Rejection>>,
    renewable: Mutex<Option<Arc<Verified>>>,
    in_query: AtomicBool,
    in_hook: AtomicBool,
}

/// The cache of a request.
pub(crate) fn of<'r>(request: &'r Request<'_>) -> &'r RequestCache {
    request.local_cache(RequestCache::default)
}

impl RequestCache {
    /// The entry of that token: the whole text is the key.
    pub(crate) fn seen(&self, encoded: &str) -> Arc<Seen> {
        let mut all = lock(&self.seen);
        if let Some(seen) = all.iter().find(|seen| seen.encoded == encoded) {
            return seen.clone();
        }
        let seen = Arc::new(Seen::new(encoded));
        all.push(seen.clone());
        seen
    }

    pub(crate) fn refusal(&self) -> Option<Rejection> {
        lock(&self.refusal).clone()
    }

    pub(crate) fn refuse(&self, rejection: Rejection) {
        *lock(&self.refusal) = Some(rejection);
    }

    /// The cookie-borne access token that a guard let in.
    pub(crate) fn renewable(&self) -> Option<Arc<Verified>> {
        lock(&self.renewable).clone()
    }

    pub(crate) fn let_in_by_cookie(&self, verified: Arc<Verified>) {
        *lock(&self.renewable) = Some(verified);
    }

    /// Whether the hook for refusals may be called: not from within itself.
    pub(crate) fn enter_hook(&self) -> bool {
        !self.in_hook.swap(true, Ordering::Relaxed)
    }

    pub(crate) fn leave_hook(&self) {
        self.in_hook.store(false, Ordering::Relaxed);
    }

    /// Whether a token came in the query string: the answer is then not to be stored.
    pub(crate) fn was_in_query(&self) -> bool {
        self.in_query.load(Ordering::Relaxed)
    }

    pub(crate) fn found_in_query(&self) {
        self.in_query.store(true, Ordering::Relaxed);
    }
}

/// Nothing panics while it holds one of these locks, so that a poisoned one is whole all the same.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
