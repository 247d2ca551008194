//! Repeating what a database took back for the sake of another transaction.

use std::future::Future;
use std::time::Duration;

use rocket::tokio;
use uuid::Uuid;

const ATTEMPTS: u32 = 10;

/// Repeats `run` while its transaction was rolled back, as `is_rolled_back` tells. Nothing of it
/// was done then, so that a repeated "use up" can't meet its own mark; after any other failure, a
/// lost connection above all, nobody knows, and nothing is repeated.
pub(super) async fn persist<T, E, F>(
    run: impl Fn() -> F + Send,
    is_rolled_back: fn(&E) -> bool,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>> + Send,
{
    for attempt in 1..ATTEMPTS {
        match run().await {
            Err(error) if is_rolled_back(&error) => {
                tokio::time::sleep(pause(attempt)).await;
            }
            result => return result,
        }
    }
    run().await
}

/// Longer with each attempt, and by chance: of those who collided and come again at one time, all but
/// one collide again.
fn pause(attempt: u32) -> Duration {
    let chance = Uuid::new_v4().as_u128() % (2_000 << attempt);
    Duration::from_micros(chance as u64)
}

/// Whether this SQLSTATE says that the statement was rolled back and is to be repeated: a
/// serialization failure or a deadlock, which are two codes of PostgreSQL and one of MySQL.
pub(super) fn is_rollback(sql_state: &str) -> bool {
    matches!(sql_state, "40001" | "40P01")
}
