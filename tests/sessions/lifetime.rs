//! `session_lifetime`: where a session ends, example by example.

use rocket_jwt_extended::jsonwebtoken::{Algorithm, EncodingKey};
use rocket_jwt_extended::{Duration, Error, Jwt, Reason, VerifyingKey};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use uuid::Uuid;

use crate::support::ask::*;
use crate::support::site::*;
use crate::support::*;

/// Sessions of an hour.
const HOUR: &str = "token_location = [\"headers\", \"cookies\"]\n\
                    session_lifetime = \"1h\"\nimplicit_refresh_within = \"15m\"\n";

const END: i64 = START + 3600;

fn exp(token: &str) -> i64 {
    payload(token)["exp"].as_i64().unwrap()
}

/// A UUIDv7 of that second.
fn v7(seconds: i64) -> String {
    let time = uuid::Timestamp::from_unix(uuid::NoContext, seconds as u64, 0);
    Uuid::new_v7(time).to_string()
}

/// A site that accepts a partner's tokens, which it knows by their `kid`; and such tokens.
fn with_partner(toml: &str) -> (Site, impl Fn(&Value) -> String + use<>) {
    let secret = *Uuid::new_v4().as_bytes();
    let secret = [secret, *Uuid::new_v4().as_bytes()].concat();
    let key = VerifyingKey::from_secret(Algorithm::HS256, &secret).unwrap();
    let site = Site::with(toml, |fairing| {
        fairing.verifying_key(move |header, _| {
            (header.kid.as_deref() == Some("partner")).then(|| key.clone())
        })
    });
    let key = EncodingKey::from_secret(&secret).unwrap();
    let header = r#"{"alg":"HS256","kid":"partner"}"#;
    (site, move |claims| sign_as(Algorithm::HS256, &key, header, &claims.to_string()))
}

#[test]
fn no_token_of_a_session_expires_after_it_and_none_is_accepted() {
    let site = Site::new(HOUR);
    let pair = site.jwt().token_pair("ada").issue().unwrap();
    assert_eq!([exp(pair.access_token()), exp(pair.refresh_token())], [START + 900, END]);
    site.clock.set(unix(START + 3000));
    let [access, refresh] = site.rotate(pair.refresh_token());
    assert_eq!([exp(&access), exp(&refresh)], [END, END]);
    let joined = post(&site.client, "/access", &refresh).into_string().unwrap();
    assert_eq!(exp(&joined), END);
    site.clock.set(unix(END - 1));
    for token in [&access, &refresh, &joined] {
        assert_eq!(site.get("/any", token).0, LIVE);
    }
    site.clock.set(unix(END));
    for token in [&access, &refresh, &joined] {
        assert_eq!(site.get("/any", token), expired());
    }
}

#[test]
fn tokens_that_are_out_end_with_a_lifetime_that_is_set_later() {
    let site = Site::new("refresh_token_expires = \"30d\"");
    let pair = site.jwt().token_pair("ada").issue().unwrap();
    let alone = site.jwt().refresh_token("ada").encode().unwrap();
    assert!(exp(pair.refresh_token()) > END);
    let limited = site.beside(&format!("{HOUR}decode_leeway = 10"));
    for (at, status) in [(END + 9, LIVE), (END + 10, 401)] {
        site.clock.set(unix(at));
        for token in [pair.refresh_token(), &alone] {
            assert_eq!(limited.get("/look", token).0, status, "{at}");
            assert_eq!(site.get("/look", token).0, LIVE);
        }
    }
    let rejection = run(limited.jwt().verify::<rocket_jwt_extended::RefreshToken>(&alone));
    assert_eq!(*rejection.unwrap_err().reason(), Reason::SessionExpired);
    // Before the store is asked.
    site.store.is_down.store(true, Ordering::SeqCst);
    assert_eq!(limited.get("/look", &alone), expired());
    assert_eq!(site.get("/look", &alone), unavailable());
}

#[test]
fn the_end_is_rounded_down_to_a_second() {
    let site = Site::new(HOUR);
    site.clock.advance(Duration::milliseconds(999));
    let pair = site.jwt().token_pair("ada").issue().unwrap();
    // It began within the second of its `iat`, which is what counts.
    assert_eq!(exp(pair.refresh_token()), END);
    site.clock.advance(Duration::seconds(10));
    let [_, next] = site.rotate(pair.refresh_token());
    assert_eq!(exp(&next), END);
    let sid = text(&next, "sid");
    let claims = json!({ "sid": sid, "iat": START + 10, "exp": START + 9000 });
    let longer = sign(&with(claims));
    // The beginning itself is known to the millisecond.
    for (millis, status) in [(3_600_998, LIVE), (3_600_999, 401)] {
        site.clock.set(unix(START));
        site.clock.advance(Duration::milliseconds(millis));
        assert_eq!(site.get("/any", &longer).0, status, "{millis}");
    }
}

#[test]
fn an_explicit_lifetime_beyond_the_end_is_an_error() {
    let site = Site::new(HOUR);
    let jwt = site.jwt();
    let hour = Duration::HOUR;
    let beyond = hour + Duration::SECOND;
    assert!(jwt.token_pair("ada").expires_in(hour).refresh_expires_in(hour).issue().is_ok());
    for result in [
        jwt.token_pair("ada").expires_in(beyond).issue().map(|_| ()),
        jwt.token_pair("ada").refresh_expires_in(beyond).issue().map(|_| ()),
        jwt.access_token("ada").expires_in(beyond).encode().map(|_| ()),
        jwt.refresh_token("ada").expires_in(beyond).encode().map(|_| ()),
    ] {
        assert!(matches!(result, Err(Error::Lifetime(_))), "{result:?}");
    }
    let refresh = jwt.token_pair("ada").issue().unwrap();
    site.clock.set(unix(START + 3000));
    let token = site.accepted(refresh.refresh_token());
    let joined = |lifetime| jwt.access_token("ada").session(&token).expires_in(lifetime).encode();
    assert_eq!(exp(&joined(Duration::seconds(600)).unwrap()), END);
    assert!(matches!(joined(Duration::seconds(601)), Err(Error::Lifetime(_))));
}

#[test]
fn a_type_that_never_expires_does_so_with_its_session() {
    let never = "access_token_expires = false\nrefresh_token_expires = false\n";
    let site = Site::new(&format!("{HOUR}{never}"));
    let pair = site.jwt().token_pair("ada").issue().unwrap();
    assert_eq!([exp(pair.access_token()), exp(pair.refresh_token())], [END, END]);
    assert_eq!(exp(&site.jwt().access_token("ada").encode().unwrap()), END);
    let result = site.jwt().access_token("ada").never_expires().encode();
    assert!(matches!(result, Err(Error::Lifetime(_))), "{result:?}");
    // Without the setting it does not.
    let free = site.beside(never);
    let token = free.jwt().access_token("ada").never_expires().encode().unwrap();
    assert_eq!(payload(&token)["exp"], Value::Null);
    site.clock.set(unix(END));
    assert_eq!(free.get("/me", &token).0, LIVE);
    assert_eq!(site.get("/me", &token), expired());
}

#[test]
fn a_renewal_ends_with_the_session_and_so_does_its_cookie() {
    let site = Site::new(&format!("{HOUR}session_cookie = false\n"));
    let pair = site.jwt().token_pair("ada").issue().unwrap();
    let alone = site.jwt().access_token("ada").encode().unwrap();
    for first in [pair.access_token(), &alone] {
        let mut token = first.to_string();
        let mut ages = vec![];
        for minute in (0..60).step_by(7) {
            site.clock.set(unix(START + minute * 60));
            if let Some((next, age)) = site.renewed(&token) {
                assert!(exp(&next) <= END);
                assert_eq!(age, Some(exp(&next) - START - minute * 60));
                ages.push(age.unwrap());
                token = next;
            }
        }
        assert_eq!(ages, [900, 900, 900, 900, 900, 900, 660]);
        // There is nothing left to gain.
        assert_eq!(site.renewed(&token), None);
        site.clock.set(unix(END));
        assert_eq!(site.get("/me", &token), expired());
    }
}

#[test]
fn an_ours_without_a_session_begins_it_at_its_time_of_issue() {
    let site = Site::new(&format!("{HOUR}refresh_token_expires = \"30d\"\n"));
    let late = START + 9000;
    for (claims, end) in [
        (json!({ "jti": v7(START - 100) }), END - 100),
        // Later than `iat`: it counts as `iat`.
        (json!({ "jti": v7(START + 100) }), END),
        (json!({ "jti": "not a UUID" }), END),
        // What an application writes there says nothing of a session of ours.
        (json!({ "jti": "not a UUID", "auth_time": START - 100 }), END),
        (json!({ "jti": "not a UUID", "auth_time": "at noon" }), END),
        (json!({ "sid": v7(START - 100) }), END - 100),
        (json!({ "sid": v7(START + 100) }), END),
        (json!({ "sid": "not a UUID" }), END),
        (json!({ "sid": "not a UUID", "auth_time": START - 100 }), END - 100),
        (json!({ "sid": "not a UUID", "auth_time": START + 100 }), END),
    ] {
        let mut claims = with(claims);
        claims["exp"] = late.into();
        let token = sign(&claims);
        site.clock.set(unix(end - 1));
        assert_eq!(site.get("/me", &token).0, LIVE, "{claims}");
        site.clock.set(unix(end));
        assert_eq!(site.get("/me", &token), expired(), "{claims}");
    }
}

#[test]
fn a_foreign_session_begins_at_auth_time_or_else_at_iat() {
    let (site, foreign) = with_partner(&format!("{HOUR}refresh_token_expires = \"30d\"\n"));
    for (claims, end) in [
        (json!({}), END),
        // Its ids say nothing.
        (json!({ "sid": v7(START - 1000), "jti": v7(START - 2000) }), END),
        (json!({ "auth_time": START - 500 }), END - 500),
        (json!({ "auth_time": START as f64 - 499.5 }), END - 500),
        (json!({ "auth_time": START + 500 }), END),
    ] {
        let mut claims = with(claims);
        claims["exp"] = (START + 9000).into();
        let token = foreign(&claims);
        site.clock.set(unix(end - 1));
        assert_eq!(site.get("/me", &token).0, LIVE, "{claims}");
        site.clock.set(unix(end));
        assert_eq!(site.get("/me", &token), expired(), "{claims}");
    }
    site.clock.set(unix(START));
    let refused = foreign(&with(json!({ "auth_time": "at noon" })));
    assert_eq!(site.get("/me", &refused), (401, "token_invalid".into()));
}

#[test]
fn a_token_that_says_no_time_is_refused_while_there_is_a_limit() {
    let (site, foreign) = with_partner(HOUR);
    let unlimited = "token_location = \"headers\"";
    let (open, open_foreign) = with_partner(unlimited);
    for drop in [&["iat"][..], &["iat", "jti"]] {
        let claims = without(drop);
        assert_eq!(site.get("/me", &sign(&claims)), (401, "token_invalid".into()), "{claims}");
        assert_eq!(site.get("/me", &foreign(&claims)), (401, "token_invalid".into()));
        assert_eq!(open.get("/me", &sign(&claims)).0, LIVE);
        assert_eq!(open.get("/me", &open_foreign(&claims)).0, LIVE);
    }
    // Its `jti` is a time as well.
    let mut timed = without(&["iat"]);
    timed["jti"] = v7(START).into();
    assert_eq!(site.get("/me", &sign(&timed)).0, LIVE);
    assert_eq!(site.get("/me", &foreign(&timed)), (401, "token_invalid".into()));
}

#[test]
fn a_session_whose_id_has_no_time_is_neither_exchanged_nor_renewed() {
    let site = Site::new(HOUR);
    let refresh = sign(&with(json!({ "sid": "opaque", "type": "refresh" })));
    assert_eq!(site.get("/look", &refresh).0, LIVE);
    assert_eq!(site.post("/refresh", &refresh), (401, "token_invalid".into()));
    let access = sign(&with(json!({ "sid": "opaque" })));
    assert_eq!(site.get("/me", &access).0, LIVE);
    assert_eq!(site.renewed(&access), None);
    assert_eq!(site.post("/access", &access).0, 500);
    site.clock.set(unix(START + 100));
    let unlimited = site.beside(&HOUR.replace("session_lifetime = \"1h\"\n", ""));
    assert!(unlimited.renewed(&access).is_some());
    assert_eq!(unlimited.post("/refresh", &refresh).0, LIVE);
}

#[test]
fn within_the_leeway_after_the_end_nothing_is_made() {
    let site = Site::new(&format!("{HOUR}decode_leeway = 30\n"));
    let pair = site.jwt().token_pair("ada").issue().unwrap();
    site.clock.set(unix(END + 29));
    assert_eq!(site.get("/look", pair.refresh_token()).0, LIVE);
    assert_eq!(site.post("/refresh", pair.refresh_token()), expired());
    site.clock.set(unix(END - 1));
    let [_, next] = site.rotate(pair.refresh_token());
    assert_eq!(exp(&next), END);
}

#[test]
fn a_logout_works_after_the_end() {
    let site = Site::new(HOUR);
    let pair = site.jwt().token_pair("ada").issue().unwrap();
    let alone = site.jwt().access_token("ada").encode().unwrap();
    site.clock.set(unix(END + 1000));
    site.events();
    for token in [pair.access_token(), &alone] {
        assert_eq!(site.get("/me", token), expired());
        assert_eq!(site.post("/logout", token).0, LIVE);
    }
    let told = site.told();
    assert_eq!(told.iter().filter(|event| *event == "revoked Session").count(), 2, "{told:?}");
}

#[test]
fn tokens_of_longer_lifetimes_stay_valid_and_end_with_a_logout() {
    let long = "refresh_token_expires = \"30d\"\nsession_lifetime = \"90d\"\n";
    let short = "refresh_token_expires = \"1d\"\nsession_lifetime = \"90d\"\n";
    let (site, day) = (Site::new(long), 86_400);
    let [live, ended] = ["ada", "alan"].map(|name| site.jwt().token_pair(name).issue().unwrap());
    let lowered = site.beside(short);
    site.clock.set(unix(START + day));
    let [access, next] = lowered.rotate(live.refresh_token());
    assert_eq!([exp(&access), exp(&next)], [START + day + 900, START + 2 * day]);
    // The end of a session is kept until its tokens have expired.
    assert_eq!(lowered.post("/logout", ended.access_token()).0, LIVE);
    for days in [2, 3, 10, 29] {
        site.clock.set(unix(START + days * day));
        run(lowered.jwt().prune()).unwrap();
        assert_eq!(lowered.get("/look", ended.refresh_token()), revoked(), "{days}");
    }
    // Without the limit on sessions, it would not be kept, so they are refused.
    let unlimited = site.beside("refresh_token_expires = \"1d\"");
    let refused = unlimited.get("/look", live.refresh_token());
    assert_eq!(refused, (401, "token_invalid".into()));
}

#[test]
fn an_end_is_kept_for_every_token_of_the_session_whichever_token_ended_it() {
    let (site, day) =
        (Site::new("refresh_token_expires = \"30d\"\nsession_lifetime = \"90d\"\n"), 86_400);
    let lowered = site.beside("refresh_token_expires = \"1d\"\nsession_lifetime = \"90d\"\n");
    // For the first token the session ends earlier, as its `iat` is before the time of the `sid`.
    let (sid, late) = (v7(START + 80 * day), START + 80 * day);
    let first = sign(&with(json!({ "sid": sid })));
    let exp = late + 30 * day;
    let second = sign(&with(json!({ "sid": sid, "iat": late, "nbf": late, "exp": exp })));
    site.clock.set(unix(late));
    assert_eq!(lowered.get("/me", &second).0, LIVE);
    assert_eq!(lowered.post("/logout", &first).0, LIVE);
    for days in [80, 91, 109] {
        site.clock.set(unix(START + days * day));
        run(lowered.jwt().prune()).unwrap();
        assert_eq!(lowered.get("/me", &second), revoked(), "{days}");
    }
}

#[test]
fn a_foreign_token_does_not_outlive_the_configured_lifetimes() {
    let (site, foreign) =
        with_partner("refresh_token_expires = \"1d\"\nsession_lifetime = \"90d\"\n");
    let day = 86_400;
    for (days, status) in [(1, LIVE), (30, 401)] {
        let claims = json!({ "sid": v7(START), "exp": START + days * day });
        assert_eq!(site.get("/me", &foreign(&with(claims.clone()))).0, status);
        // Ours do: the end of their session is kept.
        assert_eq!(site.get("/me", &sign(&with(claims))).0, LIVE);
    }
    // Not if its id has a later time than it, so that each of its tokens has another end.
    let later = json!({ "sid": v7(START + day), "exp": START + 30 * day });
    assert_eq!(site.get("/me", &sign(&with(later))).0, 401);
}

#[test]
fn the_manager_decodes_no_token_of_a_session_that_is_over() {
    let site = Site::new(HOUR);
    let free = site.beside("");
    let token = free.jwt().refresh_token("ada").encode().unwrap();
    site.clock.set(unix(END));
    let decode = |jwt: &Jwt| jwt.decode::<rocket_jwt_extended::NoClaims>(&token).map(|_| ());
    assert_eq!(*decode(site.jwt()).unwrap_err().reason(), Reason::SessionExpired);
    assert!(decode(free.jwt()).is_ok());
    let lenient = site.jwt().decoder().allow_expired();
    assert!(lenient.decode::<rocket_jwt_extended::NoClaims>(&token).is_ok());
}
