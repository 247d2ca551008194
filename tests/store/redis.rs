//! The keys and values in Redis, and their expiry.
#![cfg(all(feature = "test-util", feature = "deadpool_redis"))]

use rocket::time::{Duration, OffsetDateTime};
use rocket_jwt_extended::blocklist::{Blocklist, RedisBlocklist, Revocation, TokenIds, UseUp};

use crate::store_support::deadpool_redis::Home;

fn millis(time: OffsetDateTime) -> i64 {
    (time.unix_timestamp_nanos() / 1_000_000) as i64
}

fn hours(count: i64) -> OffsetDateTime {
    OffsetDateTime::now_utc() + Duration::hours(count)
}

/// The only key, its value without the time of change, and its time of expiry.
async fn only(home: &Home) -> (String, String, i64) {
    let key = home.keys().await.pop().expect("a key");
    let value: String = home.ask(&["GET", &key]).await;
    let (value, changed) = value.rsplit_once(' ').expect("a time of change");
    let age = millis(hours(0)) - changed.parse::<i64>().expect("milliseconds");
    assert!((-50..10_000).contains(&age), "changed {age} ms ago");
    let expires: i64 = match home.ask(&["PTTL", &key]).await {
        -1 => -1,
        rest => millis(hours(0)) + rest,
    };
    (key[home.prefix.len()..].into(), value.into(), expires)
}

#[rocket::async_test]
async fn a_key_expires_with_its_entry() {
    let home = Home::new().await;
    let store = RedisBlocklist::with_prefix(home.pool.clone(), &home.prefix);
    let [one, three] = [hours(1), hours(3)];
    let token = "0196fa3c-0000-7000-8000-00000000000a";
    let is_near = |expires: i64, until: OffsetDateTime| {
        assert!((expires - millis(until)).abs() < 100, "{expires}, {until}");
    };

    store.use_up(&TokenIds::new(Some(token), None, None, None), one, one).await.expect("used");
    let (key, value, expires) = only(&home).await;
    assert_eq!(key, "t0196fa3c00007000800000000000000a");
    assert_eq!(value, format!("0 - {0} {0}", millis(one)));
    is_near(expires, one);

    for (until, kept) in [(three, three), (one, three), (hours(-1), three)] {
        store.revoke(&Revocation::token(token, until)).await.expect("recorded");
        let (_, value, expires) = only(&home).await;
        assert_eq!(value, format!("1 - {} {}", millis(one), millis(kept)));
        is_near(expires, kept);
    }
    for until in [None, Some(one)] {
        store.revoke(&Revocation::token(token, until)).await.expect("recorded");
        let (_, value, expires) = only(&home).await;
        assert_eq!(value, format!("1 - {} -", millis(one)));
        assert_eq!(expires, -1);
    }
    home.end().await;
}

#[rocket::async_test]
async fn a_subject_keeps_its_cut_off() {
    let home = Home::new().await;
    let store = RedisBlocklist::with_prefix(home.pool.clone(), &home.prefix);
    for (cut_off, kept) in [(hours(-2), hours(-2)), (hours(-1), hours(-1)), (hours(-3), hours(-1))]
    {
        store.revoke(&Revocation::subject("user", cut_off, hours(1))).await.expect("recorded");
        let (key, value, _) = only(&home).await;
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
async fn a_mark_of_a_server_with_a_wrong_clock_has_its_lifetime() {
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
        let token = uuid::Uuid::now_v7().to_string();
        let ids = TokenIds::new(Some(&token), None, None, None);
        let now = hours(0) + ahead;
        assert_eq!(store.use_up(&ids, now, until).await.expect("used"), UseUp::First);
        let again = store.use_up(&ids, now, until).await.expect("used");
        assert!(matches!(again, UseUp::Again { .. }), "{ahead}");
        let (_, value, expires) = only(&home).await;
        assert!(value.ends_with(&format!(" {}", millis(until))), "{value}");
        let expected = millis(hours(0) + lifetime);
        assert!((expires - expected).abs() < 1000, "{ahead}: {expires}, {expected}");

        // A revocation by a server whose clock is right does not shorten it.
        store.revoke(&Revocation::token(&token, hours(-1))).await.expect("recorded");
        let (_, _, kept) = only(&home).await;
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
    let (_, value, expires) = only(&home).await;
    assert!(value.ends_with(&format!(" {}", millis(last))), "{value}");
    assert!((expires - millis(last)).abs() < 1000, "{expires}");
    home.end().await;
}
