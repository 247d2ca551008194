//! The list of a user's sessions.

use rocket::serde::{Deserialize, Serialize};
use rocket::time::OffsetDateTime;
use rocket_jwt_extended::{Clock, Duration, Error};
use serde_json::json;

use crate::support::site::*;
use crate::support::*;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(crate = "rocket::serde")]
struct Place {
    city: String,
    trusted: bool,
}

fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap()
}

#[test]
fn a_session_has_what_its_login_gave() {
    let site = Site::new(ON);
    site.clock.advance(Duration::milliseconds(250));
    let place = Place { city: "Turin".into(), trusted: true };
    let pair = site.jwt().token_pair("ada").label("Firefox on Linux").details(&place);
    let pair = run(pair.begin()).unwrap();
    let sessions = site.sessions("ada");
    let [session] = &sessions[..] else { panic!("{sessions:?}") };
    assert_eq!(Some(session.id()), pair.session_id());
    assert_eq!(session.began_at(), site.clock.now());
    assert_eq!(session.seen_at(), site.clock.now());
    let exp = payload(pair.refresh_token())["exp"].as_i64().unwrap();
    assert_eq!(session.expires_at(), Some(at(exp)));
    assert_eq!(session.label(), Some("Firefox on Linux"));
    assert_eq!(session.details::<Place>().unwrap(), Some(place));
    let mistyped = session.details::<Vec<u8>>();
    assert!(matches!(mistyped, Err(Error::Serialize(_))), "{mistyped:?}");
    assert!(!format!("{:?}", mistyped.unwrap_err()).contains("Turin"));
    let shown = format!("{session:?}");
    for hidden in ["Turin", "Firefox", session.id()] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}

#[test]
fn a_session_without_label_and_details_has_none() {
    let site = Site::new(ON);
    site.begin("ada");
    let session = site.sessions("ada").remove(0);
    assert_eq!(session.label(), None);
    assert_eq!(session.details::<Place>().unwrap(), None);
    run(site.jwt().token_pair("alan").label("").details(&json!(null)).begin()).unwrap();
    let session = site.sessions("alan").remove(0);
    assert_eq!(session.label(), Some(""));
    assert_eq!(session.details::<Option<Place>>().unwrap(), Some(None));
}

#[test]
fn the_newest_session_comes_first_and_the_present_one_is_known() {
    let site = Site::new(ON);
    let mut pairs = vec![];
    for label in ["laptop", "phone", "tablet"] {
        pairs.push(run(site.jwt().token_pair("ada").label(label).begin()).unwrap());
        site.begin("alan");
        site.clock.advance(Duration::minutes(1));
    }
    assert_eq!(site.labels("ada"), ["tablet", "phone", "laptop"]);
    // An exchange changes the order as little as a renewal does.
    let [access, refresh] = site.rotate(pairs[0].refresh_token());
    assert_eq!(site.labels("ada"), ["tablet", "phone", "laptop"]);
    for token in [&access, &refresh] {
        let token = site.accepted(token);
        let current: Vec<_> =
            site.sessions("ada").iter().map(|session| session.is_current(&token)).collect();
        assert_eq!(current, [false, false, true]);
        assert!(!site.sessions("alan").iter().any(|session| session.is_current(&token)));
    }
}

#[test]
fn an_exchange_and_a_renewal_move_the_times() {
    let settings = "session_cookie = false\nimplicit_refresh_within = \"14m\"\n";
    let site = Site::new(&format!("{ON}{settings}"));
    let pair = site.begin("ada");
    let times = || {
        let session = site.sessions("ada").remove(0);
        let [began, seen] = [session.began_at(), session.seen_at()].map(|at| at.unix_timestamp());
        (began, seen, session.expires_at().unwrap().unix_timestamp())
    };
    let month = 30 * 86_400;
    assert_eq!(times(), (START, START, START + month));
    site.clock.set(unix(START + 600));
    // A guarded request writes nothing.
    site.get("/me", pair.access_token());
    site.get("/look", pair.refresh_token());
    assert_eq!(times(), (START, START, START + month));
    let [_, refresh] = site.rotate(pair.refresh_token());
    assert_eq!(times(), (START, START + 600, START + 600 + month));
    site.clock.set(unix(START + 700));
    site.renewed(pair.access_token()).expect("it is renewed");
    // The refresh token is still the newest to expire.
    assert_eq!(times(), (START, START + 700, START + 600 + month));
    site.clock.set(unix(START + 800));
    let [_, _] = site.rotate(&refresh);
    assert_eq!(times(), (START, START + 800, START + 800 + month));
}

#[test]
fn a_session_that_only_renews_stays_in_the_list() {
    let settings = "refresh_token_expires = \"10m\"\nimplicit_refresh_within = \"14m\"\n";
    let site = Site::new(&format!("{ON}{settings}"));
    let mut token = site.begin("ada").access_token().to_string();
    for minute in [5, 10, 15, 20] {
        site.clock.set(unix(START + minute * 60));
        token = site.renewed(&token).expect("it is renewed").0;
        run(site.jwt().prune()).unwrap();
        let session = site.sessions("ada").remove(0);
        assert_eq!(session.expires_at(), Some(at(START + minute * 60 + 900)));
    }
}

#[test]
fn a_session_leaves_the_list_when_its_newest_token_expires() {
    let site = Site::new(&format!("{ON}refresh_token_expires = \"1h\"\n"));
    site.begin("ada");
    for (second, count) in [(3599, 1), (3600, 0), (90_000, 0)] {
        site.clock.set(unix(START + second));
        assert_eq!(site.ids("ada").len(), count, "{second}");
        run(site.jwt().prune()).unwrap();
    }
    let forever = site.beside(&format!("{ON}refresh_token_expires = false\n"));
    forever.begin("ada");
    site.clock.advance(Duration::days(10_000));
    run(site.jwt().prune()).unwrap();
    assert_eq!(site.sessions("ada").remove(0).expires_at(), None);
}

#[test]
fn the_list_is_that_of_the_identity_alone() {
    let site = Site::new(ON);
    site.begin("ada");
    for other in ["Ada", "ada ", "", "alan"] {
        assert_eq!(site.ids(other), Vec::<String>::new(), "{other:?}");
    }
    // A number and its text are one identity, as in tokens.
    run(site.jwt().token_pair(7).begin()).unwrap();
    assert_eq!(site.ids("7").len(), 1);
}

#[test]
fn a_list_has_a_thousand_sessions_at_most() {
    let site = Site::new(ON);
    for _ in 0..1001 {
        site.begin("ada");
        site.clock.advance(Duration::MILLISECOND);
    }
    let sessions = site.sessions("ada");
    assert_eq!(sessions.len(), 1000);
    assert_eq!(sessions[0].began_at(), site.clock.now() - Duration::MILLISECOND);
}
