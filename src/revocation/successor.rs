//! The ids of the pair that a refresh token is exchanged for.

use rocket::time::OffsetDateTime;
use uuid::{Builder, Uuid};

use crate::crypto::hmac_sha256;
use crate::error::Error;
use crate::token::ids::Ids;

/// The ids of the pair that a refresh token is exchanged for. They are derived from the random seed
/// of the exchange, which the session's row keeps, so every server derives the same ids for a
/// repeated exchange, even if the signing key has changed.
pub(crate) struct Successor {
    pub(crate) access: Ids,
    pub(crate) refresh: Ids,
}

impl Successor {
    /// The ids of the pair that was made at `at`, with the refresh token `next`.
    pub(crate) fn new(
        sid: &str,
        next: Uuid,
        seed: &[u8; 16],
        at: OffsetDateTime,
    ) -> Result<Self, Error> {
        let derive = |label: &str| {
            let bytes = hmac_sha256(seed, label.as_bytes()).ok_or(Error::Signing)?;
            bytes.first_chunk::<16>().copied().ok_or(Error::Signing)
        };
        // A UUIDv7 with the time of `next`.
        let mut access = derive("access jti")?;
        if let (Some(time), Some(of_next)) =
            (access.first_chunk_mut(), next.as_bytes().first_chunk())
        {
            let time: &mut [u8; 6] = time;
            *time = *of_next;
        }
        let access = Builder::from_bytes(access)
            .with_variant(uuid::Variant::RFC4122)
            .with_version(uuid::Version::SortRand)
            .into_uuid();
        let ids = |jti: Uuid, label: &str| {
            let csrf = Builder::from_random_bytes(derive(label)?).into_uuid();
            Ok::<_, Error>(Ids {
                jti: Some(jti.to_string()),
                sid: Some(sid.to_owned()),
                csrf: Some(csrf.to_string()),
                at: Some(at),
                exact: true,
            })
        };
        Ok(Self { access: ids(access, "access csrf")?, refresh: ids(next, "refresh csrf")? })
    }
}
