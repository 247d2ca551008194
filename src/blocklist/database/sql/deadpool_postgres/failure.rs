//! Why an operation with this driver failed.

use std::error::Error;
use std::fmt;

use rocket_db_pools::deadpool_postgres::tokio_postgres;

use crate::blocklist::store::StoreError;

/// Why an operation failed.
#[derive(Debug)]
pub(in crate::blocklist::database::sql) enum Failure {
    NoConnection(tokio_postgres::Error),
    Timeout,
    Aborted,
    Postgres(tokio_postgres::Error),
    /// A column of another type.
    Column(tokio_postgres::Error),
}

impl Failure {
    fn error(&self) -> Option<&tokio_postgres::Error> {
        match self {
            Self::NoConnection(error) | Self::Postgres(error) | Self::Column(error) => Some(error),
            Self::Timeout | Self::Aborted => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(error) = self.error() else {
            return f.write_str(match self {
                Self::Timeout => "no connection within the pool's `connect_timeout`",
                _ => "the connection was not opened, as the runtime shuts down",
            });
        };
        // The driver's text is only "db error"; the server's message is its source.
        match error.source() {
            Some(source) => write!(f, "{error}: {source}"),
            None => error.fmt(f),
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error().map(|error| error as &(dyn Error + 'static))
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Failure::Postgres(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        StoreError::new(failure)
    }
}
