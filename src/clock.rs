//! Where the time comes from: a trait, so that a test moves time instead of waiting for it.

use std::sync::Arc;

use rocket::time::OffsetDateTime;

/// A source of the current time.
///
/// Everything in this crate that depends on time asks the one clock given to
/// [`JwtFairing::clock()`](crate::JwtFairing::clock): expiry, freshness, cookie ages, revocation and
/// pruning. The default is [`SystemClock`].
///
/// # Example
///
/// ```rust
/// use std::sync::atomic::{AtomicI64, Ordering};
/// use rocket::time::OffsetDateTime;
/// use rocket_jwt_extended::Clock;
///
/// /// A clock that stands still until it is moved.
/// struct Manual(AtomicI64);
///
/// impl Clock for Manual {
///     fn now(&self) -> OffsetDateTime {
///         OffsetDateTime::from_unix_timestamp(self.0.load(Ordering::SeqCst)).unwrap()
///     }
/// }
/// ```
pub trait Clock: Send + Sync + 'static {
    /// The current time, in any offset.
    fn now(&self) -> OffsetDateTime;
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }
}

impl<T: Clock + ?Sized> Clock for Arc<T> {
    fn now(&self) -> OffsetDateTime {
        (**self).now()
    }
}

/// Whole milliseconds since the Unix epoch, rounded down: the resolution of revocation.
pub(crate) fn millis(time: OffsetDateTime) -> i64 {
    // A `time` year of at most 9999 has a millisecond count far inside an `i64`.
    time.unix_timestamp_nanos().div_euclid(1_000_000) as i64
}

/// The instant of a count of milliseconds since the Unix epoch, if it can be written down.
pub(crate) fn from_millis(millis: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).ok()
}
