//! How a table in SQLite is followed: by a number that each row gets as it is written.
//!
//! There is one writer at a time, which makes its number in the writing statement, one more than the
//! highest there is (or the clock's milliseconds, if that is more). So numbers are in the order of
//! commits, and what a look does not show gets a higher one than all it shows. It begins at the highest
//! it has seen, and not after it, to see whether that row is still there: if it left, the highest number
//! went down with it, numbers may have been given out twice, and all is read anew.

use rocket_db_pools::sqlx::sqlite::SqliteRow;
use rocket_db_pools::sqlx::{self, Row, Sqlite, SqlitePool};

use super::{Changes, Cursor, Follow, StoreError};
use crate::blocklist::follow::{Entry, PAGE};
use crate::blocklist::EntryKey;

const COLUMNS: &str = "entry, revoked, cut_off, used, expires, changed";

/// The row with the highest number.
#[derive(Clone, Default)]
struct Mark {
    changed: i64,
    key: Vec<u8>,
}

/// Where a pass is.
enum Place {
    /// At its end.
    Begin(Mark),
    /// In the midst of what has changed, after a row.
    Changes { after: Mark, next: Mark },
    /// In the midst of all entries, after a key.
    Entries { key: Vec<u8>, next: Mark },
}

#[rocket::async_trait]
impl Follow for Sqlite {
    async fn changes(
        pool: &SqlitePool,
        table: &str,
        after: Option<&Cursor>,
    ) -> Result<Changes, StoreError> {
        let changes = match after.and_then(Cursor::get::<Place>) {
            None => begin(pool, table, None).await,
            Some(Place::Begin(mark)) => begin(pool, table, Some(mark)).await,
            Some(Place::Changes { after, next }) => {
                let statement = format!(
                    "SELECT {COLUMNS} FROM {table} WHERE changed >= ?1 \
                     AND (changed > ?1 OR entry > ?2) ORDER BY changed, entry LIMIT ?3"
                );
                let query = sqlx::query(&statement).bind(after.changed).bind(&after.key[..]);
                let rows = query.bind(PAGE).fetch_all(pool).await;
                rows.and_then(|rows| page(&rows, 0, next, in_changes))
            }
            Some(Place::Entries { key, next }) => {
                let statement = format!(
                    "SELECT {COLUMNS} FROM {table} WHERE entry > ?1 ORDER BY entry LIMIT ?2"
                );
                let query = sqlx::query(&statement).bind(&key[..]);
                let rows = query.bind(PAGE).fetch_all(pool).await;
                rows.and_then(|rows| page(&rows, 0, next, in_entries))
            }
        };
        changes.map_err(StoreError::new)
    }
}

async fn begin(
    pool: &SqlitePool,
    table: &str,
    mark: Option<&Mark>,
) -> Result<Changes, sqlx::Error> {
    let statement = format!(
        "SELECT (SELECT changed FROM {table} WHERE entry = ?1) AS seen, top.*, found.* \
         FROM (SELECT 1) AS always \
         LEFT JOIN (SELECT changed, entry FROM {table} ORDER BY changed DESC, entry DESC LIMIT 1) \
         AS top ON true \
         LEFT JOIN (SELECT {COLUMNS} FROM {table} WHERE changed >= ?2 \
                    ORDER BY changed, entry LIMIT ?3) AS found ON true \
         ORDER BY found.changed, found.entry"
    );
    let (key, from) = mark.map_or((&[][..], i64::MAX), |mark| (&mark.key, mark.changed));
    let query = sqlx::query(&statement).bind(key).bind(from);
    let rows = query.bind(PAGE).fetch_all(pool).await?;
    let Some(first) = rows.first() else { return Err(sqlx::Error::RowNotFound) };

    let seen: Option<i64> = first.try_get(0)?;
    let next = Mark {
        changed: first.try_get::<Option<_>, _>(1)?.unwrap_or_default(),
        key: first.try_get::<Option<_>, _>(2)?.unwrap_or_default(),
    };
    match mark {
        // Nothing was there, and all that is was read now.
        Some(mark) if mark.key.is_empty() || seen.is_some_and(|seen| seen >= mark.changed) => {
            page(&rows, 3, &next, in_changes)
        }
        _ => {
            let cursor = Cursor::new(Place::Entries { key: vec![], next });
            Ok(Changes { entries: vec![], cursor, more: true })
        }
    }
}

fn in_changes(after: Mark, next: Mark) -> Place {
    Place::Changes { after, next }
}

fn in_entries(Mark { key, .. }: Mark, next: Mark) -> Place {
    Place::Entries { key, next }
}

/// An answer that goes on after its last row, if it is full. Its columns begin with the `first`.
fn page(
    rows: &[SqliteRow],
    first: usize,
    next: &Mark,
    place: impl FnOnce(Mark, Mark) -> Place,
) -> Result<Changes, sqlx::Error> {
    let mut entries = Vec::with_capacity(rows.len());
    let mut last = Mark::default();
    for row in rows {
        let Some(key) = row.try_get::<Option<Vec<u8>>, _>(first)? else { continue };
        last = Mark { changed: row.try_get(first + 5)?, key: key.clone() };
        // A key of another length is no token's.
        let Ok(key) = EntryKey::try_from(key) else { continue };
        entries.push(Entry {
            key,
            revoked: row.try_get::<i64, _>(first + 1)? != 0,
            cut_off: row.try_get(first + 2)?,
            used: row.try_get(first + 3)?,
            until: row.try_get(first + 4)?,
        });
    }
    let more = rows.len() as i64 >= PAGE;
    let place = if more { place(last, next.clone()) } else { Place::Begin(next.clone()) };
    Ok(Changes { entries, cursor: Cursor::new(place), more })
}
