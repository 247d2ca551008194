//! The contract of a store that lists sessions.

use rocket::tokio;
use rocket::tokio::sync::Barrier;

use super::*;
use crate::blocklist::{
    Begun, Exchanged, Limit, NewSession, Owner, Recorded, Renewal, SessionStore,
};

mod ending;
mod exchanged;
mod limiting;
mod listing;
mod renewing;

/// Checks that a store fulfils the contract of [`SessionStore`](crate::blocklist::SessionStore), in addition
/// to [`blocklist_contract()`]. The stores of this crate pass the same suite.
///
/// `make` is the same as there, and must return stores whose
/// [`session_store()`](crate::blocklist::Blocklist::session_store) is not `None`. The storage must be reserved
/// for this suite: its last case revokes every token that was issued more than twelve hours ago, or at an
/// unknown time.
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
/// use rocket_jwt_extended::testing::session_store_contract;
///
/// # let test =
/// async {
///     let store = Arc::new(MemoryBlocklist::new());
///     session_store_contract(async || store.clone()).await;
/// }
/// # ; rocket::tokio::runtime::Runtime::new().unwrap().block_on(test);
/// ```
pub async fn session_store_contract<B: Blocklist>(make: impl AsyncFn() -> B) {
    let stores: [Arc<dyn Blocklist>; 2] = [Arc::new(make().await), Arc::new(make().await)];

    macro_rules! run {
        ($($group:ident::$case:ident,)*) => {
            $($group::$case(Case { name: stringify!($case), stores: &stores }).await;)*
        }
    }

    run! {
        listing::a_session_is_listed_as_it_began,
        listing::sessions_are_listed_newest_first,
        listing::at_most_a_thousand_sessions_are_listed,
        listing::a_label_may_be_any_text,
        listing::an_expired_session_is_not_listed,
        listing::a_session_that_was_cut_off_is_not_listed,
        listing::an_expired_session_is_pruned_with_its_label,
        ending::a_session_is_ended_once,
        ending::the_session_of_another_subject_is_not_ended,
        ending::a_session_without_an_owner_is_not_ended,
        ending::the_other_sessions_end_and_the_own_does_not,
        ending::an_ended_session_is_kept_for_the_longer_until,
        ending::a_revoked_session_is_not_listed,
        limiting::a_repeated_begin_succeeds,
        limiting::the_oldest_sessions_make_room,
        limiting::a_login_beyond_the_limit_is_refused,
        limiting::only_live_sessions_hold_a_place,
        limiting::concurrent_logins_keep_to_the_limit,
        exchanged::an_exchange_moves_what_is_listed,
        exchanged::a_session_keeps_its_subject,
        exchanged::an_exchange_gives_a_row_its_owner,
        exchanged::an_exchange_without_an_owner_keeps_the_old_one,
        exchanged::a_session_without_a_row_is_not_exchanged,
        exchanged::a_token_that_is_newer_than_the_row_ends_the_session,
        exchanged::a_reuse_ends_the_session_of_its_owner,
        renewing::a_renewal_moves_what_is_listed,
        renewing::a_renewal_extends_the_row,
        renewing::a_renewal_without_a_row_is_refused_if_one_is_needed,
        renewing::a_renewal_gives_a_row_its_owner,
        renewing::what_was_revoked_is_not_renewed,
        listing::a_cut_off_of_everything_ends_all_lists,
    }
}

/// A login: the session of a user, and its tokens.
#[derive(Clone)]
struct Login {
    user: String,
    sid: String,
    refresh: String,
    access: String,
    at: OffsetDateTime,
    ends: Option<OffsetDateTime>,
    until: Option<OffsetDateTime>,
    label: Option<String>,
    details: Option<String>,
}

/// A user that no other case has.
fn user() -> String {
    format!("user {}", id())
}

fn millis_of(time: OffsetDateTime) -> i64 {
    clock::millis(time)
}

fn uuid(id: &str) -> Uuid {
    Uuid::try_parse(id).expect("a UUID")
}

impl Login {
    /// An hour ago.
    fn new(user: &str) -> Self {
        Self::at(user, hours(-1))
    }

    fn at(user: &str, at: OffsetDateTime) -> Self {
        Self {
            user: user.into(),
            sid: id_of(at),
            refresh: id_of(at),
            access: id_of(at),
            at,
            ends: Some(hours(2)),
            until: Some(hours(3)),
            label: None,
            details: None,
        }
    }

    fn id(&self) -> Uuid {
        uuid(&self.sid)
    }

    fn access(&self) -> TokenIds<'_> {
        TokenIds::new(Some(&self.access), Some(&self.sid), Some(&self.user), None)
    }

    fn refresh(&self) -> TokenIds<'_> {
        let ids = TokenIds::new(Some(&self.refresh), Some(&self.sid), Some(&self.user), None);
        ids.exchangeable()
    }

    fn owner(&self) -> Owner {
        Owner::new(&self.access(), self.at, self.ends).expect("a subject")
    }

    fn session(&self) -> NewSession<'_> {
        NewSession {
            id: self.id(),
            current: self.refresh().jti_key().expect("a `jti`"),
            owner: self.owner(),
            until: self.until,
            label: self.label.as_deref(),
            details: self.details.as_deref(),
        }
    }

    /// As it is listed until it is used.
    fn recorded(&self) -> Recorded {
        let NewSession { id, current, owner, .. } = self.session();
        let (label, details) = (self.label.clone(), self.details.clone());
        Recorded { id, current, seen: owner.seen, ends: owner.ends, label, details }
    }

    /// An exchange of its refresh token at this time, for one that ends at another.
    fn exchange(&self, at: OffsetDateTime, ends: Option<OffsetDateTime>) -> Exchange {
        self.exchange_for(uuid(&id_of(at)), at, ends)
    }

    fn exchange_for(
        &self,
        next: Uuid,
        at: OffsetDateTime,
        ends: Option<OffsetDateTime>,
    ) -> Exchange {
        Exchange::new(next, [7; 16], at, Duration::ZERO, self.until).owned_by(&self.refresh(), ends)
    }

    /// The login with the refresh token of an exchange.
    fn after(&self, exchange: &Exchange) -> Self {
        Self { refresh: exchange.next().to_string(), ..self.clone() }
    }

    fn renewal(&self, now: OffsetDateTime, ends: Option<OffsetDateTime>) -> Renewal {
        Renewal { now, ends, until: self.until }
    }
}

/// Ids with only a subject, as they are used to list sessions.
fn of(user: &str) -> TokenIds<'_> {
    TokenIds::new(None, None, Some(user), None)
}

fn begun() -> Begun {
    Begun::Begun { ended: vec![] }
}

impl Case<'_> {
    fn session_store(&self, server: usize) -> &dyn SessionStore {
        let store = self.stores[server % 2].session_store();
        store.unwrap_or_else(|| panic!("blocklist contract: {}: no `session_store()`", self.name))
    }

    /// Begins the session without a limit on the first server.
    async fn log_in(&self, login: &Login) {
        let result = self.begin_within(0, login, None).await;
        self.equal(result, begun(), "there is no limit");
    }

    async fn begin_within(&self, server: usize, login: &Login, limit: Option<Limit>) -> Begun {
        let store = self.session_store(server);
        self.ok(store.begin(&login.access(), &login.session(), limit).await, "begin")
    }

    /// The list on both servers.
    async fn listed(&self, user: &str, now: OffsetDateTime) -> Vec<Recorded> {
        let mut lists = vec![];
        for server in [0, 1] {
            let list = self.session_store(server).sessions(&of(user), now).await;
            lists.push(self.ok(list, "sessions"));
        }
        let list = lists.pop().unwrap_or_default();
        self.equal(&list, &lists[0], "both servers list the same");
        list
    }

    /// Checks that the user has these sessions now, newest first, as they are listed.
    async fn expect_listed(&self, user: &str, expected: &[Recorded], why: &str) {
        let found = self.listed(user, now()).await;
        let fields = |list: &[Recorded]| {
            let one = |it: &Recorded| {
                (it.id, it.current, it.seen, it.ends, it.label.clone(), it.details.clone())
            };
            list.iter().map(one).collect::<Vec<_>>()
        };
        self.equal(fields(&found), fields(expected), why);
    }

    /// Checks that the user has these sessions at a time.
    async fn expect_ids(&self, user: &str, now: OffsetDateTime, logins: &[&Login], why: &str) {
        let found: Vec<_> = self.listed(user, now).await.iter().map(|found| found.id).collect();
        let expected: Vec<_> = logins.iter().map(|login| login.id()).collect();
        self.equal(found, expected, why);
    }

    async fn end_session(&self, server: usize, user: &str, login: &Login) -> bool {
        let store = self.session_store(server);
        let until = Some(hours(3));
        self.ok(store.end_session(&of(user), login.id(), until).await, "end_session")
    }

    async fn exchanged(&self, server: usize, login: &Login, exchange: &Exchange) -> Exchanged {
        let store = &self.stores[server % 2];
        self.ok(store.exchange(&login.refresh(), exchange).await, "exchange")
    }

    async fn renew(&self, ids: TokenIds<'_>, renewal: &Renewal) -> Standing {
        self.ok(self.session_store(1).renew(&ids, renewal).await, "renew")
    }
}
