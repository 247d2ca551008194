//! Sends commands on connections of the pool, rather than on the connection that the requests
//! share.

use std::time::Instant;

use rocket::tokio;
use rocket_db_pools::deadpool_redis::redis::{self, Value};
use rocket_db_pools::deadpool_redis::{Connection as PooledConnection, Pool, PoolError};

use super::primary::{Failure, RoleCheck, send};
use crate::blocklist::store::StoreError;

/// Gets a separate connection from the pool, for long commands that would delay the requests on the
/// shared connection.
///
/// A new connection is opened in a separate task: if this request is cancelled, the next request
/// uses the connection. Otherwise, if opening a connection took longer than a request waits, no
/// connection would ever be opened.
pub(super) async fn from_pool(pool: &Pool) -> Result<PooledConnection, PoolError> {
    let status = pool.status();
    if status.available > 0 || status.size >= status.max_size {
        return pool.get().await;
    }
    let pool = pool.clone();
    let opened = tokio::spawn(async move { pool.get().await });
    opened.await.unwrap_or(Err(PoolError::Closed))
}

/// Sends a command on a connection of the pool. It may be repeated once, on a new connection.
pub(super) async fn query<T: redis::FromRedisValue>(
    pool: &Pool,
    role: &RoleCheck,
    command: &redis::Cmd,
) -> Result<T, StoreError> {
    let reply = match query_once(pool, role, command).await {
        Err(failure) if failure.ends_connection() => query_once(pool, role, command).await,
        result => result,
    };
    redis::from_redis_value(&reply?).map_err(StoreError::new)
}

async fn query_once(pool: &Pool, role: &RoleCheck, command: &redis::Cmd) -> Result<Value, Failure> {
    let mut connection = from_pool(pool).await.map_err(Failure::of_pool)?;
    let mut request = redis::pipe();
    request.add_command(command.clone());
    let failure = match send(&mut connection, &role.end(request)).await {
        Ok(replies) => return Ok(replies.into_iter().next().unwrap_or(Value::Nil)),
        Err(failure) => failure,
    };
    match failure {
        // The server has no `ROLE`, so the command is repeated without it.
        Failure::Error(error) if role.is_found_missing(&error) => Err(Failure::Refused(error)),
        failure => {
            if failure.ends_connection() {
                drop(PooledConnection::take(connection));
            }
            if failure.concerns_node() {
                discard_idle(pool);
            }
            Err(failure)
        }
    }
}

/// Discards the idle connections of the pool: they were opened earlier, and lead to a node that is
/// no longer the primary.
pub(super) fn discard_idle(pool: &Pool) {
    let now = Instant::now();
    pool.retain(|_, metrics| metrics.created > now);
}
