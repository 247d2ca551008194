//! The SQL statements of the stores, for each database, and why they have this form.
//!
//! Every statement is a separate transaction (autocommit), so that
//!
//!   * after a crash, either its whole effect or none exists, and an acknowledged write is durable;
//!   * each query sees everything that was committed before it began, at any isolation level: the
//!     query after a failed insertion finds the row of the first call. Inside one transaction at
//!     REPEATABLE READ, MySQL's default, it would read the snapshot of the first query, and miss
//!     that row.
//!
//! One statement reads the rows of any number of tokens ([`Lookup`]).
//!
//! A row is deleted only if it has expired by the clock of the server that prunes and by the clock of
//! the database, so that one wrong clock deletes nothing too early.

use uuid::Uuid;

use super::dialect::{Dialect, TableName, UNCHANGED};
use super::literals::{Style, Value};
use super::lookup::Lookup;
use super::session_statements::SessionStatements;

const COLUMNS: &str = "entry, revoked, cut_off, expires, changed, \
                       current_jti, last_jti, exchanged, seed, ended_by, subject, seen, ends";

/// The most rows that one statement deletes, so that its locks are released soon.
pub(super) const BATCH: u64 = 1000;

/// A store's statements for its table.
///
/// The values of each are bound in the order in which its parameters occur, as MySQL's have no numbers.
pub struct Statements {
    /// The name of the table.
    pub(super) table: String,
    /// Returns no rows; succeeds if the table exists with all its columns.
    pub(super) probe: String,
    /// Like `probe`, for the earlier layout with a row for each exchanged refresh token.
    pub(super) probe_old: String,
    /// Converts a table of that layout to the current layout.
    pub(super) upgrade: String,
    /// Creates the table and its indexes if they are missing.
    pub(super) create: String,
    /// Inserts an entry, if it is missing. Parameters: entry, revoked, cut_off, expires.
    pub(super) insert: String,
    /// Revokes a token or ends a session that is not. Parameters: expires, entry.
    pub(super) revoke: String,
    /// Moves a cut-off forward. Parameters: cut_off, expires, entry, cut_off.
    pub(super) cut_off: String,
    /// Extends an entry. Parameters: expires, entry.
    pub(super) extend: String,
    /// Inserts the row of a session, if it is missing. Parameters: entry, current, last, exchanged, seed,
    /// expires.
    pub(super) begin: String,
    /// Writes an exchange to the row of a live session. Parameters: current, last, exchanged, seed, expires,
    /// entry, and the current token until now.
    pub(super) advance: String,
    /// Ends a live session because of an exchange. Parameters: ended_by, expires, entry, current.
    pub(super) end: String,
    pub(super) standing: Lookup,
    pub(super) sessions: SessionStatements,
    /// The same lookup, which also returns whether the server is read-only.
    #[cfg(feature = "_sqlx")]
    pub(super) standing_and_role: Option<Lookup>,
    /// Parameters: the current time.
    pub(super) prune: String,
    /// Restores rows that must exist.
    pub(super) repair: Option<String>,
    /// Writes an entry, extends it and removes it again, for `launch`.
    pub(super) trial: String,
    /// Whether the trial begins its own transaction, which stays open if the trial fails.
    pub(super) trial_begins: bool,
    /// The required rights, each with a statement that needs only this right and has no effect.
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
        let dialect = Dialect {
            param: |number| format!("?{number}"),
            // `max` with a NULL is NULL.
            later: |column, param| format!("max({column}, {param})"),
            changed: format!(
                "max(CAST(round((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER), \
                 (SELECT coalesce(max(changed), 0) + 1 FROM {table}))"
            ),
            or_nothing: " ON CONFLICT (entry) DO NOTHING",
            or_lock: " ON CONFLICT (entry) DO NOTHING",
            // It locks the whole database.
            begin: "BEGIN IMMEDIATE",
            types: ["BLOB", "INTEGER", "BLOB", "BLOB"],
        };
        Self {
            // The time is checked against this machine's clock as well, since the caller's clock
            // may differ.
            prune: format!(
                "DELETE FROM {table} WHERE entry IN \
                 (SELECT entry FROM {table} \
                 WHERE expires <= min(?1, CAST(strftime('%s', 'now') AS INTEGER) * 1000) \
                 ORDER BY expires LIMIT {BATCH})"
            ),
            ..Self::of(
                table,
                &dialect,
                include_str!("../../../../migrations/sqlite.sql"),
                Lookup::by_parameters(&Lookup::select(table), ""),
            )
        }
        .with_trial(Style::Standard, "BEGIN IMMEDIATE; ", "; ROLLBACK")
    }

    #[cfg(any(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
    pub(super) fn postgres(table: &TableName<'_>) -> Self {
        let dialect = Dialect {
            param: |number| format!("${number}"),
            // GREATEST ignores NULL.
            later: |column, param| {
                format!(
                    "CASE WHEN {column} IS NOT NULL AND {param} IS NOT NULL \
                     THEN GREATEST({column}, {param}) END"
                )
            },
            // The transaction id (`changes_postgres`). `pg_current_xact_id()` needs PostgreSQL 13.
            changed: "txid_current()".into(),
            // If another transaction has inserted the row and has not committed yet, it waits for its
            // end: after a commit it inserts nothing, after a rollback it inserts this row.
            or_nothing: " ON CONFLICT (entry) DO NOTHING",
            or_lock: " ON CONFLICT (entry) DO UPDATE SET revoked = FALSE",
            begin: "BEGIN ISOLATION LEVEL READ COMMITTED",
            types: ["bytea", "bigint", "bytea", "bytea"],
        };
        // The time is constant within a statement, so that the index can be used.
        let until = "LEAST($1, (extract(epoch FROM statement_timestamp()) * 1000)::bigint)";
        let mut statements = Self {
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
                &dialect,
                include_str!("../../../../migrations/postgres.sql"),
                Lookup::by_array(table),
            )
        };
        statements.upgrade.push_str(&format!(" ALTER TABLE {table} SET (fillfactor = 80);"));
        // Several statements in one message are one transaction, also through a pooler that allows no
        // others. Nobody sees the entry, as it is removed before the transaction ends.
        statements.with_trial(Style::Postgres, "", "")
    }

    #[cfg(feature = "sqlx_mysql")]
    pub(super) fn mysql(table: &TableName<'_>) -> Self {
        let dialect = Dialect {
            param: |_| "?".into(),
            // GREATEST with a NULL is NULL.
            later: |column, param| format!("GREATEST({column}, {param})"),
            // The epoch, with a shared lock until the row is committed (`sqlx::changes`). Without an
            // epoch it is NULL, and the write fails.
            changed: format!("(SELECT epoch FROM {table}_epoch LOCK IN SHARE MODE)"),
            // IGNORE would hide other failures too, and the row count of ON DUPLICATE KEY UPDATE does
            // not distinguish new rows from old ones, as the driver connects with CLIENT_FOUND_ROWS.
            or_nothing: "",
            or_lock: " ON DUPLICATE KEY UPDATE revoked = FALSE",
            // At any level, the first lock comes before the snapshot.
            begin: "START TRANSACTION",
            types: ["BINARY(16)", "BIGINT", "VARBINARY(128)", "VARBINARY(1024)"],
        };
        let mut statements = Self {
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
                "SELECT {COLUMNS}, epoch, marks FROM {table}, {table}_epoch WHERE 1 = 0 AND {}",
                has_details(table)
            ),
            ..Self::of(
                table,
                &dialect,
                include_str!("../../../../migrations/mysql.sql"),
                Lookup::by_parameters(&Lookup::select(table), ""),
            )
        };
        // The others create it with the table that they lack.
        statements.upgrade.push_str(&format!(
            " ALTER TABLE {table} ADD INDEX {table}_subject (subject, revoked, entry);"
        ));
        statements
            .with_trial(Style::Standard, "START TRANSACTION; ", "; ROLLBACK")
            .with_epoch(table)
    }

    /// The common statements; the others are empty.
    fn of(table: &TableName<'_>, dialect: &Dialect, migration: &str, standing: Lookup) -> Self {
        let Dialect { param, later, changed, or_nothing, types: [id, time, ..], .. } = dialect;
        let p = |number| param(number);
        let later = |number| later("expires", &param(number));
        Self {
            table: table.to_string(),
            probe: format!("SELECT {COLUMNS} FROM {table} WHERE 1 = 0 AND {}", has_details(table)),
            probe_old: format!("SELECT used FROM {table} WHERE 1 = 0"),
            // In the current layout no row records that a refresh token was exchanged, so the token
            // is revoked.
            upgrade: upgrade(table, id, time),
            create: migration.replace(TableName::DEFAULT.as_str(), table.as_str()),
            insert: format!(
                "INSERT INTO {table} (entry, revoked, cut_off, expires, changed) \
                 VALUES ({}, {}, {}, {}, {changed}){or_nothing}",
                p(1),
                p(2),
                p(3),
                p(4),
            ),
            revoke: format!(
                "UPDATE {table} SET revoked = TRUE, expires = {}, changed = {changed} \
                 WHERE entry = {} AND NOT revoked",
                later(1),
                p(2),
            ),
            cut_off: format!(
                "UPDATE {table} SET cut_off = {}, expires = {}, changed = {changed} \
                 WHERE entry = {} AND cut_off < {}",
                p(1),
                later(2),
                p(3),
                p(4),
            ),
            extend: format!(
                "UPDATE {table} SET expires = {}, changed = {changed} WHERE entry = {}",
                later(1),
                p(2),
            ),
            begin: format!(
                "INSERT INTO {table} \
                 (entry, revoked, current_jti, last_jti, exchanged, seed, expires, changed) \
                 VALUES ({}, FALSE, {}, {}, {}, {}, {}, {UNCHANGED}){or_nothing}",
                p(1),
                p(2),
                p(3),
                p(4),
                p(5),
                p(6),
            ),
            advance: format!(
                "UPDATE {table} SET current_jti = {}, last_jti = {}, exchanged = {}, seed = {}, \
                 expires = {} WHERE entry = {} AND NOT revoked AND current_jti = {}",
                p(1),
                p(2),
                p(3),
                p(4),
                later(5),
                p(6),
                p(7),
            ),
            end: format!(
                "UPDATE {table} SET revoked = TRUE, ended_by = {}, expires = {}, \
                 changed = {changed} WHERE entry = {} AND NOT revoked AND current_jti = {}",
                p(1),
                later(2),
                p(3),
                p(4),
            ),
            standing,
            sessions: SessionStatements::new(table, dialect),
            #[cfg(feature = "_sqlx")]
            standing_and_role: None,
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
                ("SELECT (details)", format!("SELECT entry FROM {table}_details WHERE 1 = 0")),
                (
                    "INSERT (details)",
                    format!(
                        "INSERT INTO {table}_details (entry, label, details) \
                         SELECT NULL, NULL, NULL FROM (SELECT 1) AS one WHERE 1 = 0"
                    ),
                ),
            ]
            .map(|(right, statement)| {
                (right.replace("(details)", &format!("(on {table}_details)")), statement)
            })
            .to_vec(),
            grant: format!(
                "GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {{role}}; \
                 GRANT SELECT, INSERT ON {table}_details TO {{role}};"
            ),
        }
    }

    /// The trial, made from the tested statements. The kind of its key does not exist, so no token
    /// has this key.
    fn with_trial(mut self, style: Style, begin: &str, end: &str) -> Self {
        let mut key = [b'-'; 17];
        if let Some(id) = key.last_chunk_mut() {
            *id = Uuid::new_v4().into_bytes();
        }
        let key = Value::Key(&key);
        let [none, zero] = [None, Some(0)].map(Value::Int);
        let insert = style.inline(&self.insert, &[key, Value::Bool(true), none, zero]);
        let extend = style.inline(&self.extend, &[zero, key]);
        let none = Value::Bytes(None);
        let notes = style.inline(&self.sessions.notes, &[key, none, none]);
        let delete = style.inline(&format!("DELETE FROM {} WHERE entry = ?", self.table), &[key]);
        self.trial_begins = !begin.is_empty();
        self.trial = format!("{begin}{insert}; {extend}; {notes}; {delete}{end}");
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
    pub(super) fn named(&self) -> Vec<(&'static str, &str)> {
        let [one, many] = self.standing.ends();
        let mut named = vec![
            ("insert", &*self.insert),
            ("revoke", &self.revoke),
            ("cut_off", &self.cut_off),
            ("extend", &self.extend),
            ("standing", one),
            ("standing_of_many", many),
            ("begin", &self.begin),
            ("advance", &self.advance),
            ("end", &self.end),
            ("prune", &self.prune),
        ];
        named.extend(self.sessions.named());
        named
    }
}

/// Converts a table with a row for each exchanged refresh token to one with a row for each session.
/// In the new layout no row records that a token was exchanged, so the token is revoked.
fn upgrade(table: &TableName<'_>, id: &str, time: &str) -> String {
    let ids = ["current_jti", "last_jti", "seed", "ended_by", "subject"].map(|name| (name, id));
    let times = ["exchanged", "seen", "ends"].map(|name| (name, time));
    let added = ids.iter().chain(&times);
    let added = added.map(|(name, kind)| format!(" ALTER TABLE {table} ADD COLUMN {name} {kind};"));
    format!(
        "UPDATE {table} SET revoked = TRUE WHERE used IS NOT NULL; \
         ALTER TABLE {table} DROP COLUMN used;{}",
        added.collect::<String>()
    )
}

/// True if the table of labels and details is empty; an error if it is missing.
fn has_details(table: &TableName<'_>) -> String {
    format!("NOT EXISTS (SELECT entry, label, details FROM {table}_details)")
}
