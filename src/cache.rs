//! What a request remembers: the tokens it was asked about, and why it was refused.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rocket::{tokio, Request};

use crate::rejection::{Reason, Refusal, Rejection};
use crate::token::Verified;

/// One token of a request, and what was found out about it, each thing once.
pub(crate) struct Seen {
    pub(crate) encoded: Arc<str>,
    pub(crate) decoded: OnceLock<Result<Arc<Verified>, Refusal>>,
    pub(crate) standing: OnceLock<Result<(), Reason>>,
    pub(crate) accepted: OnceLock<bool>,
    // Held while the store is asked: only where it is waited for.
    asking: tokio::sync::Mutex<()>,
}

impl Seen {
    pub(crate) fn new(encoded: &str) -> Self {
        Self {
            encoded: encoded.into(),
            decoded: OnceLock::new(),
            standing: OnceLock::new(),
            accepted: OnceLock::new(),
            asking: tokio::sync::Mutex::new(()),
        }
    }

    /// How the token stands, by `ask` if that is not known: of guards that run at one time, one asks.
    pub(crate) async fn standing_by<F>(&self, ask: impl FnOnce() -> F) -> Result<(), Reason>
    where
        F: Future<Output = Result<(), Reason>>,
    {
        let _asking = self.asking.lock().await;
        if let Some(known) = self.standing.get() {
            return known.clone();
        }
        let answer = ask().await;
        self.standing.get_or_init(|| answer).clone()
    }
}

/// The tokens of a request, of which nearly every request has one.
#[derive(Default)]
struct Tokens {
    first: OnceLock<Seen>,
    others: OnceLock<Box<Tokens>>,
}

#[derive(Default)]
struct Refusals {
    last: Option<Rejection>,
    // With the route that forwarded.
    forwarded: Option<(usize, Rejection)>,
}

/// As small as it can be: each request with a token has one.
#[derive(Default)]
pub(crate) struct RequestCache {
    tokens: Tokens,
    refusals: Mutex<Option<Box<Refusals>>>,
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
    pub(crate) fn seen(&self, encoded: &str) -> &Seen {
        let mut tokens = &self.tokens;
        loop {
            let seen = tokens.first.get_or_init(|| Seen::new(encoded));
            if *seen.encoded == *encoded {
                return seen;
            }
            tokens = tokens.others.get_or_init(Box::default);
        }
    }

    /// Why `request`, whose cache this is, was refused.
    pub(crate) fn refusal(&self, request: &Request<'_>) -> Option<Rejection> {
        let refusals = lock(&self.refusals);
        let Refusals { last, forwarded } = refusals.as_deref()?;
        last.clone().or_else(|| match forwarded {
            // Where another route was tried afterwards, the answer is that one's.
            Some((route, rejection)) if *route == address(request) => Some(rejection.clone()),
            _ => None,
        })
    }

    /// Keeps why a guard of `request` left it to the next route, should there be none.
    pub(crate) fn forward(&self, request: &Request<'_>, rejection: Rejection) {
        lock(&self.refusals).get_or_insert_default().forwarded =
            Some((address(request), rejection));
    }

    pub(crate) fn refuse(&self, rejection: Rejection) {
        lock(&self.refusals).get_or_insert_default().last = Some(rejection);
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

/// Tells the routes of one Rocket instance apart.
fn address(request: &Request<'_>) -> usize {
    request.route().map_or(0, |route| std::ptr::from_ref(route) as usize)
}

/// Nothing panics while it holds one of these locks, so that a poisoned one is whole all the same.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
