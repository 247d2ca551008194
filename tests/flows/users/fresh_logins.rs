//! Freshness: by login, and for a time.

use rocket_jwt_extended::{AccessToken, Duration, Error, Fresh, Jwt, RefreshToken, TokenPair};
use serde_json::json;

use crate::support::ask::*;
use crate::support::*;

#[post("/login?<minutes>")]
fn login(jwt: &Jwt, minutes: Option<i64>) -> Result<TokenPair, Error> {
    let builder = jwt.token_pair("ada");
    match minutes {
        Some(minutes) => builder.fresh_for(Duration::minutes(minutes)).issue(),
        None => builder.fresh().issue(),
    }
}

/// Refresh without rotation: an access token of the same session.
#[post("/refresh")]
fn refresh(jwt: &Jwt, token: RefreshToken) -> Result<String, Error> {
    jwt.access_token(token.identity()).session(&token).encode()
}

#[get("/me")]
fn me(token: AccessToken) -> String {
    format!("{} {}", token.identity(), token.is_fresh())
}

#[post("/password")]
fn password(token: Fresh) -> String {
    token.identity().into()
}

#[test]
fn a_login_is_fresh_and_a_refresh_is_not() {
    let (client, _) = clocked("", routes![login, refresh, me, password]);
    let [access, refresh] = pair(post(&client, "/login", ""));
    assert_eq!(payload(&access)["fresh"], true);
    assert_eq!(payload(&refresh)["fresh"], false);
    assert_eq!(post(&client, "/password", &access).into_string().unwrap(), "ada");
    assert_eq!(get(&client, "/me", &access).into_string().unwrap(), "ada true");

    let later = post(&client, "/refresh", &refresh).into_string().unwrap();
    assert_eq!(payload(&later)["fresh"], false);
    assert_eq!(text(&later, "sid"), text(&access, "sid"));
    assert_eq!(get(&client, "/me", &later).into_string().unwrap(), "ada false");
    let refusal = (401, "Fresh token required".to_string());
    assert_eq!(msg(post(&client, "/password", &later)), refusal);
}

#[test]
fn a_token_can_be_fresh_for_a_time() {
    let (client, clock) = clocked("decode_leeway = 60", routes![login, me, password]);
    let [access, _] = pair(post(&client, "/login?minutes=10", ""));
    // Whole seconds, as an integer.
    assert_eq!(payload(&access)["fresh"], json!(START + 600));
    clock.set(unix(START + 599));
    assert_eq!(post(&client, "/password", &access).status().code, 200);
    // Leeway is for clocks, not for freshness.
    clock.set(unix(START + 600));
    assert_eq!(code(post(&client, "/password", &access)), (401, "fresh_token_required".into()));
    assert_eq!(get(&client, "/me", &access).into_string().unwrap(), "ada false");
}
