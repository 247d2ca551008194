//! Ending sessions: one, the others, all of a user, everything.

use std::sync::atomic::Ordering;

use rocket_jwt_extended::{Duration, Error, TokenPair};
use uuid::Uuid;

use crate::support::site::*;
use crate::support::*;

fn sid(pair: &TokenPair) -> String {
    pair.session_id().unwrap().to_string()
}

fn assert_ended(site: &Site, pair: &TokenPair) {
    assert_eq!(site.get("/me", pair.access_token()), revoked());
    assert_eq!(site.get("/look", pair.refresh_token()), revoked());
    assert_eq!(site.post("/refresh", pair.refresh_token()), revoked());
}

fn assert_live(site: &Site, pair: &TokenPair) {
    assert_eq!(site.get("/me", pair.access_token()).0, LIVE);
    assert_eq!(site.get("/look", pair.refresh_token()).0, LIVE);
}

#[test]
fn one_session_is_ended_once_and_never_lives_again() {
    let site = Site::new(ON);
    let [one, other] = [site.begin("ada"), site.begin("ada")];
    site.events();
    assert!(run(site.jwt().end_session("ada", &sid(&one))).unwrap());
    assert_eq!(site.told(), ["ended ada Requested"]);
    assert!(!run(site.jwt().end_session("ada", &sid(&one))).unwrap());
    assert_eq!(site.told(), Vec::<String>::new());
    assert_eq!(site.ids("ada"), [sid(&other)]);
    assert_live(&site, &other);
    for days in [0, 1, 29] {
        site.clock.set(unix(START + days * 86_400));
        run(site.jwt().prune()).unwrap();
        assert_eq!(site.get("/look", one.refresh_token()), revoked(), "{days}");
    }
    site.clock.set(unix(START));
    assert_ended(&site, &one);
}

#[test]
fn a_session_of_somebody_else_is_left_alone() {
    let site = Site::new(ON);
    let (ada, alan) = (site.begin("ada"), site.begin("alan"));
    site.events();
    assert!(!run(site.jwt().end_session("alan", &sid(&ada))).unwrap());
    for nonsense in [
        String::new(),
        "nonsense".into(),
        sid(&ada).to_uppercase(),
        sid(&ada).replace('-', ""),
        format!("{{{}}}", sid(&ada)),
        format!(" {}", sid(&ada)),
        Uuid::new_v4().to_string(),
        Uuid::nil().to_string(),
        "0".repeat(100_000),
    ] {
        assert!(!run(site.jwt().end_session("ada", &nonsense)).unwrap(), "{nonsense}");
    }
    assert!(!run(site.jwt().end_session("", &sid(&ada))).unwrap());
    assert_eq!(site.told(), Vec::<String>::new());
    assert_live(&site, &ada);
    assert_live(&site, &alan);
}

#[test]
fn the_other_sessions_end_and_the_present_one_does_not() {
    let site = Site::new(ON);
    let [one, present, other] = ["ada"; 3].map(|name| site.begin(name));
    let alan = site.begin("alan");
    // Its own successor is the same session.
    let [access, _] = site.rotate(present.refresh_token());
    site.events();
    let token = site.accepted(&access);
    assert_eq!(run(site.jwt().end_other_sessions(&token)).unwrap(), 2);
    assert_eq!(site.told(), ["ended ada Requested", "ended ada Requested"]);
    assert_ended(&site, &one);
    assert_ended(&site, &other);
    assert_eq!(site.get("/me", &access).0, LIVE);
    assert_live(&site, &alan);
    assert_eq!(site.ids("ada"), [sid(&present)]);
    assert_eq!(run(site.jwt().end_other_sessions(&token)).unwrap(), 0);
}

#[test]
fn the_end_of_the_others_is_kept_as_long_as_their_tokens() {
    let long = format!("{ON}refresh_token_expires = \"30d\"\nsession_lifetime = \"90d\"\n");
    let site = Site::new(&long);
    let [one, present] = ["ada"; 2].map(|name| site.begin(name));
    let lowered = site.beside(&long.replace("30d", "1d"));
    let token = lowered.accepted(present.access_token());
    assert_eq!(run(lowered.jwt().end_other_sessions(&token)).unwrap(), 1);
    site.clock.set(unix(START + 29 * 86_400));
    run(lowered.jwt().prune()).unwrap();
    assert_eq!(site.get("/look", one.refresh_token()), revoked());
}

#[test]
fn a_logout_takes_the_session_from_the_list() {
    let site = Site::new(ON);
    let [one, other] = [site.begin("ada"), site.begin("ada")];
    site.events();
    assert_eq!(site.post("/logout", one.access_token()).0, LIVE);
    assert_eq!(site.told(), ["revoked Session"]);
    assert_eq!(site.ids("ada"), [sid(&other)]);
    assert_ended(&site, &one);
}

#[test]
fn theft_takes_the_session_from_the_list() {
    let site = Site::new(&format!("{ON}rotation_grace = 0\n"));
    let [one, other] = [site.begin("ada"), site.begin("ada")];
    site.rotate(one.refresh_token());
    site.events();
    assert_eq!(site.post("/refresh", one.refresh_token()), revoked());
    let told = site.told();
    assert_eq!(told, ["revoked Session", "reuse", "refused token_revoked"]);
    assert_eq!(site.ids("ada"), [sid(&other)]);
    assert_eq!(site.post("/refresh", one.refresh_token()), revoked());
    assert_eq!(site.told(), ["refused token_revoked"]);
}

#[test]
fn a_repeat_within_the_grace_is_told() {
    let site = Site::new(ON);
    let pair = site.begin("ada");
    site.events();
    let first = site.rotate(pair.refresh_token());
    assert_eq!(site.told(), ["issued access", "issued refresh"]);
    let again = site.rotate(pair.refresh_token());
    assert_eq!(site.told(), ["repeated"]);
    for (one, other) in first.iter().zip(&again) {
        assert_eq!(payload(one), payload(other));
    }
    assert_eq!(site.ids("ada").len(), 1);
}

#[test]
fn all_sessions_of_a_user_leave_the_list() {
    let site = Site::new(ON);
    let [one, other] = [site.begin("ada"), site.begin("ada")];
    let alan = site.begin("alan");
    site.events();
    run(site.jwt().revoke_all("ada")).unwrap();
    assert_eq!(site.told(), ["revoked Subject"]);
    assert_eq!(site.ids("ada"), Vec::<String>::new());
    assert_ended(&site, &one);
    assert_ended(&site, &other);
    assert_live(&site, &alan);
    // A login right afterwards works, and is the only one that is listed.
    let new = site.begin("ada");
    assert_live(&site, &new);
    assert_eq!(site.ids("ada"), [sid(&new)]);
}

#[test]
fn everything_that_was_issued_is_revoked() {
    let site = Site::new(ON);
    let (ada, alan) = (site.begin("ada"), site.begin("alan"));
    let alone = site.jwt().access_token("ada").encode().unwrap();
    let foreign = sign(&with(serde_json::json!({ "sub": "grace" })));
    site.events();
    site.store.calls();
    run(site.jwt().revoke_everything()).unwrap();
    assert_eq!(site.told(), ["revoked Everything"]);
    assert_eq!(site.store.calls(), ["revoke", "revoke"]);
    for pair in [&ada, &alan] {
        assert_ended(&site, pair);
    }
    for token in [&alone, &foreign] {
        assert_eq!(site.get("/me", token), revoked());
    }
    for name in ["ada", "alan"] {
        assert_eq!(site.ids(name), Vec::<String>::new());
    }
    let new = site.begin("ada");
    assert_live(&site, &new);
    assert_eq!(site.ids("ada"), [sid(&new)]);
}

#[test]
fn a_session_that_the_store_could_not_end_is_an_error() {
    let site = Site::new(ON);
    let pair = site.begin("ada");
    let token = site.accepted(pair.access_token());
    site.events();
    site.store.is_down.store(true, Ordering::SeqCst);
    let jwt = site.jwt();
    let failed =
        |result: Result<(), Error>| assert!(matches!(result, Err(Error::Store(_))), "{result:?}");
    failed(run(jwt.sessions("ada")).map(|_| ()));
    failed(run(jwt.end_session("ada", &sid(&pair))).map(|_| ()));
    failed(run(jwt.end_other_sessions(&token)).map(|_| ()));
    failed(run(jwt.revoke_everything()));
    assert_eq!(site.told(), Vec::<String>::new());
    site.store.is_down.store(false, Ordering::SeqCst);
    site.clock.advance(Duration::SECOND);
    assert_live(&site, &pair);
}
