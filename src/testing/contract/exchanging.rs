//! A session has one refresh token that may be exchanged.

use rocket::tokio;
use rocket::tokio::sync::Barrier;

use super::*;
use crate::blocklist::{Exchange, Exchanged};

const GRACE: Duration = Duration::seconds(10);

/// A refresh token of a session, and the exchange that it is presented for.
struct Refresh {
    ids: Ids,
    next: Uuid,
}

impl Refresh {
    /// The first refresh token of a new session, issued an hour ago.
    fn new() -> Self {
        Self { ids: Ids { jti: id_of(hours(-1)), ..Ids::new() }, next: next(hours(0)) }
    }

    /// The token that this one is exchanged for, which is presented for one that is a second later.
    fn successor(&self) -> Self {
        let Ids { sid, subject, .. } = &self.ids;
        let ids = Ids { jti: self.next.to_string(), sid: sid.clone(), subject: subject.clone() };
        Self { ids, next: next(time_of(self.next) + Duration::SECOND) }
    }

    /// The same token, presented for another exchange.
    fn again(&self) -> Self {
        let Ids { jti, sid, subject } = &self.ids;
        let ids = Ids { jti: jti.clone(), sid: sid.clone(), subject: subject.clone() };
        Self { ids, next: next(time_of(self.next)) }
    }

    fn of(&self) -> TokenIds<'_> {
        self.ids.of().exchangeable()
    }

    fn exchange(&self, now: OffsetDateTime, grace: Duration) -> Exchange {
        Exchange::new(self.next, seed(self.next), now, grace, now + Duration::hours(2))
    }

    fn repeated(&self, first: &Self, at: OffsetDateTime) -> Exchanged {
        let at = clock::from_millis(clock::millis(at)).unwrap_or(at);
        Exchanged::Repeated { next: first.next, seed: seed(first.next), at }
    }
}

fn next(time: OffsetDateTime) -> Uuid {
    Uuid::try_parse(&id_of(time)).expect("a UUID")
}

fn time_of(id: Uuid) -> OffsetDateTime {
    let (seconds, nanos) = id.get_timestamp().expect("a UUIDv7").to_unix();
    OffsetDateTime::UNIX_EPOCH + std::time::Duration::new(seconds, nanos)
}

/// A different seed for each exchange.
fn seed(next: Uuid) -> [u8; 16] {
    next.into_bytes().map(|byte| !byte)
}

const ENDED_NOW: Exchanged = Exchanged::Reused { ended_now: true };

pub(super) async fn the_first_exchange_begins_a_session(case: Case<'_>) {
    let first = Refresh::new();
    case.expect_live(first.of(), "it was not exchanged").await;
    let at = now();
    case.exchange(0, &first, at, GRACE, Exchanged::First, "it was not exchanged").await;
    let exchanged = Standing::Exchanged { at };
    case.expect(first.of(), exchanged, "it was exchanged").await;
    case.expect_live(first.ids.of(), "a token that may not be exchanged").await;
    case.expect_live(first.successor().of(), "the new refresh token").await;
    let access = Ids { jti: id(), ..first.successor().ids };
    case.expect_live(access.of(), "an access token of the session").await;
}

pub(super) async fn each_token_of_a_session_is_exchanged_for_the_next(case: Case<'_>) {
    let mut token = Refresh::new();
    for server in 0..8 {
        case.exchange(server, &token, now(), GRACE, Exchanged::First, "the current token").await;
        token = token.successor();
        case.expect_live(token.of(), "the current token").await;
    }
}

pub(super) async fn a_repeat_within_the_grace_gets_the_same_pair(case: Case<'_>) {
    let token = Refresh::new();
    let at = now();
    case.exchange(0, &token, at, GRACE, Exchanged::First, "the first").await;
    for (server, age) in [(1, 0), (0, 5), (1, 10)] {
        let (again, now) = (token.again(), at + Duration::seconds(age));
        let expected = again.repeated(&token, at);
        case.exchange(server, &again, now, GRACE, expected, "within the grace").await;
    }
    // The server's clock is behind.
    let (again, now) = (token.again(), at - Duration::seconds(5));
    case.exchange(1, &again, now, GRACE, again.repeated(&token, at), "within the grace").await;
    case.expect_live(token.successor().of(), "its successor may be exchanged").await;
}

pub(super) async fn a_repeat_after_the_grace_ends_the_session(case: Case<'_>) {
    let after = GRACE + Duration::milliseconds(1);
    for (grace, age) in [(GRACE, after), (Duration::ZERO, Duration::ZERO)] {
        let token = Refresh::new();
        let at = now();
        case.exchange(0, &token, at, grace, Exchanged::First, "the first").await;
        case.exchange(1, &token.again(), at + age, grace, ENDED_NOW, "after the grace").await;
        case.expect_ended(&token).await;
    }
}

pub(super) async fn a_token_before_the_last_ends_the_session(case: Case<'_>) {
    let token = Refresh::new();
    let successor = token.successor();
    let at = now();
    case.exchange(0, &token, at, GRACE, Exchanged::First, "the first").await;
    case.exchange(1, &successor, at, GRACE, Exchanged::First, "the current token").await;
    case.expect(token.of(), Standing::Replaced, "its successor was exchanged").await;
    case.exchange(0, &token.again(), at, GRACE, ENDED_NOW, "its successor was exchanged").await;
    case.expect_ended(&token).await;
    case.expect_ended(&successor).await;
}

pub(super) async fn a_call_that_is_repeated_gets_the_same_answer(case: Case<'_>) {
    let token = Refresh::new();
    let successor = token.successor();
    let at = now();
    for (server, grace) in [(0, GRACE), (1, GRACE), (0, Duration::ZERO)] {
        case.exchange(server, &token, at, grace, Exchanged::First, "the same call").await;
    }
    case.exchange(0, &successor, at, GRACE, Exchanged::First, "the current token").await;
    case.exchange(1, &token, at, GRACE, Exchanged::First, "the same call, and later ones").await;
    // The call that ends the session.
    let reused = token.again();
    case.exchange(0, &reused, at, GRACE, ENDED_NOW, "a reuse").await;
    case.exchange(1, &reused, at, GRACE, ENDED_NOW, "the same call").await;
    case.exchange(1, &token.again(), at, GRACE, Exchanged::Ended, "another call").await;
}

/// The loss of an exchange in a fail-over is not theft.
pub(super) async fn a_token_that_is_newer_than_the_row_counts_as_first(case: Case<'_>) {
    let token = Refresh::new();
    let lost = token.successor();
    let at = now();
    case.exchange(0, &token, at, GRACE, Exchanged::First, "the first").await;
    // The session goes on from a pair that the store does not know.
    let newer = Refresh {
        ids: Ids { jti: lost.next.to_string(), ..lost.successor().ids },
        ..lost.successor()
    };
    case.expect_live(newer.of(), "it is newer than the current token").await;
    case.exchange(1, &newer, at, GRACE, Exchanged::First, "it is newer than the current token")
        .await;
    case.exchange(0, &newer.successor(), at, GRACE, Exchanged::First, "the current token").await;
    case.expect(lost.of(), Standing::Replaced, "the token before it").await;
}

/// If each session must have a row, the store may also have lost the end of a session.
pub(super) async fn a_newer_token_ends_a_session_that_must_have_a_row(case: Case<'_>) {
    let token = Refresh::new();
    let at = now();
    case.exchange(0, &token, at, GRACE, Exchanged::First, "the first").await;
    let newer = token.successor().successor();
    let newest = newer.of().only_recorded();
    case.expect(newest, Standing::Newer, "it is newer than the current token").await;
    case.expect_live(token.successor().of().only_recorded(), "the current token").await;
    let exchange = newer.exchange(at, GRACE).only_recorded();
    let ended = Exchanged::Newer { ended_now: true };
    for (server, why) in [(0, "it is newer than the current token"), (1, "the same call")] {
        let exchanged = case.stores[server].exchange(&newer.of(), &exchange).await;
        case.equal(case.ok(exchanged, "exchange"), ended, why);
    }
    case.exchange(0, &newer.again(), at, GRACE, Exchanged::Ended, "another call").await;
    case.expect_ended(&token).await;
    case.expect_ended(&newer).await;
}

pub(super) async fn a_revoked_token_is_not_exchanged(case: Case<'_>) {
    let [token, session, subject] = [(); 3].map(|()| Refresh::new());
    case.revoke(Revocation::token(&token.ids.jti, hours(2))).await;
    case.revoke(Revocation::session(&session.ids.sid, hours(2))).await;
    case.revoke(Revocation::subject(&subject.ids.subject, now(), hours(2))).await;
    for token in [&token, &session, &subject] {
        for server in 0..2 {
            case.exchange(server, token, now(), GRACE, Exchanged::Ended, "it is revoked").await;
        }
    }
    for Refresh { ids, .. } in [&token, &subject] {
        // This token is older than the one for which the refused exchange was made.
        let other = Ids { jti: id_of(hours(-1)), sid: ids.sid.clone(), subject: id() };
        case.expect_live(other.of().exchangeable(), "nothing was written").await;
    }
}

pub(super) async fn a_session_ends_after_its_exchanges(case: Case<'_>) {
    let [token, session, subject] = [(); 3].map(|()| Refresh::new());
    for token in [&token, &session, &subject] {
        case.exchange(0, token, now(), GRACE, Exchanged::First, "the first").await;
    }
    case.revoke(Revocation::token(&token.ids.jti, hours(2))).await;
    case.revoke(Revocation::session(&session.ids.sid, hours(2))).await;
    case.revoke(Revocation::subject(&subject.ids.subject, now(), hours(2))).await;
    for token in [&token, &session, &subject] {
        case.expect_revoked(token.of(), "exchanged, then revoked").await;
        let again = token.again();
        case.exchange(1, &again, now(), GRACE, Exchanged::Ended, "exchanged, then revoked").await;
    }
    case.expect_ended(&session).await;
    case.expect_live(token.successor().of(), "only the old token was revoked").await;
}

pub(super) async fn a_session_without_a_row_is_not_begun_unless_it_may(case: Case<'_>) {
    let token = Refresh::new();
    case.expect_live(token.of(), "there is no row, and one may be begun").await;
    case.expect_revoked(token.of().only_recorded(), "there is no row").await;
    case.expect_live(token.ids.of().only_recorded(), "it may not be exchanged").await;
    let exchange = token.exchange(now(), GRACE).only_recorded();
    case.expect_revoked(token.of().only_recorded(), "it needs a row, and there is none").await;
    case.expect_live(token.of(), "it needs no row").await;
    for store in case.stores {
        let exchanged = case.ok(store.exchange(&token.of(), &exchange).await, "exchange");
        case.equal(exchanged, Exchanged::Ended, "there is no row, and none may be begun");
    }
    // A different call, since a repeated one would return First if it had written the row.
    let token = token.again();
    case.exchange(0, &token, now(), GRACE, Exchanged::First, "nothing was written").await;
    let successor = token.successor();
    case.expect_live(successor.of().only_recorded(), "there is a row").await;
    let exchange = successor.exchange(now(), GRACE).only_recorded();
    let exchanged = case.stores[1].exchange(&successor.of(), &exchange).await;
    case.equal(case.ok(exchanged, "exchange"), Exchanged::First, "there is a row");
}

pub(super) async fn a_token_without_sid_has_a_session_of_its_own(case: Case<'_>) {
    let jti = id_of(hours(-1));
    let alone = TokenIds::new(Some(&jti), None, Some("ada"), None).exchangeable();
    let sid = alone.derived_session().map(|id| id.to_string()).expect("a session");
    let exchange = async |ids: TokenIds<'_>, next: Uuid, server: usize| {
        let exchange = Exchange::new(next, seed(next), now(), GRACE, hours(2));
        case.ok(case.stores[server].exchange(&ids, &exchange).await, "exchange")
    };
    let (first, again) = (next(hours(0)), next(hours(0)));
    case.equal(exchange(alone, first, 0).await, Exchanged::First, "it was not exchanged");
    let repeated = matches!(exchange(alone, again, 1).await, Exchanged::Repeated { .. });
    case.equal(repeated, true, "it was exchanged");
    let other = id_of(hours(-1));
    let other = TokenIds::new(Some(&other), None, Some("ada"), None).exchangeable();
    let outcome = exchange(other, self::next(hours(0)), 0).await;
    case.equal(outcome, Exchanged::First, "another token has another session");
    let next = first.to_string();
    let successor = TokenIds::new(Some(&next), Some(&sid), Some("ada"), None).exchangeable();
    case.expect_live(successor, "it belongs to the session").await;
    case.revoke(Revocation::session(&sid, hours(2))).await;
    case.expect_revoked(successor, "its session was ended").await;
    case.expect_revoked(alone, "its session was ended").await;
    let not_exchangeable = TokenIds::new(other.jti(), None, Some("ada"), None);
    case.expect_live(not_exchangeable, "another token has another session").await;
}

pub(super) async fn a_token_without_jti_is_an_error(case: Case<'_>) {
    let token = Refresh::new();
    let without_jti = TokenIds::new(None, Some(&token.ids.sid), Some(&token.ids.subject), None);
    let result = case.stores[0].exchange(&without_jti, &token.exchange(now(), GRACE)).await;
    case.equal(result.is_err(), true, "nothing would say that it was exchanged");
    case.expect_live(token.of(), "nothing was recorded").await;
}

pub(super) async fn exactly_one_of_many_calls_is_first(case: Case<'_>) {
    let token = Refresh::new();
    let results = case.exchange_at_once(&token, GRACE).await;
    let firsts = results.iter().filter(|(_, outcome)| *outcome == Exchanged::First);
    let [(first, _)] = firsts.collect::<Vec<_>>()[..] else {
        panic!("blocklist contract: {}: not exactly one call was the first", case.name);
    };
    for (call, outcome) in &results {
        let Exchanged::Repeated { next, .. } = outcome else {
            case.equal(*call, *first, "a call that is not the first one is repeated");
            continue;
        };
        case.equal(next, first, "every call gets the same pair");
    }
    // With no grace, exactly one call is the first, and exactly one of the others ends the session.
    let token = Refresh::new();
    let results = case.exchange_at_once(&token, Duration::ZERO).await;
    let count = |outcome| results.iter().filter(|(_, other)| *other == outcome).count();
    case.equal(count(Exchanged::First), 1, "one call is the first");
    case.equal(count(ENDED_NOW), 1, "one call ends the session");
    case.equal(count(Exchanged::Ended), results.len() - 2, "the others find it ended");
    case.expect_ended(&token).await;
}

pub(super) async fn a_revocation_is_not_lost_to_an_exchange(case: Case<'_>) {
    for round in 0..16 {
        let token = Refresh::new();
        if round % 2 == 1 {
            case.exchange(0, &token, now(), GRACE, Exchanged::First, "the first").await;
        }
        let token = if round % 2 == 1 { token.successor() } else { token };
        let (store, exchange) = (case.stores[0].clone(), token.exchange(now(), GRACE));
        let exchanging = {
            let token = token.again();
            tokio::spawn(async move { store.exchange(&token.of(), &exchange).await })
        };
        case.revoke_on(1, Revocation::session(&token.ids.sid, hours(2))).await;
        let exchanged = exchanging.await.unwrap_or_else(|error| Err(StoreError::new(error)));
        case.ok(exchanged, "exchange");
        case.expect_ended(&token).await;
    }
}

pub(super) async fn an_expiry_is_not_shortened_by_an_exchange(case: Case<'_>) {
    let token = Refresh::new();
    case.exchange(0, &token, now(), GRACE, Exchanged::First, "the first").await;
    let successor = token.successor();
    let until = now() + Duration::minutes(30);
    let exchange = Exchange::new(successor.next, seed(successor.next), now(), GRACE, until);
    let exchanged = case.stores[1].exchange(&successor.of(), &exchange).await;
    case.equal(case.ok(exchanged, "exchange"), Exchanged::First, "the current token");
    case.prune(hours(1)).await;
    case.expect(token.of(), Standing::Replaced, "the row expires in two hours").await;
    case.exchange(0, &token.again(), now(), GRACE, ENDED_NOW, "the row is there").await;
}

impl Case<'_> {
    async fn exchange(
        &self,
        server: usize,
        token: &Refresh,
        now: OffsetDateTime,
        grace: Duration,
        expected: Exchanged,
        why: &str,
    ) {
        let store = &self.stores[server % 2];
        let exchanged = store.exchange(&token.of(), &token.exchange(now, grace)).await;
        self.equal(self.ok(exchanged, "exchange"), expected, why);
    }

    /// Every token of the session is revoked, and none can be exchanged.
    async fn expect_ended(&self, token: &Refresh) {
        let why = "its session has ended";
        for token in [token, &token.successor()] {
            self.expect_revoked(token.of(), why).await;
            self.expect_revoked(token.ids.of(), why).await;
            let again = token.again();
            self.exchange(0, &again, now(), GRACE, Exchanged::Ended, why).await;
        }
    }

    /// Exchanges the token by many calls at once. Returns each call's new `jti` with its result.
    async fn exchange_at_once(&self, token: &Refresh, grace: Duration) -> Vec<(Uuid, Exchanged)> {
        const CALLS: usize = 64;

        let start = Arc::new(Barrier::new(CALLS));
        let tasks: Vec<_> = (0..CALLS)
            .map(|call| {
                let (token, start) = (token.again(), start.clone());
                let store = self.stores[call % 2].clone();
                let now = now() + Duration::milliseconds(7 * call as i64);
                tokio::spawn(async move {
                    start.wait().await;
                    let exchanged = store.exchange(&token.of(), &token.exchange(now, grace)).await;
                    (token.next, exchanged)
                })
            })
            .collect();
        let mut results = Vec::new();
        for task in tasks {
            let (next, exchanged) = task.await.expect("no call panics");
            results.push((next, self.ok(exchanged, "exchange")));
        }
        results
    }
}
