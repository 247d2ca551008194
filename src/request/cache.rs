//! The request's cache: its tokens, and the reason why it was refused.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rocket::Request;

use crate::rejection::Rejection;
use crate::token::context::RequestContext;
use crate::token::verified::Verified;
use crate::verify::memo::TokenMemo;

/// The tokens of a request. Nearly every request has one, so the first is stored in place.
#[derive(Default)]
struct Tokens {
    first: OnceLock<TokenMemo>,
    others: OnceLock<Box<Tokens>>,
}

#[derive(Default)]
struct Refusals {
    last: Option<Rejection>,
    // With the address of the route whose guard forwarded.
    forwarded: Option<(usize, Rejection)>,
}

/// Passes data from a request's guards to its response. Rocket's request-local state is needed for
/// this, since a guard's error does not reach the catcher. The cache is small, since each request
/// with a token has one.
#[derive(Default)]
pub(crate) struct RequestCache {
    tokens: Tokens,
    refusals: Mutex<Option<Box<Refusals>>>,
    renewable: Mutex<Option<Arc<Verified>>>,
    in_query: AtomicBool,
    in_hook: AtomicBool,
}

impl RequestCache {
    /// The cache of a request.
    pub(crate) fn of<'r>(request: &'r Request<'_>) -> &'r Self {
        request.local_cache(Self::default)
    }

    /// The memo of that token. The key is the token's whole text.
    pub(crate) fn memo(
        &self,
        encoded: &str,
        request: impl Fn() -> Option<RequestContext>,
    ) -> &TokenMemo {
        let mut tokens = &self.tokens;
        loop {
            let memo = tokens.first.get_or_init(|| TokenMemo::new(encoded, request()));
            if *memo.encoded == *encoded {
                return memo;
            }
            tokens = tokens.others.get_or_init(Box::default);
        }
    }

    /// The refusal of `request`, to which this cache belongs.
    pub(crate) fn refusal(&self, request: &Request<'_>) -> Option<Rejection> {
        let refusals = lock(&self.refusals);
        let Refusals { last, forwarded } = refusals.as_deref()?;
        last.clone().or_else(|| match forwarded {
            // If Rocket tried another route afterwards, that route decides the response.
            Some((route, rejection)) if *route == address(request) => Some(rejection.clone()),
            _ => None,
        })
    }

    /// Stores the reason why a guard of `request` forwarded, in case no other route matches.
    pub(crate) fn forward(&self, request: &Request<'_>, rejection: Rejection) {
        lock(&self.refusals).get_or_insert_default().forwarded =
            Some((address(request), rejection));
    }

    pub(crate) fn refuse(&self, rejection: Rejection) {
        lock(&self.refusals).get_or_insert_default().last = Some(rejection);
    }

    /// The access token that a guard accepted from a cookie.
    pub(crate) fn renewable(&self) -> Option<Arc<Verified>> {
        lock(&self.renewable).clone()
    }

    pub(crate) fn set_renewable(&self, verified: Arc<Verified>) {
        *lock(&self.renewable) = Some(verified);
    }

    /// Whether the `on_rejection` hook may be called: it is not called again while it runs.
    pub(crate) fn enter_hook(&self) -> bool {
        !self.in_hook.swap(true, Ordering::Relaxed)
    }

    pub(crate) fn leave_hook(&self) {
        self.in_hook.store(false, Ordering::Relaxed);
    }

    /// Whether a token was in the query string. If so, caches must not store the response.
    pub(crate) fn was_in_query(&self) -> bool {
        self.in_query.load(Ordering::Relaxed)
    }

    pub(crate) fn mark_in_query(&self) {
        self.in_query.store(true, Ordering::Relaxed);
    }
}

/// An address that differs between the routes of one Rocket instance.
fn address(request: &Request<'_>) -> usize {
    request.route().map_or(0, |route| std::ptr::from_ref(route) as usize)
}

/// No code panics while it holds one of these locks, so the data is consistent even if a lock is
/// poisoned.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
