//! The effect of an exchange on a listed session.

use super::*;

const ENDED_NOW: Exchanged = Exchanged::Newer { ended_now: true };

pub(super) async fn an_exchange_moves_what_is_listed(case: Case<'_>) {
    let user = user();
    let mut login = Login { label: Some("moved".into()), ..Login::new(&user) };
    case.log_in(&login).await;
    // Later, earlier, never, and again at some time.
    for (number, ends) in
        [Some(hours(5)), Some(hours(1)), None, Some(hours(2))].into_iter().enumerate()
    {
        let at = hours(-1) + Duration::minutes(1 + number as i64);
        let exchange = login.exchange(at, ends).only_recorded();
        let outcome = case.exchanged(number, &login, &exchange).await;
        case.equal(outcome, Exchanged::First, "the current token");
        login = login.after(&exchange);
        let expected =
            Recorded { seen: millis_of(at), ends: ends.map(millis_of), ..login.recorded() };
        case.expect_listed(&user, &[expected], "as the exchange says").await;
    }
}

pub(super) async fn a_session_keeps_its_subject(case: Case<'_>) {
    let [user, other] = [user(), self::user()];
    let login = Login::new(&user);
    case.log_in(&login).await;
    let theirs = Login { user: other.clone(), ..login.clone() };
    let exchange = theirs.exchange(now(), theirs.ends);
    case.equal(case.exchanged(1, &theirs, &exchange).await, Exchanged::First, "its token");
    case.expect_listed(&other, &[], "the session has another subject").await;
    case.expect_ids(&user, now(), &[&login], "it stays with its subject").await;
    case.equal(case.end_session(0, &other, &login).await, false, "another subject's");
    case.expect_live(login.access(), "another subject's").await;
    // A token of another subject that names the session, and may not be exchanged.
    let foreign = Login { refresh: id_of(hours(-2)), ..theirs };
    case.exchanged(0, &foreign, &foreign.exchange(now(), None)).await;
    case.expect_listed(&other, &[], "the session has another subject").await;
}

pub(super) async fn an_exchange_gives_a_row_its_owner(case: Case<'_>) {
    for only_recorded in [false, true] {
        let user = user();
        let login = Login::new(&user);
        let first =
            Exchange::new(uuid(&id_of(hours(-1))), [7; 16], now(), Duration::ZERO, hours(3));
        case.equal(case.exchanged(0, &login, &first).await, Exchanged::First, "its first");
        case.expect_listed(&user, &[], "its row has no owner").await;
        let login = login.after(&first);
        let at = now();
        let second = login.exchange(at, login.ends);
        let second = if only_recorded { second.only_recorded() } else { second };
        case.equal(case.exchanged(1, &login, &second).await, Exchanged::First, "current");
        let expected = Recorded { seen: millis_of(at), ..login.after(&second).recorded() };
        case.expect_listed(&user, &[expected], "the exchange has an owner").await;
        case.equal(case.end_session(0, &user, &login).await, true, "the subject's");
    }
    // With the first exchange of a session.
    let user = user();
    let login = Login { ends: None, ..Login::new(&user) };
    let exchange = login.exchange(login.at, None);
    case.equal(case.exchanged(0, &login, &exchange).await, Exchanged::First, "its first");
    let expected = login.after(&exchange).recorded();
    case.expect_listed(&user, &[expected], "the exchange has an owner").await;
}

/// On a server without the setting.
pub(super) async fn an_exchange_without_an_owner_keeps_the_old_one(case: Case<'_>) {
    let user = user();
    let login = Login::new(&user);
    case.log_in(&login).await;
    let exchange = Exchange::new(uuid(&id()), [7; 16], now(), Duration::ZERO, hours(3));
    case.equal(case.exchanged(0, &login, &exchange).await, Exchanged::First, "current");
    let current = login.after(&exchange).recorded();
    case.expect_listed(&user, &[current], "only its token is new").await;
}

pub(super) async fn a_session_without_a_row_is_not_exchanged(case: Case<'_>) {
    let user = user();
    let login = Login::new(&user);
    case.expect_revoked(login.refresh().only_recorded(), "it has no row").await;
    case.expect_live(login.refresh(), "it needs none").await;
    let exchange = login.exchange(now(), login.ends).only_recorded();
    let ids = login.refresh().only_recorded();
    for store in case.stores {
        let outcome = case.ok(store.exchange(&ids, &exchange).await, "exchange");
        case.equal(outcome, Exchanged::Ended, "it has no row");
    }
    case.expect_listed(&user, &[], "nothing was written").await;
    case.log_in(&login).await;
    case.expect_listed(&user, &[login.recorded()], "nothing was written before").await;
}

/// The store has lost a write, and perhaps revocations with it.
pub(super) async fn a_token_that_is_newer_than_the_row_ends_the_session(case: Case<'_>) {
    let user = user();
    let login = Login::new(&user);
    case.log_in(&login).await;
    let newer = Login { refresh: id_of(hours(-1) + Duration::MINUTE), ..login.clone() };
    let ids = newer.refresh().only_recorded();
    case.expect(ids, Standing::Newer, "the row does not know it").await;
    case.expect_ids(&user, now(), &[&login], "a lookup ends nothing").await;
    let exchange = newer.exchange(now(), newer.ends).only_recorded();
    for server in [0, 1, 0] {
        let outcome = case.exchanged(server, &newer, &exchange).await;
        case.equal(outcome, ENDED_NOW, "the same call");
    }
    let again = newer.exchange(now(), newer.ends).only_recorded();
    case.equal(case.exchanged(1, &newer, &again).await, Exchanged::Ended, "another call");
    for login in [&login, &newer] {
        case.expect_revoked(login.refresh().only_recorded(), "its session has ended").await;
        case.expect_revoked(login.access(), "its session has ended").await;
    }
    case.expect_listed(&user, &[], "it has ended").await;
    case.equal(case.end_session(0, &user, &login).await, false, "it has ended");
}

pub(super) async fn a_reuse_ends_the_session_of_its_owner(case: Case<'_>) {
    let [user, thief] = [user(), self::user()];
    let login = Login::new(&user);
    case.log_in(&login).await;
    let exchange = login.exchange(now(), login.ends).only_recorded();
    case.equal(case.exchanged(0, &login, &exchange).await, Exchanged::First, "current");
    let reused = Login { user: thief.clone(), ..login.clone() };
    let exchange = reused.exchange(now(), None).only_recorded();
    let outcome = case.exchanged(1, &reused, &exchange).await;
    case.equal(outcome, Exchanged::Reused { ended_now: true }, "it was exchanged");
    for user in [&user, &thief] {
        case.expect_listed(user, &[], "it has ended").await;
    }
    case.expect_revoked(login.access(), "its session has ended").await;
}
