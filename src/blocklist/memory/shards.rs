//! A map in small parts, so that no lock is held for long.

use std::sync::atomic::{AtomicUsize, Ordering};

use dashmap::mapref::entry::Entry;
use dashmap::DashMap;
use foldhash::fast::RandomState;
use rocket::time::OffsetDateTime;
use rocket::tokio::task;

use crate::blocklist::EntryKey;

/// Maps of a kind of entry. Pruning takes a break after each.
const MAPS: usize = 64;

/// Locks of a map. Pruning holds one at a time.
const LOCKS: usize = 4;

/// An instant in whole seconds since the Unix epoch, in four bytes: rounded up, so that an entry never
/// leaves early. What is later than the last of them is for good.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seconds(u32);

impl Seconds {
    const FOR_GOOD: Self = Self(u32::MAX);

    pub(super) fn after(instant: Option<OffsetDateTime>) -> Self {
        let Some(instant) = instant else { return Self::FOR_GOOD };
        let up = i64::from(instant.nanosecond() > 0);
        match instant.unix_timestamp().saturating_add(up) {
            seconds if seconds < 0 => Self(0),
            seconds => u32::try_from(seconds).map_or(Self::FOR_GOOD, Self),
        }
    }

    /// From milliseconds, of which there may be more than the calendar has.
    pub(super) fn of_millis(millis: Option<i64>) -> Self {
        let Some(millis) = millis else { return Self::FOR_GOOD };
        let seconds = millis.div_euclid(1000) + i64::from(millis.rem_euclid(1000) > 0);
        u32::try_from(seconds.max(0)).map_or(Self::FOR_GOOD, Self)
    }

    pub(super) fn is_over(self, now: OffsetDateTime) -> bool {
        self != Self::FOR_GOOD && i64::from(self.0) <= now.unix_timestamp()
    }
}

type Id = [u8; 16];

/// Entries of one kind: the key's first byte is the same for all, and left out.
pub(super) struct Shards<V> {
    maps: Box<[DashMap<Id, V, RandomState>]>,
    count: AtomicUsize,
}

impl<V> Default for Shards<V> {
    fn default() -> Self {
        let map = || DashMap::with_hasher_and_shard_amount(RandomState::default(), LOCKS);
        Self { maps: (0..MAPS).map(|_| map()).collect(), count: AtomicUsize::new(0) }
    }
}

impl<V: Copy> Shards<V> {
    pub(super) fn len(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// An entry whose insertion has returned is counted.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn get(&self, key: &EntryKey) -> Option<V> {
        let [_, id @ ..] = key;
        self.map(id)?.get(id).map(|entry| *entry)
    }

    /// Inserts `new`, or changes what is there: one atomic operation.
    pub(super) fn upsert(
        &self,
        key: EntryKey,
        new: impl FnOnce() -> V,
        change: impl FnOnce(&mut V),
    ) {
        let [_, id @ ..] = key;
        let Some(map) = self.map(&id) else { return };
        match map.entry(id) {
            Entry::Occupied(mut entry) => change(entry.get_mut()),
            Entry::Vacant(entry) => {
                // Counted before it can be seen and pruned, that the count never falls below zero.
                self.count.fetch_add(1, Ordering::SeqCst);
                entry.insert(new());
            }
        }
    }

    pub(super) async fn prune(&self, now: OffsetDateTime, until: impl Fn(&V) -> Seconds) -> u64 {
        let mut removed = 0;
        for map in &self.maps {
            let mut of_map = 0;
            map.retain(|_, value| {
                let stays = !until(value).is_over(now);
                of_map += usize::from(!stays);
                stays
            });
            if of_map > 0 {
                // What a million entries took is given back when they have left.
                map.shrink_to_fit();
                self.count.fetch_sub(of_map, Ordering::SeqCst);
                removed += of_map as u64;
            }
            task::yield_now().await;
        }
        removed
    }

    /// The map of an id, by bits that its hash in the map does not depend on.
    fn map(&self, id: &Id) -> Option<&DashMap<Id, V, RandomState>> {
        let bits = u128::from_be_bytes(*id);
        let folded = (bits as u64) ^ ((bits >> 64) as u64);
        let mixed = folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        self.maps.get(mixed as usize % MAPS)
    }
}

#[cfg(test)]
mod tests {
    use rocket::time::{Duration, OffsetDateTime};

    use super::Seconds;

    #[test]
    fn an_entry_never_leaves_early_and_for_good_is_for_good() {
        let at = |millis: i64| OffsetDateTime::UNIX_EPOCH + Duration::milliseconds(millis);
        for (until, now, over) in [
            (Some(at(10_000)), at(9_999), false),
            (Some(at(10_000)), at(10_000), true),
            (Some(at(10_001)), at(10_999), false),
            (Some(at(10_001)), at(11_000), true),
            (Some(at(i64::from(u32::MAX) * 1000)), at(i64::from(u32::MAX) * 1000 + 5000), false),
            (None, at(253_402_300_799_000), false),
        ] {
            assert_eq!(Seconds::after(until).is_over(now), over, "{until:?} at {now}");
        }
    }
}
