//! A store that has lost what it had acknowledged.

use std::sync::atomic::Ordering;

use crate::support::site::*;

/// A session whose second exchange the store has lost, and the tokens of that.
fn lost(toml: &str) -> (Site, [String; 2], String) {
    let site = Site::new(toml);
    let pair = site.begin("ada");
    let [_, before] = site.rotate(pair.refresh_token());
    site.store.loses_exchanges.store(true, Ordering::SeqCst);
    let newest = site.rotate(&before);
    site.store.loses_exchanges.store(false, Ordering::SeqCst);
    site.events();
    (site, newest, before)
}

#[test]
fn a_session_whose_exchange_was_lost_is_ended_and_nobody_is_accused() {
    for path in ["/refresh", "/look"] {
        let (site, [access, refresh], before) = lost(ON);
        assert_eq!(site.get("/me", &access).0, LIVE);
        let answer = match path {
            "/refresh" => site.post(path, &refresh),
            path => site.get(path, &refresh),
        };
        assert_eq!(answer, revoked(), "{path}");
        let told = site.told();
        let expected = ["revoked Session", "ended ada StoreLostData", "refused token_revoked"];
        assert_eq!(told, expected, "{path}");
        assert_eq!(site.ids("ada"), Vec::<String>::new());
        for token in [&access, &refresh, &before] {
            assert_eq!(site.get("/any", token), revoked(), "{path}");
        }
        assert_eq!(site.told(), ["refused token_revoked"; 3], "it is told once");
    }
}

#[test]
fn an_exchange_finds_the_loss_as_well_as_a_guard() {
    let (site, [access, refresh], _) = lost(ON);
    assert_eq!(site.post("/refresh-unasked", &refresh), revoked());
    assert_eq!(site.told(), ["ended ada StoreLostData", "refused token_revoked"]);
    assert_eq!(site.get("/me", &access), revoked());
    assert_eq!(site.post("/refresh-unasked", &refresh), revoked());
    assert_eq!(site.told(), ["refused token_revoked"; 2]);
}

#[test]
fn an_older_token_that_comes_first_ends_the_session_at_its_next_use() {
    let (site, [_, refresh], before) = lost(&format!("{ON}rotation_grace = 0\n"));
    let [access, _] = site.rotate(&before);
    assert_eq!(site.get("/look", &refresh), revoked());
    assert_eq!(site.get("/me", &access), revoked());
}

#[test]
fn without_recorded_sessions_the_newest_token_counts_as_first() {
    for toml in ["", "sessions = \"adopt\""] {
        let (site, [_, refresh], _) = lost(toml);
        assert_eq!(site.get("/look", &refresh).0, LIVE);
        let [access, _] = site.rotate(&refresh);
        assert_eq!(site.get("/me", &access).0, LIVE);
        assert!(!site.told().iter().any(|event| event.starts_with("ended")));
    }
}

#[test]
fn a_store_that_lost_everything_logs_everybody_out() {
    let site = Site::new(ON);
    let pair = site.begin("ada");
    let restored = Site::of(ON, site.clock.clone(), Default::default(), |fairing| fairing);
    assert_eq!(restored.get("/look", pair.refresh_token()), revoked());
    assert_eq!(restored.post("/refresh", pair.refresh_token()), revoked());
    assert_eq!(restored.told(), ["refused token_revoked"; 2]);
    // The access token lives for its minutes.
    assert_eq!(restored.get("/me", pair.access_token()).0, LIVE);
}
