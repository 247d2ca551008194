//! The exchange of a refresh token, as one decision about its session's row.
//!
//! Every store makes this decision with [`Exchange::decide()`], and writes the row in the same
//! atomic operation: under a lock, in a script, or with a statement that has no effect if the row
//! has changed since it was read.

use rocket::time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::entry::{IdKey, TokenIds, uuid_v7_millis_of};
use crate::clock;

/// The stored data of a session, except the time when the row expires.
///
/// A row without a current refresh token belongs to a session that was ended before its first
/// exchange.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct SessionRow {
    /// Whether the session has ended, which is permanent.
    pub ended: bool,
    /// The refresh token that may be exchanged.
    pub current: Option<IdKey>,
    /// The exchange that made the current token.
    pub last: Option<LastExchange>,
    /// The [`Exchange::next()`] of the call that ended the session, if an exchange did.
    pub ended_by: Option<IdKey>,
    /// The data that the setting `sessions` records.
    pub owner: Option<Owner>,
}

/// The owner of a session, and when the session was used. Times are milliseconds since the Unix
/// epoch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The subject, as in the key of its entry.
    pub subject: IdKey,
    /// The latest login, exchange or renewal.
    pub seen: i64,
    /// When the session's newest token expires; `None` means never.
    pub ends: Option<i64>,
}

/// The latest exchange of a session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LastExchange {
    /// The refresh token that was exchanged.
    pub token: IdKey,
    /// The time of the exchange, in milliseconds since the Unix epoch, by the clock of the server
    /// that made it.
    pub at: i64,
    /// The seed from which the ids of the new pair are derived.
    pub seed: [u8; 16],
}

/// An exchange of a refresh token, for [`Blocklist::exchange()`](super::Blocklist::exchange).
#[derive(Clone, Copy)]
pub struct Exchange {
    next: Uuid,
    seed: [u8; 16],
    now: OffsetDateTime,
    grace: Duration,
    until: Option<OffsetDateTime>,
    begins: bool,
    owner: Option<Owner>,
}

/// The result of an [`Exchange`].
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exchanged {
    /// The token was the session's current token, or began the session: the new pair may be issued.
    First,
    /// The token was exchanged a moment ago: the same pair may be issued again.
    Repeated {
        /// The `jti` of the refresh token that was issued then.
        next: Uuid,
        /// The seed from which the other ids of that pair are derived.
        seed: [u8; 16],
        /// When the token was exchanged.
        at: OffsetDateTime,
    },
    /// The token is newer than the session's current token, so the store has lost the write of an
    /// exchange. The session has ended, as revocations may be lost as well. Returned only with
    /// [`only_recorded()`](Exchange::only_recorded).
    Newer {
        /// Whether this call ended it.
        ended_now: bool,
    },
    /// The token was exchanged before, so it may have been stolen. The session has ended.
    Reused {
        /// Whether this call ended it.
        ended_now: bool,
    },
    /// The token, its session, or its subject is revoked. Nothing was written.
    Ended,
}

/// The seed is as secret as the ids that are derived from it.
impl std::fmt::Debug for Exchanged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::First => f.write_str("First"),
            Self::Repeated { at, .. } => {
                f.debug_struct("Repeated").field("at", at).finish_non_exhaustive()
            }
            Self::Newer { ended_now } => {
                f.debug_struct("Newer").field("ended_now", ended_now).finish()
            }
            Self::Reused { ended_now } => {
                f.debug_struct("Reused").field("ended_now", ended_now).finish()
            }
            Self::Ended => f.write_str("Ended"),
        }
    }
}

/// The relation of a refresh token to its session's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// There is no row.
    NoRow,
    Current,
    /// It was the last token that was exchanged, at this time in milliseconds.
    Last(i64),
    /// It was issued after the current token: the store has lost the write of an exchange.
    Newer,
    /// It was exchanged before the last one, or never issued by an exchange of this session.
    Replaced,
}

impl Owner {
    /// The owner of a session that was used at `now` and ends at `ends`: the subject of the ids. `None`
    /// if they have no subject.
    pub fn new(
        ids: &TokenIds<'_>,
        now: OffsetDateTime,
        ends: Option<OffsetDateTime>,
    ) -> Option<Self> {
        let [_, subject @ ..] = ids.subject_key()?;
        Some(Self { subject, seen: clock::millis(now), ends: ends.map(clock::millis) })
    }
}

impl SessionRow {
    /// The row of a session that was ended before its first exchange.
    pub(crate) const ENDED: Self =
        Self { ended: true, current: None, last: None, ended_by: None, owner: None };

    /// Whether the row is valid, as written by a store.
    pub fn is_whole(&self) -> bool {
        let has_current = self.current.is_some();
        let is_begun = has_current || (self.ended && self.last.is_none());
        is_begun && (self.ended || self.ended_by.is_none())
    }

    /// The relation of the refresh token with these ids to the row.
    pub(crate) fn place(row: Option<&Self>, ids: &TokenIds<'_>) -> Place {
        let (Some(row), Some(token)) = (row, ids.jti_key()) else { return Place::NoRow };
        let Some(current) = row.current else { return Place::NoRow };
        match row.last {
            _ if current == token => Place::Current,
            Some(last) if last.token == token => Place::Last(last.at),
            // If the current token's id has no time, the application chose the id, and no token
            // counts as newer.
            _ if uuid_v7_millis_of(&current).is_some_and(|at| ids.raw_millis() > at) => {
                Place::Newer
            }
            _ => Place::Replaced,
        }
    }
}

impl Exchange {
    /// An exchange at `now`, by this server's clock, for a refresh token whose `jti` is `next`, a
    /// new UUIDv7 that must be later than the presented token. The other ids of the new pair are
    /// derived from `seed`, which is random. A repeated exchange within `grace` is answered with
    /// [`Exchanged::Repeated`]. The session's row expires at `until` or later; `None` means never.
    /// A missing row is inserted, unless [`only_recorded()`](Self::only_recorded) says otherwise.
    pub fn new(
        next: Uuid,
        seed: [u8; 16],
        now: OffsetDateTime,
        grace: Duration,
        until: impl Into<Option<OffsetDateTime>>,
    ) -> Self {
        Self { next, seed, now, grace, until: until.into(), begins: true, owner: None }
    }

    /// Requires a row: without one, the result is [`Ended`](Exchanged::Ended). If the token is newer
    /// than the row, the result is [`Newer`](Exchanged::Newer).
    pub fn only_recorded(self) -> Self {
        Self { begins: false, ..self }
    }

    /// The row records that the session belongs to the subject of these ids, was used now, and ends
    /// at `ends`; `None` means never.
    pub fn owned_by(self, ids: &TokenIds<'_>, ends: impl Into<Option<OffsetDateTime>>) -> Self {
        Self { owner: Owner::new(ids, self.now, ends.into()), ..self }
    }

    /// The owner that the row records, if any.
    pub fn owner(&self) -> Option<&Owner> {
        self.owner.as_ref()
    }

    /// The `jti` of the new refresh token.
    pub fn next(&self) -> Uuid {
        self.next
    }

    /// The time of the exchange.
    pub fn now(&self) -> OffsetDateTime {
        self.now
    }

    /// The earliest time at which the session's row may expire. An existing row keeps its own
    /// expiry if that is later; `None` is later than any time.
    pub fn until(&self) -> Option<OffsetDateTime> {
        self.until
    }

    /// Decides about a token that is not revoked, given its session's row. Returns the result, and
    /// the row to write, if any. The store must write it in the same atomic operation: if the row
    /// may have changed since it was read, it must be read again and this method called again.
    pub fn decide(
        &self,
        ids: &TokenIds<'_>,
        row: Option<&SessionRow>,
    ) -> (Exchanged, Option<SessionRow>) {
        let next = self.next.into_bytes();
        let place = SessionRow::place(row, ids);
        match row {
            // A repeated call gets the same result.
            Some(row) if row.ended && row.ended_by == Some(next) => {
                return (theft_or_loss(place), None);
            }
            Some(row) if row.ended => return (Exchanged::Ended, None),
            None if !self.begins => return (Exchanged::Ended, None),
            // This is a repeated call, whose first result was lost.
            Some(row)
                if row.current == Some(next) || row.last.is_some_and(|it| it.token == next) =>
            {
                return (Exchanged::First, None);
            }
            _ => (),
        }
        let millis = clock::millis(self.now);
        match (place, row.and_then(|row| row.current.zip(row.last))) {
            (Place::Last(at), Some((current, last))) if self.repeats(at) => {
                let at = clock::from_millis(at).unwrap_or(self.now);
                let next = Uuid::from_bytes(current);
                (Exchanged::Repeated { next, seed: last.seed, at }, None)
            }
            (Place::NoRow | Place::Current, _) => self.first(ids, row, millis),
            (Place::Newer, _) if self.begins => self.first(ids, row, millis),
            (Place::Last(_) | Place::Replaced | Place::Newer, _) => {
                let row = row.copied().unwrap_or_default();
                let ended = SessionRow { ended: true, ended_by: Some(next), ..row };
                (theft_or_loss(place), Some(ended))
            }
        }
    }

    fn first(
        &self,
        ids: &TokenIds<'_>,
        row: Option<&SessionRow>,
        at: i64,
    ) -> (Exchanged, Option<SessionRow>) {
        let Some(token) = ids.jti_key() else { return (Exchanged::Ended, None) };
        let last = LastExchange { token, at, seed: self.seed };
        // The owner of a session never changes, even if tokens with another subject are presented.
        let old = row.and_then(|row| row.owner);
        let subject = |new: Owner| old.map_or(new.subject, |owner| owner.subject);
        let owner = self.owner.map(|new| Owner { subject: subject(new), ..new }).or(old);
        let current = Some(self.next.into_bytes());
        let row = SessionRow { current, last: Some(last), owner, ..SessionRow::default() };
        (Exchanged::First, Some(row))
    }

    fn repeats(&self, at: i64) -> bool {
        is_within(self.grace, at, self.now)
    }
}

fn theft_or_loss(place: Place) -> Exchanged {
    match place {
        Place::Newer => Exchanged::Newer { ended_now: true },
        _ => Exchanged::Reused { ended_now: true },
    }
}

/// Whether a token that was exchanged at `at`, in milliseconds, may still be presented, even if
/// this server's clock is behind.
pub(crate) fn is_within(grace: Duration, at: i64, now: OffsetDateTime) -> bool {
    let age = clock::millis(now).saturating_sub(at);
    grace.is_positive() && i128::from(age) * 1_000_000 <= grace.whole_nanoseconds()
}
