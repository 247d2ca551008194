//! Checks whether the connected node is the primary.
//!
//! After a fail-over, an open connection still leads to the demoted node, which continues to serve
//! reads. So every request ends with `ROLE`, and its replies count only if the node is still the
//! primary after the last one.
//!
//! No client can detect a primary that is partitioned and has not learned yet that another node was
//! promoted. Until then, it answers lookups from stale data, and acknowledges revocations that the
//! fail-over will lose. `min-replicas-to-write` limits only the latter.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use rocket_db_pools::deadpool_redis::PoolError;
use rocket_db_pools::deadpool_redis::redis::aio::ConnectionLike;
use rocket_db_pools::deadpool_redis::redis::{self, ErrorKind, Pipeline, RedisError, Value};

use super::faults;
use crate::blocklist::store::StoreError;

/// The errors of a node that cannot execute the command, although another node or connection may.
/// The command had no effect, so it is repeated once on a new connection:
///
/// - `READONLY`, `MASTERDOWN`: a replica, that is a demoted primary.
/// - `LOADING`: the node was restarted, and its address may lead to another node meanwhile.
/// - `NOREPLICAS`: a primary without the replicas that it must have (`min-replicas-to-write`), so
///   another one may have replaced it.
/// - `MOVED`, `ASK`, `TRYAGAIN`, `CLUSTERDOWN`: a node of a Redis Cluster that does not serve the key.
/// - `NOAUTH`: the connection is no longer authenticated, for example behind a proxy that switched
///   to another node.
///
/// Errors of the right node are returned: `OOM`, `MISCONF` (it cannot write to its disk), `BUSY` (a
/// script is running), `NOPERM`.
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

/// Why a request has no valid reply.
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

    /// Whether a retry on another connection may succeed.
    pub(super) fn ends_connection(&self) -> bool {
        !matches!(self, Self::NoConnection(_) | Self::Error(_))
    }

    /// Whether the other connections to this node are unusable too.
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
        // Before Redis 7, an error within a script has the code `ERR`, and the original code in the
        // text.
        Some("ERR") => {
            let detail = error.detail().unwrap_or_default();
            detail.contains("script")
                && ELSEWHERE.iter().any(|code| detail.contains(&format!("-{code} ")))
        }
        Some(code) => ELSEWHERE.contains(&code),
        None => false,
    }
}

/// How the role is queried. Some services have no `ROLE`, as they forward each command to the
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

    /// The request, followed by the check.
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
            Err(error) if self.is_found_missing(&error) => Ok(()),
            Err(error) => Err(Failure::of(error)),
        }
    }

    /// Whether the error says that the server has no `ROLE`. The role is then not queried again.
    pub(super) fn is_found_missing(&self, error: &RedisError) -> bool {
        let is_missing = is_unknown_role(error);
        if is_missing {
            self.is_missing.store(true, Ordering::SeqCst);
        }
        is_missing
    }
}

/// Sends a request that ends with the check. Returns the replies, if they are from the primary.
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
        // The reply to a ping, which replaces the role.
        Value::Status(pong) if pong == "PONG" => Ok(()),
        Value::Bulk(fields) => match fields.first().map(text).as_deref() {
            Some("master") => Ok(()),
            Some("slave") => match fields.get(1..3) {
                Some([host, Value::Int(port)]) => {
                    not_primary(format!("a replica of {}:{port}", text(host)))
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

#[cfg(test)]
mod tests {
    use rocket_db_pools::deadpool_redis::redis::{RedisError, parse_redis_value};

    use super::{Failure, check, is_elsewhere, is_unknown_role};

    fn error(text: &str) -> RedisError {
        match parse_redis_value(format!("-{text}\r\n").as_bytes()) {
            Err(error) => error,
            Ok(value) => panic!("{value:?}"),
        }
    }

    #[test]
    fn an_error_of_the_wrong_node_ends_the_connection() {
        for text in [
            "READONLY You can't write against a read only replica.",
            "READONLY You can't write against a read only replica. script: 94cb, on @user_script:1.",
            "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
            "LOADING Redis is loading the dataset in memory",
            "NOREPLICAS Not enough good replicas to write.",
            "MOVED 3999 127.0.0.1:6381",
            "CLUSTERDOWN Hash slot not served",
            "NOAUTH Authentication required.",
            // Errors of scripts before Redis 7.
            "ERR Error running script (call to f_94cb): @user_script:18: @user_script: 18: -READONLY \
             You can't write against a read only replica. ",
            "ERR Error running script (call to f_94cb): @user_script:18: @user_script: 18: \
             -MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'. ",
        ] {
            assert!(is_elsewhere(&error(text)), "{text}");
            assert!(Failure::of(error(text)).ends_connection(), "{text}");
        }
        for text in [
            "OOM command not allowed when used memory > 'maxmemory'.",
            "MISCONF Redis is configured to save RDB snapshots",
            "BUSY Redis is busy running a script.",
            "NOPERM this user has no permissions to run the 'eval' command",
            "WRONGTYPE Operation against a key holding the wrong kind of value",
            "ERR a malformed entry in the blocklist",
            "ERR READONLY",
        ] {
            assert!(!is_elsewhere(&error(text)), "{text}");
            assert!(!Failure::of(error(text)).ends_connection(), "{text}");
        }
    }

    #[test]
    fn only_the_primary_passes() {
        let role = |text: &str| check(&parse_redis_value(text.as_bytes()).expect("a reply"));
        assert!(role("*3\r\n$6\r\nmaster\r\n:7\r\n*0\r\n").is_ok());
        assert!(role("+PONG\r\n").is_ok());
        for (text, said) in [
            (
                "*5\r\n$5\r\nslave\r\n$8\r\n10.0.0.1\r\n:6379\r\n$9\r\nconnected\r\n:7\r\n",
                "a replica of 10.0.0.1:6379",
            ),
            ("*1\r\n$5\r\nslave\r\n", "a replica:"),
            ("*2\r\n$8\r\nsentinel\r\n*0\r\n", "a Sentinel"),
            ("*0\r\n", "unknown role"),
            ("*1\r\n$-1\r\n", "unknown role"),
            ("$-1\r\n", "unknown role"),
            ("+OK\r\n", "unknown role"),
        ] {
            let Err(Failure::NotPrimary(found)) = role(text) else { panic!("{text}") };
            assert!(found.to_string().contains(said), "{found}");
        }
    }

    #[test]
    fn only_a_server_without_role_is_asked_without_it() {
        for text in
            ["ERR unknown command 'ROLE', with args beginning with: ", "ERR unknown command `role`"]
        {
            assert!(is_unknown_role(&error(text)), "{text}");
        }
        for text in [
            "ERR unknown command 'GET', with args beginning with: 'role' ",
            "NOPERM this user has no permissions to run the 'role' command",
            "ERR role",
        ] {
            assert!(!is_unknown_role(&error(text)), "{text}");
        }
    }
}
