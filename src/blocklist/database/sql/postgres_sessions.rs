//! The sessions that users can list, in a PostgreSQL database, through `deadpool_postgres`.

use rocket::time::OffsetDateTime;
use rocket_db_pools::deadpool_postgres::ClientWrapper;
use uuid::Uuid;

use super::connections::Lease;
use super::deadpool_postgres::{PostgresBlocklist, Table};
use super::sessions::{self, Subject};
use crate::blocklist::database::rows;
use crate::blocklist::entry::{EntryKey, TokenIds};
use crate::blocklist::sessions::{Begun, Limit, NewSession, Recorded, Renewal};
use crate::blocklist::store::{SessionStore, Standing, StoreError};

#[rocket::async_trait]
impl SessionStore for PostgresBlocklist {
    async fn begin(
        &self,
        ids: &TokenIds<'_>,
        session: &NewSession<'_>,
        limit: Option<Limit>,
    ) -> Result<Begun, StoreError> {
        let Table { connections, statements, .. } = &*self.table;
        let subject = &Subject::of(ids)?;
        let begin = |mut lease: Lease<ClientWrapper>| async move {
            let connection = &mut lease.connection;
            let begun =
                sessions::begin(connection, &statements.sessions, subject, session, limit).await;
            (lease, begun)
        };
        connections.run(begin).await?
    }

    async fn sessions(
        &self,
        ids: &TokenIds<'_>,
        now: OffsetDateTime,
    ) -> Result<Vec<Recorded>, StoreError> {
        let subject = Subject::of(ids)?;
        let values = subject.list_values(now);
        let rows = self.table.listed(&self.table.statements.sessions.list, &values);
        sessions::live(rows.await?, &subject, now)
    }

    async fn end_session(
        &self,
        ids: &TokenIds<'_>,
        session: Uuid,
        until: Option<OffsetDateTime>,
    ) -> Result<bool, StoreError> {
        sessions::end(&*self.table, &Subject::of(ids)?, session, until).await
    }

    async fn end_other_sessions(
        &self,
        ids: &TokenIds<'_>,
        until: Option<OffsetDateTime>,
    ) -> Result<Vec<Uuid>, StoreError> {
        let subject = Subject::of(ids)?;
        // This includes sessions whose tokens have expired, since this server's clock may be wrong.
        let values = subject.list_values(OffsetDateTime::UNIX_EPOCH);
        let rows = self.table.listed(&self.table.statements.sessions.all, &values).await?;
        sessions::end_others(&*self.table, &subject, rows, ids.session_key(), until).await
    }

    async fn renew(&self, ids: &TokenIds<'_>, renewal: &Renewal) -> Result<Standing, StoreError> {
        let touch = async |key: &EntryKey| sessions::touch(&*self.table, ids, key, renewal).await;
        rows::renew(self, ids, touch).await
    }
}
