//! Many exchanges of one refresh token at once.

use std::collections::HashSet;

use rocket::futures::future::join_all;
use rocket::local::asynchronous::Client;
use rocket_jwt_extended::{
    AccessToken, Event, Jwt, JwtFairing, RefreshToken, Rejection, TokenPair,
};
use serde_json::Value;

use crate::support::*;

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().into()
}

#[post("/refresh")]
async fn refresh(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
    jwt.rotate(token).await
}

async fn site(toml: &str, fairing: JwtFairing) -> Client {
    Client::untracked(app(toml, fairing, routes![me, refresh])).await.unwrap()
}

/// What a hundred exchanges of one token at once are answered with.
async fn hundred(client: &Client, token: &str) -> Vec<(u16, Value)> {
    let exchange = |_| async move {
        let response = client.post("/refresh").header(Bearer(token)).dispatch().await;
        (response.status().code, response.into_json().await.unwrap())
    };
    join_all((0..100).map(exchange)).await
}

async fn me_by(client: &Client, token: &str) -> u16 {
    client.get("/me").header(Bearer(token)).dispatch().await.status().code
}

fn login(client: &Client) -> TokenPair {
    Jwt::fetch(client.rocket()).unwrap().token_pair("ada").issue().unwrap()
}

#[rocket::async_test]
async fn a_hundred_exchanges_at_once_give_one_pair() {
    let issued = std::sync::Arc::new(std::sync::Mutex::new(0));
    let count = issued.clone();
    let fairing = Jwt::fairing().clock(clock_at_start()).on_event(move |event| {
        if matches!(event, Event::Issued { .. }) {
            *count.lock().unwrap() += 1;
        }
    });
    let client = site("", fairing).await;
    let first = login(&client);
    let answers = hundred(&client, first.refresh_token()).await;
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
    for key in ["access_token", "refresh_token"] {
        let different: HashSet<_> = answers.iter().map(|(_, body)| body[key].as_str()).collect();
        assert_eq!(different.len(), 1, "{key}");
    }
    // Two at the login, and two more.
    assert_eq!(*issued.lock().unwrap(), 4);
    let access = answers[0].1["access_token"].as_str().unwrap();
    assert_eq!(me_by(&client, access).await, 200);
}

#[rocket::async_test]
async fn the_same_goes_for_the_real_clock_and_many_threads() {
    let client = std::sync::Arc::new(site("", Jwt::fairing()).await);
    let first = login(&client);
    let token = std::sync::Arc::new(first.refresh_token().to_string());
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let (client, token) = (client.clone(), token.clone());
            rocket::tokio::spawn(async move {
                let jwt = Jwt::fetch(client.rocket()).unwrap();
                let request = client.post("/refresh").header(Bearer(&token));
                let token = request.inner().guard::<RefreshToken>().await.unwrap();
                jwt.rotate(token).await
            })
        })
        .collect();
    let mut pairs = HashSet::new();
    for task in tasks {
        let pair = task.await.unwrap().unwrap();
        pairs.insert((pair.access_token().to_string(), pair.refresh_token().to_string()));
    }
    assert_eq!(pairs.len(), 1);
}

#[rocket::async_test]
async fn without_a_grace_one_exchange_succeeds_and_the_others_end_the_session() {
    let fairing = Jwt::fairing().clock(clock_at_start());
    let client = site("rotation_grace = \"0s\"", fairing).await;
    let first = login(&client);
    let answers = hundred(&client, first.refresh_token()).await;
    let (good, bad): (Vec<_>, Vec<_>) = answers.iter().partition(|(status, _)| *status == 200);
    assert_eq!(good.len(), 1);
    assert!(bad.iter().all(|(status, body)| *status == 401 && body["code"] == "token_revoked"));
    let access = good[0].1["access_token"].as_str().unwrap();
    assert_eq!(me_by(&client, access).await, 401);
    assert_eq!(me_by(&client, first.access_token()).await, 401);
}

#[rocket::async_test]
async fn sessions_do_not_get_into_each_others_way() {
    let client = site("", Jwt::fairing().clock(clock_at_start())).await;
    let logins: Vec<_> = (0..20).map(|_| login(&client)).collect();
    let exchanges = logins.iter().map(|pair| hundred(&client, pair.refresh_token()));
    let mut accesses = HashSet::new();
    for answers in join_all(exchanges).await {
        assert!(answers.iter().all(|(status, _)| *status == 200));
        accesses.extend(answers.iter().map(|(_, body)| body["access_token"].to_string()));
    }
    assert_eq!(accesses.len(), 20);
}
