//! Rotation: a refresh token is exchanged for a pair, once.

use rocket::local::blocking::Client;
use rocket::serde::{Deserialize, json::Json};
use rocket_jwt_extended::{
    AccessToken, Claims, Duration, Fresh, Jwt, JwtFairing, RefreshToken, Rejection, TokenPair,
};
use serde_json::{Value, json};

use crate::support::ask::*;
use crate::support::*;

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().into()
}

#[get("/fresh")]
fn fresh(token: Fresh) -> String {
    token.identity().into()
}

/// A route that lets a refresh token in and does not use it up.
#[get("/look")]
fn look(token: RefreshToken) -> String {
    token.identity().into()
}

#[post("/refresh")]
async fn refresh(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
    jwt.rotate(token).await
}

#[derive(Deserialize)]
#[serde(crate = "rocket::serde")]
struct Own(Value);

#[post("/refresh/with", data = "<claims>")]
async fn refresh_with(
    jwt: &Jwt,
    token: RefreshToken<Claims>,
    claims: Json<Own>,
) -> Result<TokenPair, Rejection> {
    jwt.rotate(token).claims(&claims.0.0).await
}

fn site(toml: &str, fairing: JwtFairing) -> (Client, ManualClock) {
    let clock = clock_at_start();
    let routes = routes![me, fresh, look, refresh, refresh_with];
    (client(toml, fairing.clock(clock.clone()), routes), clock)
}

#[test]
fn a_pair_is_of_the_same_session_later_and_never_fresh() {
    let (client, clock) = site("", Jwt::fairing());
    let first = jwt(&client).token_pair("ada").fresh().issue().unwrap();
    assert_eq!(get(&client, "/fresh", first.access_token()).status().code, 200);
    clock.advance(Duration::minutes(20));
    let [access, refresh] = pair(post(&client, "/refresh", first.refresh_token()));
    assert_eq!(get(&client, "/me", &access).into_string().unwrap(), "ada");
    assert_eq!(code(get(&client, "/fresh", &access)), (401, "fresh_token_required".into()));

    for (token, old, kind, lifetime) in [
        (&access, first.access_token(), "access", 900),
        (&refresh, first.refresh_token(), "refresh", 30 * 86_400),
    ] {
        let (new, old) = (payload(token), payload(old));
        assert_eq!((&new["type"], &new["sid"]), (&json!(kind), &old["sid"]));
        assert_eq!((&new["sub"], &new["fresh"]), (&json!("ada"), &json!(false)));
        assert_eq!(new["iat"], START + 1200);
        assert_eq!(new["exp"], START + 1200 + lifetime);
        for claim in ["jti", "csrf"] {
            assert_ne!(new[claim], old[claim]);
        }
    }
    assert_ne!(text(&access, "jti"), text(&refresh, "jti"));
    assert_ne!(text(&access, "csrf"), text(&refresh, "csrf"));
}

#[test]
fn the_answer_is_a_token_response_that_nobody_stores() {
    let (client, _) = site("", Jwt::fairing());
    let first = jwt(&client).token_pair("ada").issue().unwrap();
    let response = post(&client, "/refresh", first.refresh_token());
    assert_eq!(response.headers().get_one("Cache-Control"), Some("no-store"));
    let body: Value = response.into_json().unwrap();
    let mut names = members(&body);
    names.sort();
    assert_eq!(names, ["access_token", "expires_in", "refresh_token", "token_type"]);
    assert_eq!((&body["expires_in"], &body["token_type"]), (&json!(900), &json!("Bearer")));
}

#[test]
fn custom_claims_and_audience_go_along_unless_others_are_given() {
    let (client, _) = site("decode_audience = [\"web\", \"api\"]", Jwt::fairing());
    let own = json!({"role": "admin", "team": 7});
    let first = jwt(&client).token_pair("ada").claims(&own).audience("web").issue().unwrap();
    let [access, second] = pair(post(&client, "/refresh", first.refresh_token()));
    for token in [&access, &second] {
        let payload = payload(token);
        assert_eq!((&payload["role"], &payload["team"]), (&own["role"], &own["team"]));
        assert_eq!(payload["aud"], "web");
    }
    let request = client.post("/refresh/with").header(Bearer(&second));
    let [access, third] = pair(request.json(&json!({"role": "reader"})).dispatch());
    for token in [&access, &third] {
        let payload = payload(token);
        assert_eq!((&payload["role"], payload.get("team")), (&json!("reader"), None));
    }
}

#[test]
fn the_hooks_run_again_and_win_over_the_old_tokens_claims() {
    use std::sync::atomic::{AtomicU64, Ordering};
    static VERSION: AtomicU64 = AtomicU64::new(1);
    let fairing = Jwt::fairing().additional_claims(|_| {
        let version = VERSION.load(Ordering::SeqCst);
        Claims::from_iter([("version".to_string(), version.into())])
    });
    let (client, _) = site("", fairing);
    let first = jwt(&client).token_pair("ada").claims(&json!({"role": "admin"})).issue().unwrap();
    assert_eq!(payload(first.access_token())["version"], 1);
    VERSION.store(2, Ordering::SeqCst);
    let [access, _] = pair(post(&client, "/refresh", first.refresh_token()));
    assert_eq!(payload(&access)["version"], 2);
    assert_eq!(payload(&access)["role"], "admin");
}

#[test]
fn what_can_not_be_issued_does_not_cost_the_session() {
    let (client, _) = site("", Jwt::fairing());
    let first = jwt(&client).token_pair("ada").issue().unwrap();
    for claims in [json!({"sub": "eve"}), json!([1])] {
        let request = client.post("/refresh/with").header(Bearer(first.refresh_token()));
        let (status, body) = answer(request.json(&claims).dispatch());
        assert_eq!((status.code, &body["code"]), (500, &json!("not_issued")));
    }
    assert_eq!(get(&client, "/me", first.access_token()).status().code, 200);
    pair(post(&client, "/refresh", first.refresh_token()));
}

#[test]
fn a_refresh_token_without_a_session_begins_one() {
    let (client, clock) = site("", Jwt::fairing());
    let lone = jwt(&client).refresh_token("ada").encode().unwrap();
    assert_eq!(payload(&lone).get("sid"), None);
    let [access, second] = pair(post(&client, "/refresh", &lone));
    assert_eq!(text(&access, "sid"), text(&second, "sid"));
    // Again within the grace: the same session.
    assert_eq!(pair(post(&client, "/refresh", &lone)), [access.clone(), second.clone()]);
    // After it, the session that began is ended.
    clock.advance(Duration::seconds(11));
    assert_eq!(code(post(&client, "/refresh", &lone)), (401, "token_revoked".into()));
    assert_eq!(code(get(&client, "/me", &access)), (401, "token_revoked".into()));
    assert_eq!(code(get(&client, "/look", &second)), (401, "token_revoked".into()));
}

#[test]
fn exchanges_faster_than_the_clock_do_not_outrun_a_logout_everywhere() {
    // A clock that stands still, and one that does not.
    for fairing in [Jwt::fairing().clock(clock_at_start()), Jwt::fairing()] {
        let client = client("", fairing, routes![me, look, refresh]);
        let jwt = jwt(&client);
        let first = jwt.token_pair("ada").issue().unwrap();
        let mut last = [first.access_token().to_string(), first.refresh_token().to_string()];
        for _ in 0..50 {
            last = pair(post(&client, "/refresh", &last[1]));
        }
        rocket::execute(jwt.revoke_all("ada")).unwrap();
        for (path, token) in [("/me", &last[0]), ("/look", &last[1])] {
            assert_eq!(code(get(&client, path, token)), (401, "token_revoked".into()));
        }
    }
}

#[test]
fn a_token_without_jti_can_not_be_used_up_and_is_refused() {
    let (client, _) = site("", Jwt::fairing());
    let mut claims = without(&["jti"]);
    claims["type"] = "refresh".into();
    let token = sign(&claims);
    assert_eq!(get(&client, "/look", &token).status().code, 200);
    let refusal = (401, "Missing claim: jti".to_string());
    assert_eq!(msg(post(&client, "/refresh", &token)), refusal);
}

#[test]
fn an_access_token_is_not_exchanged() {
    let (client, _) = site("", Jwt::fairing());
    let first = jwt(&client).token_pair("ada").issue().unwrap();
    let refused = post(&client, "/refresh", first.access_token());
    assert_eq!(code(refused), (401, "wrong_token_type".into()));
    pair(post(&client, "/refresh", first.refresh_token()));
}

#[test]
fn a_chain_of_a_thousand_exchanges_holds_and_its_first_link_ends_it() {
    let (client, clock) = site("", Jwt::fairing());
    let first = jwt(&client).token_pair("ada").issue().unwrap();
    let mut last = [first.access_token().to_string(), first.refresh_token().to_string()];
    let mut ids = std::collections::HashSet::new();
    for _ in 0..1000 {
        clock.advance(Duration::seconds(1));
        last = pair(post(&client, "/refresh", &last[1]));
        assert!(ids.insert(text(&last[0], "jti")) && ids.insert(text(&last[1], "jti")));
    }
    assert_eq!(get(&client, "/me", &last[0]).status().code, 200);
    assert_eq!(get(&client, "/look", &last[1]).status().code, 200);
    assert_eq!(code(post(&client, "/refresh", first.refresh_token())).1, "token_revoked");
    assert_eq!(code(get(&client, "/me", &last[0])).1, "token_revoked");
    assert_eq!(code(get(&client, "/look", &last[1])).1, "token_revoked");
}
