//! A blocklist of the application's own, and what becomes of requests when it does not answer.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use rocket::local::blocking::Client;
use rocket::time::OffsetDateTime;
use rocket_jwt_extended::{
    AccessToken, Blocklist, Error, IgnoreRevocation, Jwt, NoClaims, RefreshToken, Rejection,
    Revocation, Standing, StoreError, TokenIds, TokenPair, UseUp,
};
use serde_json::json;

use crate::ask::*;
use crate::support::*;

/// What the list does when it is asked.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Fine,
    Fails,
    Hangs,
    Panics,
}

/// Every `jti` of it is revoked, and it counts how often it is asked.
struct List {
    revoked: Mutex<HashSet<String>>,
    asked: Mutex<usize>,
    mood: Mutex<Mood>,
}

impl List {
    fn new(mood: Mood) -> Arc<Self> {
        let revoked = Mutex::default();
        Arc::new(Self { revoked, asked: Mutex::new(0), mood: Mutex::new(mood) })
    }

    async fn mood(&self) -> Result<(), StoreError> {
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Fine => Ok(()),
            Mood::Fails => Err(StoreError::new("the secret name of the database is away")),
            Mood::Hangs => std::future::pending().await,
            Mood::Panics => panic!("a bug in the application's store"),
        }
    }
}

struct Shared(Arc<List>);

#[rocket::async_trait]
impl Blocklist for Shared {
    async fn revoke(&self, entry: &Revocation) -> Result<(), StoreError> {
        self.0.mood().await?;
        self.0.revoked.lock().unwrap().insert(entry.id().into());
        Ok(())
    }

    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        *self.0.asked.lock().unwrap() += 1;
        self.0.mood().await?;
        let revoked = self.0.revoked.lock().unwrap();
        match ids.jti().is_some_and(|jti| revoked.contains(jti)) {
            true => Ok(Standing::Revoked),
            false => Ok(Standing::Live),
        }
    }

    async fn use_up(
        &self,
        _: &TokenIds<'_>,
        _: OffsetDateTime,
        _: OffsetDateTime,
    ) -> Result<UseUp, StoreError> {
        self.0.mood().await?;
        Ok(UseUp::First)
    }

    async fn prune(&self, _: OffsetDateTime) -> Result<u64, StoreError> {
        Ok(0)
    }
}

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

fn site(mood: Mood) -> (Client, Arc<List>) {
    let list = List::new(mood);
    let fairing = Jwt::fairing().blocklist(Shared(list.clone()));
    let routes = routes![me, twice, unasked, refresh, logout];
    (client("blocklist_timeout = \"20ms\"", fairing, routes), list)
}

#[test]
fn a_list_of_ones_own_decides_and_is_asked_once_a_request() {
    let (client, list) = site(Mood::Fine);
    let token = jwt(&client).access_token("ada").encode().unwrap();
    assert_eq!(get(&client, "/twice", &token).status().code, 200);
    assert_eq!(*list.asked.lock().unwrap(), 1);
    assert_eq!(get(&client, "/unasked", &token).status().code, 200);
    assert_eq!(*list.asked.lock().unwrap(), 1);

    assert_eq!(post(&client, "/logout", &token).status().code, 200);
    assert_eq!(code(get(&client, "/me", &token)), (401, "token_revoked".into()));
    assert_eq!(get(&client, "/unasked", &token).status().code, 200);
    let another = jwt(&client).access_token("ada").encode().unwrap();
    assert_eq!(get(&client, "/me", &another).status().code, 200);
}

#[test]
fn a_list_that_fails_or_hangs_lets_nobody_in() {
    for mood in [Mood::Fails, Mood::Hangs] {
        let (client, list) = site(mood);
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
        *list.mood.lock().unwrap() = Mood::Fine;
        assert_eq!(get(&client, "/me", &access).status().code, 200);
    }
}

#[test]
fn a_list_that_panics_is_a_500_and_lets_nobody_in() {
    let (client, list) = site(Mood::Panics);
    let token = jwt(&client).access_token("ada").encode().unwrap();
    assert_eq!(get(&client, "/me", &token).status().code, 500);
    *list.mood.lock().unwrap() = Mood::Fine;
    assert_eq!(get(&client, "/me", &token).status().code, 200);
}

#[test]
fn outside_requests_a_list_that_fails_refuses_too() {
    let (client, _) = site(Mood::Fails);
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
