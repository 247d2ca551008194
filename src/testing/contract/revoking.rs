//! The tokens that an entry revokes, and those that it does not revoke.

use rocket::tokio;
use rocket::tokio::sync::Barrier;
use uuid::Uuid;

use super::*;
use crate::blocklist::Exchanged;

/// How many calls are made at once.
const CALLS: usize = 32;

pub(super) async fn a_new_token_is_live(case: Case<'_>) {
    case.expect_live(Ids::new().of(), "nothing was recorded").await;
}

pub(super) async fn a_token_without_ids_is_live(case: Case<'_>) {
    // It has a time, as everything may have been cut off once.
    case.expect_live(TokenIds::new(None, None, None, Some(now())), "it can't have an entry").await;
}

pub(super) async fn a_token_is_revoked_alone(case: Case<'_>) {
    let ids = Ids::new();
    case.revoke(Revocation::token(&ids.jti, hours(2))).await;
    case.expect_revoked(ids.of(), "it was revoked").await;
    let alone = TokenIds::new(Some(&ids.jti), None, None, None);
    case.expect_revoked(alone, "looked up by `jti` alone").await;

    let other = Ids { jti: id(), ..ids };
    case.expect_live(other.of(), "another token of the session and the subject").await;
}

pub(super) async fn a_session_ends_with_all_its_tokens(case: Case<'_>) {
    let ids = Ids::new();
    case.revoke(Revocation::session(&ids.sid, hours(2))).await;
    case.expect_revoked(ids.of(), "its session was ended").await;
    let other = Ids { jti: id(), sid: ids.sid.clone(), subject: id() };
    case.expect_revoked(other.of(), "another token of the session").await;
    let without_jti = TokenIds::new(None, Some(&ids.sid), None, None);
    case.expect_revoked(without_jti, "a token of the session without `jti`").await;

    let other = Ids { sid: id(), ..ids };
    case.expect_live(other.of(), "the subject's other session").await;
}

pub(super) async fn a_subject_is_cut_off_to_the_millisecond(case: Case<'_>) {
    let cut_off = now();
    let millisecond = Duration::milliseconds(1);
    let issued = |jti| Ids { jti, ..Ids::new() };
    let before = issued(id_of(cut_off - millisecond));
    case.revoke(Revocation::subject(&before.subject, cut_off, hours(2))).await;
    case.expect_revoked(before.of(), "issued in the millisecond before").await;

    let same = Ids { jti: id_of(cut_off), sid: id(), ..before };
    case.expect_revoked(same.of(), "issued in the cut-off's millisecond").await;
    let after = Ids { jti: id_of(cut_off + millisecond), sid: id(), ..same };
    case.expect_live(after.of(), "issued in the next millisecond").await;

    let other = Ids { subject: id(), ..after };
    case.expect_live(other.of(), "another subject").await;
}

pub(super) async fn a_cut_off_uses_the_second_of_iat_without_a_v7_jti(case: Case<'_>) {
    let cut_off = now();
    let subject = id();
    case.revoke(Revocation::subject(&subject, cut_off, hours(2))).await;
    let v4 = Uuid::new_v4().to_string();
    for jti in [None, Some("one"), Some(&*v4)] {
        let issued = |iat| TokenIds::new(jti, None, Some(&subject), Some(iat));
        case.expect_revoked(issued(cut_off), "issued in the cut-off's second").await;
        case.expect_live(issued(cut_off + Duration::seconds(1)), "issued in the next second").await;
    }
}

pub(super) async fn a_token_of_unknown_age_is_cut_off(case: Case<'_>) {
    let subject = id();
    case.revoke(Revocation::subject(&subject, hours(-100), hours(2))).await;
    let ids = TokenIds::new(Some("without a time"), None, Some(&subject), None);
    case.expect_revoked(ids, "neither `jti` nor `iat` has its time of issue").await;
}

pub(super) async fn a_cut_off_never_goes_back(case: Case<'_>) {
    let ids = Ids { jti: id_of(hours(-1)), ..Ids::new() };
    case.revoke(Revocation::subject(&ids.subject, hours(-2), hours(2))).await;
    case.expect_live(ids.of(), "issued after the cut-off").await;
    case.revoke(Revocation::subject(&ids.subject, now(), hours(2))).await;
    case.expect_revoked(ids.of(), "the cut-off went forward").await;
    case.revoke(Revocation::subject(&ids.subject, hours(-2), hours(2))).await;
    case.expect_revoked(ids.of(), "an earlier cut-off came after a later one").await;
}

/// The cut-off is long past, so that it revokes no other token of the suite.
pub(super) async fn everything_is_cut_off_to_the_millisecond(case: Case<'_>) {
    let cut_off = OffsetDateTime::UNIX_EPOCH + Duration::days(10_000);
    case.revoke(Revocation::everything(cut_off, hours(2))).await;
    case.revoke(Revocation::everything(cut_off - Duration::DAY, hours(2))).await;
    let issued = |time| Ids { jti: id_of(time), ..Ids::new() };
    let millisecond = Duration::milliseconds(1);
    case.expect_revoked(issued(cut_off).of(), "issued in the cut-off's millisecond").await;
    case.expect_revoked(issued(cut_off - Duration::HOUR).of(), "issued before").await;
    case.expect_live(issued(cut_off + millisecond).of(), "issued in the next millisecond").await;
    let ids = TokenIds::new(None, None, None, Some(cut_off - Duration::HOUR));
    case.expect_revoked(ids, "a token without ids, issued before").await;
    let ids = issued(cut_off);
    let exchange = Exchange::new(Uuid::now_v7(), [7; 16], now(), Duration::ZERO, hours(2));
    let exchanged = case.stores[1].exchange(&ids.of().exchangeable(), &exchange).await;
    case.equal(case.ok(exchanged, "exchange"), Exchanged::Ended, "issued before");
}

pub(super) async fn kinds_are_distinct(case: Case<'_>) {
    for text in [id(), format!("text {}", id())] {
        let later = Some(hours(1));
        let token = TokenIds::new(Some(&text), None, None, later);
        let session = TokenIds::new(None, Some(&text), None, later);
        let subject = TokenIds::new(None, None, Some(&text), later);
        case.revoke(Revocation::session(&text, hours(2))).await;
        case.expect_live(token, "a session was ended, not a token").await;
        case.expect_live(subject, "a session was ended, not a subject").await;
        case.revoke(Revocation::subject(&text, hours(1), hours(2))).await;
        case.expect_live(token, "a subject was cut off, not a token").await;
        case.revoke(Revocation::token(&text, hours(2))).await;
        case.expect_revoked(token, "all three").await;
        case.expect_revoked(session, "all three").await;
        case.expect_revoked(subject, "all three").await;
    }
}

/// A user may choose a UUID as an identity, and an issuer may choose its own ids.
pub(super) async fn a_uuid_made_of_the_key_of_a_text_is_another_id(case: Case<'_>) {
    let text = format!("text {}", id());
    let forge = |entry: &Revocation| {
        let [_, bytes @ ..] = entry.key();
        Uuid::from_bytes(bytes).to_string()
    };
    let [token, session, subject] = [
        forge(&Revocation::token(&text, None)),
        forge(&Revocation::session(&text, None)),
        forge(&Revocation::subject(&text, now(), None)),
    ];
    case.revoke(Revocation::token(&token, hours(2))).await;
    case.revoke(Revocation::session(&session, hours(2))).await;
    case.revoke(Revocation::subject(&subject, now(), hours(2))).await;
    let ids = TokenIds::new(Some(&text), Some(&text), Some(&text), Some(hours(1)));
    case.expect_live(ids, "a UUID with the bytes of its key was revoked").await;
    let forged = TokenIds::new(Some(&token), None, None, None);
    case.expect_revoked(forged, "the UUID itself").await;
}

pub(super) async fn an_id_may_be_any_text(case: Case<'_>) {
    let lower = loop {
        let uuid = Uuid::new_v4();
        // The text must contain a letter, so that its upper case is another text.
        if uuid.to_string() != uuid.to_string().to_uppercase() {
            break uuid.to_string();
        }
    };
    let unique = id();
    let text = |form: &str| format!("{unique}{form}");
    let texts = [
        lower.to_uppercase(),
        lower.replace('-', ""),
        format!("{{{lower}}}"),
        format!("urn:uuid:{lower}"),
        format!("{lower} "),
        lower,
        text(" 1"),
        text(" 01"),
        text("a"),
        text("A"),
        text("' OR ''='"),
        text("\"; DROP TABLE jwt_blocklist; --"),
        text("`%_\\*?[]{}$1:x"),
        text("\0"),
        text("\0\0"),
        text("\r\nDEL *\r\n"),
        // They look the same, but one is a single character and the other two.
        text("\u{e9}"),
        text("e\u{301}"),
        text("\u{1f980}\u{202e}\u{10ffff}"),
        text(&"x".repeat(65_536)),
        text(&"x".repeat(65_537)),
    ];
    for (position, revoked) in texts.iter().enumerate() {
        case.revoke(Revocation::token(revoked, hours(2))).await;
        for (other, jti) in texts.iter().enumerate() {
            let ids = TokenIds::new(Some(jti), None, None, Some(now()));
            let expected = if other <= position { Standing::Revoked } else { Standing::Live };
            let start: String = jti.chars().skip(unique.len()).take(40).collect();
            let found = case.ok(case.stores[1].standing(&ids).await, "standing");
            case.equal(found, expected, &format!("the id `…{start}`"));
        }
    }
}

pub(super) async fn revoking_twice_succeeds(case: Case<'_>) {
    let ids = Ids::new();
    for server in [0, 1, 0] {
        for entry in [
            Revocation::token(&ids.jti, hours(2)),
            Revocation::session(&ids.sid, hours(2)),
            Revocation::subject(&ids.subject, now(), hours(2)),
        ] {
            case.ok(case.stores[server].revoke(&entry).await, "revoke");
        }
    }
    case.expect_revoked(ids.of(), "revoked several times").await;
}

pub(super) async fn a_revocation_tells_whether_it_changed_anything(case: Case<'_>) {
    let [ids, exchanged] = [(); 2].map(|()| Ids::new());
    case.begin(&exchanged, hours(2)).await;
    for (entry, changes, why) in [
        (Revocation::token(&ids.jti, hours(2)), true, "the token was not revoked"),
        (Revocation::token(&ids.jti, hours(3)), false, "it was"),
        (Revocation::session(&ids.sid, hours(2)), true, "the session had not ended"),
        (Revocation::session(&ids.sid, hours(3)), false, "it had"),
        (Revocation::session(&exchanged.sid, hours(2)), true, "the session was live"),
        (Revocation::session(&exchanged.sid, None), false, "it had ended"),
        (Revocation::subject(&ids.subject, hours(-2), hours(2)), true, "there was no cut-off"),
        (Revocation::subject(&ids.subject, hours(-1), hours(2)), true, "it goes forward"),
        (Revocation::subject(&ids.subject, hours(-2), hours(3)), false, "it never goes back"),
    ] {
        case.equal(case.revoke_on(1, entry).await, changes, why);
    }
}

pub(super) async fn exactly_one_of_many_revocations_changes_anything(case: Case<'_>) {
    let ids = Ids::new();
    case.begin(&ids, hours(2)).await;
    for (entry, why) in [
        (Revocation::session(&ids.sid, hours(2)), "one call ends a live session"),
        (Revocation::session(id(), hours(2)), "one call ends a session without a row"),
        (Revocation::token(id(), hours(2)), "one call revokes a token"),
    ] {
        let start = Arc::new(Barrier::new(CALLS));
        let tasks: Vec<_> = (0..CALLS)
            .map(|call| {
                let (store, start) = (case.stores[call % 2].clone(), start.clone());
                let entry = entry.clone();
                tokio::spawn(async move {
                    start.wait().await;
                    store.revoke(&entry).await
                })
            })
            .collect();
        let mut changes = 0;
        for task in tasks {
            let changed = task.await.expect("no call panics");
            changes += usize::from(case.ok(changed, "revoke"));
        }
        case.equal(changes, 1, why);
    }
}
