//! Freshness.

use crate::support::common::*;
use crate::support::*;
use rocket::local::blocking::Client;
use rocket::time::Duration;
use rocket_jwt_extended::{AccessToken, Fresh, RefreshToken};
use serde_json::{Value, json};

#[get("/")]
fn fresh(token: Fresh) -> String {
    token.identity().into()
}
#[get("/refresh")]
fn fresh_refresh(token: Fresh<RefreshToken>) -> String {
    token.identity().into()
}
#[get("/plain")]
fn plain(token: AccessToken) -> String {
    token.is_fresh().to_string()
}

fn app(toml: &str) -> (Client, ManualClock) {
    clocked(&format!("{FLASK}{toml}"), routes![fresh, fresh_refresh, plain])
}

fn ask(client: &Client, uri: &'static str, token: &str) -> (u16, String) {
    said(client.get(uri).header(Bearer(token)).dispatch())
}

fn claimed(fresh: Value) -> String {
    sign(&with(json!({"fresh": fresh})))
}

fn stale() -> (u16, String) {
    (401, "Fresh token required".into())
}

#[test]
fn true_and_a_time_to_come_are_fresh() {
    let (client, _) = app("");
    for fresh in [json!(true), json!(START + 1), json!(START as f64 + 0.5), json!(START + 99_999)] {
        assert_eq!(ask(&client, "/", &claimed(fresh.clone())), let_in("ada"), "{fresh}");
        assert_eq!(ask(&client, "/plain", &claimed(fresh)), (200, "true".into()));
    }
}

#[test]
fn false_absence_and_a_time_that_is_over_are_not() {
    let (client, _) = app("");
    for fresh in [json!(false), json!(START), json!(START - 1), json!(START as f64 - 0.5)] {
        assert_eq!(ask(&client, "/", &claimed(fresh.clone())), stale(), "{fresh}");
    }
    assert_eq!(ask(&client, "/", &sign(&without(&["fresh"]))), stale());
}

#[test]
fn numbers_are_times_not_truth_values() {
    let (client, _) = app("");
    for fresh in [json!(0), json!(1), json!(-1), json!(0.0), json!(1.0)] {
        assert_eq!(ask(&client, "/", &claimed(fresh.clone())), stale(), "{fresh}");
    }
}

#[test]
fn what_is_neither_truth_value_nor_time_is_just_not_fresh() {
    let (client, _) = app("");
    for fresh in [
        json!(null),
        json!("true"),
        json!("1900000000"),
        json!(""),
        json!([]),
        json!([true]),
        json!({}),
        json!({"fresh": true}),
        json!(u64::MAX),
        json!(1e300),
    ] {
        assert_eq!(ask(&client, "/", &claimed(fresh.clone())), stale(), "{fresh}");
        assert_eq!(ask(&client, "/plain", &claimed(fresh)), (200, "false".into()));
    }
}

#[test]
fn leeway_does_not_prolong_freshness() {
    let (client, clock) = app("decode_leeway = \"1h\"");
    let token = claimed(json!(START + 10));
    clock.set(unix(START + 9));
    assert_eq!(ask(&client, "/", &token), let_in("ada"));
    clock.set(unix(START + 10));
    assert_eq!(ask(&client, "/", &token), stale());
    // Though the token itself lives on in the leeway.
    clock.set(unix(START + 900));
    assert_eq!(ask(&client, "/plain", &token), (200, "false".into()));
}

#[test]
fn a_token_is_fresh_as_it_was_issued() {
    let (client, clock) = app("");
    let jwt = jwt(&client);
    let fresh = jwt.access_token("ada").fresh().encode().unwrap();
    let for_a_minute = jwt.access_token("ada").fresh_for(Duration::minutes(1)).encode().unwrap();
    let never = jwt.access_token("ada").encode().unwrap();
    let pair = jwt.token_pair("ada").fresh().issue().unwrap();
    assert_eq!(ask(&client, "/", &fresh), let_in("ada"));
    assert_eq!(ask(&client, "/", &for_a_minute), let_in("ada"));
    assert_eq!(ask(&client, "/", pair.access_token()), let_in("ada"));
    assert_eq!(ask(&client, "/", &never), stale());
    clock.advance(Duration::minutes(1));
    assert_eq!(ask(&client, "/", &fresh), let_in("ada"));
    assert_eq!(ask(&client, "/", &for_a_minute), stale());
    assert_eq!(ask(&client, "/plain", &for_a_minute), (200, "false".into()));
}

#[test]
fn a_refresh_token_is_not_fresh_unless_its_claim_says_so() {
    let (client, _) = app("");
    let pair = jwt(&client).token_pair("ada").fresh().issue().unwrap();
    assert_eq!(ask(&client, "/refresh", pair.refresh_token()), stale());
    assert!(jwt(&client).refresh_token("ada").fresh().encode().is_err());
    let forced = sign(&with(json!({"type": "refresh", "fresh": true})));
    assert_eq!(ask(&client, "/refresh", &forced), let_in("ada"));
}

#[test]
fn the_type_is_checked_before_freshness() {
    let (client, _) = app("");
    let wrong = (422, "Only non-refresh tokens are allowed".to_string());
    assert_eq!(ask(&client, "/", &refresh()), wrong);
    let forced = sign(&with(json!({"type": "refresh", "fresh": true})));
    assert_eq!(ask(&client, "/", &forced), wrong);
    let wrong = (422, "Only refresh tokens are allowed".to_string());
    assert_eq!(ask(&client, "/refresh", &claimed(json!(true))), wrong);
}
