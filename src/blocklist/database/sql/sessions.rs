//! The sessions that users can list, in an SQL database.

use rocket::time::OffsetDateTime;
use uuid::Uuid;

use super::launch::Session;
use super::literals::Value;
use super::session_statements::SessionStatements;
use super::writes::{Writer, owner_values};
use crate::blocklist::database::rows;
use crate::blocklist::entry::{EVERYTHING, EntryKey, IdKey, TokenIds, session_key};

use crate::blocklist::sessions::{Begun, Limit, NewSession, Recorded, Renewal};
use crate::blocklist::store::StoreError;
use crate::clock;

/// A connection in use, on which several statements can be one transaction.
#[rocket::async_trait]
pub(super) trait Transacting: Session {
    /// Returns the number of rows the statement wrote; 0 for a row that exists.
    async fn write(&mut self, statement: &str, values: &[Value<'_>]) -> Result<u64, Self::Error>;

    async fn listed(
        &mut self,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Listed>, Self::Error>;
}

/// A row of a list of sessions.
pub struct Listed {
    pub(super) entry: Vec<u8>,
    pub(super) current: Option<Vec<u8>>,
    pub(super) seen: Option<i64>,
    pub(super) ends: Option<i64>,
    pub(super) label: Option<Vec<u8>>,
    pub(super) details: Option<Vec<u8>>,
    pub(super) cut_offs: [Option<i64>; 2],
}

/// Reads a [`Listed`] from a driver's row: the drivers' rows have no trait in common.
macro_rules! listed {
    ($row:ident) => {
        $crate::blocklist::database::sql::sessions::Listed {
            entry: $row.try_get(0)?,
            current: $row.try_get(1)?,
            seen: $row.try_get(2)?,
            ends: $row.try_get(3)?,
            label: $row.try_get(4)?,
            details: $row.try_get(5)?,
            cut_offs: [$row.try_get(6)?, $row.try_get(7)?],
        }
    };
}

pub(super) use listed;

impl Listed {
    /// The session, if it is live.
    fn live(self, subject: &Subject, now: OffsetDateTime) -> Result<Option<Recorded>, StoreError> {
        let key = self.key()?;
        let of_which = [&subject.entry, &EVERYTHING];
        let mut cut_off = None;
        for (key, at) in of_which.into_iter().zip(self.cut_offs) {
            if at.is_some_and(|at| clock::from_millis(at).is_none()) {
                return Err(rows::malformed_at(key));
            }
            cut_off = cut_off.max(at);
        }
        let recorded = self.recorded(&key).ok_or_else(|| rows::malformed_at(&key))?;
        Ok(recorded.is_live(now, cut_off).then_some(recorded))
    }

    fn key(&self) -> Result<EntryKey, StoreError> {
        EntryKey::try_from(&*self.entry).map_err(|_| rows::malformed())
    }

    fn recorded(self, [_, id @ ..]: &EntryKey) -> Option<Recorded> {
        let time = |millis: i64| clock::from_millis(millis).map(|_| millis);
        let text = |bytes: Option<Vec<u8>>| bytes.map(String::from_utf8).transpose().ok();
        Some(Recorded {
            id: Uuid::from_bytes(*id),
            current: IdKey::try_from(self.current?).ok()?,
            seen: time(self.seen?)?,
            ends: match self.ends {
                Some(ends) => Some(time(ends)?),
                None => None,
            },
            label: text(self.label)?,
            details: text(self.details)?,
        })
    }
}

/// The sessions of a subject among these rows that are live.
pub(super) fn live(
    rows: Vec<Listed>,
    subject: &Subject,
    now: OffsetDateTime,
) -> Result<Vec<Recorded>, StoreError> {
    rows.into_iter().filter_map(|row| row.live(subject, now).transpose()).collect()
}

/// The subject of the ids.
pub(super) struct Subject {
    entry: EntryKey,
}

impl Subject {
    pub(super) fn of(ids: &TokenIds<'_>) -> Result<Self, StoreError> {
        let entry = ids.subject_key();
        Ok(Self { entry: entry.ok_or_else(|| StoreError::new("the token has no subject"))? })
    }

    fn id(&self) -> Value<'_> {
        let [_, id @ ..] = &self.entry;
        Value::Key(id)
    }

    /// The parameters of a list.
    pub(super) fn list_values(&self, now: OffsetDateTime) -> [Value<'_>; 4] {
        let now = Value::Int(Some(clock::millis(now)));
        [Value::Key(&self.entry), Value::Key(&EVERYTHING), self.id(), now]
    }
}

/// Inserts the row of a login, in one transaction with the decision about the limit.
pub(super) async fn begin<T: Transacting>(
    connection: &mut T,
    statements: &SessionStatements,
    subject: &Subject,
    session: &NewSession<'_>,
    limit: Option<Limit>,
) -> Result<Result<Begun, StoreError>, T::Error> {
    connection.run(statements.transaction).await?;
    let begun = begin_within(connection, statements, subject, session, limit).await;
    // After any failure the transaction must be closed before the connection is used again. The first error
    // is returned: an error of ROLLBACK only means that no transaction is open.
    match begun {
        Ok(Ok(Begun::Begun { .. })) => {
            if let Err(error) = connection.run("COMMIT").await {
                let _ = connection.run("ROLLBACK").await;
                return Err(error);
            }
        }
        Ok(_) => connection.run("ROLLBACK").await?,
        Err(_) => _ = connection.run("ROLLBACK").await,
    }
    begun
}

async fn begin_within<T: Transacting>(
    connection: &mut T,
    statements: &SessionStatements,
    subject: &Subject,
    session: &NewSession<'_>,
    limit: Option<Limit>,
) -> Result<Result<Begun, StoreError>, T::Error> {
    let key = session_key(session.id);
    let until = Value::Int(session.until.map(clock::millis));
    if limit.is_some() {
        // Of two logins of a subject, the second one finds the session of the first.
        let mut lock = subject.entry;
        lock[0] = b'l';
        connection.write(&statements.lock, &[Value::Key(&lock), until]).await?;
    }
    let [of, seen, ends] = owner_values(&session.owner);
    let values = [Value::Key(&key), Value::Key(&session.current), of, seen, ends, until];
    let mut ended = vec![];
    if connection.write(&statements.log_in, &values).await? == 0 {
        // The call is repeated.
        return Ok(Ok(Begun::Begun { ended }));
    }
    if session.label.is_some() || session.details.is_some() {
        let [label, details] =
            [session.label, session.details].map(|text| Value::Bytes(text.map(str::as_bytes)));
        connection.write(&statements.notes, &[Value::Key(&key), label, details]).await?;
    }
    if let Some(limit) = limit {
        let now = session.now();
        let rows = connection.listed(&statements.all, &subject.list_values(now)).await?;
        let mut live = match live(rows, subject, now) {
            Ok(live) => live,
            Err(error) => return Ok(Err(error)),
        };
        live.retain(|live| live.id != session.id);
        let Some(to_end) = limit.to_end(&live) else { return Ok(Ok(Begun::TooMany)) };
        for Recorded { id, .. } in to_end {
            let key = session_key(*id);
            let values = [until, Value::Key(&key), subject.id()];
            if connection.write(&statements.end, &values).await? > 0 {
                ended.push(*id);
            }
        }
    }
    Ok(Ok(Begun::Begun { ended }))
}

pub(super) async fn end(
    writer: &impl Writer,
    subject: &Subject,
    session: Uuid,
    until: Option<OffsetDateTime>,
) -> Result<bool, StoreError> {
    let key = session_key(session);
    let values = [Value::Int(until.map(clock::millis)), Value::Key(&key), subject.id()];
    Ok(writer.write(&writer.statements().sessions.end, &values).await? > 0)
}

/// Ends the sessions in these rows except one, whether they are live or not.
pub(super) async fn end_others(
    writer: &impl Writer,
    subject: &Subject,
    rows: Vec<Listed>,
    but: Option<EntryKey>,
    until: Option<OffsetDateTime>,
) -> Result<Vec<Uuid>, StoreError> {
    let mut ended = vec![];
    for row in rows {
        let key = row.key()?;
        let [_, id @ ..] = key;
        let id = Uuid::from_bytes(id);
        if Some(key) != but && end(writer, subject, id, until).await? {
            ended.push(id);
        }
    }
    Ok(ended)
}

/// Records a renewal. Returns whether there is a row whose session is live.
pub(super) async fn touch(
    writer: &impl Writer,
    ids: &TokenIds<'_>,
    key: &EntryKey,
    renewal: &Renewal,
) -> Result<bool, StoreError> {
    let time = |time: Option<OffsetDateTime>| Value::Int(time.map(clock::millis));
    let [seen, ends, until] = [Some(renewal.now), renewal.ends, renewal.until].map(time);
    let subject = ids.subject_key();
    let subject = Value::Bytes(subject.as_ref().and_then(|key| key.get(1..)));
    let values = [seen, ends, subject, until, Value::Key(key)];
    Ok(writer.write(&writer.statements().sessions.renew, &values).await? > 0)
}
