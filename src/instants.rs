//! The instants of issue of tokens, and the instants of cut-offs.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use rocket::time::OffsetDateTime;
use rocket::tokio::sync::Mutex;
use rocket::tokio::time;

use crate::clock::{self, Clock};

/// A cut-off waits for a clock that is at most this many milliseconds behind the last token. A
/// clock that is further behind was set back, or is a test's clock that stands still: waiting does
/// not help.
const PATIENCE: i64 = 5;

/// Keeps tokens and cut-offs in different milliseconds: a token issued after a cut-off is later
/// than the cut-off, so that `revoke_all` does not revoke a login right after it.
pub(crate) struct Instants {
    /// The first millisecond in which a token may be issued: the one after the last cut-off.
    issue_from: AtomicI64,
    /// The last millisecond in which a token may have been issued.
    issued_until: AtomicI64,
    /// Locked by the cut-off that is running.
    turn: Mutex<()>,
}

impl Instants {
    pub(crate) fn new() -> Self {
        let [issue_from, issued_until] = [i64::MIN; 2].map(AtomicI64::new);
        Self { issue_from, issued_until, turn: Mutex::new(()) }
    }

    /// The instant of issue for a token issued at `now`.
    ///
    /// It is later than every cut-off, unless that would put it in another second than `now`: an
    /// `iat` must not be in the future, and the time in a `jti` is capped at the second of its
    /// `iat`.
    pub(crate) fn issue(&self, now: OffsetDateTime) -> OffsetDateTime {
        let now = clock::millis(now);
        let from = self.issue_from.load(Ordering::SeqCst);
        let is_same_second = from.div_euclid(1000) <= now.div_euclid(1000);
        let at = if is_same_second { now.max(from) } else { now };
        self.issued_until.fetch_max(at, Ordering::SeqCst);
        clock::from_millis(at).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// The instant of issue for a token that replaces another one, and the time in its `jti`. `earlier`
    /// is the time in the other token's `jti`: the new `jti` has a later time, and so has the instant of
    /// issue, unless the clock is behind.
    ///
    /// Several exchanges within a millisecond would each push the time in the ids a millisecond further
    /// ahead of the clock, so that a cut-off might miss these tokens. So an exchange waits until the clock
    /// has caught up.
    pub(crate) async fn issue_after(
        &self,
        earlier: i64,
        clock: &dyn Clock,
    ) -> (OffsetDateTime, i64) {
        let later = earlier.saturating_add(1);
        for _ in 0..PATIENCE {
            let ahead = later.saturating_sub(clock::millis(clock.now()));
            if !(1..=PATIENCE).contains(&ahead) {
                break;
            }
            time::sleep(Duration::from_millis(1)).await;
        }
        let at = self.issue(clock.now());
        let millis = clock::millis(at);
        let time = millis.max(later);
        // The next cut-off must cover this token too. Cut-offs are compared with the time of the `jti`,
        // capped at the end of the `iat`'s second.
        let end_of_second = millis.div_euclid(1000).saturating_mul(1000).saturating_add(999);
        self.issued_until.fetch_max(time.min(end_of_second), Ordering::SeqCst);
        (at, time)
    }

    /// Makes a cut-off: no token issued so far is later than it, and every token issued from now on
    /// is.
    ///
    /// Alternating logins and cut-offs would push each other into the future, a millisecond each
    /// time. So a cut-off waits until the clock has caught up with the last token.
    pub(crate) async fn cut_off(&self, clock: &dyn Clock) -> OffsetDateTime {
        // A fair queue: while a cut-off waits here, no other cut-off changes the time of issue.
        let _turn = self.turn.lock().await;
        let mut now = clock::millis(clock.now());
        for _ in 0..PATIENCE {
            let ahead = self.issued_until.load(Ordering::SeqCst).saturating_sub(now);
            if !(1..=PATIENCE).contains(&ahead) {
                break;
            }
            time::sleep(Duration::from_millis(1)).await;
            now = clock::millis(clock.now());
        }
        // Tokens that were issued before the clock was set back are cut off too.
        let cut_off = now.max(self.issued_until.load(Ordering::SeqCst));
        self.issue_from.fetch_max(cut_off.saturating_add(1), Ordering::SeqCst);
        clock::from_millis(cut_off).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}
