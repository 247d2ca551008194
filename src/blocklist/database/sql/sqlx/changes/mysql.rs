//! Reads the changes of a MySQL or MariaDB table by epoch.
//!
//! Neither database reports which transactions are in progress. A timestamp, or a number from a
//! sequence, is assigned some time before its row is committed, and nothing bounds that interval.
//! So a table with one row contains the current epoch. A writing statement reads the epoch into the
//! row's `changed`, and holds a shared lock on it until the row is committed; writers do not block
//! each other. The reader advances the epoch, for which it needs an exclusive lock: once it has the
//! lock, every write of an earlier epoch has been committed or rolled back. Later writes have the
//! new epoch or a later one, so the next pass begins there. No clock is involved. The row of a live
//! session has the epoch zero, and is not read.
//!
//! With each new epoch the reader stores a random mark. A server that does not have the last mark,
//! after a fail-over or a crash that lost it, may assign epochs a second time; all entries are then
//! read again. The table keeps the last 1024 marks, so with more servers than that each pass reads
//! all entries.
//!
//! The statement that advances the epoch is a separate transaction, on a separate connection that
//! waits at most a second for the lock, as writers queue behind it meanwhile. If it does not get
//! the lock, the poll fails, and the next one tries again.
//!
//! A lock on one node of a Galera cluster, or of a group with several primaries, does not block a
//! writer on another node. There, all servers have to use the same node.

use std::sync::{Arc, Mutex, PoisonError};

use rocket_db_pools::sqlx::{self, Executor, MySql, MySqlConnection, Row};
use uuid::Uuid;

use crate::blocklist::database::rows::PAGE;
use crate::blocklist::database::sql::sqlx::backend::{ReadChanges, SqlxConnections};
use crate::blocklist::database::sql::sqlx::connection::SqlxConnection;
use crate::blocklist::database::sql::statements::Statements;
use crate::blocklist::entry::{Entry, EntryKey};
use crate::blocklist::replica::changes::{Changes, Cursor};
use crate::blocklist::store::StoreError;

const COLUMNS: &str = "entry, revoked, cut_off, expires, changed";

/// The length of a mark in bytes. The table keeps the last 1024 marks.
const MARK_LEN: usize = 4;

/// Where the next pass begins.
#[derive(Clone)]
struct Watermark {
    epoch: i64,
    mark: [u8; MARK_LEN],
}

/// The position of a pass.
struct Position {
    at: At,
    next: Watermark,
    // The value is taken out during use, so that a connection whose query was cancelled is not
    // reused.
    connection: Arc<Mutex<Option<SqlxConnection<MySql>>>>,
}

enum At {
    /// At the end of the pass.
    Begin,
    /// Among the changes, after this row.
    Changes { changed: i64, key: Vec<u8> },
    /// Among all entries, after this key.
    Entries { key: Vec<u8> },
}

#[rocket::async_trait]
impl ReadChanges for MySql {
    async fn changes(
        connections: &SqlxConnections<Self>,
        statements: &Statements,
        after: Option<&Cursor>,
    ) -> Result<Changes, StoreError> {
        let after = after.and_then(Cursor::get::<Position>);
        let kept = after.map(|position| position.connection.clone()).unwrap_or_default();
        let taken = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut connection = match taken {
            Some(connection) => connection,
            None => connect(connections).await.map_err(StoreError::new)?,
        };
        let (entries, at, next) =
            page_after(connection.get(), statements, after).await.map_err(StoreError::new)?;
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
        let more = !matches!(at, At::Begin);
        Ok(Changes { entries, cursor: Cursor::new(Position { at, next, connection: kept }), more })
    }
}

/// A separate connection, as it has a different lock timeout.
async fn connect(
    connections: &SqlxConnections<MySql>,
) -> Result<SqlxConnection<MySql>, sqlx::Error> {
    let mut connection = connections.open_separate().await?;
    connection.get().execute("SET SESSION innodb_lock_wait_timeout = 1").await?;
    Ok(connection)
}

async fn page_after(
    connection: &mut MySqlConnection,
    statements: &Statements,
    after: Option<&Position>,
) -> Result<(Vec<Entry>, At, Watermark), sqlx::Error> {
    let table = &*statements.table;
    let Some(Position { at, next, .. }) = after else {
        return restart(connection, statements).await;
    };
    match at {
        At::Begin => match advance(connection, table, Some(next)).await? {
            Some(watermark) => {
                let from = At::Changes { changed: next.epoch, key: vec![] };
                let (entries, at) = page(connection, table, &from).await?;
                Ok((entries, at, watermark))
            }
            None => restart(connection, statements).await,
        },
        at => {
            let (entries, at) = page(connection, table, at).await?;
            Ok((entries, at, next.clone()))
        }
    }
}

async fn restart(
    connection: &mut MySqlConnection,
    statements: &Statements,
) -> Result<(Vec<Entry>, At, Watermark), sqlx::Error> {
    let table = &*statements.table;
    let mut watermark = advance(connection, table, None).await?;
    if let (None, Some(repair)) = (&watermark, &statements.repair) {
        connection.execute(&**repair).await?;
        watermark = advance(connection, table, None).await?;
    }
    let watermark = watermark.ok_or(sqlx::Error::RowNotFound)?;
    Ok((vec![], At::Entries { key: vec![] }, watermark))
}

/// Advances the epoch if the last mark is still there.
async fn advance(
    connection: &mut MySqlConnection,
    table: &str,
    last: Option<&Watermark>,
) -> Result<Option<Watermark>, sqlx::Error> {
    let mark = Uuid::new_v4().into_bytes().first_chunk().copied().unwrap_or([0; MARK_LEN]);
    // Before the first mark, this is the empty string, which `LOCATE` always finds.
    let last = last.map_or(&[][..], |last| &last.mark);
    let statement = format!(
        "UPDATE {table}_epoch SET epoch = LAST_INSERT_ID(epoch + 1), \
         marks = LEFT(CONCAT(?, marks), 4096) WHERE LOCATE(?, marks) > 0"
    );
    let query = sqlx::query(&statement).bind(&mark[..]).bind(last);
    let done = query.execute(connection).await?;
    let epoch = i64::try_from(done.last_insert_id()).unwrap_or_default();
    Ok((done.rows_affected() == 1).then_some(Watermark { epoch, mark }))
}

/// Reads the next page, and returns where to continue.
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
            let statement = format!(
                "SELECT {COLUMNS} FROM {table} WHERE entry > ? AND changed > 0 ORDER BY entry LIMIT ?"
            );
            let query = sqlx::query(&statement).bind(&key[..]);
            query.bind(PAGE).fetch_all(connection).await?
        }
    };
    let mut entries = Vec::with_capacity(rows.len());
    let mut last = (0, vec![]);
    for row in &rows {
        let key: Vec<u8> = row.try_get(0)?;
        last = (row.try_get(4)?, key.clone());
        // No token has a key of another length.
        let Ok(key) = EntryKey::try_from(key) else { continue };
        entries.push(Entry {
            key,
            revoked: row.try_get(1)?,
            cut_off: row.try_get(2)?,
            until: row.try_get(3)?,
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
