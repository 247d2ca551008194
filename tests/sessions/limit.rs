//! `max_sessions`: how many sessions a user may have.

use rocket::http::Status;
use rocket_jwt_extended::{Duration, Error};
use serde_json::json;

use crate::support::ask::*;
use crate::support::site::*;
use crate::support::*;

fn limited(policy: &str) -> Site {
    Site::new(&format!("{ON}max_sessions = 2\nsession_limit = \"{policy}\"\n"))
}

fn begin(site: &Site, label: &str) -> rocket_jwt_extended::TokenPair {
    let pair = run(site.jwt().token_pair("ada").label(label).begin()).unwrap();
    site.clock.advance(Duration::SECOND);
    pair
}

#[test]
fn the_oldest_session_makes_room() {
    let site = limited("end_oldest");
    let [first, second] = ["first", "second"].map(|label| begin(&site, label));
    // The oldest by its login, not by its use.
    let [access, _] = site.rotate(first.refresh_token());
    site.events();
    begin(&site, "third");
    let told = site.told();
    assert_eq!(told, ["ended ada Limit", "began ada", "issued access", "issued refresh"]);
    assert_eq!(site.labels("ada"), ["third", "second"]);
    assert_eq!(site.get("/me", &access), revoked());
    assert_eq!(site.get("/me", second.access_token()).0, LIVE);
    // Nobody else is concerned.
    site.begin("alan");
    assert_eq!(site.labels("ada"), ["third", "second"]);
}

#[test]
fn a_login_is_refused_while_there_are_too_many() {
    let site = limited("refuse");
    let [first, second] = ["first", "second"].map(|label| begin(&site, label));
    site.events();
    let (status, body) = answer(post(&site.client, "/login?name=ada&label=third", ""));
    assert_eq!(status, Status::Conflict);
    assert_eq!(body, json!({ "msg": body["msg"], "code": "too_many_sessions" }));
    assert!(body["msg"].is_string());
    assert!(matches!(run(site.jwt().token_pair("ada").begin()), Err(Error::TooManySessions)));
    assert_eq!(site.told(), Vec::<String>::new());
    assert_eq!(site.labels("ada"), ["second", "first"]);
    assert_eq!(post(&site.client, "/login?name=alan", "").status(), Status::Ok);
    // A session that is over holds no place, however it ended.
    site.post("/logout", first.access_token());
    begin(&site, "third");
    assert_eq!(site.labels("ada"), ["third", "second"]);
    assert!(run(site.jwt().end_session("ada", second.session_id().unwrap())).unwrap());
    begin(&site, "fourth");
    run(site.jwt().revoke_all("ada")).unwrap();
    begin(&site, "fifth");
    assert_eq!(site.labels("ada"), ["fifth"]);
}

#[test]
fn an_expired_session_holds_no_place() {
    let site = limited("refuse");
    let short = || site.jwt().token_pair("ada").refresh_expires_in(Duration::HOUR);
    run(short().begin()).unwrap();
    run(short().begin()).unwrap();
    for (second, status) in [(3599, Status::Conflict), (3600, Status::Ok)] {
        site.clock.set(unix(START + second));
        assert_eq!(post(&site.client, "/login?name=ada", "").status(), status, "{second}");
    }
}

#[test]
fn a_lower_limit_counts_at_the_next_login() {
    let site = Site::new(ON);
    for label in ["first", "second", "third"] {
        begin(&site, label);
    }
    let lower = site.beside(&format!("{ON}max_sessions = 1\n"));
    assert_eq!(lower.labels("ada").len(), 3);
    begin(&lower, "fourth");
    assert_eq!(lower.told().iter().filter(|event| *event == "ended ada Limit").count(), 3);
    assert_eq!(site.labels("ada"), ["fourth"]);
}
