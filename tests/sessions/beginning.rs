//! A login with `sessions`: the row is written first, and then the tokens are handed out.

use std::sync::atomic::Ordering;

use rocket::http::Status;
use rocket_jwt_extended::Error;
use serde_json::json;

use crate::support::ask::*;
use crate::support::site::*;
use crate::support::*;

fn is_needed<T: std::fmt::Debug>(result: Result<T, Error>) {
    assert!(matches!(result, Err(Error::NeedsSession)), "{result:?}");
}

#[test]
fn a_login_writes_its_row_and_then_answers() {
    let site = Site::new(ON);
    let pair = site.begin("ada");
    assert_eq!(site.store.calls(), ["begin"]);
    assert_eq!(site.told(), ["began ada", "issued access", "issued refresh"]);
    let sid = pair.session_id().unwrap().to_string();
    for token in [pair.access_token(), pair.refresh_token()] {
        assert_eq!(text(token, "sid"), sid);
        assert_eq!(site.get("/any", token).0, LIVE);
    }
    assert_eq!(pair.csrf(), payload(pair.access_token())["csrf"].as_str());
    assert_eq!(site.ids("ada"), [sid]);
}

#[test]
fn a_login_that_the_store_did_not_record_hands_out_nothing() {
    let site = Site::new(ON);
    site.store.is_down.store(true, Ordering::SeqCst);
    let (status, body) = answer(post(&site.client, "/login?name=ada", ""));
    assert_eq!(
        (status, body["code"].as_str()),
        (Status::ServiceUnavailable, Some("store_unavailable"))
    );
    assert_eq!(body.get("access_token"), None);
    let result = run(site.jwt().token_pair("ada").begin());
    assert!(matches!(result, Err(Error::Store(_))), "{result:?}");
    assert_eq!(site.told(), Vec::<String>::new());
    site.store.is_down.store(false, Ordering::SeqCst);
    assert_eq!(site.ids("ada"), Vec::<String>::new());
    assert_eq!(post(&site.client, "/login?name=ada", "").status(), Status::Ok);
}

#[test]
fn a_refresh_token_is_issued_with_its_session_only() {
    for mode in ["true", "\"adopt\""] {
        let site = Site::new(&format!("sessions = {mode}"));
        let jwt = site.jwt();
        is_needed(jwt.token_pair("ada").issue());
        is_needed(jwt.refresh_token("ada").encode());
        // Even if it is wrong otherwise.
        is_needed(jwt.token_pair("").label("x").issue());
        assert_eq!(Status::from(Error::NeedsSession), Status::InternalServerError);
        assert!(jwt.access_token("ada").encode().is_ok(), "it has no session");
        assert!(run(jwt.token_pair("ada").begin()).is_ok());
    }
}

#[test]
fn without_sessions_a_login_writes_nothing() {
    let site = Site::new("");
    site.begin("ada");
    site.jwt().token_pair("ada").issue().unwrap();
    assert_eq!(site.store.calls(), Vec::<&str>::new());
    assert_eq!(site.told(), ["issued access", "issued refresh"].repeat(2));
}

#[test]
fn without_sessions_there_are_no_labels_and_no_lists() {
    let site = Site::new("");
    let jwt = site.jwt();
    let not_recorded = |result: Result<(), Error>| {
        assert!(matches!(result, Err(Error::Session(_))), "{result:?}");
    };
    let (label, details) = (
        || jwt.token_pair("ada").label("phone"),
        || jwt.token_pair("ada").details(&json!({ "city": "Turin" })),
    );
    not_recorded(label().issue().map(|_| ()));
    not_recorded(run(label().begin()).map(|_| ()));
    not_recorded(details().issue().map(|_| ()));
    not_recorded(run(details().begin()).map(|_| ()));
    let pair = jwt.token_pair("ada").issue().unwrap();
    let token = site.accepted(pair.access_token());
    not_recorded(run(jwt.sessions("ada")).map(|_| ()));
    not_recorded(run(jwt.end_session("ada", pair.session_id().unwrap())).map(|_| ()));
    not_recorded(run(jwt.end_other_sessions(&token)).map(|_| ()));
    assert_eq!(site.store.calls(), ["standing"]);
}

#[test]
fn a_label_has_128_bytes_and_details_a_kibibyte_at_most() {
    let site = Site::new(ON);
    let jwt = site.jwt();
    // Bytes, not characters.
    for (label, fits) in
        [("x".repeat(128), true), ("x".repeat(129), false), ("é".repeat(65), false)]
    {
        let result = run(jwt.token_pair("ada").label(label.clone()).begin());
        assert_eq!(result.is_ok(), fits, "{label}");
        assert!(fits || matches!(result, Err(Error::Session(_))), "{label}");
    }
    // With the quotes.
    for (length, fits) in [(1022, true), (1023, false)] {
        let result = run(jwt.token_pair("ada").details(&"x".repeat(length)).begin());
        assert_eq!(result.is_ok(), fits, "{length}");
        assert!(fits || matches!(result, Err(Error::Session(_))), "{length}");
    }
    let unwritable = std::collections::HashMap::from([((1, 2), 3)]);
    let result = run(jwt.token_pair("ada").details(&unwritable).begin());
    assert!(matches!(result, Err(Error::Session(_))), "{result:?}");
    assert_eq!(site.ids("ada").len(), 2, "an error records nothing");
}

#[test]
fn a_login_that_is_wrong_records_nothing() {
    let site = Site::new(ON);
    let jwt = site.jwt();
    let long = rocket_jwt_extended::Duration::days(31);
    assert!(matches!(run(jwt.token_pair("").begin()), Err(Error::EmptyIdentity)));
    let result = run(jwt.token_pair("ada").refresh_expires_in(long).begin());
    assert!(matches!(result, Err(Error::Lifetime(_))), "{result:?}");
    let result = run(jwt.token_pair("ada").claims(&json!({ "sub": "alan" })).begin());
    assert!(matches!(result, Err(Error::ReservedClaim(_))), "{result:?}");
    assert_eq!(site.store.calls(), Vec::<&str>::new());
    assert_eq!(site.told(), Vec::<String>::new());
}

#[test]
fn a_refresh_token_without_a_row_is_refused_everywhere() {
    let site = Site::new(ON);
    let off = site.beside("");
    let unrecorded = off.jwt().token_pair("ada").issue().unwrap();
    let alone = off.jwt().refresh_token("ada").encode().unwrap();
    // Before there is any row, and after.
    for _ in 0..2 {
        for token in [unrecorded.refresh_token(), &alone] {
            assert_eq!(site.get("/look", token), revoked());
            assert_eq!(site.get("/any", token), revoked());
            assert_eq!(site.post("/refresh", token), revoked());
            assert_eq!(site.post("/refresh-unasked", token), revoked());
            assert_eq!(site.post("/access", token), revoked());
        }
        site.begin("ada");
    }
    assert_eq!(site.ids("ada").len(), 2);
    // It was not theft, and begins no session.
    assert!(site.told().iter().all(|event| event != "reuse"), "{:?}", site.told());
    assert_eq!(off.get("/look", unrecorded.refresh_token()).0, LIVE);
}

#[test]
fn an_access_token_without_a_row_is_accepted_but_not_renewed() {
    let site = Site::new(&format!("{ON}implicit_refresh_within = \"14m\"\n"));
    let off = site.beside("");
    let pair = off.jwt().token_pair("ada").issue().unwrap();
    let alone = off.jwt().access_token("ada").encode().unwrap();
    let own = site.begin("ada");
    site.clock.set(unix(START + 600));
    for token in [pair.access_token(), &alone] {
        assert_eq!(site.get("/me", token).0, LIVE);
        assert_eq!(site.renewed(token), None);
    }
    assert!(site.renewed(own.access_token()).is_some());
}

#[test]
fn the_refusals_of_the_manager_do_not_show_what_was_given() {
    let site = Site::new(ON);
    let label = "the label of a user".repeat(8);
    let error = run(site.jwt().token_pair("ada").label(label.clone()).begin()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("of a user"));
    let details = json!({ "secret": "x".repeat(2000) });
    let error = run(site.jwt().token_pair("ada").details(&details).begin()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret"));
}
