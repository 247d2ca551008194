//! The entries of a blocklist, and the ids by which a token is looked up.

use std::fmt;

use rocket::time::OffsetDateTime;
use uuid::{Builder, Uuid, Variant};

use crate::clock;
use crate::crypto;

/// The two highest bits of a UUID's byte 8. In every UUID of RFC 9562 (the versions 1 to 8) they are
/// `10`.
const RESERVED_VARIANT: u128 = 0b11 << 62;

/// A prefix for a `jti` whose hash becomes a session's id, so that the hash differs from that of
/// any plain id.
const DERIVED_SESSION: &[u8] = b"session of the token\0";

/// The kind of a [`Revocation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RevocationKind {
    /// Revokes one token, by its `jti`.
    Token,
    /// Ends one session, with all its tokens, by its `sid`.
    Session,
    /// Revokes every token of an identity that was issued at or before the cut-off.
    Subject,
    /// Revokes every token of all identities that was issued at or before the cut-off.
    Everything,
}

/// The key of an entry: one byte for the kind, sixteen for the id.
///
/// A UUID of RFC 9562 in its canonical text form is stored as its sixteen bytes, so that the
/// time-ordered ids of this crate (UUIDv7) stay ordered in an index. Any other text is stored as
/// the first half of its SHA-256, with the two bits set that no such UUID has set (the variant). So
/// no UUID, even one chosen by an attacker, has the same key as another text.
pub type EntryKey = [u8; 17];

/// The sixteen bytes that a store keeps of a `jti`: those of an [`EntryKey`] without the kind.
pub type IdKey = [u8; 16];

/// The key of the entry that revokes everything.
pub const EVERYTHING: EntryKey = [b'e', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

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
#[derive(Clone)]
pub struct Revocation {
    kind: RevocationKind,
    id: String,
    cut_off: Option<OffsetDateTime>,
    until: Option<OffsetDateTime>,
    recorded_at: Option<OffsetDateTime>,
}

impl Revocation {
    fn new(
        kind: RevocationKind,
        id: String,
        cut_off: Option<OffsetDateTime>,
        until: Option<OffsetDateTime>,
    ) -> Self {
        Self { kind, id, cut_off, until, recorded_at: None }
    }

    /// Revokes the token with this `jti`. The entry expires at `until`, which must not be before
    /// the token's `exp` plus the leeway; `None` means never.
    pub fn token(jti: impl Into<String>, until: impl Into<Option<OffsetDateTime>>) -> Self {
        Self::new(RevocationKind::Token, jti.into(), None, until.into())
    }

    /// Ends the session with this `sid`. The entry expires at `until`, which must not be before the
    /// last of the session's tokens expires; `None` means never.
    pub fn session(sid: impl Into<String>, until: impl Into<Option<OffsetDateTime>>) -> Self {
        Self::new(RevocationKind::Session, sid.into(), None, until.into())
    }

    /// Revokes every token of `identity` issued at or before `cut_off`, to the millisecond. The
    /// entry expires at `until`; `None` means never.
    pub fn subject(
        identity: impl Into<String>,
        cut_off: OffsetDateTime,
        until: impl Into<Option<OffsetDateTime>>,
    ) -> Self {
        Self::new(RevocationKind::Subject, identity.into(), Some(cut_off), until.into())
    }

    /// Revokes every token issued at or before `cut_off`, to the millisecond. The entry expires at
    /// `until`; `None` means never.
    pub fn everything(cut_off: OffsetDateTime, until: impl Into<Option<OffsetDateTime>>) -> Self {
        Self::new(RevocationKind::Everything, String::new(), Some(cut_off), until.into())
    }

    /// The kind of the entry.
    pub fn kind(&self) -> RevocationKind {
        self.kind
    }

    /// The `jti`, the `sid`, or the identity; empty for everything.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// For a subject and for everything, the instant up to which tokens are revoked; otherwise `None`.
    pub fn cut_off(&self) -> Option<OffsetDateTime> {
        self.cut_off
    }

    /// When the entry expires; `None` means never.
    pub fn until(&self) -> Option<OffsetDateTime> {
        self.until
    }

    /// The entry's key.
    pub fn key(&self) -> EntryKey {
        entry_key(self.kind, self.id())
    }

    /// When the server recorded it, by the clock with which [`until()`](Self::until) was computed;
    /// `None` before that. That clock may be wrong, so a store that expires entries by another
    /// clock should use the difference of the two, not the time of day.
    pub fn recorded_at(&self) -> Option<OffsetDateTime> {
        self.recorded_at
    }

    /// The entry, as the server records it at `now`.
    pub(crate) fn recorded(self, now: OffsetDateTime) -> Self {
        Self { recorded_at: Some(now), ..self }
    }
}

/// The time of recording is not compared.
impl PartialEq for Revocation {
    fn eq(&self, other: &Self) -> bool {
        let fields = |entry: &Self| (entry.kind, entry.cut_off, entry.until);
        fields(self) == fields(other) && self.id == other.id
    }
}

impl Eq for Revocation {}

impl fmt::Debug for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocation")
            .field("kind", &self.kind)
            .field("cut_off", &self.cut_off)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

/// An entry as stored. Times are milliseconds since the Unix epoch.
///
/// An entry of an unknown kind is ignored. For the tokens that a malformed entry concerns, such as
/// one that revokes nothing, the store itself is queried.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key of the entry.
    pub key: EntryKey,
    /// Whether it revokes a token or ends a session.
    pub revoked: bool,
    /// For a subject and for everything: tokens issued in this millisecond or before are revoked.
    pub cut_off: Option<i64>,
    /// When the entry expires; `None` means never.
    pub until: Option<i64>,
}

impl Entry {
    /// The entry that a revocation records.
    pub fn of(revocation: &Revocation) -> Self {
        let [cut_off, until] =
            [revocation.cut_off(), revocation.until()].map(|time| time.map(clock::millis));
        Self { key: revocation.key(), revoked: cut_off.is_none(), cut_off, until }
    }
}

/// Omits the key, which identifies a token, session or user.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("revoked", &self.revoked)
            .field("cut_off", &self.cut_off)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

/// The ids by which a token is looked up in a [`Blocklist`](super::Blocklist).
///
/// # Example
///
/// ```rust
/// use rocket::time::OffsetDateTime;
/// use rocket_jwt_extended::{Duration, TokenIds};
///
/// let issued_at = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
/// let ids = TokenIds::new(Some("some jti"), None, Some("ada"), Some(issued_at));
/// // By `jti`, by the session derived from it, by subject, and with everything.
/// assert_eq!(ids.keys().len(), 4);
/// assert!(ids.is_cut_off_by(issued_at));
/// assert!(!ids.is_cut_off_by(issued_at - Duration::MILLISECOND));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenIds<'a> {
    jti: Option<&'a str>,
    sid: Option<&'a str>,
    subject: Option<&'a str>,
    // `iat`, in milliseconds since the Unix epoch. The time of the `jti` is more precise, but
    // parsed only when needed, as most tokens have no subject entry.
    iat_millis: Option<i64>,
    is_exchangeable: bool,
    needs_row: bool,
}

impl<'a> TokenIds<'a> {
    /// The ids of a token with the given claims. `issued_at` is its `iat`: if the `jti` is a
    /// UUIDv7, its more precise time is used, but no later than the end of that second; otherwise
    /// the second of `iat` is used.
    pub fn new(
        jti: Option<&'a str>,
        sid: Option<&'a str>,
        subject: Option<&'a str>,
        issued_at: Option<OffsetDateTime>,
    ) -> Self {
        let iat_millis = issued_at.map(|iat| iat.unix_timestamp().saturating_mul(1000));
        Self { jti, sid, subject, iat_millis, is_exchangeable: false, needs_row: false }
    }

    /// Marks the token as a refresh token of this issuer, which may be exchanged. Only such a token
    /// is compared with its session's row; for any other token only the end of the session counts.
    pub fn exchangeable(self) -> Self {
        Self { is_exchangeable: true, ..self }
    }

    /// With `sessions = true`: a refresh token whose session has no row is revoked, and one that is
    /// newer than the row is [`Newer`](super::Standing::Newer).
    pub fn only_recorded(self) -> Self {
        Self { needs_row: true, ..self }
    }

    /// Whether the session of a refresh token must have a row.
    pub fn needs_row(&self) -> bool {
        self.needs_row
    }

    /// Whether the token is compared with its session's row.
    pub fn is_exchangeable(&self) -> bool {
        self.is_exchangeable
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

    /// When the token was issued, in milliseconds since the Unix epoch: the time of its `jti` if
    /// that is a UUIDv7, but no later than the end of its `iat`'s second; otherwise the whole second
    /// of its `iat`.
    pub fn issued_millis(&self) -> Option<i64> {
        // The issuer chooses the time in a `jti`, but a token with an `iat` in the future is
        // refused.
        match (self.jti.and_then(uuid_v7_millis), self.iat_millis) {
            (Some(own), Some(second)) => Some(own.min(second.saturating_add(999))),
            (own, second) => own.or(second),
        }
    }

    /// Whether a subject entry with this cut-off revokes the token: it was issued in the cut-off's
    /// millisecond or before, or its time of issue is unknown.
    pub fn is_cut_off_by(&self, cut_off: OffsetDateTime) -> bool {
        self.issued_millis().is_none_or(|issued| issued <= clock::millis(cut_off))
    }

    /// The key of the token's own entry, if it has a `jti`.
    pub fn token_key(&self) -> Option<EntryKey> {
        self.jti.map(|id| entry_key(RevocationKind::Token, id))
    }

    /// The `jti` as stored in a session's row.
    pub fn jti_key(&self) -> Option<IdKey> {
        self.token_key().map(|[_, id @ ..]| id)
    }

    /// The key of the session's entry: the `sid`, or for a token without one the session that is derived
    /// from its `jti`.
    pub fn session_key(&self) -> Option<EntryKey> {
        match self.sid {
            Some(sid) => Some(entry_key(RevocationKind::Session, sid)),
            None => {
                self.derived_session().map(|id| keyed(RevocationKind::Session, id.into_bytes()))
            }
        }
    }

    /// The id of the session that a token without `sid` belongs to, and that its first exchange or renewal
    /// begins: a UUIDv7 of its time of issue, with 74 bits of the SHA-256 of its `jti`. No key is needed,
    /// so it stays the same when keys change.
    pub(crate) fn derived_session(&self) -> Option<Uuid> {
        let jti = self.jti.filter(|_| self.sid.is_none())?;
        let digest = crypto::sha256_half(&[DERIVED_SESSION, jti.as_bytes()].concat());
        let [tail @ .., _, _, _, _, _, _] = digest;
        let millis = u64::try_from(self.raw_millis()).unwrap_or_default();
        Some(Builder::from_unix_timestamp_millis(millis, &tail).into_uuid())
    }

    /// The time that orders the refresh tokens of a session: the time of the token's `jti`, if that
    /// is a UUIDv7, even if it is later than the `iat`.
    pub(crate) fn raw_millis(&self) -> i64 {
        self.jti.and_then(uuid_v7_millis).or(self.iat_millis).unwrap_or_default()
    }

    /// The key of the subject's entry.
    pub fn subject_key(&self) -> Option<EntryKey> {
        self.subject.map(|id| entry_key(RevocationKind::Subject, id))
    }

    /// All keys by which the token is looked up, at most four. The last is [`EVERYTHING`].
    pub fn keys(&self) -> Vec<EntryKey> {
        let own = [self.token_key(), self.session_key(), self.subject_key()];
        own.into_iter().flatten().chain([EVERYTHING]).collect()
    }
}

impl fmt::Debug for TokenIds<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenIds").field("issued", &self.issued_millis()).finish_non_exhaustive()
    }
}

fn entry_key(kind: RevocationKind, id: &str) -> EntryKey {
    if kind == RevocationKind::Everything {
        return EVERYTHING;
    }
    let id = match canonical_uuid(id) {
        Some(uuid) if uuid.get_variant() == Variant::RFC4122 => uuid.into_bytes(),
        _ => hash(id),
    };
    keyed(kind, id)
}

/// The key of a session with this id.
pub(crate) fn session_key(id: Uuid) -> EntryKey {
    keyed(RevocationKind::Session, id.into_bytes())
}

fn keyed(kind: RevocationKind, id: IdKey) -> EntryKey {
    let mut key = [0; 17];
    key[0] = match kind {
        RevocationKind::Token => b't',
        RevocationKind::Session => b's',
        RevocationKind::Subject => b'u',
        RevocationKind::Everything => b'e',
    };
    key[1..].copy_from_slice(&id);
    key
}

/// Half of a text's SHA-256, with a variant that no UUID stored directly has. The sixteen bytes
/// alone distinguish the two, so the stores need no further mark.
fn hash(id: &str) -> [u8; 16] {
    let half = u128::from_be_bytes(crypto::sha256_half(id.as_bytes()));
    (half | RESERVED_VARIANT).to_be_bytes()
}

/// Parses a UUID only in exactly the text form that `Display` writes, so that no two texts share a
/// key.
fn canonical_uuid(id: &str) -> Option<Uuid> {
    let uuid = Uuid::try_parse(id).ok()?;
    (uuid.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()) == id).then_some(uuid)
}

/// The time of a UUIDv7, in milliseconds since the Unix epoch.
pub(crate) fn uuid_v7_millis(jti: &str) -> Option<i64> {
    canonical_uuid(jti).and_then(v7_millis)
}

/// Like [`uuid_v7_millis()`], for a stored id.
pub(crate) fn uuid_v7_millis_of(id: &IdKey) -> Option<i64> {
    v7_millis(Uuid::from_bytes(*id))
}

fn v7_millis(uuid: Uuid) -> Option<i64> {
    // Half of a hash can have the version bits, but never the variant bits.
    let is_v7 = uuid.get_version() == Some(uuid::Version::SortRand)
        && uuid.get_variant() == Variant::RFC4122;
    let (seconds, nanos) = uuid.get_timestamp().filter(|_| is_v7)?.to_unix();
    i64::try_from(seconds).ok()?.checked_mul(1000)?.checked_add(i64::from(nanos / 1_000_000))
}
