//! A hash map split into many small maps, so that locks are held only briefly.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use foldhash::fast::RandomState;
use rocket::time::OffsetDateTime;
use rocket::tokio::task;

use crate::blocklist::entry::EntryKey;

/// The number of maps for a kind of entry. Pruning yields after each.
const MAPS: usize = 512;

/// The number of locks of a map, the minimum that it allows. Pruning holds one at a time.
const LOCKS: usize = 2;

/// Pruning yields after it has removed this many entries from a map, or more from a large map, so
/// that it needs at most [`MAX_BATCHES`] passes. Each pass scans all remaining entries, so removing
/// a few at a time from a large map would scan it again and again.
const MIN_BATCH: usize = 256;
const MAX_BATCHES: usize = 8;

/// An expiry in whole seconds since the Unix epoch, in four bytes. It is rounded up, so that an
/// entry is never removed early. An instant later than the largest value never expires.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seconds(u32);

impl Seconds {
    const NEVER: Self = Self(u32::MAX);

    pub(super) fn after(instant: Option<OffsetDateTime>) -> Self {
        let Some(instant) = instant else { return Self::NEVER };
        let up = i64::from(instant.nanosecond() > 0);
        match instant.unix_timestamp().saturating_add(up) {
            seconds if seconds < 0 => Self(0),
            seconds => u32::try_from(seconds).map_or(Self::NEVER, Self),
        }
    }

    /// Converts milliseconds, which may be beyond the range of the calendar.
    pub(super) fn of_millis(millis: Option<i64>) -> Self {
        let Some(millis) = millis else { return Self::NEVER };
        let seconds = millis.div_euclid(1000) + i64::from(millis.rem_euclid(1000) > 0);
        u32::try_from(seconds.max(0)).map_or(Self::NEVER, Self)
    }

    pub(super) fn has_passed(self, now: OffsetDateTime) -> bool {
        self != Self::NEVER && i64::from(self.0) <= now.unix_timestamp()
    }
}

type Id = [u8; 16];

/// The entries of one kind. The first byte of their keys is the same for all, and not stored.
pub(super) struct Shards<V> {
    // Allocated with the first entry, so that an unused kind takes no memory.
    maps: OnceLock<Box<[Map<V>]>>,
    count: AtomicUsize,
}

type Map<V> = DashMap<Id, V, RandomState>;

impl<V> Default for Shards<V> {
    fn default() -> Self {
        Self { maps: OnceLock::new(), count: AtomicUsize::new(0) }
    }
}

impl<V> Shards<V> {
    pub(super) fn len(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// The number of entries whose insertion has returned.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads the value of a key.
    pub(super) fn read<R>(&self, key: &EntryKey, read: impl FnOnce(&V) -> R) -> Option<R> {
        let [_, id @ ..] = key;
        self.maps.get()?.get(map_index(id))?.get(id).map(|entry| read(&entry))
    }

    pub(super) fn get(&self, key: &EntryKey) -> Option<V>
    where
        V: Copy,
    {
        self.read(key, |value| *value)
    }

    /// Changes the existing value, as one atomic operation.
    pub(super) fn change(&self, key: &EntryKey, change: impl FnOnce(&mut V)) {
        let [_, id @ ..] = key;
        let map = self.maps.get().and_then(|maps| maps.get(map_index(id)));
        if let Some(mut value) = map.and_then(|map| map.get_mut(id)) {
            change(&mut value);
        }
    }

    /// Inserts `new`, or changes the existing value, as one atomic operation.
    pub(super) fn upsert(
        &self,
        key: EntryKey,
        new: impl FnOnce() -> V,
        change: impl FnOnce(&mut V),
    ) {
        let [_, id @ ..] = key;
        let maps = self.maps.get_or_init(|| {
            let map = || DashMap::with_hasher_and_shard_amount(RandomState::default(), LOCKS);
            (0..MAPS).map(|_| map()).collect()
        });
        // `map_index` is always in range.
        let Some(map) = maps.get(map_index(&id)) else { return };
        match map.entry(id) {
            Entry::Occupied(mut entry) => change(entry.get_mut()),
            Entry::Vacant(entry) => {
                // Counted before it becomes visible and can be pruned, so that the count never
                // falls below zero.
                self.count.fetch_add(1, Ordering::SeqCst);
                entry.insert(new());
            }
        }
    }

    pub(super) async fn prune(&self, now: OffsetDateTime, until: impl Fn(&V) -> Seconds) -> u64 {
        let mut removed = 0;
        for map in self.maps.get().into_iter().flatten() {
            let before = removed;
            let batch = MIN_BATCH.max(map.len() / MAX_BATCHES);
            loop {
                let mut in_batch = 0;
                map.retain(|_, value| {
                    let is_removed = in_batch < batch && until(value).has_passed(now);
                    in_batch += usize::from(is_removed);
                    !is_removed
                });
                self.count.fetch_sub(in_batch, Ordering::SeqCst);
                removed += in_batch as u64;
                task::yield_now().await;
                if in_batch < batch {
                    break;
                }
            }
            if removed > before {
                // Returns the memory of entries that were removed.
                map.shrink_to_fit();
                task::yield_now().await;
            }
        }
        removed
    }
}

/// The index of an id's map, computed independently of its hash inside the map.
///
/// The last map gets twice as many entries as the first, with a linear increase between them. A map
/// doubles its table when it is full. If all maps had equally many entries, all would double at the
/// same time, and be half empty afterwards. With unequal maps, some are always full and some half
/// empty, so the memory for each entry is the same at any total number.
fn map_index(id: &Id) -> usize {
    let bits = u128::from_be_bytes(*id);
    let folded = (bits as u64) ^ ((bits >> 64) as u64);
    let mixed = (folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize;
    let (one, other) = (mixed % MAPS, mixed / MAPS % MAPS);
    // The greater of two random indexes has a probability that increases linearly from zero. It is
    // used in a third of the cases.
    let is_uneven = (mixed / MAPS / MAPS).is_multiple_of(3);
    if is_uneven { one.max(other) } else { one }
}

#[cfg(test)]
mod tests {
    use rocket::time::{Duration, OffsetDateTime};

    use uuid::Uuid;

    use super::{MAPS, Seconds, map_index};

    #[test]
    fn an_entry_never_expires_early_and_without_until_never() {
        let at = |millis: i64| OffsetDateTime::UNIX_EPOCH + Duration::milliseconds(millis);
        for (until, now, over) in [
            (Some(at(10_000)), at(9_999), false),
            (Some(at(10_000)), at(10_000), true),
            (Some(at(10_001)), at(10_999), false),
            (Some(at(10_001)), at(11_000), true),
            (Some(at(i64::from(u32::MAX) * 1000)), at(i64::from(u32::MAX) * 1000 + 5000), false),
            (None, at(253_402_300_799_000), false),
        ] {
            assert_eq!(Seconds::after(until).has_passed(now), over, "{until:?} at {now}");
        }
    }

    #[test]
    fn the_last_maps_have_twice_as_many_entries_as_the_first() {
        let mut counts = [0_u32; MAPS];
        for _ in 0..MAPS * 750 {
            counts[map_index(Uuid::now_v7().as_bytes())] += 1;
        }
        // Sixteen parts, whose counts increase linearly from 1 to 2, with a mean of 1.5.
        for (number, part) in counts.chunks(MAPS / 16).enumerate() {
            let expected = 500.0 * (1.0 + (number as f64 + 0.5) / 16.0);
            let mean = f64::from(part.iter().sum::<u32>()) / part.len() as f64;
            assert!((mean / expected - 1.0).abs() < 0.04, "{number}: {mean} for {expected}");
        }
    }
}
