//! What the stores on servers have in common: how rows are judged, and how a token is used up.

use rocket::time::OffsetDateTime;
use uuid::Uuid;

use super::{EntryKey, Standing, StoreError, TokenIds, UseUp};
use crate::clock;

/// How often it is looked again after a row that was there has left in between.
const ATTEMPTS: usize = 8;

/// A row as a store holds it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) key: EntryKey,
    /// None if it can't be read.
    pub(super) fields: Option<Fields>,
}

/// What is known of a key; times in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    pub(super) revoked: bool,
    pub(super) cut_off: Option<i64>,
    pub(super) used: Option<i64>,
}

/// The two operations in which the stores differ.
#[rocket::async_trait]
pub(super) trait Rows: Send + Sync {
    /// The rows of these keys, at least one and at most three, by one question that begins after it was
    /// asked.
    async fn rows(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError>;

    /// Inserts "used at `now`" if the key has no row at all, as one atomic operation that is
    /// durable when it returns; tells whether it did.
    async fn mark_used(&self, key: EntryKey, now: i64, until: i64) -> Result<bool, StoreError>;
}

pub(super) async fn standing(
    store: &impl Rows,
    ids: &TokenIds<'_>,
) -> Result<Standing, StoreError> {
    let (token, subject) = (ids.token_key(), ids.subject_key());
    let asked: Vec<_> = [token, ids.session_key(), subject].into_iter().flatten().collect();
    if asked.is_empty() {
        return Ok(Standing::Live);
    }

    let (mut revoked, mut used) = (false, None);
    for row in store.rows(&asked).await? {
        let key = Some(row.key);
        // Every row is looked at, so that a malformed one is an error wherever it stands.
        match row.fields.ok_or_else(|| malformed_at(&row.key))? {
            _ if !asked.contains(&row.key) => return Err(malformed()),
            Fields { revoked: true, .. } => revoked = true,
            Fields { cut_off: Some(at), .. } if key == subject => {
                revoked |= ids.is_cut_off_by(instant(&row.key, at)?);
            }
            Fields { used: Some(first), .. } if key == token => {
                used = Some(instant(&row.key, first)?);
            }
            _ => return Err(malformed_at(&row.key)),
        }
    }

    Ok(match used {
        _ if revoked => Standing::Revoked,
        Some(first) => Standing::Used { first },
        None => Standing::Live,
    })
}

/// Looks, and inserts the mark if nothing is known against the token; whoever finds the mark there
/// already looks again.
///
/// That exactly one caller is the first is decided by [`Rows::mark_used()`] alone. The look before
/// it needs no lock: a revocation of the token itself is a row of the same key, which the insertion
/// meets; a session or a subject that ends in between ends the pair made from this use as well.
pub(super) async fn use_up(
    store: &impl Rows,
    ids: &TokenIds<'_>,
    now: OffsetDateTime,
    until: OffsetDateTime,
) -> Result<UseUp, StoreError> {
    let key = ids.token_key().ok_or_else(|| StoreError::new("a token without `jti`"))?;
    let (now, until) = (clock::millis(now), clock::millis(until));
    for _ in 0..ATTEMPTS {
        match standing(store, ids).await? {
            Standing::Revoked => return Ok(UseUp::Revoked),
            Standing::Used { first } => return Ok(UseUp::Again { first }),
            Standing::Live if store.mark_used(key, now, until).await? => return Ok(UseUp::First),
            // Lost to another call, whose row the next look finds unless it was pruned meanwhile.
            Standing::Live => {}
        }
    }
    Err(StoreError::new("an entry that comes and goes"))
}

pub(super) fn malformed() -> StoreError {
    StoreError::new("a malformed entry in the blocklist")
}

/// Tells which, so that it can be found and deleted.
fn malformed_at(key: &EntryKey) -> StoreError {
    StoreError::new(name("a malformed entry in the blocklist: ", key))
}

/// A key as text, behind some other: the letter of its kind, and a `jti`, `sid` or hash in hexadecimal.
pub(super) fn name(before: &str, [kind, id @ ..]: &EntryKey) -> String {
    let mut digits = Uuid::encode_buffer();
    let digits = Uuid::from_bytes_ref(id).as_simple().encode_lower(&mut digits);
    let mut name = String::with_capacity(before.len() + 1 + digits.len());
    name.push_str(before);
    name.push(char::from(*kind));
    name.push_str(digits);
    name
}

fn instant(key: &EntryKey, millis: i64) -> Result<OffsetDateTime, StoreError> {
    clock::from_millis(millis).ok_or_else(|| malformed_at(key))
}
