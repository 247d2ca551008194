//! The operations of the setting `sessions` on a subject's sessions, in memory.

use std::collections::BTreeMap;

use rocket::time::OffsetDateTime;
use uuid::Uuid;

use super::owners::key;
use super::shards::Seconds;
use super::{MemoryBlocklist, Session};
use crate::blocklist::entry::{EntryKey, IdKey, TokenIds};
use crate::blocklist::exchange::{Owner, SessionRow};
use crate::blocklist::sessions::{Begun, Limit, MAX_LISTED, NewSession, Notes, Recorded, Renewal};
use crate::blocklist::store::{SessionStore, Standing, StoreError};
use crate::clock;

impl MemoryBlocklist {
    /// Adds a session to the index of the subject in its row, which may not be the subject of the presented
    /// token.
    pub(super) fn adopt(&self, key: &EntryKey) {
        let [_, session @ ..] = *key;
        if let Some(owner) = self.sessions.read(key, |session| session.row().owner).flatten() {
            self.owners.adopt(owner.subject, session);
        }
    }

    /// The size of the index, for a test that nothing remains in it.
    #[cfg(feature = "test-util")]
    #[doc(hidden)]
    pub fn indexed(&self) -> usize {
        self.owners.len()
    }

    /// The live sessions among these of the ids' subject, newest first.
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

    /// Ends a live session, if it belongs to the subject. Returns whether this call ended it.
    fn end_owned(&self, session: &IdKey, subject: &IdKey, until: Seconds) -> bool {
        let mut has_ended = false;
        self.sessions.change(&key(session), |session| {
            let row = session.row.as_mut().filter(|row| !row.ended);
            let owner = |row: &SessionRow| row.owner.map(|owner| owner.subject);
            if let Some(row) = row.filter(|row| owner(row) == Some(*subject)) {
                row.ended = true;
                session.until = session.until.max(until);
                has_ended = true;
            }
        });
        has_ended
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
        let subject = subject(ids)?;
        let mut sessions = self.owners.0.entry(subject).or_default();
        let id = session.id.into_bytes();
        if self.sessions.read(&key(&id), |_| ()).is_some() {
            // The call is repeated.
            return Ok(Begun::Begun { ended: vec![] });
        }
        let mut ended = vec![];
        if let Some(limit) = limit {
            let live = self.live(ids, &sessions, session.now());
            let Some(to_end) = limit.to_end(&live) else { return Ok(Begun::TooMany) };
            for Recorded { id, .. } in to_end {
                if self.end_owned(id.as_bytes(), &subject, Seconds::after(session.until)) {
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
        Ok(self.end_owned(session.as_bytes(), &subject(ids)?, Seconds::after(until)))
    }

    async fn end_other_sessions(
        &self,
        ids: &TokenIds<'_>,
        until: Option<OffsetDateTime>,
    ) -> Result<Vec<Uuid>, StoreError> {
        let own = ids.session_key();
        let subject = subject(ids)?;
        let Some(sessions) = self.owners.0.get(&subject) else { return Ok(vec![]) };
        let others = sessions.keys().filter(|session| Some(key(session)) != own);
        let ended = others.filter(|id| self.end_owned(id, &subject, Seconds::after(until)));
        Ok(ended.map(|id| Uuid::from_bytes(*id)).collect())
    }

    async fn renew(&self, ids: &TokenIds<'_>, renewal: &Renewal) -> Result<Standing, StoreError> {
        let standing = self.lookup(ids)?;
        if standing != Standing::Live {
            return Ok(standing);
        }
        let mut row = None;
        let key = ids.session_key();
        if let Some(key) = &key {
            self.sessions.change(key, |session| {
                if let Some(row) = session.row.as_mut().filter(|row| !row.ended) {
                    row.renew(ids, renewal);
                    session.until = session.until.max(Seconds::after(renewal.until));
                }
                row = Some(*session.row());
            });
        }
        if let (Some(SessionRow { ended: false, .. }), Some(key)) = (row, &key) {
            self.adopt(key);
        }
        Ok(match row {
            Some(row) if row.ended => Standing::Revoked,
            None if ids.needs_row() => Standing::Revoked,
            _ => Standing::Live,
        })
    }
}

impl SessionRow {
    /// Records that an access token was renewed. If the row has no owner, the expiry of its refresh token is
    /// unknown until the next exchange.
    fn renew(&mut self, ids: &TokenIds<'_>, renewal: &Renewal) {
        let seen = clock::millis(renewal.now);
        self.owner = match self.owner {
            Some(Owner { subject, ends, .. }) => {
                let ends = ends.zip(renewal.ends).map(|(old, new)| old.max(clock::millis(new)));
                Some(Owner { subject, seen, ends })
            }
            None => Owner::new(ids, renewal.now, None),
        };
    }
}
