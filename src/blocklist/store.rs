//! The trait that every store implements, and the results of its methods.

use std::sync::Arc;

use rocket::time::OffsetDateTime;

use super::entry::{Revocation, TokenIds};

/// A store of revoked tokens, ended sessions, logged-out subjects and used-up refresh tokens.
///
/// A store records facts; the crate decides what follows from them. All servers that accept the
/// same tokens should share one store. Otherwise a token that is revoked on one server stays valid
/// on the others.
///
/// # Three kinds of entry
///
/// | kind | key | a token is revoked if |
/// |---|---|---|
/// | token | `jti` | its `jti` has an entry |
/// | session | `sid` | its `sid` has an entry |
/// | subject | the identity | it was issued at or before the entry's cut-off: [`TokenIds::is_cut_off_by()`] |
///
/// An entry expires at its [`Revocation::until()`] and may be removed then, but never earlier. An
/// entry without `until` never expires. When a key is recorded twice, the later `until` and the
/// later cut-off apply, and "never" is later than any instant.
///
/// # Outline of an implementation
///
/// A store typically
///
///   1. converts each id to an [`EntryKey`](super::entry::EntryKey) of 17 bytes with
///      [`Revocation::key()`] and [`TokenIds::keys()`];
///   2. in `revoke`, inserts the entry or extends the existing one, and returns only when the
///      change is durable and visible to every server;
///   3. in `standing`, reads all keys of a token in **one** round trip;
///   4. in `use_up`, inserts "used at `now`" for the token's key *if it has no such mark yet*, in
///      one atomic operation, so that exactly one of any number of concurrent calls returns
///      [`UseUp::First`];
///   5. in `prune`, removes entries whose `until` has passed, in batches.
///
/// ```rust
/// use std::collections::HashMap;
/// use std::sync::Mutex;
///
/// use rocket::time::OffsetDateTime;
/// use rocket_jwt_extended::blocklist::{
///     Blocklist, EntryKey, Revocation, Standing, StoreError, TokenIds, UseUp,
/// };
///
/// #[derive(Default)]
/// struct Entry {
///     revoked: bool,
///     cut_off: Option<OffsetDateTime>,
///     used: Option<OffsetDateTime>,
///     until: Option<OffsetDateTime>,
/// }
///
/// #[derive(Default)]
/// struct Simple(Mutex<HashMap<EntryKey, Entry>>);
///
/// impl Simple {
///     fn lock(&self) -> Result<std::sync::MutexGuard<'_, HashMap<EntryKey, Entry>>, StoreError> {
///         self.0.lock().map_err(|_| StoreError::new("poisoned"))
///     }
/// }
///
/// fn is_revoked(map: &HashMap<EntryKey, Entry>, ids: &TokenIds<'_>) -> bool {
///     ids.keys().iter().filter_map(|key| map.get(key)).any(|entry| {
///         entry.revoked || entry.cut_off.is_some_and(|cut_off| ids.is_cut_off_by(cut_off))
///     })
/// }
///
/// #[rocket::async_trait]
/// impl Blocklist for Simple {
///     async fn revoke(&self, entry: &Revocation) -> Result<(), StoreError> {
///         let mut map = self.lock()?;
///         let fresh = !map.contains_key(&entry.key());
///         let slot = map.entry(entry.key()).or_default();
///         slot.until = match (slot.until, entry.until()) {
///             (old, new) if fresh || old.is_none() => if fresh { new } else { old },
///             (Some(old), Some(new)) => Some(old.max(new)),
///             (_, None) | (None, _) => None,
///         };
///         match entry.cut_off() {
///             Some(cut_off) => slot.cut_off = slot.cut_off.max(Some(cut_off)),
///             None => slot.revoked = true,
///         }
///         Ok(())
///     }
///
///     async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
///         let map = self.lock()?;
///         if is_revoked(&map, ids) {
///             return Ok(Standing::Revoked);
///         }
///         let used = ids.token_key().and_then(|key| map.get(&key)?.used);
///         Ok(used.map_or(Standing::Live, |first| Standing::Used { first }))
///     }
///
///     async fn use_up(
///         &self,
///         ids: &TokenIds<'_>,
///         now: OffsetDateTime,
///         until: OffsetDateTime,
///     ) -> Result<UseUp, StoreError> {
///         let key = ids.token_key().ok_or_else(|| StoreError::new("the token has no `jti`"))?;
///         let mut map = self.lock()?;
///         if is_revoked(&map, ids) {
///             return Ok(UseUp::Revoked);
///         }
///         let slot = map.entry(key).or_default();
///         match slot.used {
///             Some(first) => Ok(UseUp::Again { first }),
///             None => {
///                 (slot.used, slot.until) = (Some(now), Some(until));
///                 Ok(UseUp::First)
///             }
///         }
///     }
///
///     async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
///         let mut map = self.lock()?;
///         let before = map.len();
///         map.retain(|_, entry| entry.until.is_none_or(|until| until > now));
///         Ok((before - map.len()) as u64)
///     }
/// }
/// ```
#[rocket::async_trait]
pub trait Blocklist: Send + Sync + 'static {
    /// Records `entry`. After `Ok`, no server that shares the store returns [`Standing::Live`] for
    /// it.
    ///
    /// # Errors
    ///
    /// If it is not certain that the entry was recorded.
    async fn revoke(&self, entry: &Revocation) -> Result<(), StoreError>;

    /// Looks up the token's standing, by token, session and subject together, in one round trip.
    /// [`Standing::Revoked`] takes precedence over [`Standing::Used`].
    ///
    /// # Errors
    ///
    /// If the lookup fails. The request is then refused with 503.
    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError>;

    /// Returns what [`standing()`](Blocklist::standing) would return, if that is known without
    /// waiting. For `None`, which the default always returns, `standing()` is called. Guards call
    /// this method first, as a lookup that does not wait then needs no future.
    ///
    /// # Errors
    ///
    /// As for [`standing()`](Blocklist::standing).
    fn try_standing(&self, _ids: &TokenIds<'_>) -> Option<Result<Standing, StoreError>> {
        None
    }

    /// Uses the token up, as one atomic operation: of any number of calls for one `jti`, on any
    /// number of servers, exactly one returns [`UseUp::First`]. The mark stores `now` at least to
    /// the millisecond, and expires at `until`. A revoked token returns [`UseUp::Revoked`].
    ///
    /// # Errors
    ///
    /// If the operation fails, or the token has no `jti`.
    async fn use_up(
        &self,
        ids: &TokenIds<'_>,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<UseUp, StoreError>;

    /// Removes entries whose `until` is at or before `now`, and returns their number. A store that
    /// expires its entries itself does nothing and returns 0.
    ///
    /// # Errors
    ///
    /// If the store fails. Entries that were removed before the failure stay removed.
    async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError>;
}

#[rocket::async_trait]
impl<T: Blocklist + ?Sized> Blocklist for Arc<T> {
    async fn revoke(&self, entry: &Revocation) -> Result<(), StoreError> {
        (**self).revoke(entry).await
    }

    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        (**self).standing(ids).await
    }

    fn try_standing(&self, ids: &TokenIds<'_>) -> Option<Result<Standing, StoreError>> {
        (**self).try_standing(ids)
    }

    async fn use_up(
        &self,
        ids: &TokenIds<'_>,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<UseUp, StoreError> {
        (**self).use_up(ids, now, until).await
    }

    async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        (**self).prune(now).await
    }
}

/// The standing of a token in a [`Blocklist`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Neither revoked nor used up.
    Live,
    /// The token or its session was revoked, or its subject with a cut-off at or after the time of
    /// issue.
    Revoked,
    /// The refresh token was exchanged for a new pair.
    Used {
        /// When it was used for the first time.
        first: OffsetDateTime,
    },
}

/// The result of [using a token up](Blocklist::use_up()).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UseUp {
    /// This call was the first use.
    First,
    /// The token had been used before.
    Again {
        /// When it was used for the first time.
        first: OffsetDateTime,
    },
    /// The token is revoked, and this call did not use it up.
    Revoked,
}

/// A failure of a store.
///
/// Its text is logged, and never sent to a client. It must not contain credentials.
#[derive(Debug)]
pub struct StoreError(pub(super) Box<dyn std::error::Error + Send + Sync>);

impl StoreError {
    /// Wraps any error or text.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}
