//! A token is used up only once.

use rocket::tokio;
use rocket::tokio::sync::Barrier;

use super::*;

pub(super) async fn the_first_use_is_first_and_the_next_is_again(case: Case<'_>) {
    let ids = Ids::new();
    let first = now();
    case.equal(case.use_up(0, ids.of(), first).await, UseUp::First, "it had not been used");
    case.expect(ids.of(), Standing::Used { first }, "it was used").await;
    for server in [1, 0, 1] {
        let again = case.use_up(server, ids.of(), first + Duration::seconds(5)).await;
        case.again(again, first, "it had been used");
    }
    case.expect(ids.of(), Standing::Used { first }, "the first use counts").await;
}

pub(super) async fn tokens_of_a_session_are_used_up_separately(case: Case<'_>) {
    let one = Ids::new();
    let two = Ids { jti: id(), sid: one.sid.clone(), subject: one.subject.clone() };
    case.equal(case.use_up(0, one.of(), now()).await, UseUp::First, "it had not been used");
    case.expect_live(two.of(), "another token of the session was used").await;
    case.equal(case.use_up(1, two.of(), now()).await, UseUp::First, "it had not been used");
    // The same text, as an id of another kind.
    let session = TokenIds::new(None, Some(&one.jti), Some(&one.jti), None);
    case.expect_live(session, "a token was used, not a session or subject").await;
}

pub(super) async fn a_revoked_token_is_not_used_up(case: Case<'_>) {
    let [token, session, subject] = [(); 3].map(|()| Ids::new());
    case.revoke(Revocation::token(&token.jti, hours(2))).await;
    case.revoke(Revocation::session(&session.sid, hours(2))).await;
    case.revoke(Revocation::subject(&subject.subject, now(), hours(2))).await;
    for ids in [&token, &session, &subject] {
        case.equal(case.use_up(0, ids.of(), now()).await, UseUp::Revoked, "it is revoked");
        case.equal(case.use_up(1, ids.of(), now()).await, UseUp::Revoked, "it is revoked");
    }
    for ids in [session, subject] {
        let alone = TokenIds::new(Some(&ids.jti), None, None, None);
        case.expect_live(alone, "only its session or subject was revoked, and it was not used")
            .await;
    }
}

pub(super) async fn a_used_token_can_be_revoked(case: Case<'_>) {
    let ids = Ids::new();
    case.use_up(0, ids.of(), now()).await;
    case.revoke(Revocation::token(&ids.jti, hours(2))).await;
    case.expect_revoked(ids.of(), "revoked after its use").await;
    case.equal(case.use_up(1, ids.of(), now()).await, UseUp::Revoked, "revoked after its use");
}

pub(super) async fn an_ended_session_takes_precedence_over_a_use(case: Case<'_>) {
    let [session, subject] = [(); 2].map(|()| Ids::new());
    for ids in [&session, &subject] {
        case.use_up(0, ids.of(), now()).await;
    }
    case.revoke(Revocation::session(&session.sid, hours(2))).await;
    case.revoke(Revocation::subject(&subject.subject, now(), hours(2))).await;
    for ids in [session, subject] {
        case.expect_revoked(ids.of(), "used, then ended").await;
        case.equal(case.use_up(1, ids.of(), now()).await, UseUp::Revoked, "used, then ended");
    }
}

pub(super) async fn a_token_without_jti_is_an_error(case: Case<'_>) {
    let ids = Ids::new();
    let without_jti = TokenIds::new(None, Some(&ids.sid), Some(&ids.subject), None);
    let result = case.stores[0].use_up(&without_jti, now(), hours(2)).await;
    case.equal(result.is_err(), true, "it has no key to record");
    case.expect_live(ids.of(), "nothing was recorded").await;
}

pub(super) async fn exactly_one_of_many_calls_is_first(case: Case<'_>) {
    const CALLS: usize = 64;

    let ids = Arc::new(Ids::new());
    let start = Arc::new(Barrier::new(CALLS));
    let tasks: Vec<_> = (0..CALLS)
        .map(|call| {
            let (ids, start) = (ids.clone(), start.clone());
            let store = case.stores[call % 2].clone();
            let now = now() + Duration::milliseconds(7 * call as i64);
            tokio::spawn(async move {
                start.wait().await;
                (now, store.use_up(&ids.of(), now, now + Duration::hours(2)).await)
            })
        })
        .collect();

    let (mut firsts, mut again) = (Vec::new(), Vec::new());
    for task in tasks {
        let (now, result) = match task.await {
            Ok(answer) => answer,
            Err(error) => (now(), Err(StoreError::new(error))),
        };
        match case.ok(result, "use_up") {
            UseUp::First => firsts.push(now),
            other => again.push(other),
        }
    }
    let [first] = firsts[..] else {
        panic!("blocklist contract: {}: {} calls were the first", case.name, firsts.len());
    };
    for result in again {
        case.again(result, first, "another call was the first");
    }
    case.expect(ids.of(), Standing::Used { first }, "it was used").await;
}

pub(super) async fn a_revocation_is_not_lost_to_a_use(case: Case<'_>) {
    for _ in 0..8 {
        let ids = Arc::new(Ids::new());
        let (user, store) = (ids.clone(), case.stores[0].clone());
        let using = tokio::spawn(async move { store.use_up(&user.of(), now(), hours(2)).await });
        let entry = Revocation::token(&ids.jti, hours(2));
        case.ok(case.stores[1].revoke(&entry).await, "revoke");
        case.ok(using.await.unwrap_or_else(|error| Err(StoreError::new(error))), "use_up");
        case.expect_revoked(ids.of(), "revoked while it was used").await;
    }
}

impl Case<'_> {
    fn again(&self, result: UseUp, first: OffsetDateTime, why: &str) {
        let found = match result {
            UseUp::Again { first } => Ok(clock::millis(first)),
            other => Err(other),
        };
        self.equal(found, Ok(clock::millis(first)), why);
    }
}
