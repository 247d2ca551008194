//! Begins a session at login, and records it.

use super::{of_subject, session_store, was_ended};
use crate::blocklist::{Begun, Limit, NewSession, Owner};
use crate::error::Error;
use crate::events::{Event, SessionEnd};
use crate::issue::builder::{NewPair, TokenPairBuilder};
use crate::issue::pair::TokenPair;
use crate::revocation::record::{row_until, session_until_of};
use crate::settings::{SessionLimit, Sessions};

impl TokenPairBuilder<'_> {
    /// Makes both tokens, and records their session: with the setting `sessions`, before the tokens
    /// are returned, so that the user's list is complete. Without the setting, nothing is recorded.
    ///
    /// # Errors
    ///
    /// As for [`issue()`](TokenPairBuilder::issue); if the store did not acknowledge the session
    /// (response 503); and [`Error::TooManySessions`] (response 409) if the identity has
    /// `max_sessions` sessions and `session_limit` is `"refuse"`.
    ///
    /// # Example
    ///
    /// ```rust
    /// use rocket::post;
    /// use rocket_jwt_extended::{Error, Jwt, TokenPair};
    ///
    /// #[post("/login")]
    /// async fn login(jwt: &Jwt) -> Result<TokenPair, Error> {
    ///     // … check the password first.
    ///     jwt.token_pair("ada").label("Firefox on Linux").begin().await
    /// }
    /// ```
    pub async fn begin(self) -> Result<TokenPair, Error> {
        let jwt = self.jwt();
        if jwt.settings().sessions == Sessions::Off {
            return self.issue();
        }
        let store = session_store(jwt)?;
        let NewPair { pair, issued, identity, session, refresh, at, label, details, request } =
            self.sign()?;
        let ids = of_subject(&identity);
        let owner = Owner::new(&ids, at, pair.refresh_expires_at()).ok_or(Error::EmptyIdentity)?;
        let sid = session.to_string();
        let until = row_until(jwt, session_until_of(jwt, &sid), [pair.refresh_expires_at()]);
        let new = NewSession {
            id: session,
            current: refresh.into_bytes(),
            owner,
            until,
            label: label.as_deref(),
            details: details.as_deref(),
        };
        let limit = jwt.settings().max_sessions.map(|max| {
            let ends_oldest = jwt.settings().session_limit == SessionLimit::EndOldest;
            Limit { max, ends_oldest }
        });
        match jwt.blocklist().bounded(store.begin(&ids, &new, limit)).await? {
            Begun::TooMany => return Err(Error::TooManySessions),
            Begun::Begun { ended } => {
                for id in ended {
                    was_ended(jwt, &identity, id, until, SessionEnd::Limit, request.as_ref());
                }
            }
        }
        jwt.hooks().emit(&Event::SessionBegan { identity, session_id: sid, request });
        issued.iter().flatten().for_each(|event| jwt.hooks().emit(event));
        Ok(pair)
    }
}
