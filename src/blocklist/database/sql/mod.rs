//! The stores in SQL databases.

// The sealed trait of the `sqlx` stores exposes these types; without it they are unreachable.
#![cfg_attr(not(feature = "_sqlx"), allow(unreachable_pub))]

#[cfg(any(feature = "sqlx_postgres", feature = "deadpool_postgres"))]
mod changes_postgres;
mod connections;
#[cfg(feature = "deadpool_postgres")]
pub(crate) mod deadpool_postgres;
mod dialect;
mod file_id;
mod launch;
mod literals;
mod lookup;
#[cfg(feature = "deadpool_postgres")]
mod postgres_sessions;
mod retry;
mod session_statements;
mod sessions;
#[cfg(feature = "_sqlx")]
pub(crate) mod sqlx;
mod statements;
mod writes;
