//! The SQL statements for the sessions that users can list.

use super::dialect::{Dialect, TableName, UNCHANGED};
use crate::blocklist::sessions::MAX_LISTED;

/// The values of each are bound in the order in which its parameters occur.
pub(super) struct SessionStatements {
    /// Like `begin` of the other statements, for a session whose owner is recorded. Further
    /// parameters: subject, seen, ends.
    pub(super) begin: String,
    /// Like `advance` of the other statements. Further parameters, after expires: subject, seen,
    /// ends.
    pub(super) advance: String,
    /// Begins a transaction.
    pub(super) transaction: &'static str,
    /// Locks a subject until the end of the transaction. Parameters: the entry of the lock, expires.
    pub(super) lock: String,
    /// Inserts the row of a login. Parameters: entry, current, subject, seen, ends, expires.
    pub(super) log_in: String,
    /// Inserts the label and details of a session. Parameters: entry, label, details.
    pub(super) notes: String,
    /// Reads the sessions of a subject that have not ended, newest first. Parameters: the entry of the
    /// subject, that of everything, the subject, the current time.
    pub(super) all: String,
    /// Like `all`, for a list.
    pub(super) list: String,
    /// Ends a live session of a subject. Parameters: expires, entry, subject.
    pub(super) end: String,
    /// Records a renewal in the row of a live session, and adds the owner if the row has none. Parameters:
    /// seen, ends, subject, expires, entry.
    pub(super) renew: String,
}

impl SessionStatements {
    pub(super) fn new(table: &TableName<'_>, dialect: &Dialect) -> Self {
        let Dialect { param, later, changed, or_nothing, or_lock, begin, .. } = dialect;
        let p = |number| param(number);
        let later = |column, number| later(column, &param(number));
        // A cut-off that is missing in its row is out of range, and so malformed.
        let cut_off = format!("SELECT COALESCE(cut_off, {}) FROM {table}", i64::MAX);
        let all = format!(
            "SELECT s.entry, s.current_jti, s.seen, s.ends, d.label, d.details, \
             ({cut_off} WHERE entry = {}), ({cut_off} WHERE entry = {}) \
             FROM {table} s LEFT JOIN {table}_details d ON d.entry = s.entry \
             WHERE s.subject = {} AND s.revoked = FALSE AND (s.ends IS NULL OR s.ends > {}) \
             ORDER BY s.entry DESC",
            p(1),
            p(2),
            p(3),
            p(4),
        );
        Self {
            begin: format!(
                "INSERT INTO {table} (entry, revoked, current_jti, last_jti, exchanged, seed, \
                 expires, subject, seen, ends, changed) \
                 VALUES ({}, FALSE, {}, {}, {}, {}, {}, {}, {}, {}, {UNCHANGED}){or_nothing}",
                p(1),
                p(2),
                p(3),
                p(4),
                p(5),
                p(6),
                p(7),
                p(8),
                p(9),
            ),
            advance: format!(
                "UPDATE {table} SET current_jti = {}, last_jti = {}, exchanged = {}, seed = {}, \
                 expires = {}, subject = COALESCE(subject, {}), seen = {}, ends = {} \
                 WHERE entry = {} AND NOT revoked AND current_jti = {}",
                p(1),
                p(2),
                p(3),
                p(4),
                later("expires", 5),
                p(6),
                p(7),
                p(8),
                p(9),
                p(10),
            ),
            transaction: begin,
            lock: format!(
                "INSERT INTO {table} (entry, revoked, expires, changed) \
                 VALUES ({}, FALSE, {}, {UNCHANGED}){or_lock}",
                p(1),
                p(2),
            ),
            log_in: format!(
                "INSERT INTO {table} \
                 (entry, revoked, current_jti, subject, seen, ends, expires, changed) \
                 VALUES ({}, FALSE, {}, {}, {}, {}, {}, {UNCHANGED}){or_nothing}",
                p(1),
                p(2),
                p(3),
                p(4),
                p(5),
                p(6),
            ),
            notes: format!(
                "INSERT INTO {table}_details (entry, label, details) \
                 VALUES ({}, {}, {}){or_nothing}",
                p(1),
                p(2),
                p(3),
            ),
            list: format!("{all} LIMIT {MAX_LISTED}"),
            all,
            end: format!(
                "UPDATE {table} SET revoked = TRUE, expires = {}, changed = {changed} \
                 WHERE entry = {} AND NOT revoked AND subject = {}",
                later("expires", 1),
                p(2),
                p(3),
            ),
            renew: format!(
                // In a row without an owner, `ends` stays NULL until the next exchange.
                "UPDATE {table} SET seen = {}, ends = {}, subject = COALESCE(subject, {}), \
                 expires = {} WHERE entry = {} AND NOT revoked",
                p(1),
                later("ends", 2),
                p(3),
                later("expires", 4),
                p(5),
            ),
        }
    }

    /// The statements with their names, for `EXPLAIN`.
    #[cfg(feature = "test-util")]
    pub(super) fn named(&self) -> [(&'static str, &str); 8] {
        [
            ("begin_owned", &self.begin),
            ("advance_owned", &self.advance),
            ("lock", &self.lock),
            ("log_in", &self.log_in),
            ("notes", &self.notes),
            ("list", &self.list),
            ("end_owned", &self.end),
            ("renew", &self.renew),
        ]
    }
}
