//! Classifies database errors by the state of the connection and the statement, and computes the
//! pauses before a retry.

use std::time::Duration;

/// The number of attempts for a statement whose transaction was rolled back.
pub(super) const ATTEMPTS: u32 = 10;

/// The consequence of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A serialization failure, a deadlock or a lock timeout. A rollback leaves no effect.
    RolledBack,
    /// This connection can never execute the statement: it was refused, and had no effect.
    Refused,
    /// The connection has ended. Whether the statement had its effect is unknown.
    Lost,
    /// The statement failed; the connection is usable.
    Failed,
}

/// Exponential backoff with full jitter: transactions that collided and are repeated after equal
/// pauses would collide again.
pub(super) fn backoff(attempt: u32) -> Duration {
    let limit = 2_000 << attempt;
    // If there is no randomness, the full pause is used, which is slower, but correct.
    let micros = getrandom::u64().map_or(limit, |random| random % limit);
    Duration::from_micros(micros)
}

/// The consequence of a SQLSTATE, for PostgreSQL and for the states that MySQL shares.
#[cfg(any(feature = "sqlx_postgres", feature = "sqlx_mysql", feature = "deadpool_postgres"))]
pub(super) fn verdict_on(sql_state: &str) -> Verdict {
    match sql_state {
        // Serialization failure and deadlock; MySQL has one code for both.
        "40001" | "40P01" => Verdict::RolledBack,
        // A read-only transaction, and one that has failed already. MySQL's 1792 is 25006, too.
        "25006" | "25P02" => Verdict::Refused,
        // Shutdown, crash, start-up, and timeouts of idle sessions. The first one may also end a
        // statement that was committed and waited for a standby.
        "57P01" | "57P02" | "57P03" | "57P04" | "57P05" | "25P03" | "25P04" => Verdict::Lost,
        // Connection exceptions, including those of a pooler.
        state if state.starts_with("08") => Verdict::Lost,
        _ => Verdict::Failed,
    }
}
