//! How many sessions a subject may have.

use std::collections::HashSet;

use super::*;

/// How many logins are made at once.
const LOGINS: usize = 64;

fn limit(max: usize, ends_oldest: bool) -> Option<Limit> {
    Some(Limit { max, ends_oldest })
}

/// The sessions that a login ended, in any order.
fn ended(begun: Begun) -> Option<HashSet<Uuid>> {
    match begun {
        Begun::Begun { ended } => Some(ended.into_iter().collect()),
        Begun::TooMany => None,
    }
}

fn ids<'a>(logins: impl IntoIterator<Item = &'a Login>) -> Option<HashSet<Uuid>> {
    Some(logins.into_iter().map(Login::id).collect())
}

pub(super) async fn a_repeated_begin_succeeds(case: Case<'_>) {
    for limit in [None, limit(1, true), limit(1, false)] {
        let user = user();
        let login = Login { label: Some("repeated".into()), ..Login::new(&user) };
        for server in [0, 1, 0] {
            let result = case.begin_within(server, &login, limit).await;
            case.equal(result, begun(), "the same login");
        }
        case.expect_listed(&user, &[login.recorded()], "the same login").await;
        // What happened since then stays.
        case.end_session(1, &user, &login).await;
        case.begin_within(0, &login, limit).await;
        case.expect_listed(&user, &[], "it has ended since").await;
        case.expect_revoked(login.access(), "it has ended since").await;
    }
}

pub(super) async fn the_oldest_sessions_make_room(case: Case<'_>) {
    let user = user();
    let logins = [-3, -5, -1, -4, -2].map(|time| Login::at(&user, hours(time)));
    for login in &logins {
        case.log_in(login).await;
    }
    let [third, fifth, first, fourth, second] = &logins;
    // The oldest is the one that was used last.
    case.exchanged(0, fifth, &fifth.exchange(now(), fifth.ends)).await;
    // There were more than the limit allows.
    let login = Login::at(&user, now());
    let result = ended(case.begin_within(1, &login, limit(3, true)).await);
    case.equal(result, ids([third, fourth, fifth]), "the oldest by their beginning");
    case.expect_ids(&user, now(), &[&login, first, second], "the newest").await;
    for ended in [third, fourth, fifth] {
        case.expect_revoked(ended.access(), "it made room").await;
    }
    // A login never ends its own session, even if that began before all others.
    let oldest = Login::at(&user, hours(-6));
    let result = ended(case.begin_within(0, &oldest, limit(3, true)).await);
    case.equal(result, ids([second]), "the oldest of those that were there");
    case.expect_ids(&user, now(), &[&login, first, &oldest], "three are left").await;
}

pub(super) async fn a_login_beyond_the_limit_is_refused(case: Case<'_>) {
    let user = user();
    let [first, second, third] = [-3, -2, -1].map(|time| Login::at(&user, hours(time)));
    for login in [&first, &second] {
        case.equal(case.begin_within(0, login, limit(2, false)).await, begun(), "there is room");
    }
    for server in [0, 1] {
        let result = case.begin_within(server, &third, limit(2, false)).await;
        case.equal(result, Begun::TooMany, "there are two");
    }
    case.expect_ids(&user, now(), &[&second, &first], "nothing was written").await;
    case.expect_revoked(third.refresh().only_recorded(), "it has no row").await;
    case.end_session(0, &user, &first).await;
    let result = case.begin_within(1, &third, limit(2, false)).await;
    case.equal(result, begun(), "one has ended");
    case.expect_ids(&user, now(), &[&third, &second], "one has ended").await;
}

pub(super) async fn only_live_sessions_hold_a_place(case: Case<'_>) {
    let [user, neighbour] = [user(), self::user()];
    let [cut_off, expired, ended, live] =
        [-5, -3, -2, -4].map(|time| Login::at(&user, hours(time)));
    let expired = Login { ends: Some(hours(-1)), ..expired };
    for login in [&cut_off, &expired, &ended, &live, &Login::new(&neighbour)] {
        case.log_in(login).await;
    }
    case.end_session(0, &user, &ended).await;
    case.revoke(Revocation::subject(&user, cut_off.at, hours(2))).await;
    let login = Login::at(&user, now());
    let result = case.begin_within(1, &login, limit(2, false)).await;
    case.equal(result, begun(), "only one is live");
    let result = case.begin_within(1, &Login::at(&user, now()), limit(2, false)).await;
    case.equal(result, Begun::TooMany, "two are live");
    case.expect_ids(&user, now(), &[&login, &live], "two are live").await;
}

pub(super) async fn concurrent_logins_keep_to_the_limit(case: Case<'_>) {
    const MAX: usize = 5;

    for ends_oldest in [true, false] {
        let user = user();
        let start = Arc::new(Barrier::new(LOGINS));
        let tasks: Vec<_> = (0..LOGINS)
            .map(|number| {
                let (store, start) = (case.stores[number % 2].clone(), start.clone());
                let login = Login::at(&user, hours(-1) + Duration::milliseconds(number as i64));
                tokio::spawn(async move {
                    start.wait().await;
                    let store = store.session_store().expect("it was there");
                    let limit = limit(MAX, ends_oldest);
                    store.begin(&login.access(), &login.session(), limit).await
                })
            })
            .collect();
        let (mut begun, mut ended_ids) = (0, vec![]);
        for task in tasks {
            let result = task.await.expect("no call panics");
            if let Begun::Begun { ended } = case.ok(result, "begin") {
                begun += 1;
                ended_ids.extend(ended);
            }
        }
        let listed: HashSet<_> = case.listed(&user, now()).await.iter().map(|it| it.id).collect();
        case.equal(listed.len(), MAX, "as many are live as the limit allows");
        let count = ended_ids.len();
        let distinct: HashSet<_> = ended_ids.into_iter().collect();
        case.equal(distinct.len(), count, "each was ended by one login");
        case.equal(distinct.is_disjoint(&listed), true, "one that was ended is not live");
        let expected = if ends_oldest { (LOGINS, LOGINS - MAX) } else { (MAX, 0) };
        case.equal((begun, count), expected, "how many began, and how many made room");
    }
}
