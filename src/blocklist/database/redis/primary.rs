//! Whether the node at the other end is the primary.
//!
//! After a fail-over, an open connection still leads to the demoted node, which serves reads as if
//! nothing had happened. So every request ends with `ROLE`: its replies count only if the node is
//! still the primary after the last of them.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use rocket_db_pools::deadpool_redis::redis::aio::ConnectionLike;
use rocket_db_pools::deadpool_redis::redis::{self, ErrorKind, Pipeline, RedisError, Value};
use rocket_db_pools::deadpool_redis::{Connection as PooledConnection, Pool, PoolError};

use super::connection::from_pool;
use super::faults;
use crate::blocklist::store::StoreError;

/// The errors with which a node says that another one must answer, or that this connection never
/// will. The command had no effect, so it is repeated once on a new connection:
///
/// - `READONLY`, `MASTERDOWN`: a replica, that is a demoted primary.
/// - `LOADING`: it was restarted, and its address may lead to another node meanwhile.
/// - `NOREPLICAS`: a primary without the replicas that it must have (`min-replicas-to-write`), so
///   another one may have replaced it.
/// - `MOVED`, `ASK`, `TRYAGAIN`, `CLUSTERDOWN`: a node of a Redis Cluster that does not serve the key.
/// - `NOAUTH`: the connection lost its login, as behind a proxy that has changed the node.
///
/// Others concern the node that is the right one, and are returned: `OOM`, `MISCONF` (it cannot
/// write to its disk), `BUSY` (a script runs), `NOPERM`.
const ELSEWHERE: [&str; 9] = [
    "READONLY",
    "MASTERDOWN",
    "LOADING",
    "NOREPLICAS",
    "MOVED",
    "ASK",
    "TRYAGAIN",
    "CLUSTERDOWN",
    "NOAUTH",
];

/// Why a request has no reply that counts.
#[derive(Debug)]
pub(super) enum Failure {
    /// There is no connection.
    NoConnection(StoreError),
    /// The server refused the request, and would refuse it on another connection too.
    Error(RedisError),
    /// The node did not execute it, and another one may: see [`ELSEWHERE`].
    Refused(RedisError),
    /// The connection ended, and it is unknown whether the request was executed.
    Broken(RedisError),
    /// The node is not the primary, and it is unknown since when.
    NotPrimary(NotPrimary),
}

impl Failure {
    pub(super) fn of(error: RedisError) -> Self {
        if is_elsewhere(&error) {
            Self::Refused(error)
        } else if error.is_io_error() || error.is_unrecoverable_error() {
            Self::Broken(error)
        } else {
            Self::Error(error)
        }
    }

    pub(super) fn of_pool(error: PoolError) -> Self {
        Self::NoConnection(faults::of_pool(error))
    }

    /// The error, if it says that the user has no right to the command.
    pub(super) fn no_permission(self) -> Result<RedisError, Self> {
        match self {
            Self::Error(error) if error.code() == Some("NOPERM") => Ok(error),
            other => Err(other),
        }
    }

    /// Whether another connection may answer.
    pub(super) fn ends_connection(&self) -> bool {
        !matches!(self, Self::NoConnection(_) | Self::Error(_))
    }

    /// Whether the request is known to have had no effect.
    pub(super) fn did_nothing(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    /// Whether the other connections to this node are of no use either.
    pub(super) fn concerns_node(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::NotPrimary(_))
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NoConnection(error) => error,
            Failure::Error(error) | Failure::Refused(error) | Failure::Broken(error) => {
                faults::of(error)
            }
            Failure::NotPrimary(role) => StoreError::new(role),
        }
    }
}

/// The role of a node that is not the primary.
#[derive(Debug)]
pub(super) struct NotPrimary(String);

impl fmt::Display for NotPrimary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the Redis server is {}: the pool's `url` must lead to the primary", self.0)
    }
}

impl std::error::Error for NotPrimary {}

fn is_elsewhere(error: &RedisError) -> bool {
    match error.code() {
        // Before Redis 7, an error within a script has the code `ERR`, and its own in the text.
        Some("ERR") => {
            let detail = error.detail().unwrap_or_default();
            detail.contains("script")
                && ELSEWHERE.iter().any(|code| detail.contains(&format!("-{code} ")))
        }
        Some(code) => ELSEWHERE.contains(&code),
        None => false,
    }
}

/// How the role is asked for. Some services have no `ROLE`, as they forward each command to the
/// primary themselves.
pub(super) struct RoleCheck {
    is_missing: AtomicBool,
}

impl RoleCheck {
    pub(super) fn new() -> Self {
        Self { is_missing: AtomicBool::new(false) }
    }

    /// Whether the server was found to have no `ROLE`.
    pub(super) fn is_missing(&self) -> bool {
        self.is_missing.load(Ordering::SeqCst)
    }

    /// The request, ended with the check.
    pub(super) fn end(&self, mut request: Pipeline) -> Pipeline {
        request.cmd(if self.is_missing() { "PING" } else { "ROLE" });
        request
    }

    /// Checks the node, and whether it has `ROLE` at all.
    pub(super) async fn verify(&self, connection: &mut impl ConnectionLike) -> Result<(), Failure> {
        let role = redis::cmd("ROLE").query_async::<_, Value>(connection).await;
        match role {
            Ok(role) => {
                self.is_missing.store(false, Ordering::SeqCst);
                check(&role)
            }
            Err(error) if is_unknown_role(&error) => {
                self.is_missing.store(true, Ordering::SeqCst);
                Ok(())
            }
            Err(error) => Err(Failure::of(error)),
        }
    }
}

/// Sends a request that was ended with the check. Returns the replies, if they are of the primary.
pub(super) async fn send(
    connection: &mut impl ConnectionLike,
    request: &Pipeline,
) -> Result<Vec<Value>, Failure> {
    let mut replies: Vec<Value> = request.query_async(connection).await.map_err(Failure::of)?;
    let missing = || RedisError::from((ErrorKind::ResponseError, "a reply is missing"));
    let role = replies.pop().ok_or_else(|| Failure::Error(missing()))?;
    check(&role).map(|()| replies)
}

fn check(role: &Value) -> Result<(), Failure> {
    let not_primary = |role: String| Err(Failure::NotPrimary(NotPrimary(role)));
    let text = |value: &Value| redis::from_redis_value::<String>(value).unwrap_or_default();
    match role {
        // The reply to a ping, in place of the role.
        Value::Status(pong) if pong == "PONG" => Ok(()),
        Value::Bulk(fields) => match fields.first().map(text).as_deref() {
            Some("master") => Ok(()),
            Some("slave") => match fields.get(1..3) {
                Some([host, port]) => {
                    not_primary(format!("a replica of {}:{}", text(host), text(port)))
                }
                _ => not_primary("a replica".into()),
            },
            Some("sentinel") => not_primary("a Sentinel".into()),
            _ => not_primary("of an unknown role".into()),
        },
        _ => not_primary("of an unknown role".into()),
    }
}

/// Whether the error says that there is no command `ROLE`, whose name the server quotes.
fn is_unknown_role(error: &RedisError) -> bool {
    let detail = error.detail().unwrap_or_default().to_ascii_lowercase();
    let name = detail.strip_prefix("unknown command ").unwrap_or_default();
    error.code() == Some("ERR") && name.trim_start_matches(['\'', '`']).starts_with("role")
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
        // To be repeated without it.
        Failure::Error(error) if is_unknown_role(&error) => {
            role.is_missing.store(true, Ordering::SeqCst);
            Err(Failure::Refused(error))
        }
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

/// Discards the idle connections of the pool: they were opened before now, and lead to a node that
/// is not the primary any more.
pub(super) fn discard_idle(pool: &Pool) {
    let now = Instant::now();
    pool.retain(|_, metrics| metrics.created > now);
}
