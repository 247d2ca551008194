//! The in-memory store.

mod owners;
mod sessions;
mod shards;

use rocket::time::OffsetDateTime;

use self::owners::Owners;
use self::shards::{Seconds, Shards};
use super::entry::{EVERYTHING, Entry, EntryKey, Revocation, RevocationKind, TokenIds};
use super::exchange::{Exchange, Exchanged, SessionRow};
use super::store::{Blocklist, SessionStore, Standing, StoreError};
use crate::clock;

/// A blocklist in the memory of one process: the default.
///
/// It is fast and needs no set-up, but other servers do not see it, and a restart loses it. The
/// fairing's pruning task removes expired entries. A revoked token takes twenty bytes, or about
/// forty with the free slots of a hash table.
///
/// # Example
///
/// ```rust
/// use std::sync::Arc;
///
/// use rocket_jwt_extended::{Jwt, MemoryBlocklist};
///
/// // The application keeps a handle, to monitor the size.
/// let store = Arc::new(MemoryBlocklist::new());
/// let fairing = Jwt::fairing().blocklist(store.clone());
/// assert!(store.is_empty());
/// ```
#[derive(Default)]
pub struct MemoryBlocklist {
    // One map for each kind, so that a lookup in an empty one costs nothing, and a revoked token,
    // the most frequent entry, stores only its id and its expiry.
    tokens: Shards<Seconds>,
    sessions: Shards<Session>,
    subjects: Shards<CutOff>,
    everything: Shards<CutOff>,
    owners: Owners,
}

/// A session. The most frequent kind, which ended before its first exchange, has no row.
struct Session {
    until: Seconds,
    row: Option<Box<SessionRow>>,
}

impl Session {
    fn row(&self) -> &SessionRow {
        self.row.as_deref().unwrap_or(&SessionRow::ENDED)
    }
}

/// The cut-off of a subject: tokens issued at or before `at`, in milliseconds, are revoked.
///
/// Packed, as the alignment of `at` would add four bytes of padding to each entry.
#[derive(Clone, Copy)]
#[repr(Rust, packed(4))]
struct CutOff {
    at: i64,
    until: Seconds,
}

impl MemoryBlocklist {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of entries, including expired ones that have not been pruned yet.
    pub fn len(&self) -> usize {
        self.tokens.len() + self.sessions.len() + self.subjects.len() + self.everything.len()
    }

    /// Whether the store is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Inserts an entry of another store, or extends the existing one; an expired entry is skipped.
    /// Returns `false` if the entry is malformed.
    pub(super) fn merge(&self, entry: &Entry, now: OffsetDateTime) -> bool {
        let until = Seconds::of_millis(entry.until);
        let [kind, ..] = entry.key;
        let is_valid = match (kind, entry) {
            (b't' | b's', Entry { revoked: true, cut_off: None, .. }) => true,
            (b'u' | b'e', Entry { cut_off: Some(at), revoked: false, .. }) => {
                clock::from_millis(*at).is_some()
            }
            (b't' | b's' | b'u' | b'e', _) => false,
            // The kind is unknown, so no token is looked up by it.
            _ => return true,
        };
        if !is_valid || until.has_passed(now) {
            return is_valid;
        }
        match (kind, entry.cut_off) {
            (b't', _) => _ = self.revoke_token(entry.key, until),
            (b's', _) => _ = self.end(entry.key, until),
            (_, Some(at)) => _ = self.cut_off(entry.key, at, until),
            (_, None) => (),
        }
        true
    }

    fn revoke_token(&self, key: EntryKey, until: Seconds) -> bool {
        let mut is_new = true;
        self.tokens.upsert(
            key,
            || until,
            |old| {
                is_new = false;
                *old = (*old).max(until);
            },
        );
        is_new
    }

    fn end(&self, key: EntryKey, until: Seconds) -> bool {
        let mut was_live = true;
        self.sessions.upsert(
            key,
            || Session { until, row: None },
            |session| {
                session.until = session.until.max(until);
                was_live = match &mut session.row {
                    Some(row) => !std::mem::replace(&mut row.ended, true),
                    None => false,
                };
            },
        );
        was_live
    }

    fn cut_off(&self, key: EntryKey, at: i64, until: Seconds) -> bool {
        let mut is_later = true;
        let shards = if key == EVERYTHING { &self.everything } else { &self.subjects };
        shards.upsert(
            key,
            || CutOff { at, until },
            |old| {
                is_later = at > old.at;
                *old = CutOff { at: old.at.max(at), until: old.until.max(until) };
            },
        );
        is_later
    }

    /// Looks up the token with these ids.
    pub(super) fn lookup(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        if self.is_revoked(ids)? {
            return Ok(Standing::Revoked);
        }
        let without_row = || Standing::of(ids, None);
        if self.sessions.is_empty() {
            return Ok(without_row());
        }
        let key = ids.session_key();
        let of_row = |session: &Session| Standing::of(ids, Some(session.row()));
        Ok(key.and_then(|key| self.sessions.read(&key, of_row)).unwrap_or_else(without_row))
    }

    /// Whether the token itself or its subject is revoked.
    fn is_revoked(&self, ids: &TokenIds<'_>) -> Result<bool, StoreError> {
        let is_token = || ids.token_key().is_some_and(|key| self.tokens.get(&key).is_some());
        if !self.tokens.is_empty() && is_token() {
            return Ok(true);
        }
        let of_everything = || self.everything.get(&EVERYTHING);
        let of_subject = || self.subjects.get(&ids.subject_key()?);
        let cut_offs = [
            (!self.everything.is_empty()).then(of_everything).flatten(),
            (!self.subjects.is_empty()).then(of_subject).flatten(),
        ];
        for CutOff { at, .. } in cut_offs.into_iter().flatten() {
            if ids.is_cut_off_by(instant(at)?) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The latest cut-off of the ids' subject and of everything.
    fn cut_off_of(&self, ids: &TokenIds<'_>) -> Option<i64> {
        let of_subject = ids.subject_key().and_then(|key| self.subjects.get(&key));
        let both = [of_subject, self.everything.get(&EVERYTHING)];
        both.into_iter().flatten().map(|CutOff { at, .. }| at).max()
    }
}

#[rocket::async_trait]
impl Blocklist for MemoryBlocklist {
    async fn revoke(&self, entry: &Revocation) -> Result<bool, StoreError> {
        let until = Seconds::after(entry.until());
        match (entry.kind(), entry.cut_off()) {
            (RevocationKind::Token, _) => Ok(self.revoke_token(entry.key(), until)),
            (RevocationKind::Session, _) => Ok(self.end(entry.key(), until)),
            (RevocationKind::Subject | RevocationKind::Everything, cut_off) => {
                let at = cut_off
                    .map(clock::millis)
                    .ok_or_else(|| StoreError::new("the revocation has no cut-off"))?;
                Ok(self.cut_off(entry.key(), at, until))
            }
        }
    }

    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        self.lookup(ids)
    }

    fn try_standing(&self, ids: &TokenIds<'_>) -> Option<Result<Standing, StoreError>> {
        Some(self.lookup(ids))
    }

    async fn exchange(
        &self,
        ids: &TokenIds<'_>,
        exchange: &Exchange,
    ) -> Result<Exchanged, StoreError> {
        let no_id = || StoreError::new("the token has no `jti`");
        let key = ids.jti_key().and(ids.session_key()).ok_or_else(no_id)?;
        // If the token or its subject is revoked after this check, the exchange counts as before that.
        if self.is_revoked(ids)? {
            return Ok(Exchanged::Ended);
        }
        let until = Seconds::after(exchange.until());
        let (mut outcome, first) = exchange.decide(ids, None);
        let change = |session: &mut Session| {
            let decided = exchange.decide(ids, Some(session.row()));
            outcome = decided.0;
            if let Some(row) = decided.1 {
                *session = Session { until: session.until.max(until), row: Some(Box::new(row)) };
            }
        };
        match first {
            Some(row) => {
                self.sessions.upsert(key, || Session { until, row: Some(Box::new(row)) }, change);
            }
            // A missing row is not inserted.
            None => self.sessions.change(&key, change),
        }
        if exchange.owner().is_some() && outcome == Exchanged::First {
            self.adopt(&key);
        }
        Ok(outcome)
    }

    fn session_store(&self) -> Option<&dyn SessionStore> {
        Some(self)
    }

    /// Checks a small part of the entries at a time, and yields to requests in between.
    async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        let removed = self.tokens.prune(now, |until| *until).await
            + self.sessions.prune(now, |session| session.until).await
            + self.subjects.prune(now, |cut_off| cut_off.until).await
            + self.everything.prune(now, |cut_off| cut_off.until).await;
        // After the rows, so that nothing of an expired session remains.
        let is_live = |session| self.sessions.read(&session, |session| !session.row().ended);
        self.owners.prune(|session| is_live(session) == Some(true)).await;
        Ok(removed)
    }
}

fn instant(millis: i64) -> Result<OffsetDateTime, StoreError> {
    clock::from_millis(millis)
        .ok_or_else(|| StoreError::new("an entry has a time that is out of range"))
}
