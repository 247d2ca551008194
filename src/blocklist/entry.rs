//! The entries of a blocklist, and the ids a token is asked about.

use std::fmt;

use rocket::time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::clock;
use crate::crypto;

/// What a [`Revocation`] revokes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RevocationKind {
    /// One token, by its `jti`.
    Token,
    /// One login with all its tokens, by `sid`.
    Session,
    /// Every token of an identity that was issued until the cut-off.
    Subject,
}

/// The key of an entry: one byte for the kind, sixteen for the id.
///
/// A UUID in its usual text form is its own sixteen bytes, so that the time-ordered ids of this crate
/// (UUIDv7, RFC 9562) stay in order in an index; any other text is the first half of its SHA-256.
pub type EntryKey = [u8; 17];

/// An entry to be recorded in a [`Blocklist`](super::Blocklist).
///
/// # Example
///
/// ```rust
/// use rocket_jwt_extended::{Error, Jwt, Revocation};
///
/// /// Ends a session whose id an administrator picked from a list.
/// async fn end(jwt: &Jwt, session_id: &str) -> Result<(), Error> {
///     jwt.revoke(Revocation::session(session_id, None)).await
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Revocation {
    kind: RevocationKind,
    // `None` only for a token that has neither `jti` nor `sid`: there is nothing to revoke it by.
    id: Option<String>,
    cut_off: Option<OffsetDateTime>,
    until: Option<OffsetDateTime>,
    // `until` is a token's bare `exp`, to which the leeway is still to be added.
    bare_expiry: bool,
}

impl Revocation {
    fn new(
        kind: RevocationKind,
        id: Option<String>,
        cut_off: Option<OffsetDateTime>,
        until: Option<OffsetDateTime>,
    ) -> Self {
        Self { kind, id, cut_off, until, bare_expiry: false }
    }

    /// Revokes the token of that `jti`. The entry may leave after `until`, which must not be before the
    /// token's `exp` with the leeway; `None` is for good.
    pub fn token(jti: impl Into<String>, until: impl Into<Option<OffsetDateTime>>) -> Self {
        Self::new(RevocationKind::Token, Some(jti.into()), None, until.into())
    }

    /// Ends the session of that `sid`. The entry may leave after `until`, when the last of the
    /// session's tokens has expired; `None` is for good.
    pub fn session(sid: impl Into<String>, until: impl Into<Option<OffsetDateTime>>) -> Self {
        Self::new(RevocationKind::Session, Some(sid.into()), None, until.into())
    }

    /// Revokes every token of `identity` issued at or before `cut_off`, to the millisecond. The entry
    /// may leave after `until`; `None` is for good.
    pub fn subject(
        identity: impl Into<String>,
        cut_off: OffsetDateTime,
        until: impl Into<Option<OffsetDateTime>>,
    ) -> Self {
        Self::new(RevocationKind::Subject, Some(identity.into()), Some(cut_off), until.into())
    }

    /// For a token that can't be named: recording it is refused.
    pub(crate) fn nameless() -> Self {
        Self::new(RevocationKind::Token, None, None, None)
    }

    pub(crate) fn is_nameless(&self) -> bool {
        self.id.is_none()
    }

    pub(crate) fn until_expiry(mut self) -> Self {
        self.bare_expiry = true;
        self
    }

    /// Adds what a token may outlive its `exp` by.
    pub(crate) fn with_margin(mut self, margin: Duration) -> Self {
        if std::mem::take(&mut self.bare_expiry) {
            self.until = self.until.map(|until| until.saturating_add(margin));
        }
        self
    }

    /// What is revoked.
    pub fn kind(&self) -> RevocationKind {
        self.kind
    }

    /// The `jti`, the `sid`, or the identity.
    pub fn id(&self) -> &str {
        self.id.as_deref().unwrap_or_default()
    }

    /// For a subject, the instant up to which its tokens are dead; else `None`.
    pub fn cut_off(&self) -> Option<OffsetDateTime> {
        self.cut_off
    }

    /// When the entry may leave; `None` is never.
    pub fn until(&self) -> Option<OffsetDateTime> {
        self.until
    }

    /// The entry's key.
    pub fn key(&self) -> EntryKey {
        entry_key(self.kind, self.id())
    }
}

impl fmt::Debug for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocation")
            .field("kind", &self.kind)
            .field("cut_off", &self.cut_off)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

/// An entry as a store holds it. Times are milliseconds since the Unix epoch.
///
/// One of a kind that does not exist is passed over. One that can't be right, as it says nothing
/// against any token, makes the store be asked for the tokens that it concerns.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: EntryKey,
    /// Whether it is a revoked token, or an ended session.
    pub revoked: bool,
    /// Of a subject: tokens issued in that millisecond or before are dead.
    pub cut_off: Option<i64>,
    /// Of a refresh token: when it was used for the first time.
    pub used: Option<i64>,
    /// When the entry may leave; `None` is never.
    pub until: Option<i64>,
}

impl Entry {
    /// What a revocation records.
    pub fn of(revocation: &Revocation) -> Self {
        let [cut_off, until] =
            [revocation.cut_off(), revocation.until()].map(|time| time.map(clock::millis));
        Self { key: revocation.key(), revoked: cut_off.is_none(), cut_off, used: None, until }
    }
}

/// Says nothing of whom it concerns.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("revoked", &self.revoked)
            .field("cut_off", &self.cut_off)
            .field("used", &self.used)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

/// The ids by which a [`Blocklist`](super::Blocklist) is asked about a token.
///
/// # Example
///
/// ```rust
/// use rocket::time::{Duration, OffsetDateTime};
/// use rocket_jwt_extended::TokenIds;
///
/// let issued_at = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
/// let ids = TokenIds::new(Some("some jti"), None, Some("ada"), Some(issued_at));
/// assert_eq!(ids.keys().len(), 2);
/// assert!(ids.is_cut_off_by(issued_at));
/// assert!(!ids.is_cut_off_by(issued_at - Duration::MILLISECOND));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenIds<'a> {
    jti: Option<&'a str>,
    sid: Option<&'a str>,
    subject: Option<&'a str>,
    // In milliseconds since the Unix epoch, by `iat`. What the `jti` says is finer, and read when it is
    // asked for: most tokens have no subject entry.
    by_second: Option<i64>,
}

impl<'a> TokenIds<'a> {
    /// The ids of a token with the given claims. `issued_at` is its `iat`; it counts only where the
    /// `jti` is no UUIDv7, whose own time is finer.
    pub fn new(
        jti: Option<&'a str>,
        sid: Option<&'a str>,
        subject: Option<&'a str>,
        issued_at: Option<OffsetDateTime>,
    ) -> Self {
        let by_second = issued_at.map(|iat| iat.unix_timestamp().saturating_mul(1000));
        Self { jti, sid, subject, by_second }
    }

    /// The token's `jti`.
    pub fn jti(&self) -> Option<&'a str> {
        self.jti
    }

    /// The token's `sid`.
    pub fn sid(&self) -> Option<&'a str> {
        self.sid
    }

    /// The token's identity.
    pub fn subject(&self) -> Option<&'a str> {
        self.subject
    }

    /// When the token was issued, in milliseconds since the Unix epoch: the time of its `jti` if that
    /// is a UUIDv7, else the whole second of its `iat`.
    pub fn issued_millis(&self) -> Option<i64> {
        self.jti.and_then(uuid_v7_millis).or(self.by_second)
    }

    /// Whether a subject entry with this cut-off kills the token: it was issued in the cut-off's
    /// millisecond or before, or nobody can say when.
    pub fn is_cut_off_by(&self, cut_off: OffsetDateTime) -> bool {
        self.issued_millis().is_none_or(|issued| issued <= clock::millis(cut_off))
    }

    /// The key of the token's own entry, if it has a `jti`.
    pub fn token_key(&self) -> Option<EntryKey> {
        self.jti.map(|id| entry_key(RevocationKind::Token, id))
    }

    /// The key of the session's entry, if the token has a `sid`.
    pub fn session_key(&self) -> Option<EntryKey> {
        self.sid.map(|id| entry_key(RevocationKind::Session, id))
    }

    /// The key of the subject's entry.
    pub fn subject_key(&self) -> Option<EntryKey> {
        self.subject.map(|id| entry_key(RevocationKind::Subject, id))
    }

    /// All keys a token is to be asked about, at most three.
    pub fn keys(&self) -> Vec<EntryKey> {
        [self.token_key(), self.session_key(), self.subject_key()].into_iter().flatten().collect()
    }
}

impl fmt::Debug for TokenIds<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenIds").field("issued", &self.issued_millis()).finish_non_exhaustive()
    }
}

fn entry_key(kind: RevocationKind, id: &str) -> EntryKey {
    let mut key = [0; 17];
    key[0] = match kind {
        RevocationKind::Token => b't',
        RevocationKind::Session => b's',
        RevocationKind::Subject => b'u',
    };
    key[1..].copy_from_slice(&match canonical_uuid(id) {
        Some(uuid) => uuid.into_bytes(),
        None => crypto::sha256_half(id.as_bytes()),
    });
    key
}

/// A UUID in exactly the text form that `Display` gives it, so that no two texts share a key.
fn canonical_uuid(id: &str) -> Option<Uuid> {
    let uuid = Uuid::try_parse(id).ok()?;
    (uuid.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()) == id).then_some(uuid)
}

fn uuid_v7_millis(jti: &str) -> Option<i64> {
    let uuid = canonical_uuid(jti)?;
    if uuid.get_version() != Some(uuid::Version::SortRand) {
        return None;
    }
    let (seconds, nanos) = uuid.get_timestamp()?.to_unix();
    i64::try_from(seconds).ok()?.checked_mul(1000)?.checked_add(i64::from(nanos / 1_000_000))
}
