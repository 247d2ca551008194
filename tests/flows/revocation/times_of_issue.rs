//! The time of issue: never in the future, whatever a `jti` says and however often somebody logs out.

use rocket::local::asynchronous::Client as AsyncClient;
use rocket::time::OffsetDateTime;
use rocket_jwt_extended::{
    AccessToken, Duration, Error, Jwt, RefreshToken, Rejection, TokenIds, TokenPair,
};
use serde_json::json;
use uuid::Uuid;

use crate::support::ask::*;
use crate::support::*;

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().into()
}

#[post("/refresh")]
async fn refresh(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
    jwt.rotate(token).await
}

/// A UUIDv7 of that millisecond.
fn v7(millis: i64) -> String {
    let bytes = [7; 10];
    uuid::Builder::from_unix_timestamp_millis(millis as u64, &bytes).into_uuid().to_string()
}

/// The time in a token's `jti`, in milliseconds.
fn jti_millis(token: &str) -> i64 {
    let uuid = Uuid::try_parse(&text(token, "jti")).unwrap();
    let (seconds, nanos) = uuid.get_timestamp().unwrap().to_unix();
    seconds as i64 * 1000 + i64::from(nanos) / 1_000_000
}

fn now_millis() -> i64 {
    (OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000) as i64
}

/// In the year 9987.
const YEAR_9987: i64 = 253_000_000_000_000;

#[test]
fn a_jti_of_the_future_is_not_issued() {
    let (client, clock) = clocked("", routes![me]);
    let jwt = jwt(&client);
    clock.advance(Duration::milliseconds(500));
    let now = START * 1000 + 500;
    for millis in [YEAR_9987, now + 1, now + 1000] {
        let future = || v7(millis);
        for refused in [
            jwt.access_token("ada").token_id(future()).encode().unwrap_err(),
            jwt.refresh_token("ada").token_id(future()).encode().unwrap_err(),
            jwt.token_pair("ada").token_id(future()).issue().unwrap_err(),
            jwt.access_token("ada").token_id(future()).never_expires().encode().unwrap_err(),
        ] {
            assert!(matches!(refused, Error::FutureTokenId), "{millis}: {refused}");
        }
    }
    for id in [v7(now), v7(0), v7(YEAR_9987).to_uppercase(), "9987".into()] {
        let token = jwt.access_token("ada").token_id(&id).encode().unwrap();
        assert_eq!(text(&token, "jti"), id);
        rocket::execute(jwt.revoke_all("ada")).unwrap();
        assert_eq!(get(&client, "/me", &token).status().code, 401, "{id}");
        clock.advance(Duration::SECOND);
    }
}

#[test]
fn a_jti_of_the_future_does_not_outlive_a_logout_everywhere() {
    let (client, clock) = clocked("required_claims = []", routes![me, refresh]);
    let jwt = jwt(&client);
    for (iat, jti) in [
        (json!(START), v7(YEAR_9987)),
        (json!(START), v7((START + 1) * 1000)),
        (json!(START as f64 + 0.25), v7(YEAR_9987)),
        (json!(START - 100), v7(START * 1000 + 1)),
        // Without `iat` only its issuer's word would say how old it is.
        (json!(null), v7(YEAR_9987)),
        (json!(null), v7(START * 1000)),
    ] {
        for kind in ["access", "refresh"] {
            let mut claims = with(json!({"jti": jti, "iat": iat, "type": kind, "sid": jti}));
            claims["exp"] = (START + 1_000_000).into();
            if iat.is_null() {
                claims.as_object_mut().unwrap().remove("iat");
            }
            claims.as_object_mut().unwrap().remove("sid");
            clock.set(unix(START));
            clock.advance(Duration::milliseconds(500));
            let name = format!("{kind} {jti} {iat}");
            claims["sub"] = name.as_str().into();
            let token = sign(&claims);
            let alive = || match kind {
                "access" => get(&client, "/me", &token).status().code == 200,
                _ => rocket::execute(jwt.verify::<RefreshToken>(&token)).is_ok(),
            };
            assert!(alive(), "{name}");
            clock.advance(Duration::milliseconds(999));
            rocket::execute(jwt.revoke_all(&name)).unwrap();
            assert!(!alive(), "{name}");
            clock.advance(Duration::days(1));
            assert!(!alive(), "{name}, a day later");
        }
    }
}

#[test]
fn a_v7_time_counts_up_to_the_end_of_the_second_of_iat() {
    let iat = OffsetDateTime::from_unix_timestamp(START).unwrap();
    let millis = START * 1000;
    for (jti, counts) in [
        (v7(millis + 5), millis + 5),
        (v7(millis - 5), millis - 5),
        (v7(millis + 999), millis + 999),
        (v7(millis + 1000), millis + 999),
        (v7(YEAR_9987), millis + 999),
        ("no UUID".into(), millis),
    ] {
        let ids = TokenIds::new(Some(&jti), None, Some("ada"), Some(iat));
        assert_eq!(ids.issued_millis(), Some(counts), "{jti}");
    }
}

#[rocket::async_test]
async fn logins_and_logouts_everywhere_in_turn_do_not_push_the_time_of_issue_ahead() {
    let client =
        AsyncClient::untracked(app("", Jwt::fairing(), routes![me, refresh])).await.unwrap();
    let jwt = Jwt::fetch(client.rocket()).unwrap();
    for turn in 0..2_000 {
        jwt.revoke_all("mallory").await.unwrap();
        let token = jwt.access_token("mallory").encode().unwrap();
        assert!(jti_millis(&token) <= now_millis() + 1, "turn {turn}");
        jwt.verify::<AccessToken>(&token).await.unwrap();
    }
    valid_now(&client, jwt).await;
}

#[rocket::async_test]
async fn the_same_goes_for_many_who_do_so_concurrently() {
    let client =
        AsyncClient::untracked(app("", Jwt::fairing(), routes![me, refresh])).await.unwrap();
    let jwt = Jwt::fetch(client.rocket()).unwrap();
    let turns = (0..40).map(|index| async move {
        let name = format!("user {index}");
        for _ in 0..50 {
            let before = jwt.access_token(&name).encode().unwrap();
            assert!(jti_millis(&before) <= now_millis() + 1);
            jwt.revoke_all(&name).await.unwrap();
            let after = jwt.access_token(&name).encode().unwrap();
            assert!(jti_millis(&after) <= now_millis() + 1);
            assert!(jwt.verify::<AccessToken>(&before).await.is_err());
            jwt.verify::<AccessToken>(&after).await.unwrap();
        }
    });
    rocket::futures::future::join_all(turns).await;
    valid_now(&client, jwt).await;
}

/// A pair that is made by rotation is valid immediately, and no time in it is in the future.
async fn valid_now(client: &AsyncClient, jwt: &Jwt) {
    let first = jwt.token_pair("ada").issue().unwrap();
    let request = client.post("/refresh").header(Bearer(first.refresh_token()));
    let body = request.dispatch().await.into_string().await.unwrap();
    let pair: serde_json::Value = serde_json::from_str(&body).unwrap();
    for key in ["access_token", "refresh_token"] {
        let token = pair[key].as_str().unwrap_or_else(|| panic!("{body}"));
        assert!(jti_millis(token) <= now_millis() + 1);
        for claim in ["iat", "nbf"] {
            assert!(payload(token)[claim].as_i64().unwrap() * 1000 <= now_millis());
        }
    }
    let request = client.get("/me").header(Bearer(pair["access_token"].as_str().unwrap()));
    assert_eq!(request.dispatch().await.status().code, 200);
}

#[test]
fn a_clock_that_is_set_back_issues_nothing_of_the_future() {
    let (client, clock) = clocked("", routes![me, refresh]);
    let jwt = jwt(&client);
    let stolen = jwt.token_pair("ada").issue().unwrap();
    rocket::execute(jwt.revoke_all("ada")).unwrap();
    clock.set(unix(START - 3600));
    rocket::execute(jwt.revoke_all("ada")).unwrap();
    let now = (START - 3600) * 1000 + 1;
    let login = jwt.token_pair("alan").issue().unwrap();
    // Its successor is a millisecond later, whatever the clock says.
    clock.advance(Duration::MILLISECOND);
    let next = pair(post(&client, "/refresh", login.refresh_token()));
    for token in [login.access_token(), login.refresh_token(), &next[0], &next[1]] {
        assert!(jti_millis(token) <= now, "{}", payload(token));
        assert_eq!(payload(token)["iat"], START - 3600);
    }
    assert_eq!(get(&client, "/me", &next[0]).status().code, 200);
    // What was issued before is revoked, also when its time comes again.
    clock.set(unix(START + 1));
    assert_eq!(get(&client, "/me", stolen.access_token()).status().code, 401);
}
