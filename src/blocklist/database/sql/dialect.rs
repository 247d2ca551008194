//! The differences between the databases' statements, and the table of the statements.

use std::fmt;

use crate::blocklist::store::StoreError;

/// A checked table name, as it is inserted into the statements verbatim.
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

/// The differences between the databases in writing statements.
pub(super) struct Dialect {
    /// A parameter by its number.
    pub(super) param: fn(usize) -> String,
    /// The later of a column and a parameter; NULL means never, and is later than any time.
    pub(super) later: fn(&str, &str) -> String,
    /// The new value of `changed`.
    pub(super) changed: String,
    /// Follows an INSERT that has no effect if the row exists; without it, the INSERT would fail
    /// with a duplicate key.
    pub(super) or_nothing: &'static str,
    /// Follows an INSERT that only locks the row if it exists.
    pub(super) or_lock: &'static str,
    /// Begins a transaction in which each statement sees all transactions that were committed
    /// before its first lock was granted.
    pub(super) begin: &'static str,
    /// The types of an id, of a time, of a label and of details.
    pub(super) types: [&'static str; 4],
}

/// The value of `changed` for an entry that readers of changes do not need: a live session.
pub(super) const UNCHANGED: &str = "0";
