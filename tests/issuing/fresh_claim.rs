//! Freshness, as it is written and as it is read.

use crate::support::*;
use rocket_jwt_extended::{AccessToken, Duration, Error, Fresh, Jwt, NoClaims};
use serde_json::json;

#[get("/recent")]
fn recent(_recent: Fresh, token: AccessToken) -> String {
    token.identity().into()
}

fn fresh(token: &str) -> serde_json::Value {
    payload(token)["fresh"].clone()
}

#[test]
fn a_token_is_fresh_only_when_told_so() {
    let (client, _) = clocked("", routes![]);
    let jwt = jwt(&client);
    assert_eq!(fresh(&jwt.access_token("ada").encode().unwrap()), false);
    assert_eq!(fresh(&jwt.access_token("ada").fresh().encode().unwrap()), true);
    let pair = jwt.token_pair("ada").fresh().issue().unwrap();
    assert_eq!(
        (fresh(pair.access_token()), fresh(pair.refresh_token())),
        (json!(true), json!(false))
    );
}

#[test]
fn freshness_for_a_time_is_a_whole_second_in_the_claim() {
    let (client, clock) = clocked("", routes![]);
    clock.advance(Duration::milliseconds(600));
    let jwt = jwt(&client);
    for (duration, expected) in [
        (Duration::minutes(5), START + 300),
        (Duration::milliseconds(1500), START + 2),
        (Duration::ZERO, START),
        (Duration::seconds(-10), START - 10),
        (Duration::MIN, 0),
    ] {
        let claim = fresh(&jwt.access_token("ada").fresh_for(duration).encode().unwrap());
        assert!(claim.is_i64(), "{claim}");
        // A minimum of what can be written is the beginning of the epoch.
        assert_eq!(claim, expected, "{duration}");
    }
}

#[test]
fn freshness_for_a_time_ends_with_it_and_leeway_does_not_prolong_it() {
    for lines in ["", "decode_leeway = 60"] {
        let (client, clock) = clocked(lines, routes![recent]);
        let token =
            jwt(&client).access_token("ada").fresh_for(Duration::minutes(5)).encode().unwrap();
        let get = || client.get("/recent").header(Bearer(&token)).dispatch();
        for (second, good) in [(0, true), (299, true), (300, false), (301, false)] {
            clock.set(unix(START + second));
            match good {
                true => assert_eq!(get().into_string().as_deref(), Some("ada"), "{second}"),
                false => assert_eq!(msg(get()), (401, "Fresh token required".into()), "{second}"),
            }
            let read = jwt(&client).decode::<NoClaims>(&token).unwrap();
            assert_eq!(read.is_fresh(), good, "{second}");
        }
    }
}

#[test]
fn the_last_call_counts() {
    let (client, _) = clocked("", routes![]);
    let jwt = jwt(&client);
    let hour = Duration::HOUR;
    let token = jwt.access_token("ada").fresh().fresh_for(hour).encode().unwrap();
    assert_eq!(fresh(&token), START + 3600);
    assert_eq!(fresh(&jwt.access_token("ada").fresh_for(hour).fresh().encode().unwrap()), true);
}

#[test]
fn a_refresh_token_is_never_fresh() {
    fn errors(jwt: &Jwt) -> [Error; 2] {
        let hour = Duration::HOUR;
        [
            jwt.refresh_token("ada").fresh().encode().unwrap_err(),
            jwt.refresh_token("ada").fresh_for(hour).encode().unwrap_err(),
        ]
    }
    let (client, _) = clocked("", routes![]);
    for error in errors(jwt(&client)) {
        assert!(matches!(error, Error::FreshRefresh), "{error:?}");
        assert_eq!(error.to_string(), "a refresh token is never fresh");
    }
    assert_eq!(fresh(&jwt(&client).refresh_token("ada").encode().unwrap()), false);
}
