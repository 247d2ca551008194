//! Retries serialization failures and deadlocks.

use std::future::Future;
use std::time::Duration;

use rocket::tokio;

const ATTEMPTS: u32 = 10;

/// Retries `run` while `is_rolled_back` says that its transaction was rolled back.
///
/// A rollback leaves no effect, so a repeated "use up" cannot find its own mark. After any other
/// failure, such as a lost connection, the outcome is unknown, and nothing is retried.
pub(super) async fn retry_rolled_back<T, E, F>(
    run: impl Fn() -> F + Send,
    is_rolled_back: fn(&E) -> bool,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>> + Send,
{
    for attempt in 1..ATTEMPTS {
        match run().await {
            Err(error) if is_rolled_back(&error) => {
                tokio::time::sleep(backoff(attempt)).await;
            }
            result => return result,
        }
    }
    run().await
}

/// Exponential backoff with full jitter: transactions that collided and are repeated after equal
/// pauses would collide again.
fn backoff(attempt: u32) -> Duration {
    let limit = 2_000 << attempt;
    // Without randomness the whole pause is slow, but correct.
    let micros = getrandom::u64().map_or(limit, |random| random % limit);
    Duration::from_micros(micros)
}

/// Whether this SQLSTATE is a serialization failure or a deadlock: the statement was rolled back
/// and can be retried. PostgreSQL has a code for each, MySQL one for both.
pub(super) fn is_rollback(sql_state: &str) -> bool {
    matches!(sql_state, "40001" | "40P01")
}
