//! The one multiplexed connection, with single-flight reconnect.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rocket::futures::future::{BoxFuture, FutureExt, Shared};
use rocket::tokio;
use rocket_db_pools::deadpool_redis::redis::{FromRedisValue, Pipeline};
use rocket_db_pools::deadpool_redis::{Pool, PoolError, Timeouts};

use super::connection::{ping, Connection};
use crate::blocklist::store::StoreError;

/// How long a connection that may be stalled has to reply to a ping. This is well below the time a
/// request waits, so that the request which finds a dead connection is answered on the next one.
const PING_TIMEOUT: Duration = Duration::from_millis(500);

/// An attempt to connect, shared by all requests that wait for it.
type Connecting = Shared<BoxFuture<'static, Result<Arc<Connection>, Arc<PoolError>>>>;

pub(super) struct SharedConnection {
    pool: Pool,
    current: Mutex<Option<Connecting>>,
}

impl SharedConnection {
    pub(super) fn new(pool: Pool) -> Self {
        Self { pool, current: Mutex::new(None) }
    }

    /// Sends a request that changes nothing. Only a request reveals that a connection was closed
    /// since its last use, so the request is then sent a second time, on a new connection.
    pub(super) async fn read<T: FromRedisValue>(
        &self,
        request: &Pipeline,
    ) -> Result<T, StoreError> {
        let connection = self.connection().await?;
        match connection.send(request).await {
            Err(_) if connection.is_broken() => self.send(request).await,
            result => result.map_err(StoreError::new),
        }
    }

    /// Sends a request that changes something. It is never repeated: if the connection breaks, it
    /// is unknown whether the change was made. A ping before it makes sure that the connection is
    /// open.
    pub(super) async fn write<T: FromRedisValue>(
        &self,
        request: &Pipeline,
    ) -> Result<T, StoreError> {
        self.read::<(String,)>(&ping()).await?;
        self.send(request).await
    }

    async fn send<T: FromRedisValue>(&self, request: &Pipeline) -> Result<T, StoreError> {
        self.connection().await?.send(request).await.map_err(StoreError::new)
    }

    async fn connection(&self) -> Result<Arc<Connection>, StoreError> {
        let connecting = match self.current() {
            Ok(connection) => return Ok(connection),
            Err(connecting) => connecting,
        };
        connecting.await.map_err(StoreError::new)
    }

    /// The current connection if it is usable. Otherwise the attempt to open the next one, started
    /// here if none is under way, so that all requests wait for the same attempt.
    fn current(&self) -> Result<Arc<Connection>, Connecting> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stalled = None;
        if let Some(connecting) = &*current {
            match connecting.clone().now_or_never() {
                None => return Err(connecting.clone()),
                // Dropping it returns it to the closed pool, or has no effect as it was discarded.
                Some(Ok(connection)) if self.pool.is_closed() || connection.is_broken() => {
                    drop(connection);
                }
                Some(Ok(connection)) if connection.may_be_stalled() => stalled = Some(connection),
                Some(Ok(connection)) => return Ok(connection),
                Some(Err(_)) => {}
            }
        }
        let connecting = connect(self.pool.clone(), stalled);
        *current = Some(connecting.clone());
        Err(connecting)
    }
}

/// Connects in a task of its own, which continues for the other requests if the one that started it
/// is cancelled. Otherwise, if connecting takes longer than a request waits, no connection would
/// ever be opened.
fn connect(pool: Pool, stalled: Option<Arc<Connection>>) -> Connecting {
    let connecting = tokio::spawn(async move {
        let connected = match stalled {
            Some(connection) => recover(&pool, connection).await,
            None => open(&pool).await,
        };
        connected.map_err(Arc::new)
    });
    async { connecting.await.unwrap_or_else(|_| Err(Arc::new(PoolError::Closed))) }.boxed().shared()
}

/// Returns the same connection if it replies to a ping. So a client that sends requests and
/// disconnects costs a ping, however often it does so; only a silent connection is replaced.
async fn recover(pool: &Pool, connection: Arc<Connection>) -> Result<Arc<Connection>, PoolError> {
    let begin = Instant::now();
    if connection.replies_within(PING_TIMEOUT).await {
        return Ok(connection);
    }
    connection.discard();
    // The idle connections that have not replied since then are discarded too: the pool would wait
    // for each of them in turn.
    pool.retain(|_, metrics| metrics.recycled.unwrap_or(metrics.created) > begin);
    open(pool).await
}

async fn open(pool: &Pool) -> Result<Arc<Connection>, PoolError> {
    let timeouts = pool.timeouts();
    let recycle = timeouts.recycle.map_or(PING_TIMEOUT, |limit| limit.min(PING_TIMEOUT));
    let connection = pool.timeout_get(&Timeouts { recycle: Some(recycle), ..timeouts }).await?;
    // A pool of one connection is left to the application.
    let detached = pool.status().max_size == 1;
    Ok(Arc::new(Connection::new(connection, detached)))
}
