//! What must not outlive a logout, a lifetime, or a clock that is set back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rocket::http::{Header, Status};
use rocket::local::asynchronous::Client as AsyncClient;
use rocket::time::Duration;
use rocket_jwt_extended::*;
use serde_json::json;

use crate::support::store_stub::{Answer, Call, Gate, StoreStub};
use crate::support::*;

const RENEWING: &str = "token_location = [\"cookies\"]\nimplicit_refresh_within = \"15m\"";

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().to_string()
}

#[derive(Responder)]
struct Cacheable(&'static str, Header<'static>);

#[get("/page")]
fn page(_token: AccessToken) -> Cacheable {
    Cacheable("a page", Header::new("Cache-Control", "public, max-age=600"))
}

#[post("/refresh")]
async fn refresh(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
    jwt.rotate(token).await
}

#[post("/logout")]
async fn logout(jwt: &Jwt, token: RefreshToken) -> Result<(), Error> {
    jwt.revoke_session(&token).await
}

fn access_cookie(token: &str) -> (&'static str, String) {
    ("access_token_cookie", token.to_string())
}

#[rocket::async_test]
async fn a_token_that_is_being_renewed_does_not_outlive_a_logout_everywhere() {
    // Holds back the answer to the second lookup, that of the renewal.
    let (gate, asked) = (Arc::<Gate>::default(), AtomicUsize::new(0));
    let held = gate.clone();
    let store = StoreStub::new(move |call| match call {
        Call::Standing(_) if asked.fetch_add(1, Ordering::SeqCst) == 1 => {
            Answer::HoldBack(held.clone())
        }
        _ => Answer::FromMemory,
    });
    let rocket = app(RENEWING, Jwt::fairing().blocklist(store), routes![me]);
    let client = AsyncClient::untracked(rocket).await.unwrap();
    let jwt = Jwt::fetch(client.rocket()).unwrap();
    let pair = jwt.token_pair("ada").issue().unwrap();

    let request = client.get("/me").cookie(access_cookie(pair.access_token()));
    let log_out = async {
        gate.reached.notified().await;
        jwt.revoke_all("ada").await.unwrap();
        gate.open.notify_one();
    };
    let (response, ()) = rocket::tokio::join!(request.dispatch(), log_out);
    let renewed = response.cookies().get("access_token_cookie").unwrap().value().to_string();

    for token in [pair.access_token(), &renewed] {
        let response = client.get("/me").cookie(access_cookie(token)).dispatch().await;
        assert_eq!(response.status(), Status::Unauthorized);
    }
}

#[test]
fn an_answer_with_a_renewed_token_is_kept_out_of_every_cache() {
    let (client, _) = clocked(RENEWING, routes![page]);
    let token = jwt(&client).access_token("ada").encode().unwrap();
    let response = client.get("/page").cookie(access_cookie(&token)).dispatch();
    assert!(response.cookies().get("access_token_cookie").is_some());
    let caching: Vec<_> = response.headers().get("Cache-Control").collect();
    assert_eq!(caching, ["no-store"]);
}

#[test]
fn a_logout_with_a_lone_refresh_token_ends_what_it_was_exchanged_for() {
    let (client, clock) = clocked("", routes![refresh, logout, me]);
    let lone = jwt(&client).refresh_token("ada").encode().unwrap();
    let post = |path: &'static str, token: &str| client.post(path).header(Bearer(token)).dispatch();
    let (_, pair) = answer(post("/refresh", &lone));
    clock.advance(Duration::seconds(1));
    assert_eq!(post("/logout", &lone).status(), Status::Ok);

    assert_eq!(code(post("/refresh", &lone)).1, "token_revoked");
    assert_eq!(code(post("/refresh", pair["refresh_token"].as_str().unwrap())).1, "token_revoked");
    let me = client.get("/me").header(Bearer(pair["access_token"].as_str().unwrap()));
    assert_eq!(code(me.dispatch()).1, "token_revoked");
}

#[test]
fn what_follows_a_token_of_less_than_the_usual_life_lives_no_longer() {
    let (client, clock) = clocked("", routes![refresh]);
    let pair = jwt(&client).token_pair("ada").refresh_expires_in(Duration::HOUR).issue().unwrap();
    clock.advance(Duration::minutes(59));
    let (_, next) = answer(client.post("/refresh").header(Bearer(pair.refresh_token())).dispatch());
    let refresh = payload(next["refresh_token"].as_str().unwrap());
    assert_eq!(refresh["exp"], START + 59 * 60 + 3600);

    let (client, _) = clocked(RENEWING, routes![me]);
    let short = jwt(&client).access_token("ada").expires_in(Duration::MINUTE).encode().unwrap();
    let response = client.get("/me").cookie(access_cookie(&short)).dispatch();
    let renewed = response.cookies().get("access_token_cookie").unwrap().value().to_string();
    assert_eq!(payload(&renewed)["exp"], START + 60);
}

#[rocket::async_test]
async fn a_clock_that_is_set_back_makes_no_token_of_the_future() {
    let clock = clock_at_start();
    let client = AsyncClient::untracked(app("", Jwt::fairing().clock(clock.clone()), vec![])).await;
    let client = client.unwrap();
    let jwt = Jwt::fetch(client.rocket()).unwrap();
    clock.set(unix(START + 3600));
    jwt.revoke_all("ada").await.unwrap();
    clock.set(unix(START));

    let login = jwt.token_pair("alan").issue().unwrap();
    assert!(jwt.verify::<AccessToken>(login.access_token()).await.is_ok());
    assert_eq!(payload(login.access_token())["iat"], START);

    // Her cut-off is in the future, and no token may be: she waits until the clock is there again.
    let login = jwt.token_pair("ada").issue().unwrap();
    let refusal = jwt.verify::<AccessToken>(login.access_token()).await.unwrap_err();
    assert_eq!(refusal.code(), "token_revoked");
    clock.set(unix(START + 3601));
    let login = jwt.token_pair("ada").issue().unwrap();
    assert!(jwt.verify::<AccessToken>(login.access_token()).await.is_ok());
}

#[rocket::async_test]
async fn a_guard_that_was_held_past_its_token_s_end_is_exchanged_for_nothing() {
    let clock = clock_at_start();
    let client = AsyncClient::untracked(app("", Jwt::fairing().clock(clock.clone()), vec![])).await;
    let client = client.unwrap();
    let jwt = Jwt::fetch(client.rocket()).unwrap();
    let token = jwt.refresh_token("ada").encode().unwrap();
    let request = client.get("/").header(Bearer(&token));
    let guard = request.inner().guard::<RefreshToken>().await.succeeded().unwrap();
    clock.advance(Duration::days(30));
    assert_eq!(jwt.rotate(guard).await.unwrap_err().code(), "token_expired");
}

#[test]
fn a_claim_that_could_be_read_in_two_ways_is_refused() {
    let (client, _) = clocked("", routes![me]);
    for name in ["RawValue", "Number"] {
        let own = json!({ format!("$serde_json::private::{name}"): "1" });
        let token = sign(&with(json!({ "own": own })));
        let response = client.get("/me").header(Bearer(&token)).dispatch();
        assert_eq!(msg(response), (401, "Invalid payload string".into()));
    }
}
