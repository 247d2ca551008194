//! Limits how far ahead the wall clock may be when entries are removed.

use std::sync::atomic::{AtomicBool, Ordering};

use rocket::time::{Duration, OffsetDateTime};

use crate::clock::BootClock;

/// Entries are kept this much longer than their tokens, so a smaller jump makes no token valid
/// again.
pub(crate) const SLACK: Duration = Duration::minutes(5);

/// The slack for a custom clock, which the application may set manually.
pub(crate) const SLACK_OF_OWN_CLOCK: Duration = Duration::days(1);

/// The latest time by which entries may be removed: the time of the launch plus the elapsed time of
/// a clock that cannot be set.
///
/// If the wall clock jumps ahead, entries look expired. After it is set back, their tokens would be
/// valid again. So entries that expired only by a jump are kept, at most until the next launch.
pub(crate) struct PruneLimit {
    boot_clock: BootClock,
    start: OffsetDateTime,
    start_nanos: u64,
    slack: Duration,
    is_logged: AtomicBool,
}

impl PruneLimit {
    pub(crate) fn new(now: OffsetDateTime, boot_clock: BootClock, slack: Duration) -> Self {
        let start_nanos = boot_clock.nanos();
        Self { boot_clock, start: now, start_nanos, slack, is_logged: AtomicBool::new(false) }
    }

    /// `now`, unless it is beyond the limit.
    pub(crate) fn cap(&self, now: OffsetDateTime) -> OffsetDateTime {
        let elapsed = self.boot_clock.nanos().saturating_sub(self.start_nanos);
        let elapsed = Duration::nanoseconds(i64::try_from(elapsed).unwrap_or(i64::MAX));
        let limit = self.start.saturating_add(elapsed);
        if now <= limit.saturating_add(self.slack) {
            return now;
        }
        if !self.is_logged.swap(true, Ordering::SeqCst) {
            log::warn!(
                "JWT: the clock is {} ahead of the time since the launch. Entries of the blocklist that \
                 expired by this alone are kept; if the clock is right now, restart the server.",
                now - limit
            );
        }
        limit
    }
}

#[cfg(all(test, feature = "test-util"))]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use rocket::time::{Duration, OffsetDateTime};

    use super::{PruneLimit, SLACK};
    use crate::clock::BootClock;

    #[test]
    fn a_leap_of_the_wall_clock_is_not_believed() {
        let seconds = Arc::new(AtomicU64::new(7));
        let boot = seconds.clone();
        let boot =
            BootClock::of(move || std::time::Duration::from_secs(boot.load(Ordering::SeqCst)));
        let start = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
        let limit = PruneLimit::new(start, boot, SLACK);
        assert_eq!(limit.cap(start), start);
        assert_eq!(limit.cap(start + SLACK), start + SLACK);
        assert_eq!(limit.cap(start + Duration::days(32)), start);
        assert_eq!(limit.cap(start - Duration::days(32)), start - Duration::days(32));
        seconds.fetch_add(3600, Ordering::SeqCst);
        assert_eq!(limit.cap(start + Duration::HOUR), start + Duration::HOUR);
        assert_eq!(limit.cap(start + Duration::days(32)), start + Duration::HOUR);
    }
}
