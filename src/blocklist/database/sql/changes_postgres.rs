//! Reads the changes of a PostgreSQL table by transaction id, with either driver.
//!
//! `changed` is the id of the transaction that wrote the row last. A snapshot has an `xmin`: every
//! transaction with a lower id has ended, and its writes are in the snapshot or were rolled back.
//! So a write that a snapshot does not show has an id of at least its `xmin`, however long its
//! transaction stays open, and in whatever order transactions commit.
//!
//! A pass begins with one statement, and therefore one snapshot, which returns the first page of
//! changes and the [`Watermark`] from which the next pass continues. Later pages come from later
//! snapshots, which show more; a new row that they miss is in the next pass.
//!
//! The row of a live session has the id zero, and is not read: an exchange changes no index.
//!
//! The watermark is never higher than just above the table's own last row. After a crash,
//! PostgreSQL assigns ids again that left no trace on disk. The id of a row that was read is not
//! among them, as that row was durable before it became visible. [`Watermark::server`] detects a
//! different server (after a fail-over, or a restart), and one that recovered from a crash with
//! `synchronous_commit = off`; all entries are then read again. `pg_stat_reset_shared('bgwriter')`
//! looks like such a recovery, and has the same effect.
//!
//! Two conditions cost time, but never an entry. A transaction that stays open in any database of
//! the cluster prevents `xmin` from advancing, so each pass reads again all rows written since that
//! transaction began. And the rows of a dump from another cluster keep that cluster's ids: where
//! these are higher, each pass reads those rows again until this cluster has assigned higher ids.

use super::literals::Value;
use crate::blocklist::database::rows::PAGE;
use crate::blocklist::entry::{Entry, EntryKey};
use crate::blocklist::replica::changes::{Changes, Cursor};
use crate::blocklist::store::StoreError;

/// The statements for a table.
pub(super) struct ChangeQueries {
    /// Parameters: watermark, limit.
    begin: String,
    /// Parameters: changed, entry, limit.
    changes: String,
    /// Parameters: entry, limit.
    entries: String,
}

/// A row of any of the three statements.
pub(super) struct ChangeRow {
    pub(super) xmin: i64,
    pub(super) server: String,
    /// The highest `changed` in the table.
    pub(super) top: Option<i64>,
    pub(super) changed: Option<i64>,
    /// entry, revoked, cut_off, expires; entry is NULL if there is no row.
    pub(super) columns: Columns,
}

/// Reads a [`ChangeRow`] from a driver's row: the two drivers' rows have no trait in common.
macro_rules! change_row {
    ($row:ident) => {
        $crate::blocklist::database::sql::changes_postgres::ChangeRow {
            xmin: $row.try_get(0)?,
            server: $row.try_get(1)?,
            top: $row.try_get(2)?,
            columns: ($row.try_get(3)?, $row.try_get(4)?, $row.try_get(5)?, $row.try_get(6)?),
            changed: $row.try_get(7)?,
        }
    };
}

pub(super) use change_row;

pub(super) type Columns = (Option<Vec<u8>>, Option<bool>, Option<i64>, Option<i64>);

/// Runs the statements with a driver.
#[rocket::async_trait]
pub(super) trait Driver: Sync {
    async fn query(
        &self,
        statement: &str,
        params: &[Value<'_>],
    ) -> Result<Vec<ChangeRow>, StoreError>;
}

/// Where the next pass begins.
#[derive(Clone)]
struct Watermark {
    server: String,
    from: i64,
}

/// The position of a pass.
enum Position {
    /// At the end of the pass.
    Begin(Watermark),
    /// Among the changes, after this row.
    Changes { changed: i64, key: Vec<u8>, next: Watermark },
    /// Among all entries, after this key.
    Entries { key: Vec<u8>, next: Watermark },
}

impl ChangeQueries {
    pub(super) fn new(table: &str) -> Self {
        // Identifies the server by values that change when data is lost: the start time of its
        // process, and the time at which recovery from a crash reset the statistics.
        let server = "concat(extract(epoch FROM pg_postmaster_start_time()), ' ', \
                      (SELECT extract(epoch FROM stats_reset) FROM pg_stat_bgwriter))";
        let columns = "entry, revoked, cut_off, expires, changed";
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
                 WHERE entry > $1 AND changed > 0 ORDER BY entry LIMIT $2"
            ),
        }
    }

    /// Reads the page that follows a cursor.
    pub(super) async fn page_after(
        &self,
        driver: &impl Driver,
        after: Option<&Cursor>,
    ) -> Result<Changes, StoreError> {
        match after.and_then(Cursor::get::<Position>) {
            None => self.begin(driver, None).await,
            Some(Position::Begin(watermark)) => self.begin(driver, Some(watermark)).await,
            Some(Position::Changes { changed, key, next }) => {
                let params = [Value::Int(Some(*changed)), Value::Key(key), Value::Int(Some(PAGE))];
                let rows = driver.query(&self.changes, &params).await?;
                Ok(page(rows, next, |changed, key, next| Position::Changes { changed, key, next }))
            }
            Some(Position::Entries { key, next }) => {
                let params = [Value::Key(key), Value::Int(Some(PAGE))];
                let rows = driver.query(&self.entries, &params).await?;
                Ok(page(rows, next, |_, key, next| Position::Entries { key, next }))
            }
        }
    }

    async fn begin(
        &self,
        driver: &impl Driver,
        watermark: Option<&Watermark>,
    ) -> Result<Changes, StoreError> {
        let from = watermark.map_or(i64::MAX, |watermark| watermark.from);
        let params = [Value::Int(Some(from)), Value::Int(Some(PAGE))];
        let rows = driver.query(&self.begin, &params).await?;
        let first = rows.first().ok_or_else(|| StoreError::new("a `SELECT` returned no row"))?;
        let next = Watermark {
            server: first.server.clone(),
            from: first.top.map_or(0, |top| top.saturating_add(1).min(first.xmin)),
        };
        match watermark {
            Some(watermark) if watermark.server == next.server => {
                Ok(page(rows, &next, |changed, key, next| Position::Changes { changed, key, next }))
            }
            _ => {
                let cursor = Cursor::new(Position::Entries { key: vec![], next });
                Ok(Changes { entries: vec![], cursor, more: true })
            }
        }
    }
}

/// A page of rows. If it is full, the pass continues after its last row.
fn page(
    rows: Vec<ChangeRow>,
    next: &Watermark,
    position: impl FnOnce(i64, Vec<u8>, Watermark) -> Position,
) -> Changes {
    let is_full = rows.len() as i64 >= PAGE;
    let last = rows.last().filter(|_| is_full);
    let last = last.and_then(|row| Some((row.changed?, row.columns.0.clone()?)));
    let (position, more) = match last {
        Some((changed, key)) => (position(changed, key, next.clone()), true),
        None => (Position::Begin(next.clone()), false),
    };
    let entries = rows.into_iter().filter_map(|row| entry(row.columns)).collect();
    Changes { entries, cursor: Cursor::new(position), more }
}

fn entry((key, revoked, cut_off, until): Columns) -> Option<Entry> {
    // No token has a key of another length.
    let key = EntryKey::try_from(key?).ok()?;
    Some(Entry { key, revoked: revoked?, cut_off, until })
}
