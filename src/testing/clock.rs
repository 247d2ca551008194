//! A clock that tests set manually.

use std::sync::{Arc, Mutex, PoisonError};

use rocket::time::{Duration, OffsetDateTime};

use crate::clock::Clock;

/// A clock that stands still until it is set or advanced. Clones share the same time.
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
    /// A clock set to the current time.
    pub fn new() -> Self {
        Self::at(OffsetDateTime::now_utc())
    }

    /// A clock set to `time`.
    pub fn at(time: OffsetDateTime) -> Self {
        Self(Arc::new(Mutex::new(time)))
    }

    /// Sets the clock to `time`.
    pub fn set(&self, time: OffsetDateTime) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = time;
    }

    /// Advances the clock, or sets it back if the duration is negative.
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
