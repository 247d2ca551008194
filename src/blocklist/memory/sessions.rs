//! The operations of the setting `sessions` on a subject's sessions, in memory.

use std::collections::BTreeMap;

use rocket::time::OffsetDateTime;
use uuid::Uuid;

use super::owners::key;
use super::shards::Seconds;
use super::{MemoryBlocklist, Session};
use crate::blocklist::entry::{IdKey, TokenIds};
use crate::blocklist::exchange::Owner;
use crate::blocklist::sessions::{Begun, Limit, MAX_LISTED, NewSession, Notes, Recorded, Renewal};
use crate::blocklist::store::{SessionStore, Standing, StoreError};
use crate::clock;

impl MemoryBlocklist {
    /// The live sessions among these, newest first.
    fn live(
        &self,
        ids: &TokenIds<'_>,
        sessions: &BTreeMap<IdKey, Notes>,
        now: OffsetDateTime,
    ) -> Vec<Recorded> {
        let cut_off = self.cut_off_of(ids);
        let recorded = |(session, (label, details)): (&IdKey, &Notes)| {
            let row = self.sessions.read(&key(session), |session| *session.row())?;
            let Owner { seen, ends, .. } = row.owner.filter(|_| !row.ended)?;
            let (id, current) = (Uuid::from_bytes(*session), row.current?);
            let (label, details) = (label.clone(), details.clone());
            Some(Recorded { id, current, seen, ends, label, details })
        };
        let live = sessions.iter().rev().filter_map(recorded);
        live.filter(|session| session.is_live(now, cut_off)).collect()
    }
}

fn subject(ids: &TokenIds<'_>) -> Result<IdKey, StoreError> {
    let key = ids.subject_key().ok_or_else(|| StoreError::new("the token has no subject"))?;
    let [_, subject @ ..] = key;
    Ok(subject)
}

#[rocket::async_trait]
impl SessionStore for MemoryBlocklist {
    async fn begin(
        &self,
        ids: &TokenIds<'_>,
        session: &NewSession<'_>,
        limit: Option<Limit>,
    ) -> Result<Begun, StoreError> {
        let mut sessions = self.owners.0.entry(subject(ids)?).or_default();
        let id = session.id.into_bytes();
        if sessions.contains_key(&id) {
            return Ok(Begun::Begun { ended: vec![] });
        }
        let mut ended = vec![];
        if let Some(limit) = limit {
            let live = self.live(ids, &sessions, session.now());
            let Some(to_end) = limit.to_end(&live) else { return Ok(Begun::TooMany) };
            for Recorded { id, .. } in to_end {
                if self.end(key(id.as_bytes()), Seconds::after(session.until)) {
                    ended.push(*id);
                }
            }
        }
        let (until, row) = (Seconds::after(session.until), Box::new(session.row()));
        self.sessions.upsert(key(&id), || Session { until, row: Some(row) }, |_| ());
        sessions.insert(id, (session.label.map(Into::into), session.details.map(Into::into)));
        Ok(Begun::Begun { ended })
    }

    async fn sessions(
        &self,
        ids: &TokenIds<'_>,
        now: OffsetDateTime,
    ) -> Result<Vec<Recorded>, StoreError> {
        let sessions = self.owners.0.get(&subject(ids)?);
        let mut live = sessions.map(|sessions| self.live(ids, &sessions, now)).unwrap_or_default();
        live.truncate(MAX_LISTED);
        Ok(live)
    }

    async fn end_session(
        &self,
        ids: &TokenIds<'_>,
        session: Uuid,
        until: Option<OffsetDateTime>,
    ) -> Result<bool, StoreError> {
        let sessions = self.owners.0.get(&subject(ids)?);
        let is_own = sessions.is_some_and(|sessions| sessions.contains_key(session.as_bytes()));
        Ok(is_own && self.end(key(session.as_bytes()), Seconds::after(until)))
    }

    async fn end_other_sessions(
        &self,
        ids: &TokenIds<'_>,
        until: Option<OffsetDateTime>,
    ) -> Result<Vec<Uuid>, StoreError> {
        let own = ids.session_key();
        let Some(sessions) = self.owners.0.get(&subject(ids)?) else { return Ok(vec![]) };
        let others = sessions.keys().filter(|session| Some(key(session)) != own);
        let ended = others.filter(|id| self.end(key(id), Seconds::after(until)));
        Ok(ended.map(|id| Uuid::from_bytes(*id)).collect())
    }

    async fn renew(&self, ids: &TokenIds<'_>, renewal: &Renewal) -> Result<Standing, StoreError> {
        let standing = self.lookup(ids)?;
        let Some(key) = ids.session_key().filter(|_| standing == Standing::Live) else {
            return Ok(standing);
        };
        let mut has_row = false;
        let mut has_ended = false;
        self.sessions.change(&key, |session| {
            has_row = true;
            has_ended = session.row().ended;
            let Some(row) = session.row.as_mut().filter(|row| !row.ended) else { return };
            if let Some(owner) = &mut row.owner {
                owner.renew(renewal);
            }
            session.until = session.until.max(Seconds::after(renewal.until));
        });
        Ok(match has_ended || (!has_row && ids.needs_row()) {
            true => Standing::Revoked,
            false => Standing::Live,
        })
    }
}

impl Owner {
    /// Records that an access token was renewed.
    fn renew(&mut self, renewal: &Renewal) {
        self.seen = self.seen.max(clock::millis(renewal.now));
        self.ends = self.ends.zip(renewal.ends).map(|(old, new)| old.max(clock::millis(new)));
    }
}
