//! The stores in SQL databases.

#[cfg(any(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
mod changes_postgres;
#[cfg(feature = "deadpool_postgres")]
pub(in crate::blocklist) mod deadpool_postgres;
mod retry;
#[cfg(feature = "_sqlx")]
pub(in crate::blocklist) mod sqlx;
mod statements;
