//! Reads the changes of a table through `sqlx`, with a different method for each database.

#[cfg(feature = "sqlx_mysql")]
mod mysql;
#[cfg(feature = "sqlx_postgres")]
mod postgres;
#[cfg(feature = "sqlx_sqlite")]
mod sqlite;
