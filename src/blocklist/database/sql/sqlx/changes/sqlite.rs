//! Reads the changes of an SQLite table by a number that each row gets when it is written.
//!
//! SQLite has one writer at a time. The writing statement itself computes the number: one more than
//! the highest in the table, or the clock's milliseconds if that is more. So the numbers are in the
//! order of commits, and a row that a query does not show gets a higher number than all it shows.
//! Each query begins at the highest number seen, not after it, to check that this row is still
//! there. If the row was pruned, the highest number decreased with it and numbers may have been
//! assigned twice; all entries are then read again. The row of a live session has the number zero, and
//! is not read.

use rocket_db_pools::sqlx::sqlite::SqliteRow;
use rocket_db_pools::sqlx::{self, Row, Sqlite, SqliteConnection};

use crate::blocklist::database::rows::PAGE;
use crate::blocklist::database::sql::connections::Lease;
use crate::blocklist::database::sql::sqlx::backend::{ReadChanges, SqlxConnections};
use crate::blocklist::database::sql::sqlx::connection::SqlxConnection;
use crate::blocklist::database::sql::statements::Statements;
use crate::blocklist::entry::{Entry, EntryKey};
use crate::blocklist::replica::changes::{Changes, Cursor};
use crate::blocklist::store::StoreError;

const COLUMNS: &str = "entry, revoked, cut_off, expires, changed";

/// The row with the highest number: where the next pass begins.
#[derive(Clone, Default)]
struct Watermark {
    changed: i64,
    key: Vec<u8>,
}

/// The position of a pass.
enum Position {
    /// At the end of the pass.
    Begin(Watermark),
    /// Among the changes, after this row.
    Changes { after: Watermark, next: Watermark },
    /// Among all entries, after this key.
    Entries { key: Vec<u8>, next: Watermark },
}

#[rocket::async_trait]
impl ReadChanges for Sqlite {
    async fn changes(
        connections: &SqlxConnections<Self>,
        statements: &Statements,
        after: Option<&Cursor>,
    ) -> Result<Changes, StoreError> {
        let (table, after) = (&*statements.table, after.and_then(Cursor::get::<Position>));
        let read = |mut lease: Lease<SqlxConnection<Sqlite>>| async move {
            let connection = lease.connection.get();
            let changes = page_after(connection, table, after).await;
            (lease, changes)
        };
        connections.run(read).await.map_err(StoreError::new)
    }
}

async fn page_after(
    connection: &mut SqliteConnection,
    table: &str,
    after: Option<&Position>,
) -> Result<Changes, sqlx::Error> {
    match after {
        None => begin(connection, table, None).await,
        Some(Position::Begin(watermark)) => begin(connection, table, Some(watermark)).await,
        Some(Position::Changes { after, next }) => {
            let statement = format!(
                "SELECT {COLUMNS} FROM {table} WHERE changed >= ?1 \
                 AND (changed > ?1 OR entry > ?2) ORDER BY changed, entry LIMIT ?3"
            );
            let query = sqlx::query(&statement).bind(after.changed).bind(&after.key[..]);
            let rows = query.bind(PAGE).fetch_all(connection).await?;
            page(&rows, 0, next, in_changes)
        }
        Some(Position::Entries { key, next }) => {
            let statement = format!(
                "SELECT {COLUMNS} FROM {table} WHERE entry > ?1 AND changed > 0 \
                 ORDER BY entry LIMIT ?2"
            );
            let query = sqlx::query(&statement).bind(&key[..]);
            let rows = query.bind(PAGE).fetch_all(connection).await?;
            page(&rows, 0, next, in_entries)
        }
    }
}

async fn begin(
    connection: &mut SqliteConnection,
    table: &str,
    watermark: Option<&Watermark>,
) -> Result<Changes, sqlx::Error> {
    let statement = format!(
        "SELECT (SELECT changed FROM {table} WHERE entry = ?1) AS seen, top.*, found.* \
         FROM (SELECT 1) AS always \
         LEFT JOIN (SELECT changed, entry FROM {table} WHERE changed > 0 \
                    ORDER BY changed DESC, entry DESC LIMIT 1) \
         AS top ON true \
         LEFT JOIN (SELECT {COLUMNS} FROM {table} WHERE changed >= max(?2, 1) \
                    ORDER BY changed, entry LIMIT ?3) AS found ON true \
         ORDER BY found.changed, found.entry"
    );
    let (key, from) = watermark.map_or((&[][..], i64::MAX), |mark| (&mark.key, mark.changed));
    let query = sqlx::query(&statement).bind(key).bind(from);
    let rows = query.bind(PAGE).fetch_all(connection).await?;
    let Some(first) = rows.first() else { return Err(sqlx::Error::RowNotFound) };

    let seen: Option<i64> = first.try_get(0)?;
    let next = Watermark {
        changed: first.try_get::<Option<_>, _>(1)?.unwrap_or_default(),
        key: first.try_get::<Option<_>, _>(2)?.unwrap_or_default(),
    };
    match watermark {
        // The table was empty at the last pass, so this query reads all entries.
        Some(watermark)
            if watermark.key.is_empty() || seen.is_some_and(|seen| seen >= watermark.changed) =>
        {
            page(&rows, 3, &next, in_changes)
        }
        _ => {
            let cursor = Cursor::new(Position::Entries { key: vec![], next });
            Ok(Changes { entries: vec![], cursor, more: true })
        }
    }
}

fn in_changes(after: Watermark, next: Watermark) -> Position {
    Position::Changes { after, next }
}

fn in_entries(Watermark { key, .. }: Watermark, next: Watermark) -> Position {
    Position::Entries { key, next }
}

/// A page of rows, whose entry columns begin at `first`. If it is full, the pass continues after
/// its last row.
fn page(
    rows: &[SqliteRow],
    first: usize,
    next: &Watermark,
    position: impl FnOnce(Watermark, Watermark) -> Position,
) -> Result<Changes, sqlx::Error> {
    let mut entries = Vec::with_capacity(rows.len());
    let mut last = Watermark::default();
    for row in rows {
        let Some(key) = row.try_get::<Option<Vec<u8>>, _>(first)? else { continue };
        last = Watermark { changed: row.try_get(first + 4)?, key: key.clone() };
        // No token has a key of another length.
        let Ok(key) = EntryKey::try_from(key) else { continue };
        entries.push(Entry {
            key,
            revoked: row.try_get::<i64, _>(first + 1)? != 0,
            cut_off: row.try_get(first + 2)?,
            until: row.try_get(first + 3)?,
        });
    }
    let more = rows.len() as i64 >= PAGE;
    let position = if more { position(last, next.clone()) } else { Position::Begin(next.clone()) };
    Ok(Changes { entries, cursor: Cursor::new(position), more })
}
