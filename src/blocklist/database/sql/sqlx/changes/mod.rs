//! How the changes of a table are read through `sqlx`: each database needs its own way.

#[cfg(feature = "sqlx_mysql")]
mod mysql;
#[cfg(feature = "sqlx_postgres")]
mod postgres;
#[cfg(feature = "sqlx_sqlite")]
mod sqlite;
