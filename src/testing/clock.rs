//! A clock that is moved by hand.

use std::sync::{Arc, Mutex, PoisonError};

use rocket::time::{Duration, OffsetDateTime};

use crate::Clock;

/// A clock that stands still until it is moved. Its clones are the same clock.
///
/// # Example
///
/// ```rust
/// use rocket::local::blocking::Client;
/// use rocket_jwt_extended::testing::ManualClock;
/// use rocket_jwt_extended::{Duration, Jwt, NoClaims};
///
/// let clock = ManualClock::new();
/// let rocket = rocket::build().attach(Jwt::fairing().clock(clock.clone()));
/// let client = Client::debug(rocket).unwrap();
/// let jwt = Jwt::fetch(client.rocket()).unwrap();
///
/// let token = jwt.access_token("ada").encode().unwrap();
/// assert!(jwt.decode::<NoClaims>(&token).is_ok());
/// clock.advance(Duration::minutes(15));
/// assert_eq!(jwt.decode::<NoClaims>(&token).unwrap_err().code(), "token_expired");
/// ```
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<OffsetDateTime>>);

impl ManualClock {
    /// A clock that stands at the present.
    pub fn new() -> Self {
        Self::at(OffsetDateTime::now_utc())
    }

    /// A clock that stands at `time`.
    pub fn at(time: OffsetDateTime) -> Self {
        Self(Arc::new(Mutex::new(time)))
    }

    /// Moves it to `time`.
    pub fn set(&self, time: OffsetDateTime) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = time;
    }

    /// Moves it on, or with a negative duration back.
    pub fn advance(&self, duration: Duration) {
        let mut time = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *time = time.saturating_add(duration);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> OffsetDateTime {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
