//! Following what others record in a store: the trait behind `blocklist_replica`.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::blocklist::entry::Entry;
use crate::blocklist::store::{Blocklist, StoreError};

/// A [`Blocklist`] whose changes can be followed, so that a server can answer for it from memory:
/// `blocklist_replica`. The stores in databases are; one of your own is handed to
/// [`JwtFairing::replicable_blocklist()`](crate::JwtFairing::replicable_blocklist).
///
/// # What it takes
///
/// Entries are only ever widened: what is revoked stays so, and times only grow. So entries may be
/// handed out in any order, several times, and in an older state after a newer one; what must not
/// happen is that one is left out for good.
///
/// Calls come one after another, and make *passes*: a pass begins with no cursor, or with the one that
/// the last pass ended with, and ends with the first answer that has no [`more`](Changes::more). **At
/// the end of a pass every entry has been handed out, by this pass or an earlier one, whose recording
/// was acknowledged before the pass began**, and that is still there. That is stricter than it looks:
/// where entries carry the time of their writing, or a number from a sequence, one that is committed
/// late stands *before* others that were handed out long ago, and is missed by whoever asks for what
/// comes after the last one. The stores of this crate have a different way each to be sure:
/// see `docs/stores.md`.
///
/// The suite [`replicable_blocklist_contract`](crate::testing::replicable_blocklist_contract) (feature
/// `test-util`) checks a store.
///
/// # Example
///
/// A store that notes each entry as it is written, in one go with the writing:
///
/// ```rust
/// use std::sync::Mutex;
///
/// use rocket::time::OffsetDateTime;
/// use rocket_jwt_extended::blocklist::{Changes, Cursor, Entry, ReplicableBlocklist};
/// use rocket_jwt_extended::{
///     Blocklist, MemoryBlocklist, Revocation, Standing, StoreError, TokenIds, UseUp,
/// };
///
/// #[derive(Default)]
/// struct Noted {
///     memory: MemoryBlocklist,
///     log: Mutex<Vec<Entry>>,
/// }
///
/// impl Noted {
///     fn note(&self, entry: Entry) -> Result<(), StoreError> {
///         self.log.lock().map_err(|_| StoreError::new("poisoned"))?.push(entry);
///         Ok(())
///     }
/// }
///
/// fn millis(time: OffsetDateTime) -> i64 {
///     (time.unix_timestamp_nanos() / 1_000_000) as i64
/// }
///
/// #[rocket::async_trait]
/// impl Blocklist for Noted {
///     async fn revoke(&self, entry: &Revocation) -> Result<(), StoreError> {
///         self.memory.revoke(entry).await?;
///         self.note(Entry::of(entry))
///     }
///
///     async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
///         self.memory.standing(ids).await
///     }
///
///     async fn use_up(
///         &self,
///         ids: &TokenIds<'_>,
///         now: OffsetDateTime,
///         until: OffsetDateTime,
///     ) -> Result<UseUp, StoreError> {
///         let done = self.memory.use_up(ids, now, until).await?;
///         if let (UseUp::First, Some(key)) = (done, ids.token_key()) {
///             let [used, until] = [now, until].map(|time| Some(millis(time)));
///             self.note(Entry { key, revoked: false, cut_off: None, used, until })?;
///         }
///         Ok(done)
///     }
///
///     async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
///         self.memory.prune(now).await
///     }
/// }
///
/// #[rocket::async_trait]
/// impl ReplicableBlocklist for Noted {
///     async fn changes(&self, after: Option<&Cursor>) -> Result<Changes, StoreError> {
///         let log = self.log.lock().map_err(|_| StoreError::new("poisoned"))?;
///         // A cursor that means nothing here: all from the beginning.
///         let seen = after.and_then(Cursor::get).copied().unwrap_or(0);
///         let entries = log.get(seen..).unwrap_or(&log).to_vec();
///         Ok(Changes { entries, cursor: Cursor::new(log.len()), more: false })
///     }
/// }
/// ```
#[rocket::async_trait]
pub trait ReplicableBlocklist: Blocklist {
    /// What comes after `after`: the cursor of the answer before, or none, with which a pass begins
    /// that hands out all entries there are. So does a cursor that means nothing (any more): after a
    /// fail-over that lost what was handed out already, say.
    ///
    /// # Errors
    ///
    /// When the store cannot tell. It is asked again later, with the same cursor.
    async fn changes(&self, after: Option<&Cursor>) -> Result<Changes, StoreError>;
}

#[rocket::async_trait]
impl<T: ReplicableBlocklist + ?Sized> ReplicableBlocklist for Arc<T> {
    async fn changes(&self, after: Option<&Cursor>) -> Result<Changes, StoreError> {
        (**self).changes(after).await
    }
}

/// Some entries, and where to go on: the answer of [`ReplicableBlocklist::changes()`].
#[derive(Debug, Clone)]
pub struct Changes {
    /// The entries, as they are now.
    pub entries: Vec<Entry>,
    /// What to ask with next.
    pub cursor: Cursor,
    /// Whether the pass goes on: the next call is to come at once.
    pub more: bool,
}

/// How far a [`ReplicableBlocklist`] was followed: a value of the store's own. It lives as long as the
/// process.
#[derive(Clone)]
pub struct Cursor(Arc<dyn Any + Send + Sync>);

impl Cursor {
    /// With the store's own value in it.
    pub fn new(place: impl Any + Send + Sync) -> Self {
        Self(Arc::new(place))
    }

    /// The value, if it is of this type.
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cursor")
    }
}
