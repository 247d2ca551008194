//! How a table in PostgreSQL is followed, with either driver: by transaction ids.
//!
//! `changed` is the id of the transaction that wrote the row last. A snapshot tells its `xmin`: every
//! transaction below it has ended, and what it wrote is in the snapshot or was rolled back. So what a
//! snapshot does not show has an id of at least its `xmin`, however long its transaction is held open,
//! and in whatever order transactions commit.
//!
//! A pass begins with one statement, thus one snapshot, that gives the first page of what has changed
//! and [`Mark`], from which the next pass goes on. Pages that follow are of later snapshots, which show
//! more; what they may lack of what is new, the next pass has.
//!
//! The mark stands no higher than right after the table's own last row. Ids that were given out, but left no
//! trace on disk before a crash, are given out again; that of a row that was seen is not, as it was
//! durable before it could be seen. A server that is another one (after a fail-over, or a restart), or
//! that recovered from a crash with `synchronous_commit = off`, is told by [`Mark::server`], and all is
//! read anew.

use super::{Changes, Cursor, Entry, PAGE};
use crate::blocklist::{EntryKey, StoreError};

/// The statements, for a table.
pub(in crate::blocklist) struct Questions {
    /// from, limit.
    begin: String,
    /// changed, entry, limit.
    changes: String,
    /// entry, limit.
    entries: String,
}

/// A value bound to a statement's place.
pub(in crate::blocklist) enum Bound {
    Int(i64),
    Key(Vec<u8>),
}

/// A row of any of the three statements.
pub(in crate::blocklist) struct Found {
    pub(in crate::blocklist) xmin: i64,
    pub(in crate::blocklist) server: String,
    /// The highest `changed` of the table.
    pub(in crate::blocklist) top: Option<i64>,
    pub(in crate::blocklist) changed: Option<i64>,
    /// entry, revoked, cut_off, used, expires; the first is NULL where there is no row.
    pub(in crate::blocklist) columns: Columns,
}

/// [`Found`], of a driver's row: the two have no trait in common.
macro_rules! found {
    ($row:ident) => {
        $crate::blocklist::follow::postgres::Found {
            xmin: $row.try_get(0)?,
            server: $row.try_get(1)?,
            top: $row.try_get(2)?,
            columns: (
                $row.try_get(3)?,
                $row.try_get(4)?,
                $row.try_get(5)?,
                $row.try_get(6)?,
                $row.try_get(7)?,
            ),
            changed: $row.try_get(8)?,
        }
    };
}

pub(in crate::blocklist) use found;

pub(in crate::blocklist) type Columns =
    (Option<Vec<u8>>, Option<bool>, Option<i64>, Option<i64>, Option<i64>);

/// A driver.
#[rocket::async_trait]
pub(in crate::blocklist) trait Driver: Sync {
    async fn ask(&self, statement: &str, values: &[Bound]) -> Result<Vec<Found>, StoreError>;
}

/// From where the next pass goes on.
#[derive(Clone)]
struct Mark {
    server: String,
    from: i64,
}

/// Where a pass is.
enum Place {
    /// At its end.
    Begin(Mark),
    /// In the midst of what has changed, after a row.
    Changes { changed: i64, key: Vec<u8>, next: Mark },
    /// In the midst of all entries, after a key.
    Entries { key: Vec<u8>, next: Mark },
}

impl Questions {
    pub(in crate::blocklist) fn new(table: &str) -> Self {
        // What of the server would not survive a loss: the one its process began with, and the one its
        // recovery from a crash leaves behind.
        let server = "concat(extract(epoch FROM pg_postmaster_start_time()), ' ', \
                      (SELECT extract(epoch FROM stats_reset) FROM pg_stat_bgwriter))";
        let columns = "entry, revoked, cut_off, used, expires, changed";
        Self {
            begin: format!(
                "SELECT txid_snapshot_xmin(txid_current_snapshot()), {server}, \
                 (SELECT max(changed) FROM {table}), found.* \
                 FROM (SELECT 1) AS always LEFT JOIN \
                 (SELECT {columns} FROM {table} WHERE changed >= $1 \
                  ORDER BY changed, entry LIMIT $2) AS found ON true \
                 ORDER BY found.changed, found.entry"
            ),
            changes: format!(
                "SELECT 0::bigint, '', NULL::bigint, {columns} FROM {table} \
                 WHERE changed >= $1 AND (changed > $1 OR entry > $2) \
                 ORDER BY changed, entry LIMIT $3"
            ),
            entries: format!(
                "SELECT 0::bigint, '', NULL::bigint, {columns} FROM {table} \
                 WHERE entry > $1 ORDER BY entry LIMIT $2"
            ),
        }
    }

    pub(in crate::blocklist) async fn follow(
        &self,
        driver: &impl Driver,
        after: Option<&Cursor>,
    ) -> Result<Changes, StoreError> {
        match after.and_then(Cursor::get::<Place>) {
            None => self.begin(driver, None).await,
            Some(Place::Begin(mark)) => self.begin(driver, Some(mark)).await,
            Some(Place::Changes { changed, key, next }) => {
                let values = [Bound::Int(*changed), Bound::Key(key.clone()), Bound::Int(PAGE)];
                let rows = driver.ask(&self.changes, &values).await?;
                Ok(page(rows, next, |changed, key, next| Place::Changes { changed, key, next }))
            }
            Some(Place::Entries { key, next }) => {
                let values = [Bound::Key(key.clone()), Bound::Int(PAGE)];
                let rows = driver.ask(&self.entries, &values).await?;
                Ok(page(rows, next, |_, key, next| Place::Entries { key, next }))
            }
        }
    }

    async fn begin(
        &self,
        driver: &impl Driver,
        mark: Option<&Mark>,
    ) -> Result<Changes, StoreError> {
        let from = mark.map_or(i64::MAX, |mark| mark.from);
        let rows = driver.ask(&self.begin, &[Bound::Int(from), Bound::Int(PAGE)]).await?;
        let first = rows.first().ok_or_else(|| StoreError::new("no answer to `SELECT`"))?;
        let next = Mark {
            server: first.server.clone(),
            from: first.top.map_or(0, |top| top.saturating_add(1).min(first.xmin)),
        };
        match mark {
            Some(mark) if mark.server == next.server => {
                Ok(page(rows, &next, |changed, key, next| Place::Changes { changed, key, next }))
            }
            _ => {
                let cursor = Cursor::new(Place::Entries { key: vec![], next });
                Ok(Changes { entries: vec![], cursor, more: true })
            }
        }
    }
}

/// An answer that goes on after its last row, if it is full.
fn page(rows: Vec<Found>, next: &Mark, place: impl FnOnce(i64, Vec<u8>, Mark) -> Place) -> Changes {
    let is_full = rows.len() as i64 >= PAGE;
    let last = rows.last().filter(|_| is_full);
    let last = last.and_then(|row| Some((row.changed?, row.columns.0.clone()?)));
    let (place, more) = match last {
        Some((changed, key)) => (place(changed, key, next.clone()), true),
        None => (Place::Begin(next.clone()), false),
    };
    let entries = rows.into_iter().filter_map(|row| entry(row.columns)).collect();
    Changes { entries, cursor: Cursor::new(place), more }
}

fn entry((key, revoked, cut_off, used, until): Columns) -> Option<Entry> {
    // A key of another length is no token's.
    let key = EntryKey::try_from(key?).ok()?;
    Some(Entry { key, revoked: revoked?, cut_off, used, until })
}
