//! A token's ids.

use rocket::time::OffsetDateTime;
use uuid::{Builder, Uuid};

use crate::clock;

/// The ids of a token. Those that are `None` are generated when it is signed.
#[derive(Clone, Default)]
pub(crate) struct Ids {
    pub(crate) jti: Option<String>,
    pub(crate) sid: Option<String>,
    pub(crate) csrf: Option<String>,
    /// The time of issue, if it is not the current time.
    pub(crate) at: Option<OffsetDateTime>,
    /// Whether `at` is the token's `iat` even if it is in the future, and the `jti` may have a later time:
    /// that of a successor is later than the token it was exchanged for.
    pub(crate) exact: bool,
}

/// The `jti` of the refresh token that another is exchanged for, a UUIDv7 of that time in milliseconds, and
/// the seed of the exchange; `None` if the system has no random bytes.
pub(crate) fn next_and_seed(millis: i64) -> Option<(Uuid, [u8; 16])> {
    let (mut tail, mut seed) = ([0; 10], [0; 16]);
    getrandom::fill(&mut tail).ok()?;
    getrandom::fill(&mut seed).ok()?;
    let millis = u64::try_from(millis).unwrap_or_default();
    Some((Builder::from_unix_timestamp_millis(millis, &tail).into_uuid(), seed))
}

/// A UUIDv7 of that instant (RFC 9562 §5.7), with 74 random bits, and a UUIDv4, with 122; `None` if the
/// system has no random bytes.
///
/// One system call serves both, since the call is expensive. No random bytes are kept for the next
/// token, so neither a fork nor a leak of memory makes its ids predictable.
pub(crate) fn new_ids(at: OffsetDateTime) -> Option<(Uuid, Uuid)> {
    let mut random = [[0; 16]; 2];
    getrandom::fill(random.as_flattened_mut()).ok()?;
    let [[tail @ .., _, _, _, _, _, _], all] = random;
    let millis = u64::try_from(clock::millis(at)).unwrap_or_default();
    let id = Builder::from_unix_timestamp_millis(millis, &tail).into_uuid();
    Some((id, Builder::from_random_bytes(all).into_uuid()))
}
