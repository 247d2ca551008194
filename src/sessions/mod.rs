//! The sessions that users can list and end: the setting `sessions`.

mod begin;

use std::fmt;

use rocket::serde::DeserializeOwned;
use rocket::time::OffsetDateTime;
use uuid::Uuid;

use crate::blocklist::{Recorded, SessionStore, StoreError, TokenIds};
use crate::clock;
use crate::error::Error;
use crate::events::{Event, SessionEnd};
use crate::jwt::Jwt;
use crate::provenance::is_ours;
use crate::reason::Reason;
use crate::rejection::CheckFailed;
use crate::revocation::entry_of::{ids_of, session_of};
use crate::revocation::record::{session_until_from, session_until_of};
use crate::settings::Sessions;
use crate::token::Token;
use crate::token::context::RequestContext;
use crate::token::identity::Identity;

/// A live session of a user, from [`Jwt::sessions()`].
///
/// # Example
///
/// ```rust
/// use rocket::get;
/// use rocket::serde::json::{Json, Value, json};
/// use rocket_jwt_extended::{AccessToken, Error, Jwt};
///
/// #[get("/sessions")]
/// async fn sessions(jwt: &Jwt, token: AccessToken) -> Result<Json<Vec<Value>>, Error> {
///     let sessions = jwt.sessions(token.identity()).await?;
///     let shown = sessions.iter().map(|session| {
///         json!({
///             "id": session.id(),
///             "device": session.label(),
///             "seen": session.seen_at().unix_timestamp(),
///             "current": session.is_current(&token),
///         })
///     });
///     Ok(Json(shown.collect()))
/// }
/// ```
#[derive(Clone)]
pub struct Session {
    id: String,
    began_at: OffsetDateTime,
    seen_at: OffsetDateTime,
    expires_at: Option<OffsetDateTime>,
    label: Option<String>,
    details: Option<String>,
}

impl Session {
    fn new(recorded: Recorded) -> Result<Self, Error> {
        let Recorded { id, seen, ends, label, details, .. } = recorded;
        let time = |millis: i64| {
            let out_of_range = || StoreError::new("a session has a time that is out of range");
            clock::from_millis(millis).ok_or_else(out_of_range)
        };
        let id = id.to_string();
        let began = crate::blocklist::entry::uuid_v7_millis(&id).unwrap_or(seen);
        let (began_at, seen_at) = (time(began)?, time(seen)?);
        let expires_at = ends.map(time).transpose()?;
        Ok(Self { id, began_at, seen_at, expires_at, label, details })
    }

    /// Its id, the `sid` of its tokens. Show it only to its user, since it can be used to end the
    /// session.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The time of the login.
    pub fn began_at(&self) -> OffsetDateTime {
        self.began_at
    }

    /// The time of the latest login, exchange or renewal. A guarded request does not update it, so
    /// its accuracy is the lifetime of an access token.
    pub fn seen_at(&self) -> OffsetDateTime {
        self.seen_at
    }

    /// When its newest token expires; `None` means never.
    pub fn expires_at(&self) -> Option<OffsetDateTime> {
        self.expires_at
    }

    /// The text given to [`label()`](crate::TokenPairBuilder::label).
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// The value given to [`details()`](crate::TokenPairBuilder::details), if any.
    ///
    /// # Errors
    ///
    /// If it does not deserialize into `T`.
    pub fn details<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        let read = self.details.as_deref().map(serde_json::from_str).transpose();
        // The error may quote the details.
        read.map_err(|_| Error::Serialize("the details of a session have another type".into()))
    }

    /// Whether the token belongs to this session.
    pub fn is_current<C>(&self, token: &Token<C>) -> bool {
        session_of(token.verified()).is_some_and(|sid| sid == self.id)
    }
}

/// Omits the id, the label and the details, which are private to the user.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("began_at", &self.began_at)
            .field("seen_at", &self.seen_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl Jwt {
    /// The live sessions of `identity`, newest first, at most a thousand. It needs the setting `sessions`.
    ///
    /// # Errors
    ///
    /// If the store did not answer, or `sessions` is off.
    pub async fn sessions(&self, identity: impl Identity) -> Result<Vec<Session>, Error> {
        let store = session_store(self)?;
        let identity = identity.identity();
        let ids = of_subject(&identity);
        let found = store.sessions(&ids, self.now());
        let found = self.blocklist().bounded(found).await?;
        found.into_iter().map(Session::new).collect()
    }

    /// Ends a session that `identity` chose from its list. Returns whether this call ended it; a
    /// session of another identity is not affected.
    ///
    /// # Errors
    ///
    /// If the store did not acknowledge it, or `sessions` is off.
    ///
    /// # Example
    ///
    /// ```rust
    /// use rocket::delete;
    /// use rocket::http::Status;
    /// use rocket_jwt_extended::{AccessToken, Error, Jwt};
    ///
    /// #[delete("/sessions/<id>")]
    /// async fn end(jwt: &Jwt, token: AccessToken, id: &str) -> Result<Status, Error> {
    ///     match jwt.end_session(token.identity(), id).await? {
    ///         true => Ok(Status::NoContent),
    ///         false => Ok(Status::NotFound),
    ///     }
    /// }
    /// ```
    pub async fn end_session(
        &self,
        identity: impl Identity,
        session_id: &str,
    ) -> Result<bool, Error> {
        let store = session_store(self)?;
        let identity = identity.identity();
        // Only the listed form of an id is accepted, so that two texts never mean the same session.
        let id = Uuid::try_parse(session_id).ok().filter(|id| id.to_string() == session_id);
        let Some(id) = id else { return Ok(false) };
        let until = session_until_of(self, session_id);
        let ids = of_subject(&identity);
        let ended = self.blocklist().bounded(store.end_session(&ids, id, until)).await?;
        if ended {
            was_ended(self, &identity, id, until, SessionEnd::Requested, None);
        }
        Ok(ended)
    }

    /// Ends all sessions of the token's identity except the token's own. Returns their number.
    ///
    /// # Errors
    ///
    /// If the store did not acknowledge it, or `sessions` is off; and a rejection if the token is not of this
    /// issuer, as for [`rotate()`](Jwt::rotate).
    pub async fn end_other_sessions<C>(&self, token: &Token<C>) -> Result<u64, Error> {
        let store = session_store(self)?;
        let verified = token.verified();
        if !is_ours(self, verified) {
            return Err(self.reject(CheckFailed::of(Reason::UnknownKey, verified)).into());
        }
        // Every session began before now, so none lasts longer than one that begins now.
        let until = session_until_from(self, Some(self.now()));
        let ids = ids_of(verified);
        let ended = store.end_other_sessions(&ids, until);
        let ended = self.blocklist().bounded(ended).await?;
        let request = verified.request();
        for id in &ended {
            was_ended(self, verified.identity(), *id, until, SessionEnd::Requested, request);
        }
        Ok(ended.len() as u64)
    }
}

/// The store that contains the sessions' rows.
fn session_store(jwt: &Jwt) -> Result<&dyn SessionStore, Error> {
    let store = jwt.blocklist().session_store();
    store
        .filter(|_| jwt.settings().sessions != Sessions::Off)
        .ok_or(Error::Session("the sessions of a user are recorded only with `sessions = true`"))
}

fn of_subject(identity: &str) -> TokenIds<'_> {
    TokenIds::new(None, None, Some(identity), None)
}

fn was_ended(
    jwt: &Jwt,
    identity: &str,
    id: Uuid,
    until: Option<OffsetDateTime>,
    why: SessionEnd,
    request: Option<&RequestContext>,
) {
    jwt.blocklist().note_ended(id, until);
    jwt.hooks().emit(&Event::SessionEnded {
        identity: identity.into(),
        session_id: id.to_string(),
        why,
        request: request.cloned(),
    });
}
