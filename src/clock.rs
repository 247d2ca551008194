//! The sources of time. They are traits, so that a test can move time instead of waiting.

use std::sync::Arc;
use std::time::Duration;

use rocket::time::OffsetDateTime;

/// A source of the current time.
///
/// Everything in this crate that depends on time reads the one clock given to
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

/// A boot-time clock: monotonic, and running while the machine is suspended.
///
/// It is `CLOCK_BOOTTIME` on Linux and Android, and `CLOCK_MONOTONIC` on Apple's systems, where
/// that clock includes suspensions. On other systems it is the later of the monotonic clock, which
/// may stop during a suspension, and the wall clock, which may be set. If the wall clock is set
/// ahead, an age looks too long; if it is set back during a suspension, an age looks too short.
#[derive(Clone)]
pub(crate) struct BootClock(Arc<dyn Fn() -> Duration + Send + Sync>);

impl BootClock {
    /// A clock that a test provides.
    #[cfg(feature = "test-util")]
    pub(crate) fn of(clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(clock))
    }

    /// Nanoseconds since an arbitrary start. The range is more than five hundred years.
    pub(crate) fn nanos(&self) -> u64 {
        u64::try_from((self.0)().as_nanos()).unwrap_or(u64::MAX)
    }
}

impl Default for BootClock {
    fn default() -> Self {
        Self(Arc::new(system_boot_clock()))
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn system_boot_clock() -> impl Fn() -> Duration + Send + Sync {
    use rustix::time::{ClockId, clock_gettime};

    #[cfg(target_vendor = "apple")]
    const CLOCK: ClockId = ClockId::Monotonic;
    #[cfg(not(target_vendor = "apple"))]
    const CLOCK: ClockId = ClockId::Boottime;

    || Duration::try_from(clock_gettime(CLOCK)).unwrap_or_default()
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn system_boot_clock() -> impl Fn() -> Duration + Send + Sync {
    use std::time::{Instant, SystemTime};

    let (start, wall) = (Instant::now(), SystemTime::now());
    move || start.elapsed().max(wall.elapsed().unwrap_or_default())
}

/// Whole milliseconds since the Unix epoch, rounded down: the resolution of revocation.
pub(crate) fn millis(time: OffsetDateTime) -> i64 {
    // Both are rounded down, and every date of `time` fits into an `i64` of milliseconds.
    time.unix_timestamp() * 1000 + i64::from(time.millisecond())
}

/// The instant of a count of milliseconds since the Unix epoch, if it can be represented.
pub(crate) fn from_millis(millis: i64) -> Option<OffsetDateTime> {
    let second = OffsetDateTime::from_unix_timestamp(millis.div_euclid(1000)).ok()?;
    second.replace_millisecond(u16::try_from(millis.rem_euclid(1000)).ok()?).ok()
}
