//! The keys and values in Redis, and their expiry.
#![cfg(all(feature = "test-util", feature = "deadpool_redis"))]

use rocket::time::{Duration, OffsetDateTime};
use rocket_jwt_extended::blocklist::{Blocklist, Exchange, Exchanged, RedisBlocklist, Revocation};
use uuid::Uuid;

use crate::store_support::{deadpool_redis::Home, id_of, refresh};

fn millis(time: OffsetDateTime) -> i64 {
    (time.unix_timestamp_nanos() / 1_000_000) as i64
}

fn hours(count: i64) -> OffsetDateTime {
    OffsetDateTime::now_utc() + Duration::hours(count)
}

/// The only key, its value without the time of change, that time, and its time of expiry.
async fn only(home: &Home) -> (String, String, i64, i64) {
    let key = home.keys().await.pop().expect("a key");
    let value: String = home.ask(&["GET", &key]).await;
    let mut fields: Vec<_> = value.split(' ').collect();
    let changed = fields.remove(3).parse().expect("milliseconds");
    let expires: i64 = match home.ask(&["PTTL", &key]).await {
        -1 => -1,
        rest => millis(hours(0)) + rest,
    };
    (key[home.prefix.len()..].into(), fields.join(" "), changed, expires)
}

#[track_caller]
fn is_recent(changed: i64) {
    let age = millis(hours(0)) - changed;
    assert!((-50..10_000).contains(&age), "changed {age} ms ago");
}

/// An exchange at this time, whose row is kept until then.
fn exchange_until(now: OffsetDateTime, until: OffsetDateTime) -> Exchange {
    Exchange::new(id_of(now), Uuid::new_v4().into_bytes(), now, Duration::ZERO, until)
}

#[rocket::async_test]
async fn a_key_expires_with_its_entry() {
    let home = Home::new().await;
    let store = RedisBlocklist::with_prefix(home.pool.clone(), &home.prefix);
    let [one, three] = [hours(1), hours(3)];
    let (token, session) =
        ("0196fa3c-0000-7000-8000-00000000000a", "0196fa3c-0000-7000-8000-00000000000b");
    let is_near = |expires: i64, until: OffsetDateTime| {
        assert!((expires - millis(until)).abs() < 100, "{expires}, {until}");
    };

    let exchange = exchange_until(hours(0), one);
    store.exchange(&refresh(token, session), &exchange).await.expect("exchanged");
    let (key, value, changed, expires) = only(&home).await;
    assert_eq!(key, "s0196fa3c00007000800000000000000b");
    let (at, next) = (millis(exchange.now()), exchange.next().simple());
    let (start, seed) =
        (format!("{next} 0196fa3c00007000800000000000000a {at} "), value.split(' ').nth(6));
    let row = format!("{start}{} - - - -", seed.expect("a seed"));
    assert_eq!(value, format!("0 - {} {row}", millis(one)));
    // The row of a live session is not among the changes.
    assert_eq!(changed, 0);
    assert_eq!(home.ask::<i64>(&["EXISTS", &home.stream()]).await, 0);
    is_near(expires, one);

    for (until, kept) in [(three, three), (one, three), (hours(-1), three)] {
        store.revoke(&Revocation::session(session, until)).await.expect("recorded");
        let (_, value, changed, expires) = only(&home).await;
        assert_eq!(value, format!("1 - {} {row}", millis(kept)));
        is_recent(changed);
        is_near(expires, kept);
    }
    for until in [None, Some(one)] {
        store.revoke(&Revocation::session(session, until)).await.expect("recorded");
        let (_, value, _, expires) = only(&home).await;
        assert_eq!(value, format!("1 - - {row}"));
        assert_eq!(expires, -1);
    }
    home.end().await;
}

/// A token's entry has no fields of a session.
#[rocket::async_test]
async fn a_revoked_token_is_four_fields() {
    let home = Home::new().await;
    let store = RedisBlocklist::with_prefix(home.pool.clone(), &home.prefix);
    let until = hours(1);
    store.revoke(&Revocation::token("one", until)).await.expect("recorded");
    let (key, value, changed, _) = only(&home).await;
    assert!(key.starts_with('t') && key.len() == 33, "{key}");
    assert_eq!(value, format!("1 - {}", millis(until)));
    is_recent(changed);
    home.end().await;
}

#[rocket::async_test]
async fn a_subject_keeps_its_cut_off() {
    let home = Home::new().await;
    let store = RedisBlocklist::with_prefix(home.pool.clone(), &home.prefix);
    for (cut_off, kept) in [(hours(-2), hours(-2)), (hours(-1), hours(-1)), (hours(-3), hours(-1))]
    {
        store.revoke(&Revocation::subject("user", cut_off, hours(1))).await.expect("recorded");
        let (key, value, changed, _) = only(&home).await;
        is_recent(changed);
        assert!(key.starts_with('u') && key.len() == 33, "{key}");
        let mut fields = value.split(' ').map(str::parse::<i64>);
        assert_eq!(fields.next(), Some(Ok(0)));
        let found = fields.next().expect("a cut-off").expect("milliseconds");
        assert!((found - millis(kept)).abs() < 1000, "{value}");
    }
    home.end().await;
}

#[rocket::async_test]
async fn what_has_expired_already_is_not_kept() {
    let home = Home::new().await;
    let store = RedisBlocklist::with_prefix(home.pool.clone(), &home.prefix);
    store.revoke(&Revocation::token("one", hours(-1))).await.expect("recorded");
    store.revoke(&Revocation::token("two", OffsetDateTime::UNIX_EPOCH)).await.expect("recorded");
    assert!(home.keys().await.is_empty());
    home.end().await;
}

/// By the clock of the server that records it, and by that of Redis: by whichever says so later.
#[rocket::async_test]
async fn a_row_of_a_server_with_a_wrong_clock_has_its_lifetime() {
    let home = Home::new().await;
    let store = RedisBlocklist::with_prefix(home.pool.clone(), &home.prefix);
    let days = |count| Duration::days(count);
    for (ahead, until, lifetime) in [
        // Behind: `until` has passed, by the clock of Redis.
        (days(-32), hours(0) - days(2), days(30)),
        (days(-400), hours(0) - days(400) + days(30), days(30)),
        // Ahead: `until` has passed, or nearly so, by the clock of the server.
        (days(32), hours(1), Duration::HOUR),
        (days(32), hours(0) + days(62), days(62)),
        (days(0), hours(0) + days(30), days(30)),
    ] {
        let session = Uuid::now_v7().to_string();
        let now = hours(0) + ahead;
        let exchange = exchange_until(now, until);
        let ids = refresh("a token", &session);
        for _ in 0..2 {
            let exchanged = store.exchange(&ids, &exchange).await.expect("exchanged");
            assert_eq!(exchanged, Exchanged::First, "{ahead}");
        }
        let (_, value, _, expires) = only(&home).await;
        assert!(value.starts_with(&format!("0 - {} ", millis(until))), "{value}");
        let expected = millis(hours(0) + lifetime);
        assert!((expires - expected).abs() < 1000, "{ahead}: {expires}, {expected}");

        // A revocation by a server whose clock is right does not shorten it.
        store.revoke(&Revocation::session(&session, hours(-1))).await.expect("recorded");
        let (_, _, _, kept) = only(&home).await;
        assert!((kept - expires).abs() < 1000, "{ahead}: {kept}, {expires}");
        for key in home.keys().await {
            home.ask::<()>(&["DEL", &key]).await;
        }
    }
    home.end().await;
}

#[rocket::async_test]
async fn an_until_at_the_end_of_time_is_kept() {
    let home = Home::new().await;
    let store = RedisBlocklist::with_prefix(home.pool.clone(), &home.prefix);
    let last = rocket::time::PrimitiveDateTime::MAX.assume_utc();
    store.revoke(&Revocation::token("one", last)).await.expect("recorded");
    let (_, value, _, expires) = only(&home).await;
    assert!(value.ends_with(&format!(" {}", millis(last))), "{value}");
    assert!((expires - millis(last)).abs() < 1000, "{expires}");
    home.end().await;
}
