//! Sessions for tests, and what remains of them in Redis.

use rocket_db_pools::deadpool_redis::Pool;
use rocket_jwt_extended::blocklist::RedisBlocklist;

use crate::store_support::{self, deadpool_redis};

/// A server's store in the keys of this place.
pub async fn redis_store(home: &deadpool_redis::Home) -> RedisBlocklist {
    let pool = store_support::pool::<Pool>(&store_support::redis()).await;
    RedisBlocklist::with_prefix(pool, &home.prefix)
}

/// All keys of this place, those of indexes and notes, too.
pub async fn keys(home: &deadpool_redis::Home) -> Vec<String> {
    let mut keys: Vec<String> = home.ask(&["KEYS", &format!("{}*", home.prefix)]).await;
    keys.sort();
    keys
}

/// Removes all of them.
pub async fn end_redis(home: deadpool_redis::Home) {
    for key in keys(&home).await {
        home.ask::<()>(&["DEL", &key]).await;
    }
}
