//! One multiplexed connection, and its health.
//!
//! `redis::aio::ConnectionManager` is not used, although it reconnects as well: it needs a
//! `redis::Client`, which `deadpool` does not give access to, and it has not been shown that the
//! manager of redis 0.25 replaces a half-open connection, on which requests are sent and never
//! answered.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rocket::tokio::time::timeout;
use rocket_db_pools::deadpool_redis::Connection as PooledConnection;
use rocket_db_pools::deadpool_redis::redis::aio::MultiplexedConnection;
use rocket_db_pools::deadpool_redis::redis::{Pipeline, Value};

use super::primary::{self, Failure};

/// A multiplexed connection that keeps its slot in the pool, where it counts as in use.
///
/// Redis replies in the order of the requests, and the reply to a cancelled request is dropped when
/// it arrives. No request made here changes the state of the connection (`SELECT`, `WATCH`,
/// `MULTI`) or blocks it, so requests do not interfere with each other.
pub(super) struct Connection {
    connection: MultiplexedConnection,
    slot: Mutex<Option<PooledConnection>>,
    is_broken: AtomicBool,
    /// One more than the number of replies received.
    replies: AtomicU64,
    /// The value of `replies` when the latest of the cancelled requests was sent.
    cancelled_at: AtomicU64,
}

impl Connection {
    /// If `detached`, the connection is taken out of the pool, which no longer counts it.
    pub(super) fn new(slot: PooledConnection, detached: bool) -> Self {
        let connection = slot.clone();
        let slot = match detached {
            true => {
                drop(PooledConnection::take(slot));
                None
            }
            false => Some(slot),
        };
        Self {
            connection,
            slot: Mutex::new(slot),
            is_broken: AtomicBool::new(false),
            replies: AtomicU64::new(1),
            cancelled_at: AtomicU64::new(0),
        }
    }

    /// Sends a request that was ended with the check of the role. Returns the other replies.
    pub(super) async fn send(&self, request: &Pipeline) -> Result<Vec<Value>, Failure> {
        let guard = CancelGuard { connection: self, since: self.replies.load(Ordering::SeqCst) };
        let result = primary::send(&mut self.connection.clone(), request).await;
        guard.disarm();
        match &result {
            Err(failure) if failure.ends_connection() => {}
            _ => _ = self.replies.fetch_add(1, Ordering::SeqCst),
        }
        result
    }

    /// Whether the server replies to a request within `limit`.
    pub(super) async fn replies_within(&self, limit: Duration, request: &Pipeline) -> bool {
        timeout(limit, self.send(request)).await.is_ok_and(|reply| reply.is_ok())
    }

    pub(super) fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::SeqCst)
    }

    /// Whether a request was cancelled or timed out, and no reply has arrived since it was sent:
    /// the connection may be half-open.
    ///
    /// A cancelled request alone proves little, as its client may have disconnected immediately.
    /// But nothing else reveals a connection that still accepts requests and never replies (the
    /// server is stopped, or the network is down). Under load, a single reply to any request clears
    /// the suspicion.
    pub(super) fn may_be_stalled(&self) -> bool {
        self.cancelled_at.load(Ordering::SeqCst) == self.replies.load(Ordering::SeqCst)
    }

    /// Removes the connection from the pool, which never hands it out again and can open another in
    /// its slot. Requests in flight still get their replies, if these arrive. Returns whether it was
    /// not discarded before.
    pub(super) fn discard(&self) -> bool {
        let is_first = !self.is_broken.swap(true, Ordering::SeqCst);
        let slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(slot.map(PooledConnection::take));
        is_first
    }
}

/// Records in the connection that a request was cancelled, if it is dropped while armed.
struct CancelGuard<'a> {
    connection: &'a Connection,
    since: u64,
}

impl CancelGuard<'_> {
    fn disarm(self) {
        std::mem::forget(self);
    }
}

impl Drop for CancelGuard<'_> {
    fn drop(&mut self) {
        self.connection.cancelled_at.fetch_max(self.since, Ordering::SeqCst);
    }
}
