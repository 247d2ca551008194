//! PostgreSQL: [`crate::blocklist::follow::postgres`] through `sqlx`.

use rocket_db_pools::sqlx::{self, PgPool, Postgres, Row};

use super::super::is_rolled_back;
use super::{Changes, Cursor, Follow, StoreError};
use crate::blocklist::follow::postgres::{found, Bound, Driver, Found, Questions};
use crate::blocklist::retry;

#[rocket::async_trait]
impl Follow for Postgres {
    async fn changes(
        pool: &PgPool,
        table: &str,
        after: Option<&Cursor>,
    ) -> Result<Changes, StoreError> {
        Questions::new(table).follow(&Pool(pool), after).await
    }
}

struct Pool<'a>(&'a PgPool);

#[rocket::async_trait]
impl Driver for Pool<'_> {
    async fn ask(&self, statement: &str, values: &[Bound]) -> Result<Vec<Found>, StoreError> {
        let read = || async {
            let mut query = sqlx::query(statement);
            for value in values {
                query = match value {
                    Bound::Int(int) => query.bind(*int),
                    Bound::Key(key) => query.bind(&key[..]),
                };
            }
            let rows = query.fetch_all(self.0).await?;
            let found = rows.iter().map(|row| Ok(found!(row)));
            found.collect::<Result<Vec<_>, sqlx::Error>>()
        };
        retry::persist(read, is_rolled_back).await.map_err(StoreError::new)
    }
}
