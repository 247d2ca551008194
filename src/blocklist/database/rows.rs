//! What all database stores share: evaluating rows, and using a token up.

use rocket::time::OffsetDateTime;
use uuid::Uuid;

use crate::blocklist::entry::{EntryKey, TokenIds};
use crate::blocklist::store::{Standing, StoreError, UseUp};
use crate::clock;

/// How many entries a page of changes has: some hundred kilobytes.
pub(super) const PAGE: i64 = 4096;

/// How many times a token is looked up again when the row that won its insertion was pruned in
/// between.
const ATTEMPTS: usize = 8;

/// A row as a store holds it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) key: EntryKey,
    /// `None` if the row is malformed.
    pub(super) fields: Option<Fields>,
}

/// The columns of an entry; times are milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    pub(super) revoked: bool,
    pub(super) cut_off: Option<i64>,
    pub(super) used: Option<i64>,
}

/// The two operations in which the stores differ.
#[rocket::async_trait]
pub(super) trait Rows: Send + Sync {
    /// Reads the rows of one to three keys with one query, which starts after this call.
    async fn rows(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError>;

    /// Inserts "used at `now`" if the key has no row at all, as one atomic operation that is
    /// durable when it returns. Returns whether it inserted the row.
    async fn mark_used(&self, key: EntryKey, now: i64, until: i64) -> Result<bool, StoreError>;
}

pub(super) async fn standing(
    store: &impl Rows,
    ids: &TokenIds<'_>,
) -> Result<Standing, StoreError> {
    let (token, subject) = (ids.token_key(), ids.subject_key());
    let keys: Vec<_> = [token, ids.session_key(), subject].into_iter().flatten().collect();
    if keys.is_empty() {
        return Ok(Standing::Live);
    }

    let (mut revoked, mut used) = (false, None);
    for row in store.rows(&keys).await? {
        let key = Some(row.key);
        // Every row is evaluated, so that a malformed one is an error whatever its position.
        match row.fields.ok_or_else(|| malformed_at(&row.key))? {
            _ if !keys.contains(&row.key) => return Err(malformed()),
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

/// Looks the token up, and inserts the mark if the token is live. If another call inserted its mark
/// first, looks the token up again.
///
/// [`Rows::mark_used()`] alone decides that exactly one caller is the first. The lookup before it
/// needs no lock: a revocation of the token itself is a row with the same key, which blocks the
/// insertion; if the session or the subject is revoked in between, that revokes the pair made from
/// this use as well.
pub(super) async fn use_up(
    store: &impl Rows,
    ids: &TokenIds<'_>,
    now: OffsetDateTime,
    until: OffsetDateTime,
) -> Result<UseUp, StoreError> {
    let key = ids.token_key().ok_or_else(|| StoreError::new("the token has no `jti`"))?;
    let (now, until) = (clock::millis(now), clock::millis(until));
    for _ in 0..ATTEMPTS {
        match standing(store, ids).await? {
            Standing::Revoked => return Ok(UseUp::Revoked),
            Standing::Used { first } => return Ok(UseUp::Again { first }),
            Standing::Live if store.mark_used(key, now, until).await? => return Ok(UseUp::First),
            // Another call inserted its row first. The next lookup finds that row, unless it has
            // been pruned.
            Standing::Live => {}
        }
    }
    Err(StoreError::new("an entry was inserted and pruned repeatedly during the operation"))
}

pub(super) fn malformed() -> StoreError {
    StoreError::new("a malformed entry in the blocklist")
}

/// Names the entry, so that it can be found and deleted.
fn malformed_at(key: &EntryKey) -> StoreError {
    StoreError::new(name("a malformed entry in the blocklist: ", key))
}

/// A key as text after a prefix: the letter of its kind, then a `jti`, `sid` or hash in
/// hexadecimal.
pub(super) fn name(prefix: &str, [kind, id @ ..]: &EntryKey) -> String {
    let mut digits = Uuid::encode_buffer();
    let digits = Uuid::from_bytes_ref(id).as_simple().encode_lower(&mut digits);
    let mut name = String::with_capacity(prefix.len() + 1 + digits.len());
    name.push_str(prefix);
    name.push(char::from(*kind));
    name.push_str(digits);
    name
}

fn instant(key: &EntryKey, millis: i64) -> Result<OffsetDateTime, StoreError> {
    clock::from_millis(millis).ok_or_else(|| malformed_at(key))
}
