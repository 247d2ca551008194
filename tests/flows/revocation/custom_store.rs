//! A blocklist of the application's own, and what becomes of requests when it does not answer.

use std::sync::Arc;

use rocket::local::blocking::Client;
use rocket_jwt_extended::{
    AccessToken, Error, IgnoreRevocation, Jwt, NoClaims, RefreshToken, Rejection, TokenPair,
};
use serde_json::json;

use crate::support::ask::*;
use crate::support::store_stub::{Answer, Call, StoreStub};
use crate::support::*;

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().into()
}

#[get("/twice")]
fn twice(token: AccessToken, again: AccessToken, _either: IgnoreRevocation<AccessToken>) -> String {
    assert_eq!(token.jti(), again.jti());
    token.identity().into()
}

#[get("/unasked")]
fn unasked(token: IgnoreRevocation<AccessToken>) -> String {
    token.identity().into()
}

#[post("/refresh")]
async fn refresh(jwt: &Jwt, token: IgnoreRevocation<RefreshToken>) -> Result<TokenPair, Rejection> {
    jwt.rotate(token.into_inner()).await
}

#[post("/logout")]
async fn logout(jwt: &Jwt, token: IgnoreRevocation<AccessToken>) -> Result<(), Error> {
    jwt.revoke(&token).await
}

type Behaviour = fn(Call<'_>) -> Answer;

const FINE: Behaviour = |_| Answer::FromMemory;
const FAILS: Behaviour = |_| Answer::Fail("the secret name of the database is away");
const HANGS: Behaviour = |_| Answer::Hang;
const PANICS: Behaviour = |_| panic!("a bug in the application's store");

fn site(behaviour: Behaviour) -> (Client, Arc<StoreStub>) {
    let list = Arc::new(StoreStub::new(behaviour));
    let fairing = Jwt::fairing().blocklist(list.clone());
    let routes = routes![me, twice, unasked, refresh, logout];
    (client("blocklist_timeout = \"20ms\"", fairing, routes), list)
}

#[test]
fn a_list_of_ones_own_decides_and_is_asked_once_a_request() {
    let (client, list) = site(FINE);
    let token = jwt(&client).access_token("ada").encode().unwrap();
    assert_eq!(get(&client, "/twice", &token).status().code, 200);
    assert_eq!(list.lookups(), 1);
    assert_eq!(get(&client, "/unasked", &token).status().code, 200);
    assert_eq!(list.lookups(), 1);

    assert_eq!(post(&client, "/logout", &token).status().code, 200);
    assert_eq!(code(get(&client, "/me", &token)), (401, "token_revoked".into()));
    assert_eq!(get(&client, "/unasked", &token).status().code, 200);
    let another = jwt(&client).access_token("ada").encode().unwrap();
    assert_eq!(get(&client, "/me", &another).status().code, 200);
}

#[test]
fn a_list_that_fails_or_hangs_lets_nobody_in() {
    for behaviour in [FAILS, HANGS] {
        let (client, list) = site(behaviour);
        let access = jwt(&client).access_token("ada").encode().unwrap();
        let token = jwt(&client).refresh_token("ada").encode().unwrap();
        for response in [
            get(&client, "/me", &access),
            post(&client, "/refresh", &token),
            post(&client, "/logout", &access),
        ] {
            let (status, body) = answer(response);
            assert_eq!(status.code, 503);
            let msg = "Token store is unavailable";
            assert_eq!(body, json!({"msg": msg, "code": "store_unavailable"}));
        }
        assert_eq!(get(&client, "/unasked", &access).status().code, 200);
        // What is not well is not remembered.
        list.set(FINE);
        assert_eq!(get(&client, "/me", &access).status().code, 200);
    }
}

#[test]
fn a_list_that_panics_is_a_500_and_lets_nobody_in() {
    let (client, list) = site(PANICS);
    let token = jwt(&client).access_token("ada").encode().unwrap();
    assert_eq!(get(&client, "/me", &token).status().code, 500);
    list.set(FINE);
    assert_eq!(get(&client, "/me", &token).status().code, 200);
}

#[test]
fn outside_requests_a_list_that_fails_refuses_too() {
    let (client, _) = site(FAILS);
    let jwt = jwt(&client);
    let token = jwt.access_token("ada").encode().unwrap();
    let refusal = rocket::execute(jwt.verify::<AccessToken>(&token)).unwrap_err();
    assert_eq!((refusal.status().code, refusal.code()), (503, "store_unavailable"));
    let token = jwt.decode::<NoClaims>(&token).unwrap();
    for result in [
        rocket::execute(jwt.revoke(&token)),
        rocket::execute(jwt.revoke_session(&token)),
        rocket::execute(jwt.revoke_all("ada")),
    ] {
        assert!(matches!(result, Err(Error::Store(_))), "{result:?}");
    }
}
