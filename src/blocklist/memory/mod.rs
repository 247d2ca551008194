//! The in-memory store.

mod shards;

use rocket::time::OffsetDateTime;

use self::shards::{Seconds, Shards};
use super::entry::{Entry, EntryKey, Revocation, RevocationKind, TokenIds};
use super::store::{Blocklist, Standing, StoreError, UseUp};
use crate::clock;

/// A blocklist in the memory of one process: the default.
///
/// It is fast and needs no set-up, but other servers do not see it, and a restart forgets it. Entries
/// leave when they expire, by the fairing's pruning task; a revoked token takes twenty bytes and the room
/// that a hash table keeps free, which comes to some forty.
///
/// # Example
///
/// ```rust
/// use std::sync::Arc;
///
/// use rocket_jwt_extended::{Jwt, MemoryBlocklist};
///
/// // Given by hand, its size can be watched.
/// let store = Arc::new(MemoryBlocklist::new());
/// let fairing = Jwt::fairing().blocklist(store.clone());
/// assert!(store.is_empty());
/// ```
#[derive(Default)]
pub struct MemoryBlocklist {
    // One map a kind, so that asking costs nothing where there is nothing of a kind, and a revoked
    // token, of which there are the most, takes no more than its id and its expiry.
    tokens: Shards<Seconds>,
    sessions: Shards<Seconds>,
    subjects: Shards<CutOff>,
    used: Shards<Used>,
}

/// A subject: tokens issued until `at`, in milliseconds, are dead.
///
/// Packed, as the alignment of `at` would make four bytes of nothing in each entry; likewise below.
#[derive(Clone, Copy)]
#[repr(Rust, packed(4))]
struct CutOff {
    at: i64,
    until: Seconds,
}

/// A refresh token, used for the first time at `first`, in milliseconds.
#[derive(Clone, Copy)]
#[repr(Rust, packed(4))]
struct Used {
    first: i64,
    until: Seconds,
}

impl MemoryBlocklist {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of entries, expired ones that were not pruned yet included.
    pub fn len(&self) -> usize {
        self.tokens.len() + self.sessions.len() + self.subjects.len() + self.used.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes over an entry of another store, or widens the one that is there; one that may leave
    /// already is left out. Tells whether the entry is sound.
    pub(super) fn merge(&self, entry: &Entry, now: OffsetDateTime) -> bool {
        let until = Seconds::of_millis(entry.until);
        let is_time =
            |millis: Option<i64>| millis.is_none_or(|at| clock::from_millis(at).is_some());
        let [kind, ..] = entry.key;
        let is_sound = match (kind, entry) {
            (b't' | b's', Entry { revoked: true, .. }) => true,
            (b't', Entry { used: Some(_), cut_off: None, .. }) => is_time(entry.used),
            (b'u', Entry { cut_off: Some(_), revoked: false, .. }) => is_time(entry.cut_off),
            (b't' | b's' | b'u', _) => false,
            // There is no such kind, and nobody who asks for it.
            _ => return true,
        };
        if !is_sound || until.is_over(now) {
            return is_sound;
        }
        if entry.revoked {
            let shards = if kind == b't' { &self.tokens } else { &self.sessions };
            shards.upsert(entry.key, || until, |old| *old = (*old).max(until));
        }
        match (kind, entry.used.filter(|at| is_time(Some(*at))), entry.cut_off) {
            (b't', Some(first), _) => self.used.upsert(
                entry.key,
                || Used { first, until },
                |old| {
                    *old = Used { first: old.first.min(first), until: old.until.max(until) };
                },
            ),
            (b'u', _, Some(at)) => self.cut_off(entry.key, at, until),
            _ => {}
        }
        true
    }

    fn cut_off(&self, key: EntryKey, at: i64, until: Seconds) {
        self.subjects.upsert(
            key,
            || CutOff { at, until },
            |old| {
                *old = CutOff { at: old.at.max(at), until: old.until.max(until) };
            },
        );
    }

    /// How a token of these ids stands.
    pub(super) fn look(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        if self.is_revoked(ids)? {
            return Ok(Standing::Revoked);
        }
        if self.used.is_empty() {
            return Ok(Standing::Live);
        }
        Ok(match ids.token_key().and_then(|key| self.used.get(&key)) {
            Some(Used { first, .. }) => Standing::Used { first: instant(first)? },
            None => Standing::Live,
        })
    }

    fn is_revoked(&self, ids: &TokenIds<'_>) -> Result<bool, StoreError> {
        let of = |shards: &Shards<Seconds>, key: &dyn Fn() -> Option<EntryKey>| {
            !shards.is_empty() && key().is_some_and(|key| shards.get(&key).is_some())
        };
        if of(&self.tokens, &|| ids.token_key()) || of(&self.sessions, &|| ids.session_key()) {
            return Ok(true);
        }
        if self.subjects.is_empty() {
            return Ok(false);
        }
        match ids.subject_key().and_then(|key| self.subjects.get(&key)) {
            Some(CutOff { at, .. }) => Ok(ids.is_cut_off_by(instant(at)?)),
            None => Ok(false),
        }
    }
}

#[rocket::async_trait]
impl Blocklist for MemoryBlocklist {
    async fn revoke(&self, entry: &Revocation) -> Result<(), StoreError> {
        let mut until = Seconds::after(entry.until());
        if let (RevocationKind::Token, Some(used)) = (entry.kind(), self.used.get(&entry.key())) {
            until = until.max(used.until);
        }
        let widen = |old: &mut Seconds| *old = (*old).max(until);
        match (entry.kind(), entry.cut_off()) {
            (RevocationKind::Token, _) => self.tokens.upsert(entry.key(), || until, widen),
            (RevocationKind::Session, _) => self.sessions.upsert(entry.key(), || until, widen),
            (RevocationKind::Subject, cut_off) => {
                let at = cut_off.map(clock::millis).ok_or_else(|| StoreError::new("no cut-off"))?;
                self.cut_off(entry.key(), at, until);
            }
        }
        Ok(())
    }

    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        self.look(ids)
    }

    fn try_standing(&self, ids: &TokenIds<'_>) -> Option<Result<Standing, StoreError>> {
        Some(self.look(ids))
    }

    async fn use_up(
        &self,
        ids: &TokenIds<'_>,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<UseUp, StoreError> {
        let key = ids.token_key().ok_or_else(|| StoreError::new("a token without `jti`"))?;
        // A revocation that comes after this look is as one that comes after the use: it holds for the
        // token, and with its session for the pair made from it.
        if self.is_revoked(ids)? {
            return Ok(UseUp::Revoked);
        }
        let mut first = None;
        self.used.upsert(
            key,
            || Used { first: clock::millis(now), until: Seconds::after(Some(until)) },
            |used| first = Some(used.first),
        );
        match first {
            Some(first) => Ok(UseUp::Again { first: instant(first)? }),
            None => Ok(UseUp::First),
        }
    }

    /// Looks at a small part of the entries at a time, and lets requests through in between.
    async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        Ok(self.tokens.prune(now, |until| *until).await
            + self.sessions.prune(now, |until| *until).await
            + self.subjects.prune(now, |cut_off| cut_off.until).await
            + self.used.prune(now, |used| used.until).await)
    }
}

fn instant(millis: i64) -> Result<OffsetDateTime, StoreError> {
    clock::from_millis(millis).ok_or_else(|| StoreError::new("a time out of range"))
}
