//! PostgreSQL: [`changes_postgres`](crate::blocklist::database::sql::changes_postgres) through
//! `sqlx`.

use rocket_db_pools::sqlx::{self, PgPool, Postgres, Row};

use crate::blocklist::database::sql::changes_postgres::{
    change_row, ChangeQueries, ChangeRow, Driver, Param,
};
use crate::blocklist::database::sql::retry::retry_rolled_back;
use crate::blocklist::database::sql::sqlx::driver::{is_rolled_back, ReadChanges};
use crate::blocklist::replica::changes::{Changes, Cursor};
use crate::blocklist::store::StoreError;

#[rocket::async_trait]
impl ReadChanges for Postgres {
    async fn changes(
        pool: &PgPool,
        table: &str,
        after: Option<&Cursor>,
    ) -> Result<Changes, StoreError> {
        ChangeQueries::new(table).page_after(&Pool(pool), after).await
    }
}

struct Pool<'a>(&'a PgPool);

#[rocket::async_trait]
impl Driver for Pool<'_> {
    async fn query(&self, statement: &str, params: &[Param]) -> Result<Vec<ChangeRow>, StoreError> {
        let read = || async {
            let mut query = sqlx::query(statement);
            for param in params {
                query = match param {
                    Param::Int(int) => query.bind(*int),
                    Param::Key(key) => query.bind(&key[..]),
                };
            }
            let rows = query.fetch_all(self.0).await?;
            let rows = rows.iter().map(|row| Ok(change_row!(row)));
            rows.collect::<Result<Vec<_>, sqlx::Error>>()
        };
        retry_rolled_back(read, is_rolled_back).await.map_err(StoreError::new)
    }
}
