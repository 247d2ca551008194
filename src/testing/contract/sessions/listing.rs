//! Which sessions are listed, and with which values.

use rocket::futures::future::join_all;

use super::*;
use crate::blocklist::MAX_LISTED;

pub(super) async fn a_session_is_listed_as_it_began(case: Case<'_>) {
    let user = user();
    case.expect_listed(&user, &[], "there was no login").await;
    let login = Login {
        label: Some("Firefox on Linux".into()),
        details: Some(r#"{"city":"Turin"}"#.into()),
        ..Login::new(&user)
    };
    case.log_in(&login).await;
    case.expect_listed(&user, &[login.recorded()], "one login").await;
    case.expect_live(login.access(), "it has begun").await;
    case.expect_live(login.refresh().only_recorded(), "its row names the token").await;
    let permanent = Login { ends: None, until: None, ..Login::at(&user, hours(-2)) };
    case.log_in(&permanent).await;
    let both = [login.recorded(), permanent.recorded()];
    case.expect_listed(&user, &both, "the older one never ends").await;
    case.expect_listed(&self::user(), &[], "another user").await;
}

pub(super) async fn sessions_are_listed_newest_first(case: Case<'_>) {
    let user = user();
    let logins = [-3, -5, -1, -4, -2].map(|time| Login::at(&user, hours(time)));
    for (server, login) in logins.iter().enumerate() {
        case.begin_within(server, login, None).await;
    }
    let [third, fifth, first, fourth, second] = &logins;
    let sorted = [first, second, third, fourth, fifth];
    case.expect_ids(&user, now(), &sorted, "by their beginning").await;
    // The time of the latest use does not matter.
    let exchange = fifth.exchange(now(), fifth.ends);
    case.equal(case.exchanged(0, fifth, &exchange).await, Exchanged::First, "the current token");
    case.expect_ids(&user, now(), &sorted, "by their beginning").await;
}

pub(super) async fn at_most_a_thousand_sessions_are_listed(case: Case<'_>) {
    let user = user();
    let begin = hours(-1);
    let count = MAX_LISTED as i64 + 3;
    let login = |number| Login::at(&user, begin + Duration::milliseconds(number));
    let logins: Vec<_> = (0..count).map(login).collect();
    for some in logins.chunks(16) {
        join_all(some.iter().map(|login| case.log_in(login))).await;
    }
    let newest: Vec<_> = logins.iter().rev().take(MAX_LISTED).collect();
    case.expect_ids(&user, now(), &newest, "the newest").await;
}

pub(super) async fn a_label_may_be_any_text(case: Case<'_>) {
    let texts = [
        String::new(),
        " ".into(),
        "-".into(),
        "=".into(),
        r#"it's "quoted" \ and \\ more"#.into(),
        "$1 ?1 ? %s {} :name @var".into(),
        "a\0b".into(),
        "\0".into(),
        "line\r\nline\t".into(),
        "Ƒ🦊 日本 \u{202e}e\u{301}".into(),
        "🦊".repeat(32),
        "x".repeat(128),
    ];
    let user = user();
    let begin = hours(-1);
    let mut expected = vec![];
    for (number, text) in texts.iter().enumerate() {
        let at = begin - Duration::milliseconds(number as i64);
        // Also beside a text of another length, and beside none.
        let details = (number % 3 > 0).then(|| text.repeat(number % 8));
        let login = Login { label: Some(text.clone()), details, ..Login::at(&user, at) };
        case.log_in(&login).await;
        expected.push(login.recorded());
    }
    let details = Some("\u{7f}\0\"'".repeat(204));
    let login = Login { details, ..Login::at(&user, hours(-2)) };
    case.log_in(&login).await;
    expected.push(login.recorded());
    case.expect_listed(&user, &expected, "the text is the same").await;
}

pub(super) async fn an_expired_session_is_not_listed(case: Case<'_>) {
    let user = user();
    let ends = clock::from_millis(millis_of(hours(1))).unwrap_or(hours(1));
    let login = Login { ends: Some(ends), ..Login::new(&user) };
    let permanent = Login { ends: None, ..Login::at(&user, hours(-2)) };
    for login in [&login, &permanent] {
        case.log_in(login).await;
    }
    let before = ends - Duration::MILLISECOND;
    case.expect_ids(&user, before, &[&login, &permanent], "a millisecond before its end").await;
    case.expect_ids(&user, ends, &[&permanent], "the other one never ends").await;
}

pub(super) async fn a_session_that_was_cut_off_is_not_listed(case: Case<'_>) {
    let user = user();
    let at = hours(-1);
    let login = Login::at(&user, at);
    let later = Login::at(&user, at + Duration::MILLISECOND);
    for login in [&login, &later] {
        case.log_in(login).await;
    }
    case.revoke(Revocation::subject(&user, at, hours(2))).await;
    case.expect_ids(&user, now(), &[&later], "it began a millisecond after the cut-off").await;
    case.expect_live(later.refresh().only_recorded(), "its token was issued after that").await;
    // An older session whose token is newer.
    let user = self::user();
    let [older, old] = [-3, -2].map(|time| Login::at(&user, hours(time)));
    for login in [&older, &old] {
        case.log_in(login).await;
    }
    case.exchanged(0, &older, &older.exchange(now(), older.ends)).await;
    case.revoke(Revocation::subject(&user, hours(-1), hours(2))).await;
    case.expect_ids(&user, now(), &[&older], "its token was issued after that").await;
}

pub(super) async fn an_expired_session_is_pruned_with_its_label(case: Case<'_>) {
    let user = user();
    let label = |text: &str| Some(text.to_owned());
    let expired = Login {
        ends: Some(hours(-1)),
        until: Some(hours(-1)),
        label: label("expired"),
        // A store with a clock of its own counts the lifetime from here.
        ..Login::at(&user, now())
    };
    let kept = Login { label: label("kept"), ..Login::at(&user, hours(-3)) };
    for login in [&expired, &kept] {
        case.log_in(login).await;
    }
    case.prune(now()).await;
    let before = hours(-2);
    case.expect_ids(&user, before, &[&kept], "its row has expired").await;
    case.expect_revoked(expired.refresh().only_recorded(), "it has no row").await;
    case.expect_listed(&user, &[kept.recorded()], "it expires in hours").await;
    // If the old label remained, the new session would have it.
    let again = Login { ends: Some(hours(2)), until: Some(hours(3)), label: None, ..expired };
    case.log_in(&again).await;
    let both = [again.recorded(), kept.recorded()];
    case.expect_listed(&user, &both, "nothing of the first remained").await;
}

/// This is the last case, since it affects all users.
pub(super) async fn a_cut_off_of_everything_ends_all_lists(case: Case<'_>) {
    let at = hours(-12);
    let [one, other] = [user(), user()];
    let cut_off = Login::at(&one, at);
    let later = Login::at(&other, at + Duration::MILLISECOND);
    let latest = Login::new(&one);
    for login in [&cut_off, &later, &latest] {
        case.log_in(login).await;
    }
    let limit = |max| Some(Limit { max, ends_oldest: false });
    case.revoke(Revocation::everything(at, hours(2))).await;
    case.expect_ids(&one, now(), &[&latest], "the older one was issued at the cut-off").await;
    case.expect_ids(&other, now(), &[&later], "it was issued a millisecond later").await;
    case.expect_revoked(cut_off.access(), "it was issued at the cut-off").await;
    case.expect_live(later.access(), "it was issued a millisecond later").await;
    let next = case.begin_within(1, &Login::new(&one), limit(2)).await;
    case.equal(next, begun(), "the session that was cut off holds no place");
    let next = case.begin_within(1, &Login::new(&other), limit(1)).await;
    case.equal(next, Begun::TooMany, "the session that is live holds one");
}
