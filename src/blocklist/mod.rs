//! The blocklist of revoked tokens: the trait that every store implements, its entries, and the
//! stores of this crate.

pub(crate) mod access;
#[cfg(feature = "_database")]
mod database;
pub(crate) mod entry;
pub(crate) mod exchange;
mod memory;
pub(crate) mod prune_limit;
pub(crate) mod replica;
pub(crate) mod sessions;
mod store;

#[cfg(feature = "_database")]
pub use database::pool::BlocklistPool;
#[cfg(feature = "deadpool_redis")]
pub use database::redis::RedisBlocklist;
#[cfg(feature = "deadpool_postgres")]
pub use database::sql::deadpool_postgres::PostgresBlocklist;
#[cfg(feature = "_sqlx")]
pub use database::sql::sqlx::{SqlxBlocklist, backend::SqlxBackend};
pub use entry::{EVERYTHING, Entry, EntryKey, IdKey, Revocation, RevocationKind, TokenIds};
pub use exchange::{Exchange, Exchanged, LastExchange, Owner, SessionRow};
pub use memory::MemoryBlocklist;
pub use replica::changes::{Changes, Cursor, ReplicableBlocklist};
pub use sessions::{Begun, Limit, MAX_LISTED, NewSession, Recorded, Renewal};
pub use store::{Blocklist, SessionStore, Standing, StoreError};
