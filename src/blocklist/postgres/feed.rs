//! Following the table through `deadpool_postgres`.

use rocket_db_pools::deadpool_postgres::tokio_postgres::types::ToSql;

use super::super::follow::postgres::{found, Bound, Driver, Found, Questions};
use super::super::follow::{Changes, Cursor, ReplicableBlocklist};
use super::super::retry;
use super::{Failure, PostgresBlocklist, StoreError};

#[rocket::async_trait]
impl ReplicableBlocklist for PostgresBlocklist {
    async fn changes(&self, after: Option<&Cursor>) -> Result<Changes, StoreError> {
        Questions::new(&self.table.statements.table).follow(self, after).await
    }
}

#[rocket::async_trait]
impl Driver for PostgresBlocklist {
    async fn ask(&self, statement: &str, values: &[Bound]) -> Result<Vec<Found>, StoreError> {
        let values: Vec<&(dyn ToSql + Sync)> = values
            .iter()
            .map(|value| match value {
                Bound::Int(int) => int as &(dyn ToSql + Sync),
                Bound::Key(key) => key as &(dyn ToSql + Sync),
            })
            .collect();
        let read = || async {
            let connection = self.table.connection().await?;
            let statement = connection.prepare_cached(statement).await?;
            let rows = connection.query(&statement, &values).await?;
            let found = rows.iter().map(|row| Ok(found!(row)));
            found.collect::<Result<Vec<_>, Failure>>()
        };
        Ok(retry::persist(read, Failure::is_rolled_back).await?)
    }
}
