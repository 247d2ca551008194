//! The statement that reads the rows of any number of tokens, and its columns.

use std::borrow::Cow;

use super::dialect::TableName;
#[cfg(any(feature = "sqlx_sqlite", feature = "sqlx_mysql"))]
use crate::blocklist::database::batch::{KEYS_PER_LOOKUP, MAX_BATCH};
use crate::blocklist::database::rows::{self, Row};
use crate::blocklist::entry::EntryKey;
use crate::blocklist::store::StoreError;

/// The columns of a [`SessionRow`](crate::blocklist::SessionRow), except `revoked`, which says
/// whether it has ended.
const SESSION_COLUMNS: &str = "current_jti, last_jti, exchanged, seed, ended_by";

/// The number of columns of a lookup.
#[cfg(feature = "sqlx_mysql")]
pub(super) const COLUMNS: usize = 8;

/// Reads entries by key. The columns are those of [`SESSION_COLUMNS`] after entry, revoked and cut_off.
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
    pub(super) fn by_array(table: &TableName<'_>) -> Self {
        Self::Array(format!("{} = ANY ($1)", Self::select(table)))
    }

    #[cfg(any(feature = "sqlx_sqlite", feature = "sqlx_mysql"))]
    pub(super) fn by_parameters(select: &str, end: &str) -> Self {
        let statement = |power| {
            let parameters = vec!["?"; KEYS_PER_LOOKUP << power].join(", ");
            format!("{select} IN ({parameters}){end}")
        };
        Self::Parameters((0..=MAX_BATCH.ilog2()).map(statement).collect())
    }

    /// Adds a last row that says whether the server is read-only, as a demoted primary is. A
    /// separate query would cost a round trip; this one takes up to twice the server's time, so it
    /// is used only once a second. Aurora's readers have the second variable. The first is a
    /// number, or a word in newer versions of MariaDB.
    #[cfg(feature = "sqlx_mysql")]
    pub(super) fn with_role(table: &TableName<'_>) -> Self {
        let select = format!(
            "SELECT entry, revoked, cut_off, {SESSION_COLUMNS}, NULL FROM {table} WHERE entry"
        );
        let none = ["NULL"; COLUMNS].join(", ");
        let only_reads =
            "CONCAT(@@global.read_only) NOT IN ('0', 'OFF') OR @@global.innodb_read_only";
        Self::by_parameters(&select, &format!(" UNION ALL SELECT {none}, {only_reads}"))
    }

    pub(super) fn select(table: &TableName<'_>) -> String {
        format!("SELECT entry, revoked, cut_off, {SESSION_COLUMNS} FROM {table} WHERE entry")
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
    pub(super) fn ends(&self) -> [&str; 2] {
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

/// entry; then the other columns, or `None` if one of them has another type.
pub(super) type Columns = (Vec<u8>, Option<rows::Columns>);

pub(super) fn row((key, columns): Columns) -> Result<Row, StoreError> {
    let key = EntryKey::try_from(key).map_err(|_| rows::malformed())?;
    Ok(Row { key, fields: columns.and_then(|columns| columns.fields(&key)) })
}

/// Reads the columns of a lookup from a driver's row: the drivers' rows have no trait in common.
macro_rules! columns {
    ($row:ident) => {
        $crate::blocklist::database::rows::Columns {
            revoked: $row.try_get(1)?,
            cut_off: $row.try_get(2)?,
            current: $row.try_get(3)?,
            last: $row.try_get(4)?,
            exchanged: $row.try_get(5)?,
            seed: $row.try_get(6)?,
            ended_by: $row.try_get(7)?,
        }
    };
}

pub(super) use columns;
