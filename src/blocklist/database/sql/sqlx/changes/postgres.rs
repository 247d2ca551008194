//! PostgreSQL: [`changes_postgres`](crate::blocklist::database::sql::changes_postgres) through
//! `sqlx`.

use rocket_db_pools::sqlx::{self, Executor, Postgres, Row};

use crate::blocklist::database::sql::changes_postgres::{
    ChangeQueries, ChangeRow, Driver, change_row,
};
use crate::blocklist::database::sql::connections::Lease;
use crate::blocklist::database::sql::literals::{Style, Value};
use crate::blocklist::database::sql::sqlx::backend::{ReadChanges, SqlxConnections};
use crate::blocklist::database::sql::sqlx::connection::SqlxConnection;
use crate::blocklist::database::sql::statements::Statements;
use crate::blocklist::replica::changes::{Changes, Cursor};
use crate::blocklist::store::StoreError;

#[rocket::async_trait]
impl ReadChanges for Postgres {
    async fn changes(
        connections: &SqlxConnections<Self>,
        statements: &Statements,
        after: Option<&Cursor>,
    ) -> Result<Changes, StoreError> {
        ChangeQueries::new(&statements.table).page_after(&Through(connections), after).await
    }
}

struct Through<'a>(&'a SqlxConnections<Postgres>);

#[rocket::async_trait]
impl Driver for Through<'_> {
    async fn query(
        &self,
        statement: &str,
        params: &[Value<'_>],
    ) -> Result<Vec<ChangeRow>, StoreError> {
        let text = &*Style::Postgres.inline(statement, params);
        let read = |mut lease: Lease<SqlxConnection<Postgres>>| async move {
            let rows = lease.connection.get().fetch_all(text).await;
            let rows = rows.and_then(|rows| {
                let rows = rows.iter().map(|row| Ok(change_row!(row)));
                rows.collect::<Result<Vec<_>, sqlx::Error>>()
            });
            (lease, rows)
        };
        self.0.run(read).await.map_err(StoreError::new)
    }
}
