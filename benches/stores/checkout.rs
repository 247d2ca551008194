//! A check written by hand: it takes a connection from the pool for each request, and queries the
//! same keys.

use rocket::time::OffsetDateTime;
use rocket_db_pools::deadpool_redis::{Pool, redis};
use rocket_jwt_extended::blocklist::{
    Blocklist, EntryKey, Exchange, Exchanged, RedisBlocklist, Revocation, Standing, StoreError,
    TokenIds,
};

pub struct Checkout {
    pub pool: Pool,
    pub prefix: String,
    /// The store that does everything that is not measured.
    pub store: RedisBlocklist,
}

impl Checkout {
    fn key(&self, [kind, id @ ..]: &EntryKey) -> String {
        let mut text = format!("{}{}", self.prefix, char::from(*kind));
        for byte in id {
            for digit in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(digit.into(), 16));
            }
        }
        text
    }
}

#[rocket::async_trait]
impl Blocklist for Checkout {
    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        let mut question = redis::pipe();
        for key in ids.keys() {
            question.get(self.key(&key));
        }
        let mut connection = self.pool.get().await.map_err(StoreError::new)?;
        let values: Vec<Option<String>> =
            question.query_async(&mut connection).await.map_err(StoreError::new)?;
        let is_revoked = values.iter().flatten().any(|value| value.starts_with('1'));
        Ok(if is_revoked { Standing::Revoked } else { Standing::Live })
    }

    async fn revoke(&self, entry: &Revocation) -> Result<bool, StoreError> {
        self.store.revoke(entry).await
    }

    async fn exchange(
        &self,
        ids: &TokenIds<'_>,
        exchange: &Exchange,
    ) -> Result<Exchanged, StoreError> {
        self.store.exchange(ids, exchange).await
    }

    async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        self.store.prune(now).await
    }
}
