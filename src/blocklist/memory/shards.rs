//! A map in small parts, so that no lock is held for long.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::OnceLock;

use dashmap::mapref::entry::Entry;
use dashmap::DashMap;
use foldhash::fast::RandomState;
use rocket::time::OffsetDateTime;
use rocket::tokio::task;

use crate::blocklist::entry::EntryKey;

/// Maps of a kind of entry. Pruning takes a break after each.
const MAPS: usize = 512;

/// Locks of a map, as few as it may have. Pruning holds one at a time.
const LOCKS: usize = 2;

/// How many entries leave a map between two breaks, at least, and the most breaks that takes. Few of a
/// large map would be found again and again by a look at all that are left.
const BATCH: usize = 256;
const BREAKS: usize = 8;

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
    // Made with the first entry: a kind that nobody uses takes nothing.
    maps: OnceLock<Box<[Map<V>]>>,
    count: AtomicUsize,
}

type Map<V> = DashMap<Id, V, RandomState>;

impl<V> Default for Shards<V> {
    fn default() -> Self {
        Self { maps: OnceLock::new(), count: AtomicUsize::new(0) }
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
        self.maps.get()?.get(place(id))?.get(id).map(|entry| *entry)
    }

    /// Inserts `new`, or changes what is there: one atomic operation.
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
        // There is one for each place.
        let Some(map) = maps.get(place(&id)) else { return };
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
        for map in self.maps.get().into_iter().flatten() {
            let before = removed;
            let batch = BATCH.max(map.len() / BREAKS);
            loop {
                let mut of_batch = 0;
                map.retain(|_, value| {
                    let leaves = of_batch < batch && until(value).is_over(now);
                    of_batch += usize::from(leaves);
                    !leaves
                });
                self.count.fetch_sub(of_batch, Ordering::SeqCst);
                removed += of_batch as u64;
                task::yield_now().await;
                if of_batch < batch {
                    break;
                }
            }
            if removed > before {
                // What a million entries took is given back when they have left.
                map.shrink_to_fit();
                task::yield_now().await;
            }
        }
        removed
    }
}

/// The map of an id, by bits that its hash in the map does not depend on.
///
/// The last map gets twice as many as the first, and those between them their share. A map's table
/// doubles when it is full: were all alike, all would double at the same time, and be half empty after
/// it. So there are always full ones and half empty ones, and an entry takes the same at any number.
fn place(id: &Id) -> usize {
    let bits = u128::from_be_bytes(*id);
    let folded = (bits as u64) ^ ((bits >> 64) as u64);
    let mixed = (folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize;
    let (one, other) = (mixed % MAPS, mixed / MAPS % MAPS);
    // The greater of two has a share that grows from nothing; in a third of the cases it is taken.
    let is_uneven = (mixed / MAPS / MAPS).is_multiple_of(3);
    if is_uneven {
        one.max(other)
    } else {
        one
    }
}

#[cfg(test)]
mod tests {
    use rocket::time::{Duration, OffsetDateTime};

    use uuid::Uuid;

    use super::{place, Seconds, MAPS};

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

    #[test]
    fn the_last_maps_have_twice_as_many_entries_as_the_first() {
        let mut counts = [0_u32; MAPS];
        for _ in 0..MAPS * 750 {
            counts[place(Uuid::now_v7().as_bytes())] += 1;
        }
        // Sixteen parts, whose shares grow from 1 to 2 in proportion to 1.5 for the whole.
        for (number, part) in counts.chunks(MAPS / 16).enumerate() {
            let expected = 500.0 * (1.0 + (number as f64 + 0.5) / 16.0);
            let mean = f64::from(part.iter().sum::<u32>()) / part.len() as f64;
            assert!((mean / expected - 1.0).abs() < 0.04, "{number}: {mean} for {expected}");
        }
    }
}
