//! The writes of the SQL stores, made from each database's statements.

use rocket::time::OffsetDateTime;

use super::literals::Value;
use super::statements::{BATCH, Statements};
use crate::blocklist::database::rows::Write;
use crate::blocklist::entry::{EntryKey, Revocation};
use crate::blocklist::exchange::{Exchange, Owner};
use crate::blocklist::store::StoreError;
use crate::clock;

/// How often inserting or changing an entry is repeated because it was pruned or inserted in
/// between.
const ATTEMPTS: usize = 8;

/// Runs the statements of a table.
#[rocket::async_trait]
pub(super) trait Writer: Sync {
    fn statements(&self) -> &Statements;

    /// Runs a statement that may be run twice, and returns the number of rows it inserted, changed or
    /// deleted.
    async fn write(&self, statement: &str, values: &[Value<'_>]) -> Result<u64, StoreError>;
}

/// Inserts the entry, or changes the existing one, each with a statement that has an effect for
/// only one of several concurrent callers.
pub(super) async fn revoke(writer: &impl Writer, entry: &Revocation) -> Result<bool, StoreError> {
    let statements = writer.statements();
    let key = entry.key();
    let key = Value::Key(&key);
    let [cut_off, until] =
        [entry.cut_off(), entry.until()].map(|time| Value::Int(time.map(clock::millis)));
    let is_revoked = entry.cut_off().is_none();
    for _ in 0..ATTEMPTS {
        let values = [key, Value::Bool(is_revoked), cut_off, until];
        if writer.write(&statements.insert, &values).await? > 0 {
            return Ok(true);
        }
        let changed = match is_revoked {
            true => writer.write(&statements.revoke, &[until, key]).await?,
            false => writer.write(&statements.cut_off, &[cut_off, until, key, cut_off]).await?,
        };
        if changed > 0 {
            return Ok(true);
        }
        if writer.write(&statements.extend, &[until, key]).await? > 0 {
            return Ok(false);
        }
        // It was pruned in between.
    }
    Err(StoreError::new("an entry was inserted and pruned repeatedly during the operation"))
}

pub(super) async fn write(
    writer: &impl Writer,
    key: &EntryKey,
    write: Write<'_>,
    exchange: &Exchange,
) -> Result<bool, StoreError> {
    let statements = writer.statements();
    let (next, until) = (exchange.next(), exchange.until().map(clock::millis));
    let (key, next, until) = (Value::Key(key), Value::Key(next.as_bytes()), Value::Int(until));
    let owner = exchange.owner().map(owner_values);
    let written = match write {
        Write::Begin(last) => {
            let (token, at) = (Value::Key(&last.token), Value::Int(Some(last.at)));
            let values = [key, next, token, at, Value::Key(&last.seed), until];
            match owner {
                None => writer.write(&statements.begin, &values).await?,
                Some(owner) => {
                    let values: Vec<_> = values.into_iter().chain(owner).collect();
                    writer.write(&statements.sessions.begin, &values).await?
                }
            }
        }
        Write::Advance { from, last } => {
            let (token, at) = (Value::Key(&last.token), Value::Int(Some(last.at)));
            let values = [next, token, at, Value::Key(&last.seed), until];
            let place = [key, Value::Key(from)];
            let statement = match owner {
                None => &statements.advance,
                Some(_) => &statements.sessions.advance,
            };
            let owner = owner.into_iter().flatten();
            let values: Vec<_> = values.into_iter().chain(owner).chain(place).collect();
            writer.write(statement, &values).await?
        }
        Write::End { from } => {
            writer.write(&statements.end, &[next, until, key, Value::Key(from)]).await?
        }
    };
    Ok(written > 0)
}

/// subject, seen, ends.
pub(super) fn owner_values(owner: &Owner) -> [Value<'_>; 3] {
    [Value::Key(&owner.subject), Value::Int(Some(owner.seen)), Value::Int(owner.ends)]
}

pub(super) async fn prune(writer: &impl Writer, now: OffsetDateTime) -> Result<u64, StoreError> {
    let now = [Value::Int(Some(clock::millis(now)))];
    let mut removed = 0;
    loop {
        let batch = writer.write(&writer.statements().prune, &now).await?;
        removed += batch;
        if batch < BATCH {
            return Ok(removed);
        }
    }
}
