//! New ids.

use rocket::time::OffsetDateTime;
use uuid::{Builder, Uuid};

use crate::clock;
use crate::error::Error;

/// A UUIDv7 of that instant (RFC 9562 §5.7), with 74 random bits, and a UUIDv4, with 122. The system is
/// asked once for both, as to ask costs much; nothing is kept for the next token, so that neither a
/// fork nor a look into memory tells what it will have.
pub(super) fn new_ids(at: OffsetDateTime) -> Result<(Uuid, Uuid), Error> {
    let mut random = [[0; 16]; 2];
    getrandom::fill(random.as_flattened_mut()).map_err(|_| Error::Sign)?;
    let [[tail @ .., _, _, _, _, _, _], all] = random;
    let millis = u64::try_from(clock::millis(at)).unwrap_or_default();
    let id = Builder::from_unix_timestamp_millis(millis, &tail).into_uuid();
    Ok((id, Builder::from_random_bytes(all).into_uuid()))
}
