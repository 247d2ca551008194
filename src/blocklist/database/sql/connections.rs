//! The connections of a store, which it opens itself in the same way as the application's pool.
//!
//! A connection that the application has used may be inside an open transaction, in which a
//! revocation would be lost and a lookup would read an old snapshot. The application's pool is also
//! closed before the last requests have been answered. So the store never uses connections of that
//! pool.
//!
//! A connection that cannot execute its statement (its session is read-only, or its server is
//! shutting down) is closed together with all idle ones, which are older; the operation is then
//! retried once on a new connection.
//!
//! After a fail-over, the former primary continues to answer lookups, but misses the revocations
//! since. MySQL and MariaDB do not close its connections, so on each connection, once per
//! [`RECHECK`], a lookup also queries whether the server is read-only. If it is, and the connection
//! is older than that, the lookup is repeated on a new connection. The server to which the address
//! currently leads is trusted even if it is read-only, for example during maintenance.
//!
//! A connection to an SQLite file that was replaced, for example by a restored backup, continues to
//! read the old file. So before an idle connection is used, once per [`RECHECK`], the file is
//! compared with that of each idle connection, and those that differ are closed.
//!
//! After a lost connection it is unknown whether the statement was executed. The statement is then
//! repeated: a repeated lookup or revocation changes nothing more, and a repeated exchange
//! recognizes its first effect.

use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rocket::tokio;
use rocket::tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use rocket::tokio::time::Instant;

use super::file_id::FileId;
use super::retry::{self, Verdict};

/// The most connections of a store. A query in flight contains up to 64 lookups, so more
/// connections would seldom be used.
pub(super) const MAX_CONNECTIONS: usize = 8;

/// An idle connection is closed after this time, and any connection at an age of [`MAX_AGE`], so that
/// servers with a new address or new settings are noticed.
const MAX_IDLE: Duration = Duration::from_secs(10 * 60);
const MAX_AGE: Duration = Duration::from_secs(30 * 60);

/// The interval at which a connection queries whether its server is read-only, how long a new
/// connection is trusted to lead to the right server, and the interval at which the database's file
/// is compared. It limits how long a demoted primary is queried once it knows of its demotion, and how
/// often connections are opened while only read-only servers can be reached.
pub(super) const RECHECK: Duration = Duration::from_secs(1);

/// Opens the connections of a driver, and classifies their errors.
#[rocket::async_trait]
pub trait Open: Send + Sync + 'static {
    type Connection: Send + 'static;
    type Error: Send + 'static;

    async fn open(&self) -> Result<Self::Connection, Self::Error>;

    /// The error of a connection whose opening was aborted, as the runtime is shutting down.
    fn aborted() -> Self::Error;

    fn verdict(error: &Self::Error) -> Verdict;

    /// Whether the server was read-only at the last query on this connection.
    fn only_reads(_connection: &Self::Connection) -> bool {
        false
    }

    /// The file to which a new connection would lead, if the database is a file.
    fn file(&self) -> Option<&Path> {
        None
    }

    /// Whether connections are closed because of their age.
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
    /// The most recently used connection is last, and is used next.
    idle: Mutex<Vec<Idle<O::Connection>>>,
    permits: Arc<Semaphore>,
    /// When the files of the idle connections were compared.
    compared: Mutex<Option<Instant>>,
}

struct Idle<C> {
    connection: C,
    opened: Instant,
    since: Instant,
    file: Option<FileId>,
}

/// A connection in use. If it is dropped, as its request was cancelled, it is closed: a late
/// response must not be mistaken for that of another statement.
pub(super) struct Lease<C> {
    pub(super) connection: C,
    opened: Instant,
    file: Option<FileId>,
    _permit: OwnedSemaphorePermit,
}

impl<C> Lease<C> {
    /// Whether the server may have been the primary when the connection was opened, but is not now.
    fn is_suspect<O: Open<Connection = C>>(&self) -> bool {
        O::only_reads(&self.connection) && self.opened.elapsed() >= RECHECK
    }
}

impl<O: Open> Connections<O> {
    pub(super) fn new(opener: O, limit: usize) -> Self {
        let permits = Arc::new(Semaphore::new(limit.max(1)));
        let (idle, compared) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { opener, idle, permits, compared }))
    }

    /// Runs an operation that may be executed twice on a connection. It is repeated if its
    /// transaction was rolled back, and once on a new connection if this one cannot execute it or
    /// has ended.
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

    /// A connection in addition to the others, whose number is limited.
    #[cfg(feature = "sqlx_mysql")]
    pub(super) async fn open_separate(&self) -> Result<O::Connection, O::Error> {
        self.0.opener.open().await
    }

    async fn get(&self) -> Result<Lease<O::Connection>, O::Error> {
        let permit = self.permit().await?;
        match self.0.take_idle() {
            Some(Idle { connection, opened, file, .. }) => {
                Ok(Lease { connection, opened, file, _permit: permit })
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

    /// Opens a connection in a separate task: if this request is cancelled, the next request uses
    /// the connection. Otherwise, if opening a connection took longer than a request waits, which
    /// is possible when all servers reconnect to a database at the same time, no connection would
    /// ever be opened.
    async fn open_with(
        &self,
        permit: OwnedSemaphorePermit,
    ) -> Result<Lease<O::Connection>, O::Error> {
        let (reply, opened) = oneshot::channel();
        let inner = self.0.clone();
        tokio::spawn(async move {
            // If the file is replaced meanwhile, the connection is closed too early rather than too late.
            let file = inner.file();
            let connection = inner.opener.open().await;
            let lease = connection.map(|connection| Lease {
                connection,
                opened: Instant::now(),
                file,
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
        let file = self.must_compare().then(|| self.file());
        let mut idle = self.idle();
        if let Some(file) = file {
            idle.retain(|idle| idle.file == file);
        }
        if self.opener.ages() {
            idle.retain(|idle| idle.opened.elapsed() < MAX_AGE);
        }
        idle.pop()
    }

    fn file(&self) -> Option<FileId> {
        self.opener.file().and_then(FileId::of)
    }

    /// Whether the files must be compared again.
    fn must_compare(&self) -> bool {
        let mut compared = self.compared.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = compared.is_none_or(|compared| compared.elapsed() >= RECHECK);
        if is_due {
            *compared = Some(Instant::now());
        }
        is_due
    }

    fn give_back(&self, lease: Lease<O::Connection>) {
        let Lease { connection, opened, file, _permit } = lease;
        if !self.opener.is_kept() {
            return;
        }
        let mut idle = self.idle();
        if self.opener.ages() {
            idle.retain(|idle| idle.since.elapsed() < MAX_IDLE);
        }
        idle.push(Idle { connection, opened, since: Instant::now(), file });
    }
}
