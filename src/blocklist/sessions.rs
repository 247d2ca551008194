//! The data that a store keeps and returns about the sessions that users can list.

use rocket::time::OffsetDateTime;
use uuid::Uuid;

use super::entry::{IdKey, uuid_v7_millis_of};
use super::exchange::{Owner, SessionRow};
use crate::clock;

/// The maximum number of sessions in a list.
pub const MAX_LISTED: usize = 1000;

/// A session that begins.
#[derive(Clone, Copy)]
pub struct NewSession<'a> {
    /// Its `sid`, a UUIDv7.
    pub id: Uuid,
    /// The `jti` of its refresh token, as stored in a row.
    pub current: IdKey,
    /// Its subject, the time of the login, and the refresh token's `exp`.
    pub owner: Owner,
    /// When its row expires; `None` means never.
    pub until: Option<OffsetDateTime>,
    /// The text by which its user recognizes it.
    pub label: Option<&'a str>,
    /// More about it, as JSON.
    pub details: Option<&'a str>,
}

impl NewSession<'_> {
    /// The row to be inserted.
    pub fn row(&self) -> SessionRow {
        let (current, owner) = (Some(self.current), Some(self.owner));
        SessionRow { current, owner, ..SessionRow::default() }
    }

    /// The time of the login.
    pub(crate) fn now(&self) -> OffsetDateTime {
        clock::from_millis(self.owner.seen).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

/// How many sessions a subject may have: `max_sessions`, `session_limit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The maximum number of live sessions.
    pub max: usize,
    /// Whether the oldest are ended to make room. Otherwise the login is refused.
    pub ends_oldest: bool,
}

/// The label and details of a session, which only its user sees. They are stored separately from
/// its row.
pub(crate) type Notes = (Option<String>, Option<String>);

impl Limit {
    /// Which of the live sessions, newest first, must end before another begins; `None` if the login is
    /// refused.
    pub fn to_end<'r>(&self, live: &'r [Recorded]) -> Option<&'r [Recorded]> {
        match live.get(self.max.saturating_sub(1)..) {
            None | Some([]) => Some(&[]),
            Some(oldest) => self.ends_oldest.then_some(oldest),
        }
    }
}

/// The result of [`SessionStore::begin()`](super::SessionStore::begin).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// The session is live.
    Begun {
        /// The sessions that were ended to make room.
        ended: Vec<Uuid>,
    },
    /// The subject has too many sessions, so it was not begun.
    TooMany,
}

/// The renewal of an access token.
#[derive(Debug, Clone, Copy)]
pub struct Renewal {
    /// The time of the renewal.
    pub now: OffsetDateTime,
    /// The new token's `exp`; `None` means never.
    pub ends: Option<OffsetDateTime>,
    /// When the row may expire; `None` means never.
    pub until: Option<OffsetDateTime>,
}

/// A session as a store lists it.
#[derive(Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its `sid`.
    pub id: Uuid,
    /// The refresh token that may be exchanged.
    pub current: IdKey,
    /// The latest login, exchange or renewal, in milliseconds since the Unix epoch.
    pub seen: i64,
    /// When its newest token expires, in milliseconds since the Unix epoch; `None` means never.
    pub ends: Option<i64>,
    /// The text by which its user recognizes it.
    pub label: Option<String>,
    /// More about it, as JSON.
    pub details: Option<String>,
}

impl Recorded {
    /// Whether a session that has not ended is live at `now`. `cut_off` is the latest cut-off of its subject
    /// and of everything, in milliseconds since the Unix epoch.
    pub fn is_live(&self, now: OffsetDateTime, cut_off: Option<i64>) -> bool {
        let issued = uuid_v7_millis_of(&self.current).unwrap_or(self.seen);
        self.ends.is_none_or(|ends| ends > clock::millis(now))
            && cut_off.is_none_or(|cut_off| issued > cut_off)
    }
}

/// Omits the id, the label and the details, which are private to the user.
impl std::fmt::Debug for Recorded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorded")
            .field("seen", &self.seen)
            .field("ends", &self.ends)
            .finish_non_exhaustive()
    }
}
