//! The sessions that users can list, in Redis: a sorted set for each subject, and a hash for each session
//! with its label and details. Both expire with the sessions' rows.

use rocket::time::OffsetDateTime;
use rocket_db_pools::deadpool_redis::redis::{self, Value};
use uuid::Uuid;

use super::{RedisBlocklist, rights, scripts};
use crate::blocklist::database::rows;
use crate::blocklist::entry::{EVERYTHING, EntryKey, TokenIds, session_key};
use crate::blocklist::sessions::{Begun, Limit, MAX_LISTED, NewSession, Recorded, Renewal};
use crate::blocklist::store::{SessionStore, Standing, StoreError};
use crate::clock;

/// name, current, seen, ends, label, details.
type Listed = (String, String, String, String, Option<Vec<u8>>, Option<Vec<u8>>);

fn subject(ids: &TokenIds<'_>) -> Result<EntryKey, StoreError> {
    ids.subject_key().ok_or_else(|| StoreError::new("the token has no subject"))
}

fn subject_text(key: &EntryKey) -> String {
    let [_, id @ ..] = key;
    rows::id_text(id)
}

/// `-` means never.
fn millis(time: Option<OffsetDateTime>) -> String {
    time.map_or_else(|| "-".into(), |time| clock::millis(time).to_string())
}

fn recorded((name, current, seen, ends, label, details): Listed) -> Result<Recorded, StoreError> {
    let id = rows::parse_id(&name).map(Uuid::from_bytes).ok_or_else(rows::malformed)?;
    let time =
        |text: &str| text.parse().ok().filter(|millis| clock::from_millis(*millis).is_some());
    let text = |bytes: Option<Vec<u8>>| bytes.map(String::from_utf8).transpose().ok();
    let recorded = || {
        Some(Recorded {
            id,
            current: rows::parse_id(&current)?,
            seen: time(&seen)?,
            ends: match &*ends {
                "-" => None,
                ends => Some(time(ends)?),
            },
            label: text(label)?,
            details: text(details)?,
        })
    };
    recorded().ok_or_else(|| rows::malformed_at(&session_key(id)))
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
        let arguments = [subject_text(&subject), millis(until), now, which];
        ids_of(self.run(scripts::END, &subject, &arguments).await?)
    }
}

#[rocket::async_trait]
impl SessionStore for RedisBlocklist {
    async fn check_sessions(&self) -> Result<(), StoreError> {
        rights::check_sessions(&self.pool, &self.keys).await
    }

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
            owner.ends.map_or_else(|| "-".into(), |ends| ends.to_string()),
            millis(session.until),
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
        // Not as a vector of tuples, which the driver reads as a flat list.
        let listed: Vec<Value> = self.run(scripts::LIST, &subject, &arguments).await?;
        let one = |one: &Value| recorded(redis::from_redis_value(one).map_err(StoreError::new)?);
        listed.iter().map(one).collect()
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
        let [seen, ends, until] = [Some(renewal.now), renewal.ends, renewal.until].map(millis);
        let subject = ids.subject_key().map_or_else(|| "-".into(), |key| subject_text(&key));
        let arguments = [seen, ends, until, subject];
        let touch = async |key: &EntryKey| self.run(scripts::RENEW, key, &arguments).await;
        rows::renew(self, ids, touch).await
    }
}
