//! Checks the server and the user's rights at launch.
//!
//! The check tries each command that the store needs on the keys that it uses, in a form that
//! changes nothing, so a missing right fails the launch rather than the first logout. So does a
//! server that refuses the password or the database number, is not the primary, or cannot record
//! anything: it is full (`maxmemory` with `noeviction`), cannot write to its disk (`MISCONF`), or
//! lacks the replicas it must have (`min-replicas-to-write`).
//!
//! `INFO`, for the warning about eviction, and `ACL WHOAMI`, for the user's name in an error, are not
//! required.

use rocket_db_pools::deadpool_redis::redis::{self, Cmd, RedisError, Value};
use rocket_db_pools::deadpool_redis::{Connection, Pool};
use uuid::Uuid;

use super::faults;
use super::keyspace::Keyspace;
use super::pooled::from_pool;
use super::primary::RoleCheck;
use super::scripts;
use crate::blocklist::entry::EVERYTHING;
use crate::blocklist::store::StoreError;

/// Checks the server and the rights. One error lists all problems.
pub(super) async fn check(
    pool: &Pool,
    keys: &Keyspace,
    role: &RoleCheck,
) -> Result<(), StoreError> {
    let mut connection = from_pool(pool).await.map_err(faults::of_pool)?;
    let mut rights =
        Rights { connection: &mut connection, faults: vec![], missing: Missing::new() };
    match role.verify(rights.connection).await {
        Ok(()) if role.is_missing() => log::warn!(
            "the Redis server of the JWT blocklist has no `ROLE`. A fail-over to a server that \
             keeps the connections of clients would go unnoticed: use one that closes them."
        ),
        Ok(()) => {}
        Err(failure) => match failure.no_permission() {
            Ok(error) => rights.note("ROLE", error),
            // The rights on this node do not matter.
            Err(failure) => return Err(failure.into()),
        },
    }
    rights.try_writing(keys).await;
    // The error also names the rights that only these settings need, so that one change to the ACL
    // is enough.
    let needed = std::mem::replace(&mut rights.missing, Missing::new());
    let faults = rights.faults.len();
    rights.try_reading(keys).await;
    let of_replica = std::mem::replace(&mut rights.missing, Missing::new());
    rights.try_sessions(keys).await;
    rights.faults.truncate(faults);
    let of_sessions = std::mem::replace(&mut rights.missing, needed);
    let mut optional =
        [("blocklist_replica", of_replica.commands), ("sessions", of_sessions.commands)];
    for (_, commands) in &mut optional {
        commands.retain(|name| !rights.missing.commands.contains(name));
    }
    rights.finish(keys, &optional).await?;
    warn_of_eviction(&mut connection).await;
    Ok(())
}

/// Checks the rights that only `blocklist_replica` needs.
pub(super) async fn try_reading(pool: &Pool, keys: &Keyspace) -> Result<(), StoreError> {
    let mut connection = from_pool(pool).await.map_err(faults::of_pool)?;
    let mut rights =
        Rights { connection: &mut connection, faults: vec![], missing: Missing::new() };
    rights.try_reading(keys).await;
    rights.finish(keys, &[]).await
}

/// Checks the rights that only `sessions` needs.
pub(super) async fn check_sessions(pool: &Pool, keys: &Keyspace) -> Result<(), StoreError> {
    let mut connection = from_pool(pool).await.map_err(faults::of_pool)?;
    let mut rights =
        Rights { connection: &mut connection, faults: vec![], missing: Missing::new() };
    rights.try_sessions(keys).await;
    rights.finish(keys, &[]).await
}

/// A setting, and the missing commands that only it needs.
type Optional = (&'static str, Vec<&'static str>);

/// The rights that were found to be missing.
struct Missing {
    commands: Vec<&'static str>,
    keys: bool,
}

impl Missing {
    fn new() -> Self {
        Self { commands: vec![], keys: false }
    }
}

struct Rights<'a> {
    connection: &'a mut Connection,
    faults: Vec<String>,
    missing: Missing,
}

impl Rights<'_> {
    /// Tries the commands that every server needs.
    async fn try_writing(&mut self, keys: &Keyspace) {
        // The name of an entry, as the rights may be limited to such keys.
        let (entry, stream) =
            (format!("{}t{}", keys.prefix, Uuid::new_v4().simple()), keys.stream());
        // The pool sends this command when it hands out a connection.
        self.run("PING", &[]).await;
        self.run("UNWATCH", &[]).await;
        self.run("TIME", &[]).await;
        for command in ["GET", "PTTL"] {
            self.run(command, &[&entry]).await;
        }
        // Each lookup reads it, too.
        self.run("GET", &[&keys.name(&EVERYTHING)]).await;
        if let Some(Value::Status(found)) = self.run("TYPE", &[&stream]).await
            && !matches!(&*found, "stream" | "none")
        {
            let fault = format!("the key `{stream}` is a {found} and no stream: delete it");
            self.faults.push(fault);
        }
        // `XX` requires an existing key, and `XADD` a valid id, so neither command changes
        // anything. The server checks the rights, and whether it is writable, before it checks
        // these.
        self.run("SET", &[&entry, "-", "PX", "1", "XX"]).await;
        self.run("XADD", &[&stream, "no id", "entry", "-"]).await;
        let expired = ["1", "-", "0", "0"].map(String::from);
        let eval = scripts::eval(scripts::REVOKE, keys, &entry, &expired);
        self.run_command("EVAL", &eval).await;
    }

    /// Tries the additional commands for `blocklist_replica`.
    async fn try_reading(&mut self, keys: &Keyspace) {
        let (entry, stream) =
            (format!("{}t{}", keys.prefix, Uuid::new_v4().simple()), keys.stream());
        self.run("XRANGE", &[&stream, "-", "+", "COUNT", "1"]).await;
        self.run("SCAN", &["0", "COUNT", "1"]).await;
        self.run("MGET", &[&entry]).await;
        self.run("XADD", &[&stream, "no id", "entry", "-"]).await;
    }

    /// Tries the additional commands for `sessions`, on keys that do not exist.
    async fn try_sessions(&mut self, keys: &Keyspace) {
        let id = Uuid::new_v4().simple().to_string();
        let (index, notes) = (format!("{}i{id}", keys.prefix), format!("{}d{id}", keys.prefix));
        // Only if the member exists.
        self.run("ZADD", &[&index, "XX", "1", "-"]).await;
        self.run("ZREMRANGEBYSCORE", &[&index, "-inf", "0"]).await;
        self.run("ZREVRANGE", &[&index, "0", "0"]).await;
        for key in [&index, &notes] {
            self.run("PERSIST", &[key]).await;
            self.run("PEXPIRE", &[key, "1"]).await;
        }
        self.run("HMGET", &[&notes, "label", "details"]).await;
        // A value is missing, which the server notices after it has checked the rights.
        self.run("HSET", &[&notes, "label", "-", "details"]).await;
    }

    async fn run(&mut self, command: &'static str, arguments: &[&str]) -> Option<Value> {
        let mut cmd = redis::cmd(command);
        cmd.arg(arguments);
        self.run_command(command, &cmd).await
    }

    async fn run_command(&mut self, command: &'static str, cmd: &Cmd) -> Option<Value> {
        match cmd.query_async::<_, Value>(&mut *self.connection).await {
            Ok(reply) => Some(reply),
            Err(error) => {
                self.note(command, error);
                None
            }
        }
    }

    /// Adds an error, or a missing right.
    fn note(&mut self, command: &'static str, error: RedisError) {
        let detail = error.detail().unwrap_or_default();
        match error.code() {
            Some("NOPERM") if detail.contains("key") => self.missing.keys = true,
            Some("NOPERM") if self.missing.commands.contains(&command) => {}
            Some("NOPERM") => self.missing.commands.push(command),
            // The error of the script, whose commands are also tried individually.
            Some("ERR") if command == "EVAL" && !self.missing.commands.is_empty() => {}
            // The server accepted the command, and rejected only the invalid id.
            Some("ERR") if command == "XADD" && detail.contains("stream ID") => {}
            Some("ERR") if command == "HSET" && detail.contains("number of arguments") => {}
            Some("ERR") if detail.starts_with("unknown command") => self.fault(format!(
                "the server has no `{command}`, or has it renamed: use Redis 5 or later"
            )),
            _ => self.fault(faults::of(error).to_string()),
        }
    }

    fn fault(&mut self, fault: String) {
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// The error of all faults, if there are any.
    async fn finish(mut self, keys: &Keyspace, optional: &[Optional]) -> Result<(), StoreError> {
        let Missing { commands, keys: is_keys } = &self.missing;
        if *is_keys || !commands.is_empty() {
            let mut rights: Vec<_> = commands.iter().map(|name| format!("`{name}`")).collect();
            if *is_keys {
                rights.push(format!("the keys that begin with `{}`", keys.prefix));
            }
            let mut cure = format!("ACL SETUSER {}", user(self.connection).await);
            if *is_keys {
                cure.push_str(&format!(" ~{}*", keys.prefix));
            }
            let all = commands.iter().chain(optional.iter().flat_map(|(_, commands)| commands));
            all.for_each(|name| cure.push_str(&format!(" +{}", name.to_ascii_lowercase())));
            let with = |(setting, commands): &Optional| match &**commands {
                [] => String::new(),
                names => format!(" (with `{setting}` also {})", names.join(", ")),
            };
            let (rights, with) = (rights.join(", "), optional.iter().map(with).collect::<String>());
            let fault = format!("the user has no right to {rights}{with}: run `{cure}`");
            self.faults.push(fault);
        }
        match self.faults.is_empty() {
            true => Ok(()),
            false => Err(StoreError::new(self.faults.join("; "))),
        }
    }
}

/// The name of the user, if it may be queried.
async fn user(connection: &mut Connection) -> String {
    let asked = redis::cmd("ACL").arg("WHOAMI").query_async::<_, String>(connection).await;
    asked.unwrap_or_else(|_| "<user>".into())
}

async fn warn_of_eviction(connection: &mut Connection) {
    let info = redis::cmd("INFO").arg("memory").query_async::<_, String>(connection).await;
    if let Some(policy) = info.ok().as_deref().and_then(eviction_policy) {
        log::warn!("the Redis server of the JWT blocklist may evict keys (`{policy}`).");
        log::warn!("Revoked tokens may become valid again: set `maxmemory-policy noeviction`.");
    }
}

/// The eviction policy in this reply to `INFO memory`, if the server may evict keys.
fn eviction_policy(info: &str) -> Option<&str> {
    let field = |name| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let is_limited = field("maxmemory").is_some_and(|limit| limit.trim() != "0");
    field("maxmemory_policy").map(str::trim).filter(|policy| is_limited && *policy != "noeviction")
}

#[cfg(test)]
mod tests {
    use super::eviction_policy;

    #[test]
    fn only_a_limited_server_with_a_policy_evicts() {
        let info = |limit: u64, policy| {
            format!("# Memory\r\nmaxmemory:{limit}\r\nmaxmemory_policy:{policy}\r\nx:y\r\n")
        };
        assert_eq!(eviction_policy(&info(1024, "allkeys-lru")), Some("allkeys-lru"));
        assert_eq!(eviction_policy(&info(1024, "volatile-ttl")), Some("volatile-ttl"));
        assert_eq!(eviction_policy(&info(1024, "noeviction")), None);
        assert_eq!(eviction_policy(&info(0, "allkeys-lru")), None);
        assert_eq!(eviction_policy(""), None);
    }
}
