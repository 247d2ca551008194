//! Login, and what every token is made of.

use rocket::serde::{Deserialize, json::Json};
use rocket_jwt_extended::{AccessToken, Error, Jwt, RefreshToken, Rejection, TokenPair};
use serde_json::{Value, json};

use crate::support::ask::*;
use crate::support::*;

#[derive(Deserialize)]
#[serde(crate = "rocket::serde")]
struct Credentials {
    name: String,
}

#[post("/login", data = "<who>")]
fn login(jwt: &Jwt, who: Json<Credentials>) -> Result<Value, Error> {
    Ok(json!({"access_token": jwt.access_token(&who.name).encode()?}))
}

#[post("/login/pair", data = "<who>")]
fn login_pair(jwt: &Jwt, who: Json<Credentials>) -> Result<TokenPair, Error> {
    jwt.token_pair(&who.name).issue()
}

#[get("/me")]
fn me(token: AccessToken) -> Value {
    json!({"logged_in_as": token.identity()})
}

#[post("/refresh")]
async fn refresh(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
    jwt.rotate(token).await
}

#[test]
fn a_login_gives_a_token_that_opens_a_route() {
    let (client, _) = clocked("", routes![login, me]);
    assert_eq!(msg(get(&client, "/me", "")), (401, "Missing Authorization Header".into()));
    let response = client.post("/login").json(&json!({"name": "ada"})).dispatch();
    let body: Value = response.into_json().unwrap();
    let token = body["access_token"].as_str().unwrap();
    let (status, body) = answer(get(&client, "/me", token));
    assert_eq!((status.code, body), (200, json!({"logged_in_as": "ada"})));
}

#[test]
fn a_refresh_route_takes_the_refresh_token_and_no_other() {
    let (client, _) = clocked("invalid_token_status = 422", routes![login_pair, me, refresh]);
    let request = client.post("/login/pair").json(&json!({"name": "ada"}));
    let [access, refresh] = pair(request.dispatch());
    let refusal = (422, "Only non-refresh tokens are allowed".to_string());
    assert_eq!(msg(get(&client, "/me", &refresh)), refusal);
    let refusal = (422, "Only refresh tokens are allowed".to_string());
    assert_eq!(msg(post(&client, "/refresh", &access)), refusal);
    let [access, _] = pair(post(&client, "/refresh", &refresh));
    assert_eq!(get(&client, "/me", &access).status().code, 200);
}

#[test]
fn an_audience_of_one_token_is_given_by_its_builder() {
    let (client, _) = clocked("decode_audience = \"api\"\nencode_audience = \"web\"", routes![me]);
    let jwt = jwt(&client);
    let configured = jwt.access_token("ada").encode().unwrap();
    assert_eq!(payload(&configured)["aud"], "web");
    let own = jwt.access_token("ada").audience("api").encode().unwrap();
    assert_eq!(payload(&own)["aud"], "api");
    assert_eq!(msg(get(&client, "/me", &configured)), (401, "Audience doesn't match".into()));
    assert_eq!(get(&client, "/me", &own).status().code, 200);
    // As a claim it would be an override that nobody sees: it has a method of its own.
    let builder = jwt.access_token("ada").claims(&json!({"aud": "api"}));
    assert!(matches!(builder.encode(), Err(Error::ReservedClaim(name)) if name == "aud"));
}
