//! The pair that a refresh token is exchanged for.

use rocket::time::OffsetDateTime;
use uuid::Builder;

use super::entry_of::ids_of;
use crate::blocklist::TokenIds;
use crate::clock;
use crate::error::Error;
use crate::jwt::Jwt;
use crate::keys::signing::SigningKey;
use crate::token::ids::Ids;
use crate::token::kind::TokenType;
use crate::token::verified::Verified;

/// The ids of the pair that a refresh token is exchanged for. All of them are derived from the token's
/// `jti`, the instant of its first use, and the signing key, so every server derives the same ids and none
/// is stored.
pub(crate) struct Successor {
    at: OffsetDateTime,
    sid: String,
    pub(crate) access: Ids,
    pub(crate) refresh: Ids,
}

impl Successor {
    /// The successor of the token that was first used at `first`.
    pub(crate) fn of(jwt: &Jwt, verified: &Verified, first: OffsetDateTime) -> Result<Self, Error> {
        let key = jwt.signing_key(verified.identity())?;
        let millis = clock::millis(first);
        let at = clock::from_millis(millis).unwrap_or(first);
        let jti = verified.jti().unwrap_or_default().as_bytes();
        let derive = |label: &str| {
            let bytes = key.derive(label, &[&millis.to_be_bytes(), jti].concat())?;
            bytes.first_chunk::<16>().copied().ok_or(Error::Signing)
        };
        // A UUIDv7 with the time of the first use, so that a cut-off sees when the pair was issued.
        let id = |label: &str| {
            let [tail @ .., _, _, _, _, _, _] = derive(label)?;
            let millis = u64::try_from(millis).unwrap_or_default();
            let uuid = Builder::from_unix_timestamp_millis(millis, &tail).into_uuid();
            Ok::<_, Error>(uuid.to_string())
        };
        let csrf = |label: &str| {
            Ok::<_, Error>(Builder::from_random_bytes(derive(label)?).into_uuid().to_string())
        };
        let sid = match verified.sid() {
            Some(sid) => sid.to_string(),
            None => session_of(&key, jti, ids_of(verified).issued_millis())?,
        };
        let ids = |kind: &str| {
            Ok::<_, Error>(Ids {
                jti: Some(id(&format!("{kind} jti"))?),
                sid: Some(sid.clone()),
                csrf: Some(csrf(&format!("{kind} csrf"))?),
                at: Some(at),
                exact: true,
            })
        };
        Ok(Self { at, access: ids("access")?, refresh: ids("refresh")?, sid })
    }

    /// The ids with which the blocklist is queried about the new refresh token.
    pub(crate) fn refresh_ids<'a>(&'a self, verified: &'a Verified) -> TokenIds<'a> {
        let identity = Some(verified.identity());
        TokenIds::new(self.refresh.jti.as_deref(), Some(&self.sid), identity, Some(self.at))
    }
}

/// The session that a refresh token without a `sid` begins when it is exchanged.
pub(crate) fn session_begun(jwt: &Jwt, verified: &Verified) -> Option<String> {
    if verified.sid().is_some() || verified.registered().token_type != TokenType::Refresh {
        return None;
    }
    let key = jwt.signing_key(verified.identity()).ok()?;
    session_of(&key, verified.jti()?.as_bytes(), ids_of(verified).issued_millis()).ok()
}

/// Derived from the `jti`, so that every exchange of the token begins the same session.
fn session_of(key: &SigningKey, jti: &[u8], issued: Option<i64>) -> Result<String, Error> {
    let bytes = key.derive("session", jti)?;
    let tail = bytes.first_chunk().ok_or(Error::Signing)?;
    let millis = issued.and_then(|millis| u64::try_from(millis).ok()).unwrap_or_default();
    Ok(Builder::from_unix_timestamp_millis(millis, tail).into_uuid().to_string())
}
