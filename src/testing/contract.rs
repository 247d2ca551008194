//! The contract of a store, as a suite of tests.

use std::fmt::Debug;
use std::sync::Arc;

use rocket::time::{Duration, OffsetDateTime};
use uuid::{NoContext, Timestamp, Uuid};

use crate::blocklist::{Blocklist, Exchange, Revocation, Standing, StoreError, TokenIds};
use crate::clock;

mod exchanging;
mod expiry;
mod replicable;
mod revoking;
mod sessions;

pub use replicable::replicable_blocklist_contract;
pub use sessions::session_store_contract;

/// Checks that a store fulfils the contract of [`Blocklist`]. The stores of this crate pass the
/// same suite.
///
/// `make` is called twice, for two servers, and must return two stores that share one storage: two
/// pools of one database, or the same `Arc` twice if the storage is in the process. Each must see
/// the entries that the other has recorded.
///
/// The storage must be reserved for the suite (a table or a prefix of its own), as the suite prunes
/// entries that expire hours from now. It uses times within some hours of the current time, as some
/// servers expire entries by their own clock, which must be accurate to half an hour. A run waits
/// for about half a second, and needs some thousand round trips.
///
/// The suite cannot check what happens to entries in a crash, a fail-over, or a network partition.
///
/// # Panics
///
/// If the store fails a case, with the name of the case, the expected result, and the actual one.
///
/// # Example
///
/// ```rust
/// use std::sync::Arc;
///
/// use rocket_jwt_extended::blocklist::MemoryBlocklist;
/// use rocket_jwt_extended::testing::blocklist_contract;
///
/// # let test =
/// async {
///     let store = Arc::new(MemoryBlocklist::new());
///     blocklist_contract(async || store.clone()).await;
/// }
/// # ; rocket::tokio::runtime::Runtime::new().unwrap().block_on(test);
/// ```
///
/// In an application's tests, the body goes into a function marked `#[rocket::async_test]`.
pub async fn blocklist_contract<B: Blocklist>(make: impl AsyncFn() -> B) {
    let stores: [Arc<dyn Blocklist>; 2] = [Arc::new(make().await), Arc::new(make().await)];

    macro_rules! run {
        ($($group:ident::$case:ident,)*) => {
            $($group::$case(Case { name: stringify!($case), stores: &stores }).await;)*
        }
    }

    run! {
        revoking::a_new_token_is_live,
        revoking::a_token_without_ids_is_live,
        revoking::a_token_is_revoked_alone,
        revoking::a_session_ends_with_all_its_tokens,
        revoking::a_subject_is_cut_off_to_the_millisecond,
        revoking::a_cut_off_uses_the_second_of_iat_without_a_v7_jti,
        revoking::a_token_of_unknown_age_is_cut_off,
        revoking::a_cut_off_never_goes_back,
        revoking::everything_is_cut_off_to_the_millisecond,
        revoking::kinds_are_distinct,
        revoking::a_uuid_made_of_the_key_of_a_text_is_another_id,
        revoking::an_id_may_be_any_text,
        revoking::revoking_twice_succeeds,
        revoking::a_revocation_tells_whether_it_changed_anything,
        revoking::exactly_one_of_many_revocations_changes_anything,
        exchanging::the_first_exchange_begins_a_session,
        exchanging::each_token_of_a_session_is_exchanged_for_the_next,
        exchanging::a_repeat_within_the_grace_gets_the_same_pair,
        exchanging::a_repeat_after_the_grace_ends_the_session,
        exchanging::a_token_before_the_last_ends_the_session,
        exchanging::a_call_that_is_repeated_gets_the_same_answer,
        exchanging::a_token_that_is_newer_than_the_row_counts_as_first,
        exchanging::a_newer_token_ends_a_session_that_must_have_a_row,
        exchanging::a_revoked_token_is_not_exchanged,
        exchanging::a_session_ends_after_its_exchanges,
        exchanging::a_session_without_a_row_is_not_begun_unless_it_may,
        exchanging::a_token_without_sid_has_a_session_of_its_own,
        exchanging::a_token_without_jti_is_an_error,
        exchanging::exactly_one_of_many_calls_is_first,
        exchanging::a_revocation_is_not_lost_to_an_exchange,
        exchanging::an_expiry_is_not_shortened_by_an_exchange,
        expiry::expired_entries_are_pruned,
        expiry::unexpired_entries_are_kept,
        expiry::an_until_is_never_shortened,
        expiry::a_missing_until_is_later_than_any,
        expiry::an_ended_session_is_kept_for_the_longer_until,
        expiry::an_until_may_be_the_end_of_time,
        expiry::an_until_is_never_shortened_in_real_time,
        expiry::an_until_is_never_shortened_by_one_that_has_passed,
        expiry::the_last_of_many_untils_applies,
        expiry::a_revocation_is_not_lost_to_pruning,
    }
}

/// A case, with the stores of two servers.
#[derive(Clone, Copy)]
struct Case<'a> {
    name: &'static str,
    stores: &'a [Arc<dyn Blocklist>; 2],
}

impl Case<'_> {
    /// Records `entry` on the first server.
    async fn revoke(&self, entry: Revocation) {
        self.revoke_on(0, entry).await;
    }

    /// Records `entry`. Returns whether that changed anything.
    async fn revoke_on(&self, server: usize, entry: Revocation) -> bool {
        self.ok(self.stores[server % 2].revoke(&entry).await, "revoke")
    }

    /// Checks the token's standing on both servers.
    async fn expect(&self, ids: TokenIds<'_>, standing: Standing, why: &str) {
        for store in self.stores {
            let found = self.ok(store.standing(&ids).await, "standing");
            self.equal(in_millis(found), in_millis(standing), why);
            if let Some(immediate) = store.try_standing(&ids) {
                let immediate = self.ok(immediate, "try_standing");
                self.equal(in_millis(immediate), in_millis(standing), why);
            }
        }
    }

    async fn expect_revoked(&self, ids: TokenIds<'_>, why: &str) {
        self.expect(ids, Standing::Revoked, why).await;
    }

    async fn expect_live(&self, ids: TokenIds<'_>, why: &str) {
        self.expect(ids, Standing::Live, why).await;
    }

    /// Begins the session of the token with an exchange on the first server.
    async fn begin(&self, ids: &Ids, until: OffsetDateTime) {
        let exchange = Exchange::new(Uuid::now_v7(), [7; 16], now(), Duration::ZERO, until);
        self.ok(self.stores[0].exchange(&ids.of().exchangeable(), &exchange).await, "exchange");
    }

    async fn prune(&self, now: OffsetDateTime) -> u64 {
        self.ok(self.stores[1].prune(now).await, "prune")
    }

    fn ok<T>(&self, result: Result<T, StoreError>, method: &str) -> T {
        result.unwrap_or_else(|error| {
            panic!("blocklist contract: {}: `{method}` failed: {error}", self.name)
        })
    }

    fn equal<T: PartialEq + Debug>(&self, found: T, expected: T, why: &str) {
        assert!(
            found == expected,
            "blocklist contract: {}: {why}: expected {expected:?}, found {found:?}",
            self.name,
        );
    }
}

/// The ids of a token. [`new()`](Ids::new) makes them all new.
struct Ids {
    jti: String,
    sid: String,
    subject: String,
}

impl Ids {
    fn new() -> Self {
        Self { jti: id(), sid: id(), subject: format!("user {}", id()) }
    }

    fn of(&self) -> TokenIds<'_> {
        TokenIds::new(Some(&self.jti), Some(&self.sid), Some(&self.subject), None)
    }
}

/// A new UUIDv7, as this crate uses for its ids.
fn id() -> String {
    Uuid::now_v7().to_string()
}

/// A UUIDv7 with this time.
fn id_of(time: OffsetDateTime) -> String {
    let seconds = u64::try_from(time.unix_timestamp()).expect("the current time is after 1970");
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, time.nanosecond())).to_string()
}

fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// The time in `count` hours, or that many hours ago.
fn hours(count: i64) -> OffsetDateTime {
    now() + Duration::hours(count)
}

/// Rounds the time to milliseconds, the precision of every store.
fn in_millis(standing: Standing) -> Standing {
    let Standing::Exchanged { at } = standing else { return standing };
    Standing::Exchanged { at: clock::from_millis(clock::millis(at)).unwrap_or(at) }
}
