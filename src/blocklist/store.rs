//! The trait that every store implements, and the results of its methods.

use std::sync::Arc;

use rocket::time::OffsetDateTime;
use uuid::Uuid;

use super::entry::{Revocation, TokenIds};
use super::exchange::{Exchange, Exchanged, Place, SessionRow};
use super::sessions::{Begun, Limit, NewSession, Recorded, Renewal};
use crate::clock;

/// A store of revoked tokens, ended sessions, logged-out subjects and exchanged refresh tokens.
///
/// A store records facts, and makes one decision, the [exchange](Exchange); the crate decides the
/// consequences. All servers that accept the same tokens should share one store. Otherwise a token
/// that is revoked on one server stays valid on the others.
///
/// # Four kinds of entry
///
/// | kind | key | a token is revoked if |
/// |---|---|---|
/// | token | `jti` | its `jti` has an entry |
/// | session | `sid`, or the id derived from the `jti` | its session has ended |
/// | subject | the identity | it was issued at or before the entry's cut-off: [`TokenIds::is_cut_off_by()`] |
/// | everything | a constant | the same applies |
///
/// An entry expires at its [`Revocation::until()`] and may be removed then, but never earlier. An
/// entry without `until` never expires. When a key is recorded twice, the later `until` and the
/// later cut-off apply, and "never" is later than any instant.
///
/// A session has one [`SessionRow`], which says whether the session has ended and which of its refresh
/// tokens may be exchanged. Both are in one row, so that a logout and an exchange always see each
/// other.
///
/// # Outline of an implementation
///
/// A store typically
///
///   1. converts each id to an [`EntryKey`](super::entry::EntryKey) of 17 bytes with
///      [`Revocation::key()`] and [`TokenIds::keys()`];
///   2. in `revoke`, inserts the entry or extends the existing one, and returns only when the
///      change is durable and visible to every server;
///   3. in `standing`, reads all keys of a token in **one** round trip, and determines the standing
///      of a refresh token with [`Standing::of()`];
///   4. in `exchange`, reads the session's row, decides with [`Exchange::decide()`], and writes the new
///      row, in one atomic operation, so that exactly one of any number of concurrent calls returns
///      [`Exchanged::First`];
///   5. in `prune`, removes entries whose `until` has passed, in batches.
///
/// ```rust
/// use std::collections::HashMap;
/// use std::sync::{Mutex, MutexGuard};
///
/// use rocket::time::OffsetDateTime;
/// use rocket_jwt_extended::blocklist::{
///     Blocklist, EVERYTHING, EntryKey, Exchange, Exchanged, Revocation, RevocationKind, SessionRow,
///     Standing, StoreError, TokenIds,
/// };
///
/// #[derive(Default)]
/// struct Entry {
///     revoked: bool,
///     cut_off: Option<OffsetDateTime>,
///     session: Option<SessionRow>,
///     until: Option<OffsetDateTime>,
/// }
///
/// type Map = HashMap<EntryKey, Entry>;
///
/// #[derive(Default)]
/// struct Simple(Mutex<Map>);
///
/// impl Simple {
///     fn lock(&self) -> Result<MutexGuard<'_, Map>, StoreError> {
///         self.0.lock().map_err(|_| StoreError::new("poisoned"))
///     }
/// }
///
/// /// The entry of a key. It expires at `until` or later.
/// fn entry(map: &mut Map, key: EntryKey, until: Option<OffsetDateTime>) -> &mut Entry {
///     let entry = map.entry(key).or_insert_with(|| Entry { until, ..Entry::default() });
///     entry.until = entry.until.zip(until).map(|(old, new)| old.max(new));
///     entry
/// }
///
/// fn is_revoked(map: &Map, ids: &TokenIds<'_>) -> bool {
///     let keys = [ids.token_key(), ids.subject_key(), Some(EVERYTHING)];
///     keys.iter().flatten().filter_map(|key| map.get(key)).any(|entry| {
///         entry.revoked || entry.cut_off.is_some_and(|cut_off| ids.is_cut_off_by(cut_off))
///     })
/// }
///
/// fn row<'a>(map: &'a Map, ids: &TokenIds<'_>) -> Option<&'a SessionRow> {
///     map.get(&ids.session_key()?)?.session.as_ref()
/// }
///
/// #[rocket::async_trait]
/// impl Blocklist for Simple {
///     async fn revoke(&self, revocation: &Revocation) -> Result<bool, StoreError> {
///         let mut map = self.lock()?;
///         let entry = entry(&mut map, revocation.key(), revocation.until());
///         Ok(match (revocation.kind(), revocation.cut_off()) {
///             (RevocationKind::Session, _) => {
///                 let row = entry.session.get_or_insert_default();
///                 !std::mem::replace(&mut row.ended, true)
///             }
///             (_, None) => !std::mem::replace(&mut entry.revoked, true),
///             (_, cut_off) => {
///                 let is_later = cut_off > entry.cut_off;
///                 entry.cut_off = entry.cut_off.max(cut_off);
///                 is_later
///             }
///         })
///     }
///
///     async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
///         let map = self.lock()?;
///         Ok(match is_revoked(&map, ids) {
///             true => Standing::Revoked,
///             false => Standing::of(ids, row(&map, ids)),
///         })
///     }
///
///     async fn exchange(
///         &self,
///         ids: &TokenIds<'_>,
///         exchange: &Exchange,
///     ) -> Result<Exchanged, StoreError> {
///         let key = ids.jti_key().and(ids.session_key());
///         let key = key.ok_or_else(|| StoreError::new("the token has no `jti`"))?;
///         let mut map = self.lock()?;
///         if is_revoked(&map, ids) {
///             return Ok(Exchanged::Ended);
///         }
///         let (outcome, written) = exchange.decide(ids, row(&map, ids));
///         if let Some(row) = written {
///             entry(&mut map, key, exchange.until()).session = Some(row);
///         }
///         Ok(outcome)
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
    /// Records `entry`. After `Ok`, no server that shares the store returns anything but
    /// [`Standing::Revoked`] for it. Returns whether this call changed more than its `until`: of any number
    /// of concurrent calls for one token or session, at most one does.
    ///
    /// # Errors
    ///
    /// If it is not certain that the entry was recorded.
    async fn revoke(&self, entry: &Revocation) -> Result<bool, StoreError>;

    /// Looks up the token's standing, by token, session and subject together, in one round trip.
    /// For an [exchangeable](TokenIds::exchangeable) token, its session's row is checked as well.
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

    /// Exchanges a refresh token, as one atomic operation that is durable when it returns: of any number
    /// of calls for one `jti`, on any number of servers, exactly one is [`Exchanged::First`]. A call that is
    /// repeated with the same [`Exchange::next()`] gets the same result, so that it may be repeated if its
    /// result was lost.
    ///
    /// # Errors
    ///
    /// If the operation fails, or the token has no `jti`.
    async fn exchange(
        &self,
        ids: &TokenIds<'_>,
        exchange: &Exchange,
    ) -> Result<Exchanged, StoreError>;

    /// The store, if it also keeps the sessions that users can list, for the setting `sessions`.
    /// With the default, `None`, the launch fails if that setting is on.
    fn session_store(&self) -> Option<&dyn SessionStore> {
        None
    }

    /// Removes entries whose `until` is at or before `now`, and returns their number. A store that
    /// expires its entries itself does nothing and returns 0.
    ///
    /// # Errors
    ///
    /// If the store fails. Entries that were removed before the failure stay removed.
    async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError>;
}

/// A [`Blocklist`] that can list the sessions of a subject, for the setting `sessions`. The stores
/// of this crate implement it. A custom store returns itself from [`Blocklist::session_store()`].
///
/// A session is live until it has ended, its newest token has expired, or a cut-off of its subject or of
/// everything is at or after the time of its current refresh token: see [`Recorded::is_live()`].
///
/// # Outline of an implementation
///
/// A store has an index of its rows by [`Owner::subject`](super::Owner::subject). It stores a session's label and
/// details separately from the row, since each exchange writes the row.
#[rocket::async_trait]
pub trait SessionStore: Blocklist {
    /// Checks at launch that this server has the rights that the other methods need. The default checks
    /// nothing.
    ///
    /// # Errors
    ///
    /// If a right is missing. The launch then fails.
    async fn check_sessions(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Inserts the row of a new session, as one atomic operation with the decision about the limit. After
    /// `Ok`, no server finds more live sessions of the subject than the limit allows. A call that is
    /// repeated for the same session succeeds again.
    ///
    /// # Errors
    ///
    /// If it is not certain that the session was begun.
    async fn begin(
        &self,
        ids: &TokenIds<'_>,
        session: &NewSession<'_>,
        limit: Option<Limit>,
    ) -> Result<Begun, StoreError>;

    /// The live sessions of the ids' subject at `now`, newest first, at most [`MAX_LISTED`](super::MAX_LISTED).
    ///
    /// # Errors
    ///
    /// If the lookup fails.
    async fn sessions(
        &self,
        ids: &TokenIds<'_>,
        now: OffsetDateTime,
    ) -> Result<Vec<Recorded>, StoreError>;

    /// Ends a session if it belongs to the ids' subject. Its row then expires at `until` or later. Returns
    /// whether this call ended it.
    ///
    /// # Errors
    ///
    /// If it is not certain whether it ended.
    async fn end_session(
        &self,
        ids: &TokenIds<'_>,
        session: Uuid,
        until: Option<OffsetDateTime>,
    ) -> Result<bool, StoreError>;

    /// Ends every session of the ids' subject except the ids' own session. Returns the sessions
    /// that this call ended.
    ///
    /// # Errors
    ///
    /// If it is not certain which sessions ended. Sessions that ended before the failure stay
    /// ended.
    async fn end_other_sessions(
        &self,
        ids: &TokenIds<'_>,
        until: Option<OffsetDateTime>,
    ) -> Result<Vec<Uuid>, StoreError>;

    /// Looks up the standing of an access token that is to be renewed, and records the renewal in the row of
    /// its session, if that is live: the time of use, an end that is not before the new token's `exp`, and
    /// the subject, if the row has none. If the ids [need a row](TokenIds::needs_row), a session without
    /// one is [`Standing::Revoked`].
    ///
    /// # Errors
    ///
    /// If the operation fails.
    async fn renew(&self, ids: &TokenIds<'_>, renewal: &Renewal) -> Result<Standing, StoreError>;
}

#[rocket::async_trait]
impl<T: Blocklist + ?Sized> Blocklist for Arc<T> {
    async fn revoke(&self, entry: &Revocation) -> Result<bool, StoreError> {
        (**self).revoke(entry).await
    }

    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        (**self).standing(ids).await
    }

    fn try_standing(&self, ids: &TokenIds<'_>) -> Option<Result<Standing, StoreError>> {
        (**self).try_standing(ids)
    }

    async fn exchange(
        &self,
        ids: &TokenIds<'_>,
        exchange: &Exchange,
    ) -> Result<Exchanged, StoreError> {
        (**self).exchange(ids, exchange).await
    }

    fn session_store(&self) -> Option<&dyn SessionStore> {
        (**self).session_store()
    }

    async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        (**self).prune(now).await
    }
}

/// The standing of a token in a [`Blocklist`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// Nothing is recorded against the token. If it is a refresh token, it may be exchanged.
    Live,
    /// The token was revoked, its session has ended, or its subject has a cut-off at or after the time of
    /// issue.
    Revoked,
    /// The refresh token is the last one that its session exchanged.
    Exchanged {
        /// When it was exchanged.
        at: OffsetDateTime,
    },
    /// The refresh token may not be exchanged: it was exchanged before the last one.
    Replaced,
    /// The refresh token is newer than its session's row: the store has lost the write of an
    /// exchange, and perhaps revocations. Only for ids that [need a row](TokenIds::needs_row).
    Newer,
}

impl Standing {
    /// The standing of a token, given its session's row, if neither the token nor its subject is
    /// revoked.
    pub fn of(ids: &TokenIds<'_>, row: Option<&SessionRow>) -> Self {
        if row.is_some_and(|row| row.ended) {
            return Self::Revoked;
        }
        if !ids.is_exchangeable() {
            return Self::Live;
        }
        match SessionRow::place(row, ids) {
            Place::NoRow if ids.needs_row() => Self::Revoked,
            Place::Newer if ids.needs_row() => Self::Newer,
            Place::NoRow | Place::Current | Place::Newer => Self::Live,
            Place::Replaced => Self::Replaced,
            // A time that is out of range is far outside the grace period.
            Place::Last(at) => match clock::from_millis(at) {
                Some(at) => Self::Exchanged { at },
                None => Self::Replaced,
            },
        }
    }
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
