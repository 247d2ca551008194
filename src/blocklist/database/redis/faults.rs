//! Errors of the server and of the pool, with instructions to fix them.

use rocket_db_pools::deadpool_redis::PoolError;
use rocket_db_pools::deadpool_redis::redis::{ErrorKind, RedisError};

use crate::blocklist::store::StoreError;

/// An error of the server, with an instruction if there is one.
pub(super) fn of(error: RedisError) -> StoreError {
    StoreError::new(match error.code() {
        Some("NOAUTH") => {
            "the Redis server demands a password: add it to the pool's `url` \
             (`redis://user:password@host`)"
        }
        Some("OOM") => {
            "the Redis server is full, and records nothing (`OOM`): raise its `maxmemory`, or \
             remove keys of others"
        }
        Some("MISCONF") => {
            "the Redis server cannot save its data, and records nothing (`MISCONF`): see its log \
             and its disk"
        }
        Some("NOREPLICAS") => {
            "the Redis server lacks the replicas it must have, and records nothing (`NOREPLICAS`): \
             see its `min-replicas-to-write`"
        }
        Some("READONLY" | "MASTERDOWN") => {
            "the Redis server is a replica, not the primary (`READONLY`): the pool's `url` must lead \
             to the primary"
        }
        Some("MOVED" | "ASK" | "TRYAGAIN" | "CLUSTERDOWN" | "CROSSSLOT") => {
            "the Redis server is a node of a Redis Cluster, which is not supported"
        }
        _ if error.kind() == ErrorKind::AuthenticationFailed => {
            "the Redis server refused the user or the password: correct the pool's `url`"
        }
        _ if error.to_string().contains("refused to switch database") => {
            "the Redis server refused the database number in the pool's `url`: it has no such \
             database (`databases`), demands a password, or the user has no right to `SELECT`"
        }
        _ => return StoreError::new(error),
    })
}

/// An error of the pool, with an instruction if there is one.
pub(super) fn of_pool(error: PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) if !error.is_io_error() => of(error),
        error => StoreError::new(error),
    }
}
