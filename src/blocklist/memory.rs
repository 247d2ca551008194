//! The in-memory store.

use dashmap::mapref::entry::Entry as Slot;
use dashmap::DashMap;
use rocket::time::OffsetDateTime;

use super::{Blocklist, EntryKey, Revocation, Standing, StoreError, TokenIds, UseUp};
use crate::clock;

/// A blocklist in the memory of one process: the default.
///
/// It is fast and needs no set-up, but other servers do not see it, and a restart forgets it. Entries
/// leave when they expire, by the fairing's pruning task.
#[derive(Default)]
pub struct MemoryBlocklist {
    entries: DashMap<EntryKey, Entry>,
}

/// Times in milliseconds since the Unix epoch; `i64::MAX` as `until` is for good.
struct Entry {
    until: i64,
    mark: Mark,
}

#[derive(Clone, Copy)]
enum Mark {
    /// A token or a session.
    Revoked,
    /// A subject: tokens issued until then are dead.
    CutOff(i64),
    /// A refresh token, first used then.
    Used(i64),
}

impl MemoryBlocklist {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of entries, expired ones that were not pruned yet included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn mark(&self, key: Option<EntryKey>) -> Option<Mark> {
        self.entries.get(&key?).map(|entry| entry.mark)
    }

    fn is_ended(&self, ids: &TokenIds<'_>) -> Result<bool, StoreError> {
        if self.mark(ids.session_key()).is_some() {
            return Ok(true);
        }
        Ok(match self.mark(ids.subject_key()) {
            Some(Mark::CutOff(cut_off)) => ids.is_cut_off_by(instant(cut_off)?),
            Some(_) => true,
            None => false,
        })
    }
}

#[rocket::async_trait]
impl Blocklist for MemoryBlocklist {
    async fn revoke(&self, entry: &Revocation) -> Result<(), StoreError> {
        let until = entry.until().map_or(i64::MAX, clock::millis);
        let mark = entry.cut_off().map_or(Mark::Revoked, |at| Mark::CutOff(clock::millis(at)));
        match self.entries.entry(entry.key()) {
            Slot::Vacant(slot) => {
                slot.insert(Entry { until, mark });
            }
            Slot::Occupied(mut slot) => {
                let old = slot.get_mut();
                old.until = old.until.max(until);
                old.mark = match (old.mark, mark) {
                    (Mark::CutOff(old), Mark::CutOff(new)) => Mark::CutOff(old.max(new)),
                    (_, new) => new,
                };
            }
        }
        Ok(())
    }

    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        let own = self.mark(ids.token_key());
        if self.is_ended(ids)? {
            return Ok(Standing::Revoked);
        }
        Ok(match own {
            None => Standing::Live,
            Some(Mark::Used(first)) => Standing::Used { first: instant(first)? },
            Some(_) => Standing::Revoked,
        })
    }

    async fn use_up(
        &self,
        ids: &TokenIds<'_>,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<UseUp, StoreError> {
        let key = ids.token_key().ok_or_else(|| StoreError::new("a token without `jti`"))?;
        // Asked before the token's shard is locked, as the keys may share one. A session that ends in
        // between holds for the pair made from this use as well.
        if self.is_ended(ids)? {
            return Ok(UseUp::Revoked);
        }
        match self.entries.entry(key) {
            Slot::Vacant(slot) => {
                let mark = Mark::Used(clock::millis(now));
                slot.insert(Entry { until: clock::millis(until), mark });
                Ok(UseUp::First)
            }
            Slot::Occupied(slot) => match slot.get().mark {
                Mark::Used(first) => Ok(UseUp::Again { first: instant(first)? }),
                _ => Ok(UseUp::Revoked),
            },
        }
    }

    async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        let now = clock::millis(now);
        let mut removed = 0;
        self.entries.retain(|_, entry| {
            let stays = entry.until > now;
            removed += u64::from(!stays);
            stays
        });
        Ok(removed)
    }
}

fn instant(millis: i64) -> Result<OffsetDateTime, StoreError> {
    clock::from_millis(millis).ok_or_else(|| StoreError::new("a time out of range"))
}
