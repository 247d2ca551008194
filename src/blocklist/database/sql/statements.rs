//! The SQL statements of the stores, for each database, and why they have this form.
//!
//! Every statement is a transaction of its own (autocommit), so that
//!
//!   * a crash leaves either all of its effect or none, and an acknowledged write is durable;
//!   * each query sees everything that was committed before it began, at any isolation level: the
//!     query after a failed insertion finds the row of the call that was first. Inside one
//!     transaction at REPEATABLE READ, MySQL's default, it would read the snapshot of the first
//!     query, and not find that row.
//!
//! One statement reads the rows of any number of tokens ([`Lookup`]).
//!
//! A row is deleted only if it has expired by the clock of the server that prunes and by the clock of
//! the database, so that one wrong clock deletes nothing too early.

use std::borrow::Cow;
use std::fmt;

use uuid::Uuid;

use super::literals::{Style, Value};
#[cfg(any(feature = "sqlx_sqlite", feature = "sqlx_mysql"))]
use crate::blocklist::database::batch::{KEYS_PER_LOOKUP, MAX_BATCH};
use crate::blocklist::database::rows::{self, Fields, Row};
use crate::blocklist::entry::{EntryKey, Revocation};
use crate::blocklist::store::StoreError;
use crate::clock;

/// The most rows a statement deletes, so that none holds its locks for long.
const BATCH: u64 = 1000;

/// A table name that was checked, as it is put into the statements verbatim.
pub struct TableName<'a>(&'a str);

impl<'a> TableName<'a> {
    pub(super) const DEFAULT: TableName<'static> = TableName("jwt_blocklist");

    /// A longer name leaves no room for the names of the indexes (PostgreSQL allows 63 bytes).
    const MAX_LENGTH: usize = 48;

    pub(super) fn new(name: &'a str) -> Result<Self, StoreError> {
        let first = |c: char| c.is_ascii_alphabetic() || c == '_';
        let is_name = name.starts_with(first)
            && name.len() <= Self::MAX_LENGTH
            && name.chars().all(|c| first(c) || c.is_ascii_digit());
        if !is_name {
            return Err(StoreError::new(
                "a table name consists of at most 48 ASCII letters, digits and `_`, and does not \
                 begin with a digit",
            ));
        }
        Ok(Self(name))
    }
}

impl fmt::Display for TableName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A store's statements for its table.
pub struct Statements {
    /// The name of the table.
    pub(super) table: String,
    /// Returns no rows; succeeds if the table exists with all its columns.
    pub(super) probe: String,
    /// Creates the table and its indexes if they are missing.
    pub(super) create: String,
    /// Parameters: entry, revoked, cut_off, expires.
    pub(super) revoke: String,
    pub(super) standing: Lookup,
    /// The same lookup, which says as well whether the server only reads.
    #[cfg(feature = "_sqlx")]
    pub(super) standing_and_role: Option<Lookup>,
    /// Parameters: entry, used, expires.
    pub(super) use_up: String,
    /// Parameters: the current time.
    pub(super) prune: String,
    /// Restores what the table cannot do without.
    pub(super) repair: Option<String>,
    /// Writes an entry, extends it and removes it again, for `launch`.
    pub(super) trial: String,
    /// Whether the trial begins a transaction by itself, which stays open if it fails.
    pub(super) trial_begins: bool,
    /// The rights that are needed, each with a statement that needs no other and has no effect.
    pub(super) rights: Vec<(String, String)>,
    /// Grants all of them to `{role}`.
    pub(super) grant: String,
}

impl Statements {
    #[cfg(feature = "sqlx_sqlite")]
    pub(super) fn sqlite(table: &TableName<'_>) -> Self {
        // Each statement begins as a writer, so that it waits for the lock (`busy_timeout`). One
        // that read first and wrote later would fail immediately with SQLITE_BUSY if another
        // statement had written in between. `unixepoch` has no fraction before SQLite 3.42.
        //
        // `changed` increases with each write (`sqlx::changes`). It includes the clock so that it
        // increases even after the row with the highest number was pruned.
        let changed = format!(
            "max(CAST(round((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER), \
             (SELECT coalesce(max(changed), 0) + 1 FROM {table}))"
        );
        Self {
            // `max` with a NULL is NULL, which is right for `expires`: an entry that never expires
            // wins.
            revoke: format!(
                "INSERT INTO {table} (entry, revoked, cut_off, expires, changed) \
                 VALUES (?1, ?2, ?3, ?4, {changed}) \
                 ON CONFLICT (entry) DO UPDATE SET \
                 revoked = max(revoked, excluded.revoked), \
                 cut_off = max(coalesce(cut_off, excluded.cut_off), \
                               coalesce(excluded.cut_off, cut_off)), \
                 expires = max(expires, excluded.expires), \
                 changed = excluded.changed"
            ),
            use_up: format!(
                "INSERT INTO {table} (entry, revoked, used, expires, changed) \
                 VALUES (?1, 0, ?2, ?3, {changed}) \
                 ON CONFLICT (entry) DO NOTHING"
            ),
            // This machine's clock twice: that of the caller may be another.
            prune: format!(
                "DELETE FROM {table} WHERE entry IN \
                 (SELECT entry FROM {table} \
                 WHERE expires <= min(?1, CAST(strftime('%s', 'now') AS INTEGER) * 1000) \
                 ORDER BY expires LIMIT {BATCH})"
            ),
            ..Self::of(
                table,
                include_str!("../../../../migrations/sqlite.sql"),
                Lookup::by_parameters(&Lookup::select(table), ""),
            )
        }
        .with_trial(Style::Standard, "BEGIN IMMEDIATE; ", "; ROLLBACK")
    }

    #[cfg(any(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
    pub(super) fn postgres(table: &TableName<'_>) -> Self {
        // The transaction id (`changes_postgres`). `pg_current_xact_id()` needs PostgreSQL 13.
        let changed = "txid_current()";
        // The time is constant within a statement, so that the index can be used.
        let until = "LEAST($1, (extract(epoch FROM statement_timestamp()) * 1000)::bigint)";
        Self {
            // GREATEST ignores NULL, which is right for `cut_off` only.
            revoke: format!(
                "INSERT INTO {table} AS old (entry, revoked, cut_off, expires, changed) \
                 VALUES ($1, $2, $3, $4, {changed}) \
                 ON CONFLICT (entry) DO UPDATE SET \
                 revoked = old.revoked OR excluded.revoked, \
                 cut_off = GREATEST(old.cut_off, excluded.cut_off), \
                 expires = CASE WHEN old.expires IS NOT NULL AND excluded.expires IS NOT NULL \
                           THEN GREATEST(old.expires, excluded.expires) END, \
                 changed = excluded.changed"
            ),
            // If another transaction has inserted the row and has not committed yet, DO NOTHING
            // waits for its end: after a commit it inserts nothing, after a rollback it inserts
            // this row.
            use_up: format!(
                "INSERT INTO {table} (entry, revoked, used, expires, changed) \
                 VALUES ($1, false, $2, $3, {changed}) \
                 ON CONFLICT (entry) DO NOTHING"
            ),
            // SKIP LOCKED: two servers that prune share the work instead of waiting. `expires` is
            // checked twice, as a row may have been extended since the inner statement read it. An
            // array rather than IN (SELECT …): the planner then uses the primary key, never a hash
            // join with the whole table.
            prune: format!(
                "DELETE FROM {table} WHERE expires <= {until} AND entry = ANY (ARRAY(\
                 SELECT entry FROM {table} WHERE expires <= {until} ORDER BY expires LIMIT {BATCH} \
                 FOR UPDATE SKIP LOCKED))"
            ),
            ..Self::of(
                table,
                include_str!("../../../../migrations/postgres.sql"),
                Lookup::by_array(table),
            )
        }
        // Several statements in one message are one transaction, also through a pooler that allows no
        // others. Nobody sees the entry, as it is removed before the transaction ends.
        .with_trial(Style::Postgres, "", "")
    }

    #[cfg(feature = "sqlx_mysql")]
    pub(super) fn mysql(table: &TableName<'_>) -> Self {
        // The epoch, with a shared lock until the row is committed (`sqlx::changes`). Without an
        // epoch it is NULL, and the write fails.
        let changed = format!("(SELECT epoch FROM {table}_epoch LOCK IN SHARE MODE)");
        Self {
            // GREATEST with a NULL is NULL, which is right for `expires`: an entry that never
            // expires wins. VALUES(…) is deprecated in MySQL 8, but MariaDB has no other form.
            revoke: format!(
                "INSERT INTO {table} (entry, revoked, cut_off, expires, changed) \
                 VALUES (?, ?, ?, ?, {changed}) \
                 ON DUPLICATE KEY UPDATE \
                 revoked = revoked OR VALUES(revoked), \
                 cut_off = GREATEST(COALESCE(cut_off, VALUES(cut_off)), \
                                    COALESCE(VALUES(cut_off), cut_off)), \
                 expires = GREATEST(expires, VALUES(expires)), \
                 changed = VALUES(changed)"
            ),
            // A plain INSERT, which fails with a duplicate key if the row exists. IGNORE would hide
            // other failures too, and the row count of ON DUPLICATE KEY UPDATE does not distinguish
            // new rows from old ones, as the driver connects with CLIENT_FOUND_ROWS.
            use_up: format!(
                "INSERT INTO {table} (entry, revoked, used, expires, changed) \
                 VALUES (?, FALSE, ?, ?, {changed})"
            ),
            // Ordered by the primary key as well, so that statement-based replication deletes the
            // same rows.
            prune: format!(
                "DELETE FROM {table} WHERE expires <= LEAST(?, UNIX_TIMESTAMP() * 1000) \
                 ORDER BY expires, entry LIMIT {BATCH}"
            ),
            standing_and_role: Some(Lookup::with_role(table)),
            // Higher than every epoch in the table. Without marks, all readers start over.
            repair: Some(format!(
                "INSERT IGNORE INTO {table}_epoch (one, epoch, marks) \
                 SELECT 1, COALESCE(MAX(changed), 0) + 1, '' FROM {table}"
            )),
            probe: format!(
                "SELECT entry, revoked, cut_off, used, expires, changed, epoch, marks \
                 FROM {table}, {table}_epoch WHERE 1 = 0"
            ),
            ..Self::of(
                table,
                include_str!("../../../../migrations/mysql.sql"),
                Lookup::by_parameters(&Lookup::select(table), ""),
            )
        }
        .with_trial(Style::Standard, "START TRANSACTION; ", "; ROLLBACK")
        .with_epoch(table)
    }

    /// The common statements; the others are empty.
    fn of(table: &TableName<'_>, migration: &str, standing: Lookup) -> Self {
        Self {
            table: table.to_string(),
            probe: format!(
                "SELECT entry, revoked, cut_off, used, expires, changed FROM {table} WHERE 1 = 0"
            ),
            create: migration.replace(TableName::DEFAULT.0, table.0),
            revoke: String::new(),
            standing,
            #[cfg(feature = "_sqlx")]
            standing_and_role: None,
            use_up: String::new(),
            prune: String::new(),
            repair: None,
            trial: String::new(),
            trial_begins: false,
            rights: [
                ("SELECT", format!("SELECT entry FROM {table} WHERE 1 = 0")),
                (
                    "INSERT",
                    format!(
                        "INSERT INTO {table} (entry, revoked, changed) \
                         SELECT NULL, NULL, NULL FROM (SELECT 1) AS one WHERE 1 = 0"
                    ),
                ),
                ("UPDATE", format!("UPDATE {table} SET revoked = NULL WHERE 1 = 0")),
                ("DELETE", format!("DELETE FROM {table} WHERE 1 = 0")),
            ]
            .map(|(right, statement)| (right.to_owned(), statement))
            .to_vec(),
            grant: format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {{role}};"),
        }
    }

    /// The trial, from the statements that are tried. Its key is of no kind, so that no token has it.
    fn with_trial(mut self, style: Style, begin: &str, end: &str) -> Self {
        let mut key = [b'-'; 17];
        if let Some(id) = key.last_chunk_mut() {
            *id = Uuid::new_v4().into_bytes();
        }
        let key = Value::Key(&key);
        let values = [key, Value::Bool(true), Value::Int(None), Value::Int(Some(0))];
        let revoke = style.inline(&self.revoke, &values);
        let delete = style.inline(&format!("DELETE FROM {} WHERE entry = ?", self.table), &[key]);
        self.trial_begins = !begin.is_empty();
        self.trial = format!("{begin}{revoke}; {revoke}; {delete}{end}");
        self
    }

    /// The rights on MySQL's second table.
    #[cfg(feature = "sqlx_mysql")]
    fn with_epoch(mut self, table: &TableName<'_>) -> Self {
        for (right, statement) in [
            ("SELECT", format!("SELECT epoch FROM {table}_epoch WHERE 1 = 0")),
            (
                "INSERT",
                format!(
                    "INSERT INTO {table}_epoch (one, epoch, marks) \
                     SELECT NULL, NULL, NULL FROM (SELECT 1) AS one WHERE 1 = 0"
                ),
            ),
            ("UPDATE", format!("UPDATE {table}_epoch SET epoch = NULL WHERE 1 = 0")),
        ] {
            self.rights.push((format!("{right} (on {table}_epoch)"), statement));
        }
        self.grant =
            format!("{} GRANT SELECT, INSERT, UPDATE ON {table}_epoch TO {{role}};", self.grant);
        self
    }

    /// The statements of a running store, with their names.
    #[cfg(feature = "test-util")]
    pub(super) fn named(&self) -> [(&'static str, &str); 5] {
        let [one, many] = self.standing.ends();
        [
            ("revoke", &self.revoke),
            ("standing", one),
            ("standing_of_many", many),
            ("use_up", &self.use_up),
            ("prune", &self.prune),
        ]
    }
}

/// Reads entries by key. The columns are entry, revoked, cut_off, used.
pub(super) enum Lookup {
    /// The keys as one array.
    #[cfg(any(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
    Array(String),
    /// A statement with parameters for the [`KEYS_PER_LOOKUP`] keys of one lookup, one with twice
    /// as many, and so on, so that few statements have to be prepared. Surplus parameters repeat
    /// the last key.
    #[cfg(any(feature = "sqlx_sqlite", feature = "sqlx_mysql"))]
    Parameters(Vec<String>),
}

impl Lookup {
    #[cfg(any(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
    fn by_array(table: &TableName<'_>) -> Self {
        Self::Array(format!("{} = ANY ($1)", Self::select(table)))
    }

    #[cfg(any(feature = "sqlx_sqlite", feature = "sqlx_mysql"))]
    fn by_parameters(select: &str, end: &str) -> Self {
        let statement = |power| {
            let parameters = vec!["?"; KEYS_PER_LOOKUP << power].join(", ");
            format!("{select} IN ({parameters}){end}")
        };
        Self::Parameters((0..=MAX_BATCH.ilog2()).map(statement).collect())
    }

    /// With a last row that says whether the server only reads, as a demoted primary does. A query of its
    /// own for that would cost a round trip, and this takes up to twice the server's time, which is why it
    /// is asked once a second. Aurora's readers have the second variable. The first is a
    /// number, or a word in newer versions of MariaDB.
    #[cfg(feature = "sqlx_mysql")]
    fn with_role(table: &TableName<'_>) -> Self {
        let select = format!("SELECT entry, revoked, cut_off, used, NULL FROM {table} WHERE entry");
        let only_reads =
            "CONCAT(@@global.read_only) NOT IN ('0', 'OFF') OR @@global.innodb_read_only";
        Self::by_parameters(
            &select,
            &format!(" UNION ALL SELECT NULL, NULL, NULL, NULL, {only_reads}"),
        )
    }

    fn select(table: &TableName<'_>) -> String {
        format!("SELECT entry, revoked, cut_off, used FROM {table} WHERE entry")
    }

    /// The statement for these keys, and the keys to bind to it.
    pub(super) fn keys<'k>(
        &self,
        keys: &'k [EntryKey],
    ) -> Result<(&str, Cow<'k, [EntryKey]>), StoreError> {
        match self {
            #[cfg(any(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
            Self::Array(statement) => Ok((statement, Cow::Borrowed(keys))),
            #[cfg(any(feature = "sqlx_sqlite", feature = "sqlx_mysql"))]
            Self::Parameters(statements) => {
                let power =
                    keys.len().div_ceil(KEYS_PER_LOOKUP).next_power_of_two().ilog2() as usize;
                let (statement, last) = statements
                    .get(power)
                    .zip(keys.last())
                    .ok_or_else(|| StoreError::new("too many keys for one lookup"))?;
                let mut keys = keys.to_vec();
                keys.resize(KEYS_PER_LOOKUP << power, *last);
                Ok((statement, Cow::Owned(keys)))
            }
        }
    }

    /// The statements for one lookup, and for the largest batch.
    #[cfg(feature = "test-util")]
    fn ends(&self) -> [&str; 2] {
        match self {
            #[cfg(any(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
            Self::Array(statement) => [statement, statement],
            #[cfg(any(feature = "sqlx_sqlite", feature = "sqlx_mysql"))]
            Self::Parameters(all) => {
                [all.first(), all.last()].map(|text| text.map_or("", |text| text))
            }
        }
    }
}

/// The parameters of [`Statements::revoke`].
pub(super) fn revocation<'v>(entry: &'v Revocation, key: &'v EntryKey) -> [Value<'v>; 4] {
    [
        Value::Key(key),
        Value::Bool(entry.cut_off().is_none()),
        Value::Int(entry.cut_off().map(clock::millis)),
        Value::Int(entry.until().map(clock::millis)),
    ]
}

/// Deletes in batches until one is not full.
pub(super) async fn prune<F, E>(delete: impl Fn() -> F) -> Result<u64, E>
where
    F: Future<Output = Result<u64, E>>,
{
    let mut removed = 0;
    loop {
        let batch = delete().await?;
        removed += batch;
        if batch < BATCH {
            return Ok(removed);
        }
    }
}

/// entry; then revoked, cut_off and used, or `None` if one of them has another type.
pub(super) type Columns = (Vec<u8>, Option<(bool, Option<i64>, Option<i64>)>);

pub(super) fn row((key, fields): Columns) -> Result<Row, StoreError> {
    let key = EntryKey::try_from(key).map_err(|_| rows::malformed())?;
    let fields = fields.map(|(revoked, cut_off, used)| Fields { revoked, cut_off, used });
    Ok(Row { key, fields })
}
