//! The SQL of the stores: what each database is asked, and why in this form.
//!
//! Every statement is a transaction of its own (autocommit), so that
//!
//!   * a crash leaves either the whole of it or nothing, and what was answered is durable;
//!   * each look sees all that was committed before it began, at any isolation level: the look that
//!     follows a lost insertion finds the winner's row. Inside one transaction at REPEATABLE READ,
//!     MySQL's default, it would read the snapshot of the first look, and not find it.
//!
//! The rows of any number of tokens are asked for by one statement ([`Lookup`]).

use std::borrow::Cow;
use std::fmt;

use super::shared::{self, Fields, Row};
use super::{EntryKey, StoreError};

/// How many rows are deleted at a time, that no statement holds locks for long.
pub(super) const BATCH: u64 = 1000;

/// A table's name, checked: it stands in the statements as it is.
pub(super) struct TableName<'a>(&'a str);

impl<'a> TableName<'a> {
    pub(super) const DEFAULT: TableName<'static> = TableName("jwt_blocklist");

    /// Longer ones would not leave room for the names of the indexes (PostgreSQL allows 63 bytes).
    const LONGEST: usize = 48;

    pub(super) fn new(name: &'a str) -> Result<Self, StoreError> {
        let first = |c: char| c.is_ascii_alphabetic() || c == '_';
        let is_name = name.starts_with(first)
            && name.len() <= Self::LONGEST
            && name.chars().all(|c| first(c) || c.is_ascii_digit());
        if !is_name {
            return Err(StoreError::new(
                "a table's name is of letters, digits and `_`, at most 48",
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

/// A store's statements, for its own table.
pub(super) struct Statements {
    /// Its name.
    pub(super) table: String,
    /// Reads nothing; succeeds if the table is there, with its columns.
    pub(super) probe: String,
    /// Creates the table and its indexes where they are missing.
    pub(super) create: String,
    /// entry, revoked, cut_off, expires.
    pub(super) revoke: String,
    pub(super) standing: Lookup,
    /// entry, used, expires.
    pub(super) use_up: String,
    /// Now.
    pub(super) prune: String,
}

impl Statements {
    #[cfg(feature = "sqlx_sqlite")]
    pub(super) fn sqlite(table: &TableName<'_>) -> Self {
        // Each statement begins as a writer, so that it waits for its turn (`busy_timeout`). One
        // that read first and wrote later would fail at once with SQLITE_BUSY wherever another had
        // written in between. `unixepoch` has no fraction before SQLite 3.42.
        //
        // `changed` grows with each row (`sqlx::feed`). The clock is there so that it does so even
        // where the row with the highest one has left.
        let changed = format!(
            "max(CAST(round((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER), \
             (SELECT coalesce(max(changed), 0) + 1 FROM {table}))"
        );
        Self {
            // `max` of a NULL is NULL, which is right for `expires`: for good wins.
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
            prune: format!(
                "DELETE FROM {table} WHERE entry IN \
                 (SELECT entry FROM {table} WHERE expires <= ?1 ORDER BY expires LIMIT {BATCH})"
            ),
            ..Self::of(table, include_str!("../../migrations/sqlite.sql"), Lookup::by_places(table))
        }
    }

    #[cfg(any(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
    pub(super) fn postgres(table: &TableName<'_>) -> Self {
        // The transaction (`follow::postgres`). `pg_current_xact_id()` is of PostgreSQL 13.
        let changed = "txid_current()";
        Self {
            // GREATEST passes over NULL, which is right for `cut_off` only.
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
            // Where another transaction has inserted the row and not yet committed, DO NOTHING
            // waits for its end: after its commit nothing is inserted, after its rollback this row
            // is.
            use_up: format!(
                "INSERT INTO {table} (entry, revoked, used, expires, changed) \
                 VALUES ($1, false, $2, $3, {changed}) \
                 ON CONFLICT (entry) DO NOTHING"
            ),
            // SKIP LOCKED: two servers that prune share the work in place of waiting. `expires` is
            // asked twice, as a row may have been widened since the inner statement saw it. An
            // array rather than IN (SELECT …): the planner then takes the primary key, never a hash
            // join with the whole table.
            prune: format!(
                "DELETE FROM {table} WHERE expires <= $1 AND entry = ANY (ARRAY(\
                 SELECT entry FROM {table} WHERE expires <= $1 ORDER BY expires LIMIT {BATCH} \
                 FOR UPDATE SKIP LOCKED))"
            ),
            ..Self::of(
                table,
                include_str!("../../migrations/postgres.sql"),
                Lookup::by_array(table),
            )
        }
    }

    #[cfg(feature = "sqlx_mysql")]
    pub(super) fn mysql(table: &TableName<'_>) -> Self {
        // The epoch, with a shared lock until the row is committed (`sqlx::feed`). Without an epoch
        // it is NULL, and nothing is written.
        let changed = format!("(SELECT epoch FROM {table}_epoch LOCK IN SHARE MODE)");
        Self {
            // GREATEST of a NULL is NULL, which is right for `expires`: for good wins. VALUES(…) is
            // deprecated in MySQL 8, but MariaDB has no other form.
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
            // A plain insertion, whose failure for a duplicate key is the answer. IGNORE would
            // swallow other failures too, and the count of rows of ON DUPLICATE KEY UPDATE does not
            // tell new from old, as the driver connects with CLIENT_FOUND_ROWS.
            use_up: format!(
                "INSERT INTO {table} (entry, revoked, used, expires, changed) \
                 VALUES (?, FALSE, ?, ?, {changed})"
            ),
            // By the primary key as well, so that replication by statement deletes the same rows.
            prune: format!(
                "DELETE FROM {table} WHERE expires <= ? ORDER BY expires, entry LIMIT {BATCH}"
            ),
            probe: format!(
                "SELECT entry, revoked, cut_off, used, expires, changed, epoch, marks \
                 FROM {table}, {table}_epoch WHERE 1 = 0"
            ),
            ..Self::of(table, include_str!("../../migrations/mysql.sql"), Lookup::by_places(table))
        }
    }

    /// What is the same for all, with the rest left empty.
    fn of(table: &TableName<'_>, migration: &str, standing: Lookup) -> Self {
        Self {
            table: table.to_string(),
            probe: format!(
                "SELECT entry, revoked, cut_off, used, expires, changed FROM {table} WHERE 1 = 0"
            ),
            create: migration.replace(TableName::DEFAULT.0, table.0),
            revoke: String::new(),
            standing,
            use_up: String::new(),
            prune: String::new(),
        }
    }

    /// The statements of a running store, by name.
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

/// Some entries; gives entry, revoked, cut_off, used.
pub(super) enum Lookup {
    /// As an array.
    #[cfg(any(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
    Array(String),
    /// A statement with the [`KEYS`](super::gather::KEYS) places of one question, one with twice as
    /// many, and so on: so few have to be prepared. In places that are left over the last key is asked
    /// for again.
    #[cfg(any(feature = "sqlx_sqlite", feature = "sqlx_mysql"))]
    Places(Vec<String>),
}

impl Lookup {
    #[cfg(any(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
    fn by_array(table: &TableName<'_>) -> Self {
        Self::Array(format!("{} = ANY ($1)", Self::select(table)))
    }

    #[cfg(any(feature = "sqlx_sqlite", feature = "sqlx_mysql"))]
    fn by_places(table: &TableName<'_>) -> Self {
        use super::gather::{KEYS, MOST};
        let statement = |power| {
            let places = vec!["?"; KEYS << power].join(", ");
            format!("{} IN ({places})", Self::select(table))
        };
        Self::Places((0..=MOST.ilog2()).map(statement).collect())
    }

    fn select(table: &TableName<'_>) -> String {
        format!("SELECT entry, revoked, cut_off, used FROM {table} WHERE entry")
    }

    /// The statement for these keys, and what is to be bound to it.
    pub(super) fn keys<'k>(
        &self,
        keys: &'k [EntryKey],
    ) -> Result<(&str, Cow<'k, [EntryKey]>), StoreError> {
        match self {
            #[cfg(any(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
            Self::Array(statement) => Ok((statement, Cow::Borrowed(keys))),
            #[cfg(any(feature = "sqlx_sqlite", feature = "sqlx_mysql"))]
            Self::Places(statements) => {
                use super::gather::KEYS;
                let power = keys.len().div_ceil(KEYS).next_power_of_two().ilog2() as usize;
                let (statement, last) = statements
                    .get(power)
                    .zip(keys.last())
                    .ok_or_else(|| StoreError::new("no statement for so many keys"))?;
                let mut keys = keys.to_vec();
                keys.resize(KEYS << power, *last);
                Ok((statement, Cow::Owned(keys)))
            }
        }
    }

    /// For one question, and for as many as are gathered.
    #[cfg(feature = "test-util")]
    fn ends(&self) -> [&str; 2] {
        match self {
            #[cfg(any(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
            Self::Array(statement) => [statement, statement],
            #[cfg(any(feature = "sqlx_sqlite", feature = "sqlx_mysql"))]
            Self::Places(all) => [all.first(), all.last()].map(|text| text.map_or("", |text| text)),
        }
    }
}

/// entry; revoked, cut_off, used, unless they are of other types.
pub(super) type Columns = (Vec<u8>, Option<(bool, Option<i64>, Option<i64>)>);

pub(super) fn row((key, fields): Columns) -> Result<Row, StoreError> {
    let key = EntryKey::try_from(key).map_err(|_| shared::malformed())?;
    let fields = fields.map(|(revoked, cut_off, used)| Fields { revoked, cut_off, used });
    Ok(Row { key, fields })
}
