//! How a table in MySQL or MariaDB is followed: by epochs.
//!
//! Neither database tells which transactions are under way, and a time, or a number from a sequence, is
//! given out before its row is committed, by an interval that nothing bounds. So there is a table of
//! one row with the epoch. A writing statement reads it into the row's `changed`, and holds a shared
//! lock on it until it is committed: writers don't wait for each other. Who follows advances the epoch,
//! for which it needs an exclusive lock: when it has it, all that was ever written in earlier epochs is
//! committed, or rolled back. What others write from then on is of the new epoch, or a later one, so
//! the next pass begins there. No clock is asked.
//!
//! With the epoch, a mark is left that nobody else makes. A server that does not have the last one,
//! after a fail-over or a crash that lost it, may give out epochs a second time: all is read anew.
//!
//! The statement that advances is a transaction of its own, on a connection of its own that waits for
//! its lock no longer than a second: those who write wait behind it meanwhile. Where it does not get
//! it, the poll has failed, and the next tries again.

use std::sync::{Arc, Mutex, PoisonError};

use rocket_db_pools::sqlx::{self, Connection, MySql, MySqlConnection, MySqlPool, Row};
use uuid::Uuid;

use super::{Changes, Cursor, Follow, StoreError};
use crate::blocklist::follow::{Entry, PAGE};
use crate::blocklist::EntryKey;

const COLUMNS: &str = "entry, revoked, cut_off, used, expires, changed";

/// The bytes of a mark. The table keeps the last 1024.
const MARK: usize = 4;

/// From where the next pass goes on.
#[derive(Clone)]
struct Mark {
    epoch: i64,
    left: [u8; MARK],
}

/// Where a pass is.
struct Place {
    at: At,
    next: Mark,
    // Taken while it is in use, so that one whose answer nobody waits for is not used again.
    connection: Arc<Mutex<Option<MySqlConnection>>>,
}

enum At {
    /// At its end.
    Begin,
    /// In the midst of what has changed, after a row.
    Changes { changed: i64, key: Vec<u8> },
    /// In the midst of all entries, after a key.
    Entries { key: Vec<u8> },
}

#[rocket::async_trait]
impl Follow for MySql {
    async fn changes(
        pool: &MySqlPool,
        table: &str,
        after: Option<&Cursor>,
    ) -> Result<Changes, StoreError> {
        let after = after.and_then(Cursor::get::<Place>);
        let kept = after.map(|place| place.connection.clone()).unwrap_or_default();
        let taken = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut connection = match taken {
            Some(connection) => connection,
            None => connect(pool).await.map_err(StoreError::new)?,
        };
        let (entries, at, next) =
            follow(&mut connection, table, after).await.map_err(StoreError::new)?;
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
        let more = !matches!(at, At::Begin);
        Ok(Changes { entries, cursor: Cursor::new(Place { at, next, connection: kept }), more })
    }
}

/// A connection outside the pool, whose settings are its own.
async fn connect(pool: &MySqlPool) -> Result<MySqlConnection, sqlx::Error> {
    let mut connection = MySqlConnection::connect_with(&pool.connect_options()).await?;
    sqlx::query("SET SESSION innodb_lock_wait_timeout = 1").execute(&mut connection).await?;
    Ok(connection)
}

async fn follow(
    connection: &mut MySqlConnection,
    table: &str,
    after: Option<&Place>,
) -> Result<(Vec<Entry>, At, Mark), sqlx::Error> {
    let Some(Place { at, next, .. }) = after else { return anew(connection, table).await };
    match at {
        At::Begin => match advance(connection, table, Some(next)).await? {
            Some(mark) => {
                let from = At::Changes { changed: next.epoch, key: vec![] };
                let (entries, at) = page(connection, table, &from).await?;
                Ok((entries, at, mark))
            }
            None => anew(connection, table).await,
        },
        at => {
            let (entries, at) = page(connection, table, at).await?;
            Ok((entries, at, next.clone()))
        }
    }
}

async fn anew(
    connection: &mut MySqlConnection,
    table: &str,
) -> Result<(Vec<Entry>, At, Mark), sqlx::Error> {
    let mark = advance(connection, table, None).await?.ok_or(sqlx::Error::RowNotFound)?;
    Ok((vec![], At::Entries { key: vec![] }, mark))
}

/// Advances the epoch, if the last mark is still there.
async fn advance(
    connection: &mut MySqlConnection,
    table: &str,
    last: Option<&Mark>,
) -> Result<Option<Mark>, sqlx::Error> {
    let left = Uuid::new_v4().into_bytes().first_chunk().copied().unwrap_or([0; MARK]);
    // To be found in any row, where none was left yet.
    let last = last.map_or(&[][..], |last| &last.left);
    let statement = format!(
        "UPDATE {table}_epoch SET epoch = LAST_INSERT_ID(epoch + 1), \
         marks = LEFT(CONCAT(?, marks), 4096) WHERE LOCATE(?, marks) > 0"
    );
    let query = sqlx::query(&statement).bind(&left[..]).bind(last);
    let done = query.execute(connection).await?;
    let epoch = i64::try_from(done.last_insert_id()).unwrap_or_default();
    Ok((done.rows_affected() == 1).then_some(Mark { epoch, left }))
}

/// What comes next, and where to go on.
async fn page(
    connection: &mut MySqlConnection,
    table: &str,
    at: &At,
) -> Result<(Vec<Entry>, At), sqlx::Error> {
    let rows = match at {
        At::Begin => vec![],
        At::Changes { changed, key } => {
            let statement = format!(
                "SELECT {COLUMNS} FROM {table} WHERE changed >= ? AND (changed > ? OR entry > ?) \
                 ORDER BY changed, entry LIMIT ?"
            );
            let query = sqlx::query(&statement).bind(changed).bind(changed).bind(&key[..]);
            query.bind(PAGE).fetch_all(connection).await?
        }
        At::Entries { key } => {
            let statement =
                format!("SELECT {COLUMNS} FROM {table} WHERE entry > ? ORDER BY entry LIMIT ?");
            let query = sqlx::query(&statement).bind(&key[..]);
            query.bind(PAGE).fetch_all(connection).await?
        }
    };
    let mut entries = Vec::with_capacity(rows.len());
    let mut last = (0, vec![]);
    for row in &rows {
        let key: Vec<u8> = row.try_get(0)?;
        last = (row.try_get(5)?, key.clone());
        // A key of another length is no token's.
        let Ok(key) = EntryKey::try_from(key) else { continue };
        entries.push(Entry {
            key,
            revoked: row.try_get(1)?,
            cut_off: row.try_get(2)?,
            used: row.try_get(3)?,
            until: row.try_get(4)?,
        });
    }
    let (changed, key) = last;
    let at = match at {
        _ if (rows.len() as i64) < PAGE => At::Begin,
        At::Entries { .. } => At::Entries { key },
        _ => At::Changes { changed, key },
    };
    Ok((entries, at))
}
