//! The renewal of an access token.

use super::*;

pub(super) async fn a_renewal_moves_what_is_listed(case: Case<'_>) {
    let user = user();
    let login = Login { label: Some("renewed".into()), ..Login::new(&user) };
    case.log_in(&login).await;
    let [earlier, later] = [1, 4].map(|time| Some(hours(time)));
    let steps =
        [(earlier, login.ends), (later, later), (earlier, later), (None, None), (later, None)];
    for (number, (renewed, ends)) in steps.into_iter().enumerate() {
        let at = hours(-1) + Duration::minutes(1 + number as i64);
        let ids = if number % 2 == 0 { login.access() } else { login.access().only_recorded() };
        let standing = case.renew(ids, &login.renewal(at, renewed)).await;
        case.equal(standing, Standing::Live, "its session is live");
        let ends = ends.map(millis_of);
        let expected = Recorded { seen: millis_of(at), ends, ..login.recorded() };
        case.expect_listed(&user, &[expected], "the later end, or never").await;
    }
    case.expect_live(login.refresh().only_recorded(), "its token is the same").await;
}

pub(super) async fn a_renewal_extends_the_row(case: Case<'_>) {
    let user = user();
    for (begun, renewed, time) in [(2, Some(4), -1), (4, Some(2), -2), (2, None, -3)] {
        let at = hours(time);
        let login = Login { until: Some(hours(begun)), ..Login::at(&user, at) };
        case.log_in(&login).await;
        let renewal = Renewal { now: now(), ends: Some(hours(4)), until: renewed.map(hours) };
        case.equal(case.renew(login.access(), &renewal).await, Standing::Live, "it is live");
        case.prune(hours(3)).await;
        let recorded = login.refresh().only_recorded();
        case.expect_live(recorded, "the later of two `until`s has not passed").await;
        let listed = case.listed(&user, hours(3)).await;
        let is_listed = listed.iter().any(|found| found.id == login.id());
        case.equal(is_listed, true, "it lasts for four hours");
    }
}

pub(super) async fn a_renewal_without_a_row_is_refused_if_one_is_needed(case: Case<'_>) {
    let user = user();
    let login = Login::new(&user);
    let renewal = login.renewal(now(), login.ends);
    let needed = case.renew(login.access().only_recorded(), &renewal).await;
    case.equal(needed, Standing::Revoked, "its session has no row");
    case.equal(case.renew(login.access(), &renewal).await, Standing::Live, "it needs none");
    case.expect_listed(&user, &[], "a renewal begins no session").await;
    case.expect_revoked(login.refresh().only_recorded(), "a renewal begins no session").await;
    let alone = of(&user);
    let needed = case.renew(alone.only_recorded(), &renewal).await;
    case.equal(needed, Standing::Revoked, "it has no session");
}

pub(super) async fn a_renewal_gives_a_row_its_owner(case: Case<'_>) {
    for is_needed in [false, true] {
        let user = user();
        let login = Login::new(&user);
        let first = Exchange::new(uuid(&id()), [7; 16], now(), Duration::ZERO, hours(3));
        case.equal(case.exchanged(0, &login, &first).await, Exchanged::First, "its first");
        let at = now();
        let ids = if is_needed { login.access().only_recorded() } else { login.access() };
        let standing = case.renew(ids, &login.renewal(at, login.ends)).await;
        case.equal(standing, Standing::Live, "its session has a row");
        let login = login.after(&first);
        // When the refresh token expires is not known.
        let expected = Recorded { seen: millis_of(at), ends: None, ..login.recorded() };
        case.expect_listed(&user, &[expected], "the renewal has a subject").await;
        // The renewal of another subject's token changes no owner.
        let other = self::user();
        let theirs = Login { user: other.clone(), access: id(), ..login.clone() };
        case.renew(theirs.access(), &theirs.renewal(at, None)).await;
        case.expect_listed(&other, &[], "the session has a subject").await;
        case.expect_ids(&user, now(), &[&login], "the session has a subject").await;
    }
}

pub(super) async fn what_was_revoked_is_not_renewed(case: Case<'_>) {
    let users = [user(), user(), user(), user()];
    let logins = users.each_ref().map(|user| Login::new(user));
    for login in &logins {
        case.log_in(login).await;
    }
    let [token, session, subject, ended] = &logins;
    case.revoke(Revocation::token(&token.access, hours(2))).await;
    case.revoke(Revocation::session(&session.sid, hours(2))).await;
    case.revoke(Revocation::subject(&subject.user, now(), hours(2))).await;
    case.end_session(0, &ended.user, ended).await;
    for login in &logins {
        for ids in [login.access(), login.access().only_recorded()] {
            let standing = case.renew(ids, &login.renewal(now(), None)).await;
            case.equal(standing, Standing::Revoked, "it was revoked");
        }
    }
    // Nothing was written: the session of the revoked token is as it was.
    case.expect_listed(&token.user, &[token.recorded()], "only a token was revoked").await;
    for login in [session, subject, ended] {
        case.expect_listed(&login.user, &[], "it was revoked").await;
    }
}
