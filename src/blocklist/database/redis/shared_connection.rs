//! The one multiplexed connection, with single-flight reconnect.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rocket::futures::future::{BoxFuture, FutureExt, Shared};
use rocket::tokio;
use rocket::tokio::time::timeout;
use rocket_db_pools::deadpool_redis::redis::{self, FromRedisValue, Pipeline, Value};
use rocket_db_pools::deadpool_redis::{
    Connection as PooledConnection, Pool, PoolError, TimeoutType, Timeouts,
};

use super::connection::Connection;
use super::pooled::discard_idle;
use super::primary::{Failure, RoleCheck};
use crate::blocklist::store::StoreError;

/// The time limit for a ping on a connection that may be stalled. It is much shorter than a request
/// waits, so that a request that finds a dead connection can still succeed on the next one.
const PING_TIMEOUT: Duration = Duration::from_millis(500);

/// The time limit for the role check on a new connection, if the pool sets no limit.
const VERIFY_TIMEOUT: Duration = Duration::from_secs(5);

/// An attempt to connect, shared by all requests that wait for it.
type Connecting = Shared<BoxFuture<'static, Result<Arc<Connection>, Arc<StoreError>>>>;

pub(super) struct SharedConnection {
    pool: Pool,
    role: Arc<RoleCheck>,
    current: Mutex<Option<Connecting>>,
}

impl SharedConnection {
    pub(super) fn new(pool: Pool, role: Arc<RoleCheck>) -> Self {
        Self { pool, role, current: Mutex::new(None) }
    }

    /// Sends a request that changes nothing. Only a request reveals that a connection was closed
    /// since its last use, or that its node is no longer the primary, so the request is then sent a
    /// second time, on a new connection.
    pub(super) async fn read<T: FromRedisValue>(&self, request: Pipeline) -> Result<T, StoreError> {
        // The connection is opened first, as this determines how the role is queried.
        self.connection().await?;
        let request = self.role.end(request);
        let replies = match self.send(&request).await {
            Err(failure) if failure.ends_connection() => self.send(&request).await,
            result => result,
        };
        parse(replies?)
    }

    /// Sends a request that changes something, and may be executed twice. An empty request before it
    /// makes sure that the connection is open, and leads to the primary. The request itself is repeated
    /// once, on a new connection.
    pub(super) async fn write<T: FromRedisValue>(
        &self,
        request: Pipeline,
    ) -> Result<T, StoreError> {
        self.read::<Vec<Value>>(redis::pipe()).await?;
        let request = self.role.end(request);
        let replies = match self.send(&request).await {
            Err(failure) if failure.ends_connection() => self.send(&request).await,
            result => result,
        };
        parse(replies?)
    }

    /// Sends the request on the current connection, and discards the connection if it is no longer
    /// usable.
    async fn send(&self, request: &Pipeline) -> Result<Vec<Value>, Failure> {
        let connection = self.connection().await.map_err(Failure::NoConnection)?;
        let result = connection.send(request).await;
        if let Err(failure) = &result {
            // Only the first of the requests in flight does so, so that no newer connection is
            // discarded.
            let is_first = failure.ends_connection() && connection.discard();
            if is_first && failure.concerns_node() {
                discard_idle(&self.pool);
            }
        }
        result
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
        let connecting = connect(self.pool.clone(), self.role.clone(), stalled);
        *current = Some(connecting.clone());
        Err(connecting)
    }
}

/// Connects in a separate task, which continues for the other requests if the request that started
/// it is cancelled. Otherwise, if connecting took longer than a request waits, no connection would
/// ever be opened.
fn connect(pool: Pool, role: Arc<RoleCheck>, stalled: Option<Arc<Connection>>) -> Connecting {
    let connecting = tokio::spawn(async move {
        let connected = match stalled {
            Some(connection) => recover(&pool, &role, connection).await,
            None => open(&pool, &role).await,
        };
        connected.map_err(|failure| Arc::new(failure.into()))
    });
    let closed = || Arc::new(Failure::of_pool(PoolError::Closed).into());
    async move { connecting.await.unwrap_or_else(|_| Err(closed())) }.boxed().shared()
}

/// Returns the same connection if it replies to a ping. So a client that sends requests and
/// disconnects costs a ping, however often it does so; only a silent connection is replaced.
async fn recover(
    pool: &Pool,
    role: &RoleCheck,
    connection: Arc<Connection>,
) -> Result<Arc<Connection>, Failure> {
    let begin = Instant::now();
    if connection.replies_within(PING_TIMEOUT, &role.end(redis::pipe())).await {
        return Ok(connection);
    }
    connection.discard();
    // The idle connections that have not replied since then are discarded too: the pool would wait
    // for each of them in turn.
    pool.retain(|_, metrics| metrics.recycled.unwrap_or(metrics.created) > begin);
    open(pool, role).await
}

/// Opens a connection to the primary. The pool may hand out a connection that was opened before a
/// fail-over: it is then discarded together with all idle ones, and the next one is new.
async fn open(pool: &Pool, role: &RoleCheck) -> Result<Arc<Connection>, Failure> {
    let connection = match open_once(pool, role).await {
        Err(failure) if failure.ends_connection() => {
            discard_idle(pool);
            open_once(pool, role).await
        }
        result => result,
    }?;
    // A pool of one connection is left to the application.
    let detached = pool.status().max_size == 1;
    Ok(Arc::new(Connection::new(connection, detached)))
}

async fn open_once(pool: &Pool, role: &RoleCheck) -> Result<PooledConnection, Failure> {
    let timeouts = pool.timeouts();
    let recycle = timeouts.recycle.map_or(PING_TIMEOUT, |limit| limit.min(PING_TIMEOUT));
    let limit = timeouts.create.unwrap_or(VERIFY_TIMEOUT);
    let opened = pool.timeout_get(&Timeouts { recycle: Some(recycle), ..timeouts }).await;
    let mut connection = opened.map_err(Failure::of_pool)?;
    let verified = timeout(limit, role.verify(&mut connection)).await;
    let silent = || Err(Failure::of_pool(PoolError::Timeout(TimeoutType::Create)));
    match verified.unwrap_or_else(|_| silent()) {
        Ok(()) => Ok(connection),
        Err(failure) => {
            drop(PooledConnection::take(connection));
            Err(failure)
        }
    }
}

fn parse<T: FromRedisValue>(replies: Vec<Value>) -> Result<T, StoreError> {
    redis::from_redis_value(&Value::Bulk(replies)).map_err(StoreError::new)
}
