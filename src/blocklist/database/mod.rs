//! The stores in databases.

mod batch;
pub(crate) mod pool;
#[cfg(feature = "deadpool_redis")]
pub(crate) mod redis;
mod rows;
#[cfg(feature = "_sql")]
pub(crate) mod sql;
