//! The in-memory store.

mod shards;

use rocket::time::OffsetDateTime;

use self::shards::{Seconds, Shards};
use super::entry::{Entry, EntryKey, Revocation, RevocationKind, TokenIds};
use super::store::{Blocklist, Standing, StoreError, UseUp};
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
    sessions: Shards<Seconds>,
    subjects: Shards<CutOff>,
    used: Shards<Used>,
}

/// The cut-off of a subject: tokens issued at or before `at`, in milliseconds, are revoked.
///
/// Packed, as the alignment of `at` would add four bytes of padding to each entry; likewise below.
#[derive(Clone, Copy)]
#[repr(Rust, packed(4))]
struct CutOff {
    at: i64,
    until: Seconds,
}

/// The use of a refresh token, for the first time at `first`, in milliseconds.
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

    /// The number of entries, including expired ones that have not been pruned yet.
    pub fn len(&self) -> usize {
        self.tokens.len() + self.sessions.len() + self.subjects.len() + self.used.len()
    }

    /// Whether the store is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Inserts an entry of another store, or extends the existing one; an expired entry is skipped.
    /// Returns `false` if the entry is malformed.
    pub(super) fn merge(&self, entry: &Entry, now: OffsetDateTime) -> bool {
        let until = Seconds::of_millis(entry.until);
        let is_time =
            |millis: Option<i64>| millis.is_none_or(|at| clock::from_millis(at).is_some());
        let [kind, ..] = entry.key;
        let is_valid = match (kind, entry) {
            (b't' | b's', Entry { revoked: true, .. }) => true,
            (b't', Entry { used: Some(_), cut_off: None, .. }) => is_time(entry.used),
            (b'u', Entry { cut_off: Some(_), revoked: false, .. }) => is_time(entry.cut_off),
            (b't' | b's' | b'u', _) => false,
            // The kind is unknown, so no token is looked up by it.
            _ => return true,
        };
        if !is_valid || until.has_passed(now) {
            return is_valid;
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

    /// Looks up the token with these ids.
    pub(super) fn lookup(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
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
                let at = cut_off
                    .map(clock::millis)
                    .ok_or_else(|| StoreError::new("the revocation of a subject has no cut-off"))?;
                self.cut_off(entry.key(), at, until);
            }
        }
        Ok(())
    }

    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        self.lookup(ids)
    }

    fn try_standing(&self, ids: &TokenIds<'_>) -> Option<Result<Standing, StoreError>> {
        Some(self.lookup(ids))
    }

    async fn use_up(
        &self,
        ids: &TokenIds<'_>,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<UseUp, StoreError> {
        let key = ids.token_key().ok_or_else(|| StoreError::new("the token has no `jti`"))?;
        // A revocation after this check has the same effect as one after the use: it revokes the
        // token, and if it ends the session, the pair made from the token as well.
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

    /// Checks a small part of the entries at a time, and yields to requests in between.
    async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        Ok(self.tokens.prune(now, |until| *until).await
            + self.sessions.prune(now, |until| *until).await
            + self.subjects.prune(now, |cut_off| cut_off.until).await
            + self.used.prune(now, |used| used.until).await)
    }
}

fn instant(millis: i64) -> Result<OffsetDateTime, StoreError> {
    clock::from_millis(millis)
        .ok_or_else(|| StoreError::new("an entry has a time that is out of range"))
}
