//! The stores in SQL databases.

#[cfg(any(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
mod changes_postgres;
mod connections;
#[cfg(feature = "deadpool_postgres")]
pub(crate) mod deadpool_postgres;
mod launch;
mod literals;
mod retry;
#[cfg(feature = "_sqlx")]
pub(crate) mod sqlx;
mod statements;
