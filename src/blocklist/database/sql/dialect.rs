//! How the databases differ in their statements, and the table that these are for.

use std::fmt;

use crate::blocklist::store::StoreError;

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

impl<'a> TableName<'a> {
    pub(super) fn as_str(&self) -> &'a str {
        self.0
    }
}

impl fmt::Display for TableName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// How the databases differ in the statements that write.
pub(super) struct Dialect {
    /// A parameter by its number.
    pub(super) param: fn(usize) -> String,
    /// The later of a column and a parameter; NULL, which is never, is later than any.
    pub(super) later: fn(&str, &str) -> String,
    /// The new value of `changed`.
    pub(super) changed: String,
    /// After an INSERT that has no effect if the row exists; without it, the INSERT fails with a
    /// duplicate key.
    pub(super) or_nothing: &'static str,
    /// After an INSERT that locks the row if it exists, and changes nothing.
    pub(super) or_lock: &'static str,
    /// Begins a transaction in which each statement sees what others have committed before its first lock
    /// was granted.
    pub(super) begin: &'static str,
    /// The types of an id, of a time, of a label and of details.
    pub(super) types: [&'static str; 4],
}

/// Of an entry that no reader of changes needs: a session that is live.
pub(super) const UNCHANGED: &str = "0";
