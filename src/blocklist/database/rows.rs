//! The common parts of all database stores: evaluating rows, and the exchange.

use rocket::time::OffsetDateTime;
use uuid::Uuid;

use crate::blocklist::entry::{EntryKey, IdKey, TokenIds};
use crate::blocklist::exchange::{Exchange, Exchanged, LastExchange, SessionRow};
use crate::blocklist::store::{Standing, StoreError};
use crate::clock;

/// The number of entries in a page of changes: a few hundred kilobytes.
pub(super) const PAGE: i64 = 4096;

/// How many times a session's row is read again because another call wrote it in between. Each such
/// write means that an exchange of the same session has succeeded, or the session has ended.
const ATTEMPTS: usize = 64;

/// A row as stored.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) key: EntryKey,
    /// `None` if the row is malformed.
    pub(super) fields: Option<Fields>,
}

/// The columns of an entry; times are milliseconds since the Unix epoch.
#[derive(Clone, Copy)]
pub(super) enum Fields {
    /// The fields of a token's entry.
    Revoked,
    /// The fields of the entry of a subject, or of everything.
    CutOff(i64),
    Session(SessionRow),
}

/// The columns of a row, as a database returns them.
#[derive(Default)]
pub(super) struct Columns {
    pub(super) revoked: bool,
    pub(super) cut_off: Option<i64>,
    pub(super) current: Option<Vec<u8>>,
    pub(super) last: Option<Vec<u8>>,
    pub(super) exchanged: Option<i64>,
    pub(super) seed: Option<Vec<u8>>,
    pub(super) ended_by: Option<Vec<u8>>,
}

impl Columns {
    /// The fields, unless the columns do not fit each other or the kind of the key.
    pub(super) fn fields(self, [kind, ..]: &EntryKey) -> Option<Fields> {
        let Self { revoked, cut_off, current, last, exchanged, seed, ended_by } = self;
        let id = |bytes: Option<Vec<u8>>| bytes.map(IdKey::try_from).transpose().ok();
        let [current, token, seed, ended_by] = [id(current)?, id(last)?, id(seed)?, id(ended_by)?];
        let last = match (token, exchanged, seed) {
            (Some(token), Some(at), Some(seed)) => Some(LastExchange { token, at, seed }),
            (None, None, None) => None,
            _ => return None,
        };
        // A lookup does not read the owner: the write keeps it.
        let row = SessionRow { ended: revoked, current, last, ended_by, owner: None };
        match (kind, cut_off) {
            (b's', None) if row.is_whole() => Some(Fields::Session(row)),
            (b't', None) if row == SessionRow::ENDED => Some(Fields::Revoked),
            (b'u' | b'e', Some(at)) if row == SessionRow::default() => Some(Fields::CutOff(at)),
            _ => None,
        }
    }
}

/// A write of a session's row. It has no effect if the row has changed since it was read.
pub(super) enum Write<'a> {
    /// Inserts the row of a session, if it has none.
    Begin(&'a LastExchange),
    /// Makes `next` the current token of a live session, if `from` still is.
    Advance { from: &'a IdKey, last: &'a LastExchange },
    /// Ends a live session whose current token is `from`.
    End { from: &'a IdKey },
}

/// The operations that each store implements.
#[rocket::async_trait]
pub(super) trait Rows: Send + Sync {
    /// Reads the rows of at most four keys with one query, which starts after this call.
    async fn rows(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError>;

    /// Writes a session's row for an exchange, as one atomic operation that is durable when it
    /// returns. The row expires at [`Exchange::until()`], unless it expires later already. Returns
    /// whether it had an effect; if that is unknown, the write may be repeated.
    async fn write(
        &self,
        key: &EntryKey,
        write: Write<'_>,
        exchange: &Exchange,
    ) -> Result<bool, StoreError>;
}

/// The result of a lookup.
#[derive(Default)]
struct Found {
    /// Whether the token or its subject is revoked.
    is_revoked: bool,
    session: Option<SessionRow>,
}

async fn look_up(store: &impl Rows, ids: &TokenIds<'_>) -> Result<Found, StoreError> {
    let mut found = Found::default();
    let keys = ids.keys();
    for row in store.rows(&keys).await? {
        if !keys.contains(&row.key) {
            return Err(malformed());
        }
        // Every row is evaluated, so that a malformed one is an error whatever its position.
        match row.fields.ok_or_else(|| malformed_at(&row.key))? {
            Fields::Revoked => found.is_revoked = true,
            Fields::CutOff(at) => {
                found.is_revoked |= ids.is_cut_off_by(instant(&row.key, at)?);
            }
            Fields::Session(session) => found.session = Some(session),
        }
    }
    Ok(found)
}

pub(super) async fn standing(
    store: &impl Rows,
    ids: &TokenIds<'_>,
) -> Result<Standing, StoreError> {
    let found = look_up(store, ids).await?;
    Ok(match found.is_revoked {
        true => Standing::Revoked,
        false => Standing::of(ids, found.session.as_ref()),
    })
}

/// Reads the session's row, decides, and writes the new row if the old one is unchanged; otherwise it
/// starts over.
///
/// The lookup needs no lock. The write decides: it has no effect on a row that another exchange or a
/// logout has written since. If the token or its subject is revoked in between, the exchange counts as
/// before that.
pub(super) async fn exchange(
    store: &impl Rows,
    ids: &TokenIds<'_>,
    exchange: &Exchange,
) -> Result<Exchanged, StoreError> {
    let no_id = || StoreError::new("the token has no `jti`");
    let key = ids.jti_key().and(ids.session_key()).ok_or_else(no_id)?;
    for _ in 0..ATTEMPTS {
        let found = look_up(store, ids).await?;
        if found.is_revoked {
            return Ok(Exchanged::Ended);
        }
        let (outcome, written) = exchange.decide(ids, found.session.as_ref());
        let Some(new) = written else { return Ok(outcome) };
        let from = found.session.and_then(|row| row.current);
        let write = match (&from, &new.last) {
            (Some(from), _) if new.ended => Write::End { from },
            (Some(from), Some(last)) => Write::Advance { from, last },
            (None, Some(last)) => Write::Begin(last),
            (_, None) => return Err(malformed_at(&key)),
        };
        if store.write(&key, write, exchange).await? {
            return Ok(outcome);
        }
    }
    Err(StoreError::new("the row of a session changes all the time"))
}

/// As [`standing()`], for an access token that is to be renewed: `touch` records that in its session's row,
/// and returns whether there is one that is live.
pub(super) async fn renew<S: Rows>(
    store: &S,
    ids: &TokenIds<'_>,
    touch: impl AsyncFnOnce(&EntryKey) -> Result<bool, StoreError>,
) -> Result<Standing, StoreError> {
    let standing = standing(store, ids).await?;
    if standing != Standing::Live {
        return Ok(standing);
    }
    match ids.session_key() {
        Some(key) if touch(&key).await? => Ok(Standing::Live),
        _ if ids.needs_row() => Ok(Standing::Revoked),
        // There is no row, or it has ended since.
        _ => self::standing(store, ids).await,
    }
}

pub(super) fn malformed() -> StoreError {
    StoreError::new("a malformed entry in the blocklist")
}

/// Names the entry, so that it can be found and deleted.
pub(super) fn malformed_at(key: &EntryKey) -> StoreError {
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

/// An id in hexadecimal, in lower case.
#[cfg(feature = "deadpool_redis")]
pub(super) fn id_text(id: &IdKey) -> String {
    Uuid::from_bytes_ref(id).simple().to_string()
}

/// Parses what [`id_text()`] writes.
#[cfg(feature = "deadpool_redis")]
pub(super) fn parse_id(text: &str) -> Option<IdKey> {
    let id = Uuid::try_parse(text).ok()?.into_bytes();
    (id_text(&id) == text).then_some(id)
}

fn instant(key: &EntryKey, millis: i64) -> Result<OffsetDateTime, StoreError> {
    clock::from_millis(millis).ok_or_else(|| malformed_at(key))
}
