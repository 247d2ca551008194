//! Different ids have different keys, whoever chose them.

use std::collections::HashMap;

use proptest::prelude::*;
use rocket::time::OffsetDateTime;
use rocket_jwt_extended::blocklist::{EVERYTHING, EntryKey, Revocation, TokenIds};
use uuid::Uuid;

fn keys(id: &str) -> [EntryKey; 3] {
    [
        Revocation::token(id, None).key(),
        Revocation::session(id, None).key(),
        Revocation::subject(id, OffsetDateTime::UNIX_EPOCH, None).key(),
    ]
}

fn uuid_of(key: &EntryKey) -> Uuid {
    let [_, bytes @ ..] = *key;
    Uuid::from_bytes(bytes)
}

/// The UUIDs that somebody could try for the key of a text: its bytes, with any variant and version.
fn forged(key: &EntryKey) -> Vec<String> {
    let mut all = vec![];
    for variant in 0..4_u8 {
        for version in 0..16_u8 {
            let mut bytes = uuid_of(key).into_bytes();
            bytes[8] = (bytes[8] & 0x3f) | (variant << 6);
            bytes[6] = (bytes[6] & 0x0f) | (version << 4);
            all.push(Uuid::from_bytes(bytes).to_string());
        }
    }
    all.push(uuid_of(key).to_string());
    all
}

proptest! {
    #[test]
    fn no_uuid_has_the_key_of_another_text(text in ".*", bytes: [u8; 16]) {
        let mut ids = vec![text.clone(), Uuid::from_bytes(bytes).to_string()];
        for id in ids.clone() {
            for key in keys(&id) {
                ids.extend(forged(&key));
                ids.push(uuid_of(&key).simple().to_string());
                ids.push(uuid_of(&key).to_string().to_uppercase());
            }
        }
        let mut seen: HashMap<EntryKey, String> = HashMap::new();
        for id in ids {
            for key in keys(&id) {
                let other = seen.entry(key).or_insert_with(|| id.clone());
                prop_assert_eq!(&*other, &id);
            }
        }
    }

    /// The store in memory keeps the sixteen bytes only.
    #[test]
    fn the_sixteen_bytes_alone_keep_uuids_and_other_texts_apart(text in ".*", bytes: [u8; 16]) {
        let uuid = Uuid::from_bytes(bytes).to_string();
        prop_assume!(text != uuid);
        for (one, other) in keys(&text).iter().zip(&keys(&uuid)) {
            prop_assert_ne!(uuid_of(one), uuid_of(other));
            prop_assert_ne!(uuid_of(one).to_string(), text.clone());
        }
    }

    #[test]
    fn a_token_is_looked_up_by_the_keys_that_revoke_it(id in ".*") {
        let ids = TokenIds::new(Some(&id), Some(&id), Some(&id), None);
        let mut expected = keys(&id).to_vec();
        expected.push(EVERYTHING);
        prop_assert_eq!(ids.keys(), expected);
    }
}

#[test]
fn the_ids_of_this_crate_keep_their_order() {
    let uuid = Uuid::now_v7();
    for key in keys(&uuid.to_string()) {
        assert_eq!(uuid_of(&key), uuid);
    }
}

/// Logged `alice` out when it was logged out everywhere.
#[test]
fn the_uuid_in_the_report_is_not_alice() {
    let known = "2bd806c9-7f0e-00af-1a1f-c3328fa763a9";
    for (one, other) in keys("alice").iter().zip(&keys(known)) {
        assert_ne!(one, other);
    }
    for special in [Uuid::nil(), Uuid::max()] {
        for key in keys(&special.to_string()) {
            assert_ne!(uuid_of(&key), special);
        }
    }
}
