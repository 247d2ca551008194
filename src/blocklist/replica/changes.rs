//! The trait of a store whose changes can be read, so that `blocklist_replica` can keep a copy of
//! it in memory.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::blocklist::entry::Entry;
use crate::blocklist::store::{Blocklist, StoreError};

/// A [`Blocklist`] whose changes can be read, so that a server can answer lookups from a copy in
/// memory: `blocklist_replica`. The stores in databases implement it. Pass a custom store to
/// [`JwtFairing::replicable_blocklist()`](crate::JwtFairing::replicable_blocklist).
///
/// # Requirements
///
/// Entries are only ever extended: a revocation is never withdrawn, and times only increase. So
/// entries may be returned in any order, several times, and in an older state after a newer one.
/// But no entry may be omitted permanently.
///
/// Calls are made one after another, and form *passes*. A pass begins without a cursor, or with the
/// one that ended the last pass, and ends with the first result without [`more`](Changes::more).
/// **At the end of a pass, this pass or an earlier one has returned every entry that was
/// acknowledged before the pass began** and still exists. The row of a live session is not an
/// entry: guards look a refresh token up in the store itself. This is stricter than it looks: if
/// entries contain a timestamp, or a number from a sequence, an entry that is committed late has a
/// *lower* number than others that were returned long ago, and a query for higher numbers misses
/// it. The stores of this crate solve this as follows:
///
///   * PostgreSQL: an entry has the id of its transaction. A pass continues from the `xmin` of its
///     own snapshot: every transaction below it has ended.
///   * MySQL, MariaDB: an entry has the number of the current epoch, which a write locks until it
///     is committed. A pass first advances the epoch, so that every write of an earlier epoch has
///     ended.
///   * SQLite: there is one writer at a time. It gives its entry a number one higher than the
///     highest.
///   * Redis: the script that writes an entry appends it to a stream, as one operation.
///
/// Each also detects that entries were lost, or numbers assigned again, and then returns all
/// entries.
///
/// The suite [`replicable_blocklist_contract`](crate::testing::replicable_blocklist_contract)
/// (feature `test-util`) checks a store.
///
/// # Example
///
/// A store that appends each entry to a log as it is recorded:
///
/// ```rust
/// use std::sync::Mutex;
///
/// use rocket::time::OffsetDateTime;
/// use rocket_jwt_extended::blocklist::{
///     Changes, Cursor, Entry, Exchange, Exchanged, ReplicableBlocklist,
/// };
/// use rocket_jwt_extended::{
///     Blocklist, MemoryBlocklist, Revocation, Standing, StoreError, TokenIds,
/// };
///
/// #[derive(Default)]
/// struct Logged {
///     memory: MemoryBlocklist,
///     log: Mutex<Vec<Entry>>,
/// }
///
/// impl Logged {
///     fn append(&self, entry: Entry) -> Result<(), StoreError> {
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
/// impl Blocklist for Logged {
///     async fn revoke(&self, entry: &Revocation) -> Result<bool, StoreError> {
///         let is_change = self.memory.revoke(entry).await?;
///         self.append(Entry::of(entry))?;
///         Ok(is_change)
///     }
///
///     async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
///         self.memory.standing(ids).await
///     }
///
///     async fn exchange(
///         &self,
///         ids: &TokenIds<'_>,
///         exchange: &Exchange,
///     ) -> Result<Exchanged, StoreError> {
///         let exchanged = self.memory.exchange(ids, exchange).await?;
///         // Of sessions, only the end is an entry.
///         let is_end = matches!(exchanged, Exchanged::Reused { .. } | Exchanged::Newer { .. });
///         if let Some(key) = ids.session_key().filter(|_| is_end) {
///             let until = exchange.until().map(millis);
///             self.append(Entry { key, revoked: true, cut_off: None, until })?;
///         }
///         Ok(exchanged)
///     }
///
///     async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
///         self.memory.prune(now).await
///     }
/// }
///
/// #[rocket::async_trait]
/// impl ReplicableBlocklist for Logged {
///     async fn changes(&self, after: Option<&Cursor>) -> Result<Changes, StoreError> {
///         let log = self.log.lock().map_err(|_| StoreError::new("poisoned"))?;
///         // For an unknown cursor, everything from the beginning.
///         let seen = after.and_then(Cursor::get).copied().unwrap_or(0);
///         let entries = log.get(seen..).unwrap_or(&log).to_vec();
///         Ok(Changes { entries, cursor: Cursor::new(log.len()), more: false })
///     }
/// }
/// ```
#[rocket::async_trait]
pub trait ReplicableBlocklist: Blocklist {
    /// Returns the entries after `after`, the cursor of the previous result. Without a cursor, a
    /// pass begins that returns all entries. The same applies to a cursor that is unknown or no
    /// longer valid, for example after a fail-over that lost entries which had been returned.
    ///
    /// # Errors
    ///
    /// If the query fails. It is repeated later with the same cursor.
    async fn changes(&self, after: Option<&Cursor>) -> Result<Changes, StoreError>;
}

#[rocket::async_trait]
impl<T: ReplicableBlocklist + ?Sized> ReplicableBlocklist for Arc<T> {
    async fn changes(&self, after: Option<&Cursor>) -> Result<Changes, StoreError> {
        (**self).changes(after).await
    }
}

/// A page of entries, and the position at which to continue: the result of
/// [`ReplicableBlocklist::changes()`].
#[derive(Debug, Clone)]
pub struct Changes {
    /// The entries in their current state.
    pub entries: Vec<Entry>,
    /// The cursor for the next call.
    pub cursor: Cursor,
    /// Whether the pass continues: the next call should follow immediately.
    pub more: bool,
}

/// A position in the changes of a [`ReplicableBlocklist`]: a value of a type that the store
/// chooses. It is kept only in memory.
#[derive(Clone)]
pub struct Cursor(Arc<dyn Any + Send + Sync>);

impl Cursor {
    /// A cursor that contains the store's value.
    pub fn new(position: impl Any + Send + Sync) -> Self {
        Self(Arc::new(position))
    }

    /// The value, if it has this type.
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cursor")
    }
}
