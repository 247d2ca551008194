//! The store in a PostgreSQL database, through `deadpool_postgres`.

use rocket::time::OffsetDateTime;
use rocket_db_pools::deadpool_postgres::tokio_postgres;
use rocket_db_pools::deadpool_postgres::{Pool, PoolError};

use super::shared::{self, Row, Rows};
use super::statements::{self, Statements, TableName};
use super::{Blocklist, EntryKey, Revocation, Standing, StoreError, TokenIds, UseUp};
use crate::clock;

use tokio_postgres::types::ToSql;

/// A blocklist in a table of a PostgreSQL database, which all servers share.
///
/// The table and its statements are those of `SqlxBlocklist<sqlx::Postgres>`: servers with either
/// driver share one.
///
/// A [database of `rocket_db_pools`](rocket_db_pools::Database) needs no more than
/// [`JwtFairing::database_blocklist()`](crate::JwtFairing::database_blocklist). The constructors here
/// are for a pool made by hand, or for another table.
pub struct PostgresBlocklist {
    pool: Pool,
    statements: Statements,
}

impl PostgresBlocklist {
    /// A store in the table `jwt_blocklist`, which must be there or be made by
    /// [`create_table()`](Self::create_table()).
    pub fn new(pool: Pool) -> Self {
        Self { statements: Statements::postgres(&TableName::DEFAULT), pool }
    }

    /// A store in a table of another name.
    ///
    /// # Errors
    ///
    /// When the name is not of ASCII letters, digits and `_`, begins with a digit, or is longer than
    /// 48.
    pub fn with_table(pool: Pool, table: &str) -> Result<Self, StoreError> {
        Ok(Self { statements: Statements::postgres(&TableName::new(table)?), pool })
    }

    /// Creates the table and its indexes if the table is missing. Where it is there already, no right
    /// to create anything is needed.
    ///
    /// Several servers may do so at the same time.
    ///
    /// # Errors
    ///
    /// When the table is neither there, with all its columns, nor can be created.
    pub async fn create_table(&self) -> Result<(), StoreError> {
        let connection = self.pool.get().await.map_err(StoreError::new)?;
        if connection.batch_execute(&self.statements.probe).await.is_ok() {
            return Ok(());
        }
        // Several statements sent as one are one transaction.
        let created = connection.batch_execute(&self.statements.create).await;
        // IF NOT EXISTS fails where two servers create at the same time, so what counts is whether
        // the table is there afterwards.
        match connection.batch_execute(&self.statements.probe).await {
            Ok(()) => Ok(()),
            Err(missing) => Err(StoreError::new(created.err().unwrap_or(missing))),
        }
    }

    /// The statements this store runs, by the name of the method that does, for `EXPLAIN`.
    #[cfg(feature = "test-util")]
    pub fn statements(&self) -> [(&'static str, &str); 4] {
        self.statements.named()
    }

    async fn write(
        &self,
        statement: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, StoreError> {
        let run = || async {
            let connection = self.pool.get().await?;
            let statement = connection.prepare_cached(statement).await?;
            Ok(connection.execute(&statement, values).await?)
        };
        shared::persist(run, is_rolled_back).await.map_err(StoreError::new)
    }
}

#[rocket::async_trait]
impl Rows for PostgresBlocklist {
    async fn rows(&self, keys: &[EntryKey]) -> Result<Vec<Row>, StoreError> {
        let [one, two, three] = statements::three(keys);
        let (one, two, three) = (&one[..], &two[..], &three[..]);
        let run = || async move {
            let connection = self.pool.get().await?;
            let statement = connection.prepare_cached(&self.statements.standing).await?;
            Ok(connection.query(&statement, &[&one, &two, &three]).await?)
        };
        let rows = shared::persist(run, is_rolled_back).await.map_err(StoreError::new)?;
        rows.iter()
            .map(|row| {
                Ok(Row {
                    key: shared::entry_key(row.try_get(0).map_err(StoreError::new)?)?,
                    revoked: row.try_get(1).map_err(StoreError::new)?,
                    cut_off: row.try_get(2).map_err(StoreError::new)?,
                    used: row.try_get(3).map_err(StoreError::new)?,
                })
            })
            .collect()
    }

    async fn mark_used(&self, key: EntryKey, now: i64, until: i64) -> Result<bool, StoreError> {
        let inserted = self.write(&self.statements.use_up, &[&&key[..], &now, &until]).await?;
        Ok(inserted == 1)
    }
}

#[rocket::async_trait]
impl Blocklist for PostgresBlocklist {
    async fn revoke(&self, entry: &Revocation) -> Result<(), StoreError> {
        let key = entry.key();
        let revoked = entry.cut_off().is_none();
        let cut_off = entry.cut_off().map(clock::millis);
        let expires = entry.until().map(clock::millis);
        self.write(&self.statements.revoke, &[&&key[..], &revoked, &cut_off, &expires]).await?;
        Ok(())
    }

    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        shared::standing(self, ids).await
    }

    async fn use_up(
        &self,
        ids: &TokenIds<'_>,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<UseUp, StoreError> {
        shared::use_up(self, ids, now, until).await
    }

    async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        let now = clock::millis(now);
        let mut removed = 0;
        loop {
            let batch = self.write(&self.statements.prune, &[&now]).await?;
            removed += batch;
            if batch < statements::BATCH {
                return Ok(removed);
            }
        }
    }
}

fn is_rolled_back(error: &PoolError) -> bool {
    let PoolError::Backend(error) = error else { return false };
    error.code().is_some_and(|state| shared::is_rollback(state.code()))
}
