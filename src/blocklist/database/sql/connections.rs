//! The connections of a store: its own, opened as the application's pool opens them.
//!
//! A connection that the application has used may be inside a transaction that it left open, in which
//! a revocation is lost and a lookup reads an old snapshot. The application's pool is also closed
//! before the last requests have been answered. So the store borrows nothing from that pool.
//!
//! A connection that can never do what it is asked (its session only reads, or its server shuts down)
//! is closed together with all idle ones, which were opened before, and the operation is retried once
//! on a new one.
//!
//! A server that was the primary goes on answering lookups after a fail-over, without what was revoked
//! since. MySQL and MariaDB keep its connections, so a lookup asks there as well whether the server only
//! reads, once in [`RECHECK`] on each connection. If it does, and the connection is older than that, the
//! lookup is repeated on a new one. A server that the address leads to is believed even if it only reads,
//! as during maintenance.
//!
//! After a lost connection nobody knows whether the statement was executed. It is then repeated: the second
//! time, a lookup or a revocation changes nothing more, and an exchange finds its own effect and recognizes
//! it.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rocket::tokio;
use rocket::tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use rocket::tokio::time::Instant;

use super::retry::{self, Verdict};

/// The most connections of a store. A query in flight carries up to 64 lookups, so that more would
/// seldom be used.
pub(super) const MAX_CONNECTIONS: usize = 8;

/// An idle connection is closed after this time, and any connection at an age of [`MAX_AGE`], so that
/// servers with a new address or new settings are noticed.
const MAX_IDLE: Duration = Duration::from_secs(10 * 60);
const MAX_AGE: Duration = Duration::from_secs(30 * 60);

/// How often a connection asks whether its server only reads, and how long that is then believed to be the
/// server that the address leads to. It bounds how long a demoted primary is asked once it knows of its
/// demotion, and how often connections are opened while nothing but readers is in reach.
pub(super) const RECHECK: Duration = Duration::from_secs(1);

/// Opens the connections of a driver, and tells what their errors mean.
#[rocket::async_trait]
pub trait Open: Send + Sync + 'static {
    type Connection: Send + 'static;
    type Error: Send + 'static;

    async fn open(&self) -> Result<Self::Connection, Self::Error>;

    /// The error of a connection whose opening was aborted, as the runtime is shutting down.
    fn aborted() -> Self::Error;

    fn verdict(error: &Self::Error) -> Verdict;

    /// Whether the server said that it only reads, when it was last asked on this connection.
    fn only_reads(_connection: &Self::Connection) -> bool {
        false
    }

    /// Whether connections are closed by their age.
    fn ages(&self) -> bool {
        true
    }

    /// Whether a connection is kept after its use.
    fn is_kept(&self) -> bool {
        true
    }
}

pub struct Connections<O: Open>(Arc<Inner<O>>);

struct Inner<O: Open> {
    opener: O,
    /// The one used last is at the end, and used next.
    idle: Mutex<Vec<Idle<O::Connection>>>,
    permits: Arc<Semaphore>,
}

struct Idle<C> {
    connection: C,
    opened: Instant,
    since: Instant,
}

/// A connection in use. One that is dropped, as its request was cancelled, is closed: a late response
/// must not be taken for that of another statement.
pub(super) struct Lease<C> {
    pub(super) connection: C,
    opened: Instant,
    _permit: OwnedSemaphorePermit,
}

impl<C> Lease<C> {
    /// Whether the server may have been the primary when the connection was opened, and is none now.
    fn is_suspect<O: Open<Connection = C>>(&self) -> bool {
        O::only_reads(&self.connection) && self.opened.elapsed() >= RECHECK
    }
}

impl<O: Open> Connections<O> {
    pub(super) fn new(opener: O, limit: usize) -> Self {
        let permits = Arc::new(Semaphore::new(limit.max(1)));
        Self(Arc::new(Inner { opener, idle: Mutex::default(), permits }))
    }

    /// Runs an operation, which may be done twice, on a connection: again if its transaction was rolled
    /// back, and once more on a new connection if this one cannot do it or has ended.
    pub(super) async fn run<T, F>(
        &self,
        operation: impl Fn(Lease<O::Connection>) -> F + Send + Sync,
    ) -> Result<T, O::Error>
    where
        T: Send,
        F: Future<Output = (Lease<O::Connection>, Result<T, O::Error>)> + Send,
    {
        let mut attempt = 1;
        let mut is_new = false;
        loop {
            let lease = if is_new { self.open().await? } else { self.get().await? };
            let (lease, result) = operation(lease).await;
            let error = match result {
                Ok(_) if !is_new && lease.is_suspect::<O>() => {
                    drop(lease);
                    self.0.idle().clear();
                    is_new = true;
                    continue;
                }
                Ok(done) => {
                    self.0.give_back(lease);
                    return Ok(done);
                }
                Err(error) => error,
            };
            let verdict = O::verdict(&error);
            match verdict {
                Verdict::RolledBack | Verdict::Failed => self.0.give_back(lease),
                Verdict::Refused | Verdict::Lost => {
                    drop(lease);
                    self.0.idle().clear();
                }
            }
            match verdict {
                Verdict::RolledBack if attempt < retry::ATTEMPTS => {
                    tokio::time::sleep(retry::backoff(attempt)).await;
                    attempt += 1;
                }
                Verdict::Refused | Verdict::Lost if !is_new => is_new = true,
                _ => return Err(error),
            }
        }
    }

    /// A connection beside the others, which are limited in number.
    #[cfg(feature = "sqlx_mysql")]
    pub(super) async fn open_separate(&self) -> Result<O::Connection, O::Error> {
        self.0.opener.open().await
    }

    async fn get(&self) -> Result<Lease<O::Connection>, O::Error> {
        let permit = self.permit().await?;
        match self.0.take_idle() {
            Some(Idle { connection, opened, .. }) => {
                Ok(Lease { connection, opened, _permit: permit })
            }
            None => self.open_with(permit).await,
        }
    }

    #[cfg(feature = "_sqlx")]
    pub(super) fn opener(&self) -> &O {
        &self.0.opener
    }

    /// A new connection.
    pub(super) async fn open(&self) -> Result<Lease<O::Connection>, O::Error> {
        self.open_with(self.permit().await?).await
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, O::Error> {
        self.0.permits.clone().acquire_owned().await.map_err(|_| O::aborted())
    }

    /// Opens a connection in a task of its own: if this request is cancelled, the connection serves the
    /// next one. Otherwise, if opening a connection takes longer than a request waits, as it may when
    /// all servers reconnect to a database together, none would ever be opened.
    async fn open_with(
        &self,
        permit: OwnedSemaphorePermit,
    ) -> Result<Lease<O::Connection>, O::Error> {
        let (reply, opened) = oneshot::channel();
        let inner = self.0.clone();
        tokio::spawn(async move {
            let connection = inner.opener.open().await;
            let lease = connection.map(|connection| Lease {
                connection,
                opened: Instant::now(),
                _permit: permit,
            });
            if let Err(Ok(lease)) = reply.send(lease) {
                inner.give_back(lease);
            }
        });
        opened.await.unwrap_or_else(|_| Err(O::aborted()))
    }
}

impl<O: Open> Inner<O> {
    fn idle(&self) -> MutexGuard<'_, Vec<Idle<O::Connection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_idle(&self) -> Option<Idle<O::Connection>> {
        let mut idle = self.idle();
        if self.opener.ages() {
            idle.retain(|idle| idle.opened.elapsed() < MAX_AGE);
        }
        idle.pop()
    }

    fn give_back(&self, Lease { connection, opened, _permit }: Lease<O::Connection>) {
        if !self.opener.is_kept() {
            return;
        }
        let mut idle = self.idle();
        if self.opener.ages() {
            idle.retain(|idle| idle.since.elapsed() < MAX_IDLE);
        }
        idle.push(Idle { connection, opened, since: Instant::now() });
    }
}
