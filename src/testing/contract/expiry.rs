//! Entries expire at their `until`, and never earlier.

use rocket::tokio;

use super::*;

pub(super) async fn expired_entries_are_pruned(case: Case<'_>) {
    case.prune(now()).await;
    let [token, session, subject, exchanged] = [(); 4].map(|()| Ids::new());
    case.revoke(Revocation::token(&token.jti, hours(-1))).await;
    case.revoke(Revocation::session(&session.sid, hours(-1))).await;
    case.revoke(Revocation::subject(&subject.subject, now(), hours(-1))).await;
    case.begin(&exchanged, hours(-1)).await;

    let removed = case.prune(now()).await;
    // There are fewer if the store itself expires entries.
    case.equal(removed <= 4, true, "only four entries had expired");
    case.equal(case.prune(now()).await, 0, "everything expired had been pruned");
    for ids in [token, session, subject, exchanged] {
        case.expect_live(ids.of().exchangeable(), "its entry had expired").await;
    }
}

pub(super) async fn unexpired_entries_are_kept(case: Case<'_>) {
    let [token, session, subject, exchanged, permanent] = [(); 5].map(|()| Ids::new());
    case.revoke(Revocation::token(&token.jti, hours(2))).await;
    case.revoke(Revocation::session(&session.sid, hours(2))).await;
    case.revoke(Revocation::subject(&subject.subject, now(), hours(2))).await;
    case.revoke(Revocation::token(&permanent.jti, None)).await;
    case.begin(&exchanged, hours(2)).await;

    case.prune(hours(1)).await;
    for ids in [&token, &session, &subject, &permanent] {
        case.expect_revoked(ids.of(), "its entry expires in an hour").await;
    }
    let row = case.ok(case.stores[1].standing(&exchanged.of().exchangeable()).await, "standing");
    let is_kept = matches!(row, Standing::Exchanged { .. });
    case.equal(is_kept, true, "the row of its session expires in an hour");
    case.prune(hours(24 * 365 * 100)).await;
    case.expect_revoked(permanent.of(), "its entry never expires").await;
}

pub(super) async fn an_until_is_never_shortened(case: Case<'_>) {
    for untils in [[1, 3], [3, 1]] {
        let [token, session, subject] = [(); 3].map(|()| Ids::new());
        for until in untils {
            case.revoke(Revocation::token(&token.jti, hours(until))).await;
            case.revoke(Revocation::session(&session.sid, hours(until))).await;
            case.revoke(Revocation::subject(&subject.subject, now(), hours(until))).await;
        }
        case.prune(hours(2)).await;
        for ids in [token, session, subject] {
            case.expect_revoked(ids.of(), "the later of two `until`s has not passed").await;
        }
    }
}

pub(super) async fn a_missing_until_is_later_than_any(case: Case<'_>) {
    for untils in [[None, Some(hours(1))], [Some(hours(1)), None]] {
        let [token, session, subject] = [(); 3].map(|()| Ids::new());
        for until in untils {
            case.revoke(Revocation::token(&token.jti, until)).await;
            case.revoke(Revocation::session(&session.sid, until)).await;
            case.revoke(Revocation::subject(&subject.subject, now(), until)).await;
        }
        case.prune(hours(2)).await;
        for ids in [token, session, subject] {
            case.expect_revoked(ids.of(), "one of its two entries never expires").await;
        }
    }
}

pub(super) async fn an_ended_session_is_kept_for_the_longer_until(case: Case<'_>) {
    // The exchange's own `until` is in two hours.
    for (until, pruned) in
        [(Some(hours(1)), hours(1)), (Some(hours(4)), hours(3)), (None, hours(3))]
    {
        let ids = Ids::new();
        case.begin(&ids, hours(2)).await;
        case.revoke(Revocation::session(&ids.sid, until)).await;
        case.prune(pruned + Duration::minutes(30)).await;
        case.expect_revoked(ids.of(), "the later `until` of exchange and end has not passed").await;
    }
}

pub(super) async fn an_until_may_be_the_end_of_time(case: Case<'_>) {
    let last = rocket::time::Date::MAX.with_hms(0, 0, 0);
    let last = last.map_or(hours(2), |last| last.assume_utc());
    let ids = Ids::new();
    case.revoke(Revocation::token(&ids.jti, hours(1))).await;
    case.revoke(Revocation::token(&ids.jti, last)).await;
    case.revoke(Revocation::subject(&ids.subject, last, last)).await;
    case.prune(hours(2)).await;
    case.expect_revoked(ids.of(), "its entry expires at the end of the calendar").await;
    let other = Ids { jti: id(), ..ids };
    case.expect_revoked(other.of(), "its subject is cut off until then").await;
}

/// For stores that expire entries by a server's clock, which the suite cannot set.
pub(super) async fn an_until_is_never_shortened_in_real_time(case: Case<'_>) {
    let soon = || now() + Duration::milliseconds(250);
    let [widened, kept, permanent, exchanged] = [(); 4].map(|()| Ids::new());
    case.revoke(Revocation::token(&widened.jti, soon())).await;
    case.revoke(Revocation::token(&widened.jti, hours(2))).await;
    case.revoke(Revocation::token(&kept.jti, hours(2))).await;
    case.revoke(Revocation::token(&kept.jti, soon())).await;
    case.revoke(Revocation::token(&permanent.jti, None)).await;
    case.revoke(Revocation::token(&permanent.jti, soon())).await;
    case.begin(&exchanged, hours(2)).await;
    case.revoke(Revocation::session(&exchanged.sid, soon())).await;

    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    for ids in [widened, kept, permanent, exchanged] {
        case.expect_revoked(ids.of(), "one of its two `until`s has not passed").await;
    }
}

/// For stores that remove an entry only if it is also expired by their own clock.
pub(super) async fn an_until_is_never_shortened_by_one_that_has_passed(case: Case<'_>) {
    let [past, future] = [Some(hours(-1)), Some(hours(1))];
    for untils in [[past, future], [future, past], [past, None], [None, past]] {
        let [token, session, subject] = [(); 3].map(|()| Ids::new());
        for until in untils {
            case.revoke(Revocation::token(&token.jti, until)).await;
            case.revoke(Revocation::session(&session.sid, until)).await;
            case.revoke(Revocation::subject(&subject.subject, now(), until)).await;
        }
        case.prune(now()).await;
        for ids in [token, session, subject] {
            case.expect_revoked(ids.of(), "the later of two `until`s has not passed").await;
        }
    }
}

pub(super) async fn a_revocation_is_not_lost_to_pruning(case: Case<'_>) {
    for _ in 0..16 {
        let ids = Ids::new();
        case.revoke(Revocation::token(&ids.jti, hours(-1))).await;
        let store = case.stores[0].clone();
        let pruning = tokio::spawn(async move { store.prune(now()).await });
        let entry = Revocation::token(&ids.jti, hours(2));
        case.ok(case.stores[1].revoke(&entry).await, "revoke");
        case.ok(pruning.await.unwrap_or_else(|error| Err(StoreError::new(error))), "prune");
        case.expect_revoked(ids.of(), "its entry was extended while expired entries were removed")
            .await;
    }
}

pub(super) async fn the_last_of_many_untils_applies(case: Case<'_>) {
    let ids = Ids::new();
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let store = case.stores[task % 2].clone();
            // 5, 16, 11, 6, …: the last one is in the middle.
            let until = now() + Duration::minutes(10 * (5 + 11 * task as i64) % 160 + 10);
            let entry = Revocation::token(&ids.jti, until);
            tokio::spawn(async move { store.revoke(&entry).await })
        })
        .collect();
    for task in tasks {
        case.ok(task.await.unwrap_or_else(|error| Err(StoreError::new(error))), "revoke");
    }
    case.prune(now() + Duration::minutes(155)).await;
    case.expect_revoked(ids.of(), "the last of concurrent `until`s has not passed").await;
}
