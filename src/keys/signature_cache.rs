//! A cache of verified signatures, for asymmetric keys only: verifying those costs more than all
//! other checks.
//!
//! It stores one fact: the signature of exactly these bytes matched under that key. Everything that
//! can change, or differ from one request to the next, is checked each time: time, claims, CSRF,
//! type, freshness, the blocklist, hooks. A token without a valid signature is never stored, so a
//! flood of such tokens neither makes the cache grow nor evicts an entry.

use std::sync::Arc;

use foldhash::fast::RandomState;
use quick_cache::Weighter;
use quick_cache::sync::{Cache, DefaultLifecycle};
use rocket::time::OffsetDateTime;

/// The size of an entry without its texts.
const OVERHEAD: usize = 256;

/// The key of an entry is the token's whole text, and texts are compared in full. The comparison
/// takes longer if the texts begin alike, but this reveals nothing, since texts are compared only
/// if their keyed hashes are equal.
pub(crate) struct SignatureCache(Cache<Arc<str>, Entry, Bytes, RandomState>);

#[derive(Clone)]
struct Entry {
    /// Id of the key that verified it.
    key: u64,
    json: Arc<str>,
    /// The instant from which the token is expired.
    until: OffsetDateTime,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Arc<str>, Entry> for Bytes {
    fn weight(&self, encoded: &Arc<str>, entry: &Entry) -> u64 {
        (encoded.len() + entry.json.len() + OVERHEAD) as u64
    }
}

impl SignatureCache {
    /// A cache of at most `bytes`; `None` for a size of zero.
    pub(crate) fn new(bytes: usize) -> Option<Self> {
        (bytes > 0).then(|| {
            // An RSA token and its claims take about a kilobyte.
            let (items, bytes) = ((bytes / 1024).max(16), bytes as u64);
            let lifecycle = DefaultLifecycle::default();
            Self(Cache::with(items, bytes, Bytes, RandomState::default(), lifecycle))
        })
    }

    /// The claims of a token whose signature was verified under this key.
    pub(crate) fn get(&self, encoded: &str, key: u64, now: OffsetDateTime) -> Option<Arc<str>> {
        let entry = self.0.get(encoded)?;
        if entry.key != key {
            return None;
        }
        if now >= entry.until {
            self.0.remove(encoded);
            return None;
        }
        Some(entry.json)
    }

    /// Stores a verified signature.
    pub(crate) fn insert(&self, encoded: &Arc<str>, key: u64, json: &str, until: OffsetDateTime) {
        self.0.insert(encoded.clone(), Entry { key, json: json.into(), until });
    }

    #[cfg(feature = "test-util")]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Removes the tokens that have expired.
    pub(crate) fn prune(&self, now: OffsetDateTime) {
        self.0.retain(|_, entry| now < entry.until);
    }
}

#[cfg(test)]
mod tests {
    use rocket::time::{Duration, OffsetDateTime};

    use super::SignatureCache;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    #[test]
    fn an_entry_belongs_to_one_text_and_one_key_and_is_removed_at_its_end() {
        let cache = SignatureCache::new(1 << 20).unwrap();
        let until = NOW + Duration::SECOND;
        cache.insert(&"a.b.c".into(), 7, "{}", until);
        assert_eq!(cache.get("a.b.c", 7, NOW).as_deref(), Some("{}"));
        assert_eq!(cache.get("a.b.d", 7, NOW), None);
        assert_eq!(cache.get("a.b.c", 8, NOW), None);
        assert_eq!(cache.get("a.b.c", 7, until), None);
        // The entry was removed, not only hidden.
        assert_eq!(cache.get("a.b.c", 7, NOW), None);
        cache.insert(&"a.b.c".into(), 7, "{}", until);
        cache.prune(until - Duration::NANOSECOND);
        assert_eq!(cache.0.len(), 1);
        cache.prune(until);
        assert_eq!(cache.0.len(), 0);
    }

    #[test]
    fn it_holds_no_more_than_it_may() {
        let cache = SignatureCache::new(64 << 10).unwrap();
        for token in 0..10_000 {
            let encoded = format!("{token}{}", "x".repeat(500)).into();
            cache.insert(&encoded, 7, &"y".repeat(300), NOW + Duration::SECOND);
            assert!(cache.0.weight() <= 64 << 10);
        }
        assert!(cache.0.len() > 16);
        assert!(SignatureCache::new(0).is_none());
    }

    #[test]
    fn a_miss_adds_nothing_and_evicts_nothing() {
        let cache = SignatureCache::new(64 << 10).unwrap();
        cache.insert(&"good".into(), 7, "{}", NOW + Duration::SECOND);
        for token in 0..100_000 {
            assert_eq!(cache.get(&format!("garbage {token}"), 7, NOW), None);
        }
        assert_eq!(cache.0.len(), 1);
        assert!(cache.get("good", 7, NOW).is_some());
    }
}
