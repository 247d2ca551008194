//! Signatures that were found to hold: for keys whose verification costs more than all else.
//!
//! One fact is kept: the signature of exactly these bytes held under that key. Whatever can change, or
//! differ from one request to the next, is asked each time: time, claims, CSRF, type, freshness, the
//! blocklist, hooks. What was sent without a good signature never gets in, so that no flood of it makes
//! the cache grow, or takes an entry's place.

use std::sync::Arc;

use foldhash::fast::RandomState;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::Weighter;
use rocket::time::OffsetDateTime;

/// What an entry takes beside its texts.
const OVERHEAD: usize = 256;

/// By the token's whole text. Two texts are compared in full; that it takes longer where they begin
/// alike tells nobody anything, as they are compared only where their keyed hashes are equal.
pub(crate) struct HeldSignatures(Cache<Arc<str>, Held, Bytes, RandomState>);

#[derive(Clone)]
struct Held {
    /// Of the key, as no other has.
    key: u64,
    json: Arc<str>,
    /// From when on the token is expired for good.
    until: OffsetDateTime,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Arc<str>, Held> for Bytes {
    fn weight(&self, encoded: &Arc<str>, held: &Held) -> u64 {
        (encoded.len() + held.json.len() + OVERHEAD) as u64
    }
}

impl HeldSignatures {
    /// A cache of at most `bytes`; `None` for a size that holds no token.
    pub(crate) fn new(bytes: usize) -> Option<Self> {
        (bytes > 0).then(|| {
            // A token of RSA and its claims take about a kilobyte.
            let (items, bytes) = ((bytes / 1024).max(16), bytes as u64);
            let lifecycle = DefaultLifecycle::default();
            Self(Cache::with(items, bytes, Bytes, RandomState::default(), lifecycle))
        })
    }

    /// The claims of a token whose signature held under this key.
    pub(crate) fn get(&self, encoded: &str, key: u64, now: OffsetDateTime) -> Option<Arc<str>> {
        let held = self.0.get(encoded)?;
        if held.key != key {
            return None;
        }
        if now >= held.until {
            self.0.remove(encoded);
            return None;
        }
        Some(held.json)
    }

    /// Keeps that the signature held.
    pub(crate) fn insert(&self, encoded: &Arc<str>, key: u64, json: &str, until: OffsetDateTime) {
        self.0.insert(encoded.clone(), Held { key, json: json.into(), until });
    }

    #[cfg(feature = "test-util")]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets the tokens that have expired.
    pub(crate) fn prune(&self, now: OffsetDateTime) {
        self.0.retain(|_, held| now < held.until);
    }
}

#[cfg(test)]
mod tests {
    use rocket::time::{Duration, OffsetDateTime};

    use super::HeldSignatures;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    #[test]
    fn an_entry_is_of_one_text_and_one_key_and_gone_at_its_end() {
        let cache = HeldSignatures::new(1 << 20).unwrap();
        let until = NOW + Duration::SECOND;
        cache.insert(&"a.b.c".into(), 7, "{}", until);
        assert_eq!(cache.get("a.b.c", 7, NOW).as_deref(), Some("{}"));
        assert_eq!(cache.get("a.b.d", 7, NOW), None);
        assert_eq!(cache.get("a.b.c", 8, NOW), None);
        assert_eq!(cache.get("a.b.c", 7, until), None);
        // Gone, and not only kept back.
        assert_eq!(cache.get("a.b.c", 7, NOW), None);
        cache.insert(&"a.b.c".into(), 7, "{}", until);
        cache.prune(until - Duration::NANOSECOND);
        assert_eq!(cache.0.len(), 1);
        cache.prune(until);
        assert_eq!(cache.0.len(), 0);
    }

    #[test]
    fn it_holds_no_more_than_it_may() {
        let cache = HeldSignatures::new(64 << 10).unwrap();
        for token in 0..10_000 {
            let encoded = format!("{token}{}", "x".repeat(500)).into();
            cache.insert(&encoded, 7, &"y".repeat(300), NOW + Duration::SECOND);
            assert!(cache.0.weight() <= 64 << 10);
        }
        assert!(cache.0.len() > 16);
        assert!(HeldSignatures::new(0).is_none());
    }

    #[test]
    fn asking_in_vain_puts_nothing_in_and_nothing_out() {
        let cache = HeldSignatures::new(64 << 10).unwrap();
        cache.insert(&"good".into(), 7, "{}", NOW + Duration::SECOND);
        for token in 0..100_000 {
            assert_eq!(cache.get(&format!("garbage {token}"), 7, NOW), None);
        }
        assert_eq!(cache.0.len(), 1);
        assert!(cache.get("good", 7, NOW).is_some());
    }
}
