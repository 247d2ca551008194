//! Which sessions a subject ends.

use std::collections::HashSet;

use super::*;

pub(super) async fn a_session_is_ended_once(case: Case<'_>) {
    let user = user();
    let [login, other] = [-2, -1].map(|time| Login::at(&user, hours(time)));
    for login in [&login, &other] {
        case.log_in(login).await;
    }
    case.equal(case.end_session(1, &user, &login).await, true, "it was live");
    case.equal(case.end_session(0, &user, &login).await, false, "it had ended");
    case.expect_ids(&user, now(), &[&other], "one has ended").await;
    case.expect_revoked(login.access(), "its session has ended").await;
    case.expect_revoked(login.refresh(), "its session has ended").await;
    let exchange = login.exchange(now(), login.ends).only_recorded();
    case.equal(case.exchanged(0, &login, &exchange).await, Exchanged::Ended, "it has ended");
    case.expect_live(other.access(), "the other session").await;
    case.equal(case.revoke_on(0, Revocation::session(&login.sid, hours(2))).await, false, "ended");
}

pub(super) async fn the_session_of_another_subject_is_not_ended(case: Case<'_>) {
    let [user, thief] = [user(), user()];
    let login = Login::new(&user);
    case.log_in(&login).await;
    case.log_in(&Login::new(&thief)).await;
    case.equal(case.end_session(0, &thief, &login).await, false, "another subject's");
    // By a token that names it.
    let forged = Login { user: thief.clone(), access: id(), ..login.clone() };
    let ids = [forged.access(), TokenIds::new(Some("x"), Some("y"), Some(&user[1..]), None)];
    for ids in ids {
        let store = case.session_store(0);
        let ended = store.end_other_sessions(&ids, Some(hours(3))).await;
        let ended = case.ok(ended, "end_other_sessions");
        case.equal(ended.contains(&login.id()), false, "another subject's");
    }
    case.expect_listed(&user, &[login.recorded()], "another subject's").await;
    case.expect_live(login.access(), "another subject's").await;
    // A session that does not exist: it may be begun afterwards.
    let unknown = Login::new(&user);
    case.equal(case.end_session(1, &user, &unknown).await, false, "there is none");
    case.log_in(&unknown).await;
    case.expect_live(unknown.access(), "nothing was recorded").await;
}

/// A session that was begun by an exchange without the setting.
pub(super) async fn a_session_without_an_owner_is_not_ended(case: Case<'_>) {
    let user = user();
    let login = Login::new(&user);
    let exchange = Exchange::new(uuid(&id()), [7; 16], now(), Duration::ZERO, hours(2));
    case.equal(case.exchanged(0, &login, &exchange).await, Exchanged::First, "its first");
    case.expect_listed(&user, &[], "it has no owner").await;
    case.equal(case.end_session(0, &user, &login).await, false, "it has no owner");
    case.expect_live(login.access(), "nothing was recorded").await;
}

pub(super) async fn the_other_sessions_end_and_the_own_does_not(case: Case<'_>) {
    let [user, neighbour] = [user(), self::user()];
    let [own, second, third, ended] = [-2, -1, -3, -4].map(|time| Login::at(&user, hours(time)));
    let theirs = Login::new(&neighbour);
    for login in [&own, &second, &third, &ended, &theirs] {
        case.log_in(login).await;
    }
    case.end_session(0, &user, &ended).await;
    let end = async |server: usize| {
        let store = case.session_store(server);
        let ended = store.end_other_sessions(&own.access(), Some(hours(3))).await;
        case.ok(ended, "end_other_sessions").into_iter().collect::<HashSet<_>>()
    };
    let expected = HashSet::from([second.id(), third.id()]);
    case.equal(end(1).await, expected, "those that had not ended");
    case.equal(end(0).await, HashSet::new(), "all had ended");
    case.expect_ids(&user, now(), &[&own], "its own").await;
    case.expect_live(own.refresh().only_recorded(), "its own").await;
    for login in [&second, &third] {
        case.expect_revoked(login.access(), "its session has ended").await;
    }
    case.expect_ids(&neighbour, now(), &[&theirs], "another subject's").await;
    // If the ids have no session, all sessions end.
    let store = case.session_store(0);
    let ended = store.end_other_sessions(&of(&user), Some(hours(3))).await;
    case.equal(case.ok(ended, "end_other_sessions"), vec![own.id()], "the last one");
}

pub(super) async fn an_ended_session_is_kept_for_the_longer_until(case: Case<'_>) {
    let user = user();
    let logins = [-1, -2].map(|time| Login::at(&user, hours(time)));
    for (login, untils) in logins.into_iter().zip([[2, 4], [4, 2]]) {
        let [begun, ended] = untils.map(hours);
        let login = Login { until: Some(begun), ..login };
        case.log_in(&login).await;
        let ended = case.session_store(1).end_session(&of(&user), login.id(), Some(ended)).await;
        case.equal(case.ok(ended, "end_session"), true, "it was live");
        case.prune(hours(3)).await;
        case.expect_revoked(login.access(), "the later of two `until`s has not passed").await;
    }
}

/// By a logout, which does not know of the list.
pub(super) async fn a_revoked_session_is_not_listed(case: Case<'_>) {
    let user = user();
    let login = Login { label: Some("revoked".into()), ..Login::new(&user) };
    case.log_in(&login).await;
    case.equal(case.revoke_on(1, Revocation::session(&login.sid, hours(2))).await, true, "live");
    case.expect_listed(&user, &[], "it was revoked").await;
    case.equal(case.end_session(0, &user, &login).await, false, "it was revoked");
}
