//! How long a token is asked to live.

use crate::support::*;
use rocket_jwt_extended::{Duration, Error, Jwt, NoClaims, RefreshToken};

fn span(token: &str) -> Option<i64> {
    let claims = payload(token);
    claims.get("exp").map(|exp| exp.as_i64().unwrap() - claims["iat"].as_i64().unwrap())
}

fn refusal(jwt: &Jwt, token: &str) -> String {
    jwt.decode::<NoClaims>(token).map_or_else(|refusal| refusal.to_string(), |_| "good".into())
}

#[test]
fn the_builder_decides_and_else_the_configuration() {
    let (client, _) = clocked("", routes![]);
    let jwt = jwt(&client);
    for (token, expected) in [
        (jwt.access_token("ada").encode(), 900),
        (jwt.refresh_token("ada").encode(), 2_592_000),
        (jwt.access_token("ada").expires_in(Duration::minutes(1)).encode(), 60),
        (jwt.refresh_token("ada").expires_in(Duration::hours(1)).encode(), 3600),
        (jwt.access_token("ada").expires_in(Duration::days(36_500)).encode(), 3_153_600_000),
    ] {
        assert_eq!(span(&token.unwrap()), Some(expected));
    }
}

#[test]
fn a_token_lives_until_its_last_second_is_over() {
    let (client, clock) = clocked("", routes![]);
    let jwt = jwt(&client);
    clock.advance(Duration::milliseconds(700));
    let token = jwt.access_token("ada").expires_in(Duration::seconds(2)).encode().unwrap();
    for (millis, expected) in
        [(700, "good"), (1999, "good"), (2000, "Token has expired"), (2001, "Token has expired")]
    {
        clock.set(unix(START));
        clock.advance(Duration::milliseconds(millis));
        assert_eq!(refusal(jwt, &token), expected, "after {millis} ms");
    }
}

#[test]
fn a_lifetime_of_zero_or_less_makes_an_expired_token_and_never_an_endless_one() {
    let (client, _) = clocked("", routes![]);
    let jwt = jwt(&client);
    for lifetime in [Duration::ZERO, Duration::seconds(-1), Duration::days(-400)] {
        for token in [
            jwt.access_token("ada").expires_in(lifetime).encode(),
            jwt.refresh_token("ada").expires_in(lifetime).encode(),
            jwt.token_pair("ada")
                .expires_in(lifetime)
                .issue()
                .map(|pair| pair.access_token().into()),
        ] {
            let token = token.unwrap();
            assert_eq!(span(&token), Some(lifetime.whole_seconds()));
            assert_eq!(refusal(jwt, &token), "Token has expired", "{lifetime}");
        }
    }
}

#[test]
fn never_is_said_by_name_and_only_where_exp_is_not_required() {
    let (client, _) = clocked("", routes![]);
    let error = jwt(&client).access_token("ada").never_expires().encode().unwrap_err();
    assert!(matches!(error, Error::Lifetime(_)), "{error:?}");
    assert_eq!(error.to_string(), "the token must expire: `exp` is a required claim");

    for lines in ["required_claims = []", "access_token_expires = false"] {
        let (client, clock) = clocked(lines, routes![]);
        let token = jwt(&client).access_token("ada").never_expires().encode().unwrap();
        assert_eq!(span(&token), None, "{lines}");
        clock.advance(Duration::days(36_000));
        assert_eq!(refusal(jwt(&client), &token), "good", "{lines}");
    }
}

#[test]
fn a_configuration_of_never_gives_way_to_the_builder() {
    let (client, _) = clocked("access_token_expires = false", routes![]);
    let jwt = jwt(&client);
    assert_eq!(span(&jwt.access_token("ada").encode().unwrap()), None);
    let token = jwt.access_token("ada").expires_in(Duration::seconds(5)).encode().unwrap();
    assert_eq!(span(&token), Some(5));
    // Refresh tokens are of another setting.
    assert_eq!(span(&jwt.refresh_token("ada").encode().unwrap()), Some(2_592_000));
    assert!(jwt.refresh_token("ada").never_expires().encode().is_err());
}

#[test]
fn what_no_calendar_holds_is_an_error() {
    let (client, _) = clocked("", routes![]);
    for lifetime in
        [Duration::MAX, Duration::MIN, Duration::weeks(1_000_000), Duration::days(-30_000)]
    {
        let error = jwt(&client).access_token("ada").expires_in(lifetime).encode().unwrap_err();
        assert_eq!(error.to_string(), "the token's expiry is out of range", "{lifetime}");
    }
}

#[test]
fn no_token_outlives_max_token_lifetime() {
    let lines = "max_token_lifetime = \"1h\"\nrefresh_token_expires = \"1h\"\nrequired_claims = []";
    let (client, _) = clocked(lines, routes![]);
    let jwt = jwt(&client);
    let hour = Duration::HOUR;
    assert!(jwt.access_token("ada").expires_in(hour).encode().is_ok());
    for error in [
        jwt.access_token("ada").expires_in(hour + Duration::SECOND).encode().unwrap_err(),
        jwt.refresh_token("ada").expires_in(hour + Duration::SECOND).encode().unwrap_err(),
        jwt.access_token("ada").never_expires().encode().unwrap_err(),
        jwt.token_pair("ada").refresh_expires_in(hour * 2).issue().unwrap_err(),
    ] {
        assert_eq!(error.to_string(), "the token would outlive `max_token_lifetime`");
    }
}

#[test]
fn no_token_of_a_session_outlives_the_longer_configured_lifetime() {
    let (client, _) = clocked("required_claims = []", routes![]);
    let jwt = jwt(&client);
    let month = Duration::days(30);
    let more = month + Duration::SECOND;
    let pair = jwt.token_pair("ada").expires_in(month).refresh_expires_in(month).issue().unwrap();
    let token = rocket::execute(jwt.verify::<RefreshToken>(pair.refresh_token())).unwrap();
    for error in [
        jwt.token_pair("ada").expires_in(more).issue().unwrap_err(),
        jwt.token_pair("ada").refresh_expires_in(more).issue().unwrap_err(),
        jwt.token_pair("ada").never_expires().issue().unwrap_err(),
        jwt.access_token("ada").session(&token).expires_in(more).encode().unwrap_err(),
    ] {
        assert!(error.to_string().starts_with("a token of a session must not outlive"), "{error}");
    }
    // Alone it may.
    assert!(jwt.access_token("ada").expires_in(more).encode().is_ok());
}
