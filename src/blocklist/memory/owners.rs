//! The sessions of each subject.

use std::collections::BTreeMap;

use dashmap::DashMap;
use foldhash::fast::RandomState;
use rocket::tokio::task;
use uuid::Uuid;

use crate::blocklist::entry::{EntryKey, IdKey, session_key};
use crate::blocklist::sessions::Notes;

/// The sessions of each subject. A subject's sessions are locked before any of the sessions' rows.
#[derive(Default)]
pub(super) struct Owners(pub(super) DashMap<IdKey, BTreeMap<IdKey, Notes>, RandomState>);

impl Owners {
    /// Adds a session without notes, if the subject does not have it.
    pub(super) fn adopt(&self, subject: IdKey, session: IdKey) {
        self.0.entry(subject).or_default().entry(session).or_default();
    }

    /// The number of indexed subjects and sessions.
    #[cfg(feature = "test-util")]
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|sessions| 1 + sessions.len()).sum()
    }

    /// Removes the sessions that have ended or expired, and the subjects that have no session.
    pub(super) async fn prune(&self, has_row: impl Fn(EntryKey) -> bool) {
        let subjects: Vec<IdKey> = self.0.iter().map(|entry| *entry.key()).collect();
        for batch in subjects.chunks(256) {
            for subject in batch {
                if let Some(mut sessions) = self.0.get_mut(subject) {
                    sessions.retain(|session, _| has_row(key(session)));
                }
                self.0.remove_if(subject, |_, sessions| sessions.is_empty());
            }
            task::yield_now().await;
        }
    }
}

pub(super) fn key(session: &IdKey) -> EntryKey {
    session_key(Uuid::from_bytes(*session))
}
