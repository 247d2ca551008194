//! Statements with their values as literals.
//!
//! A pooler such as PgBouncer may send each message between two `Sync`s to another server session,
//! so a named prepared statement is not found there, or, worse, another client's statement of the
//! same name is used. `sqlx` can bind values in PostgreSQL only with named statements. A statement
//! that is sent as text needs only one message. All values are numbers, booleans and bytes, which
//! are written here in a form that needs no escaping.

use std::fmt::Write;

#[cfg(any(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
use crate::blocklist::entry::EntryKey;

/// A value bound to a statement's parameter.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    Key(&'a [u8]),
    Bytes(Option<&'a [u8]>),
    #[cfg(any(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
    Keys(&'a [EntryKey]),
    Bool(bool),
    Int(Option<i64>),
}

/// How a database writes bytes.
#[derive(Clone, Copy)]
pub(super) enum Style {
    /// `decode('…', 'hex')`: a backslash would depend on `standard_conforming_strings`.
    #[cfg(any(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
    Postgres,
    /// `x'…'`.
    #[cfg(any(feature = "sqlx_sqlite", feature = "sqlx_mysql"))]
    Standard,
}

impl Style {
    /// Replaces `$1`, `?1` or the first `?`, and so on, with the values. A parameter without a
    /// value becomes NULL. The statements of this crate use `$` and `?` only for parameters.
    pub(super) fn inline(self, statement: &str, values: &[Value<'_>]) -> String {
        let mut text = String::with_capacity(statement.len() + 64 * values.len());
        let mut next = 0;
        let mut rest = statement;
        while let Some((before, after)) = rest.split_once(['$', '?']) {
            text.push_str(before);
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            let (number, after) = after.split_at(digits);
            let index = number.parse::<usize>().map_or(next, |number| number.saturating_sub(1));
            next = index + 1;
            self.write(&mut text, values.get(index).copied().unwrap_or(Value::Int(None)));
            rest = after;
        }
        text.push_str(rest);
        text
    }

    // Writing to a `String` never fails.
    fn write(self, text: &mut String, value: Value<'_>) {
        match (self, value) {
            (_, Value::Key(bytes) | Value::Bytes(Some(bytes))) => self.write_bytes(text, bytes),
            #[cfg(any(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
            (_, Value::Keys(keys)) => {
                text.push_str("ARRAY[");
                for (number, key) in keys.iter().enumerate() {
                    if number > 0 {
                        text.push(',');
                    }
                    self.write_bytes(text, key);
                }
                text.push_str("]::bytea[]");
            }
            #[cfg(any(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
            (Self::Postgres, Value::Bool(value)) => {
                let _ = write!(text, "{value}");
            }
            #[cfg(any(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
            (Self::Postgres, Value::Int(Some(int))) => {
                let _ = write!(text, "'{int}'::bigint");
            }
            #[cfg(any(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
            (Self::Postgres, Value::Int(None)) => text.push_str("NULL::bigint"),
            #[cfg(any(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
            (Self::Postgres, Value::Bytes(None)) => text.push_str("NULL::bytea"),
            #[cfg(any(feature = "sqlx_sqlite", feature = "sqlx_mysql"))]
            (Self::Standard, Value::Bool(value)) => text.push(if value { '1' } else { '0' }),
            #[cfg(any(feature = "sqlx_sqlite", feature = "sqlx_mysql"))]
            (Self::Standard, Value::Int(Some(int))) => {
                let _ = write!(text, "{int}");
            }
            #[cfg(any(feature = "sqlx_sqlite", feature = "sqlx_mysql"))]
            (Self::Standard, Value::Int(None) | Value::Bytes(None)) => text.push_str("NULL"),
        }
    }

    fn write_bytes(self, text: &mut String, bytes: &[u8]) {
        let (open, close) = match self {
            #[cfg(any(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
            Self::Postgres => ("decode('", "','hex')"),
            #[cfg(any(feature = "sqlx_sqlite", feature = "sqlx_mysql"))]
            Self::Standard => ("x'", "'"),
        };
        text.push_str(open);
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
        text.push_str(close);
    }
}

#[cfg(all(test, feature = "sqlx_postgres", feature = "sqlx_mysql"))]
mod tests {
    use super::{Style, Value};

    #[test]
    fn values_stand_in_the_place_of_their_parameters() {
        let key = *b"t0123456789abcdef";
        let keys = [key, key];
        let values = [Value::Key(b"t\\'"), Value::Bool(true), Value::Int(Some(i64::MIN))];
        assert_eq!(
            Style::Postgres.inline("a $1 b $3 $2 $3", &values),
            "a decode('745c27','hex') b '-9223372036854775808'::bigint true \
             '-9223372036854775808'::bigint"
        );
        assert_eq!(
            Style::Postgres.inline("= ANY ($1)", &[Value::Keys(&keys[..1])]),
            "= ANY (ARRAY[decode('7430313233343536373839616263646566','hex')]::bytea[])"
        );
        assert_eq!(Style::Standard.inline("(?, ?, ?4)", &values), "(x'745c27', 1, NULL)");
        assert_eq!(Style::Standard.inline("(?3, ?1)", &values[..1]), "(NULL, x'745c27')");
    }
}
