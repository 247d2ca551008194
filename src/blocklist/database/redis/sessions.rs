//! The sessions that users see, in Redis: a sorted set for each subject, and a hash for each session with
//! what is shown of it. Both expire with the sessions' rows.

use rocket::time::OffsetDateTime;
use rocket_db_pools::deadpool_redis::redis::{self, Value};
use uuid::Uuid;

use super::{RedisBlocklist, scripts};
use crate::blocklist::database::rows;
use crate::blocklist::entry::{EVERYTHING, EntryKey, TokenIds, session_key};
use crate::blocklist::sessions::{Begun, Limit, MAX_LISTED, NewSession, Recorded, Renewal};
use crate::blocklist::store::{SessionStore, Standing, StoreError};
use crate::clock;

/// name, current, seen, ends, label, details.
type Listed = (String, String, i64, i64, Option<String>, Option<String>);

fn subject(ids: &TokenIds<'_>) -> Result<EntryKey, StoreError> {
    ids.subject_key().ok_or_else(|| StoreError::new("the token has no subject"))
}

fn subject_text(key: &EntryKey) -> String {
    let [_, id @ ..] = key;
    rows::id_text(id)
}

/// `absent` is what stands for never.
fn millis(time: Option<OffsetDateTime>, absent: &str) -> String {
    time.map_or_else(|| absent.into(), |time| clock::millis(time).to_string())
}

fn ids_of(names: Vec<String>) -> Result<Vec<Uuid>, StoreError> {
    let id = |name: &String| rows::parse_id(name).map(Uuid::from_bytes);
    names.iter().map(id).collect::<Option<_>>().ok_or_else(rows::malformed)
}

impl RedisBlocklist {
    /// Runs [`scripts::END`].
    async fn end(
        &self,
        ids: &TokenIds<'_>,
        which: String,
        until: Option<OffsetDateTime>,
    ) -> Result<Vec<Uuid>, StoreError> {
        let subject = subject(ids)?;
        let now = clock::millis(OffsetDateTime::now_utc()).to_string();
        let arguments = [subject_text(&subject), millis(until, "-"), now, which];
        ids_of(self.run(scripts::END, &subject, &arguments).await?)
    }
}

#[rocket::async_trait]
impl SessionStore for RedisBlocklist {
    async fn begin(
        &self,
        ids: &TokenIds<'_>,
        session: &NewSession<'_>,
        limit: Option<Limit>,
    ) -> Result<Begun, StoreError> {
        let subject = subject(ids)?;
        let owner = &session.owner;
        // A letter precedes the text, since the text may be empty.
        let note = |text: Option<&str>| text.map(|text| format!("={text}")).unwrap_or_default();
        let (max, ends_oldest) = match limit {
            Some(Limit { max, ends_oldest }) => (max.to_string(), ends_oldest),
            None => ("-".into(), false),
        };
        let arguments = [
            rows::id_text(&session.current),
            rows::id_text(&owner.subject),
            owner.seen.to_string(),
            owner.ends.unwrap_or(0).to_string(),
            millis(session.until, "-"),
            self.keys.name(&subject),
            self.keys.name(&EVERYTHING),
            max,
            u8::from(ends_oldest).to_string(),
            note(session.label),
            note(session.details),
        ];
        match self.run(scripts::BEGIN, &session_key(session.id), &arguments).await? {
            Value::Data(_) | Value::Status(_) => Ok(Begun::TooMany),
            ended => {
                let names = redis::from_redis_value(&ended).map_err(StoreError::new)?;
                Ok(Begun::Begun { ended: ids_of(names)? })
            }
        }
    }

    async fn sessions(
        &self,
        ids: &TokenIds<'_>,
        now: OffsetDateTime,
    ) -> Result<Vec<Recorded>, StoreError> {
        let subject = subject(ids)?;
        let arguments = [
            subject_text(&subject),
            clock::millis(now).to_string(),
            self.keys.name(&EVERYTHING),
            MAX_LISTED.to_string(),
        ];
        let listed: Vec<Listed> = self.run(scripts::LIST, &subject, &arguments).await?;
        let recorded = |(name, current, seen, ends, label, details): Listed| {
            Some(Recorded {
                id: Uuid::from_bytes(rows::parse_id(&name)?),
                current: rows::parse_id(&current)?,
                seen,
                ends: Some(ends).filter(|ends| *ends != 0),
                label,
                details,
            })
        };
        listed.into_iter().map(recorded).collect::<Option<_>>().ok_or_else(rows::malformed)
    }

    async fn end_session(
        &self,
        ids: &TokenIds<'_>,
        session: Uuid,
        until: Option<OffsetDateTime>,
    ) -> Result<bool, StoreError> {
        Ok(!self.end(ids, rows::id_text(session.as_bytes()), until).await?.is_empty())
    }

    async fn end_other_sessions(
        &self,
        ids: &TokenIds<'_>,
        until: Option<OffsetDateTime>,
    ) -> Result<Vec<Uuid>, StoreError> {
        let own = ids.session_key().map(|key| subject_text(&key)).unwrap_or_default();
        self.end(ids, format!("-{own}"), until).await
    }

    async fn renew(&self, ids: &TokenIds<'_>, renewal: &Renewal) -> Result<Standing, StoreError> {
        let (seen, ends) = (clock::millis(renewal.now).to_string(), millis(renewal.ends, "0"));
        let arguments = [seen, ends, millis(renewal.until, "-")];
        let touch = async |key: &EntryKey| self.run(scripts::RENEW, key, &arguments).await;
        rows::renew(self, ids, touch).await
    }
}
