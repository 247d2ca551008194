//! What only the `verifying_key` hook vouches for is never turned into a token of ours.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rocket::local::blocking::Client;
use rocket_jwt_extended::jsonwebtoken::{Algorithm, EncodingKey};
use rocket_jwt_extended::{
    AccessToken, Claims, Duration, Error, Jwt, JwtFairing, Reason, RefreshToken, Rejection,
    SigningKey, TokenPair, VerifyingKey,
};
use serde_json::{Value, json};

use crate::support::ask::*;
use crate::support::*;

#[get("/me")]
fn me(token: AccessToken<Claims>) -> String {
    token.claims["role"].as_str().unwrap_or_default().into()
}

#[get("/look")]
fn look(token: RefreshToken) -> String {
    token.identity().into()
}

#[post("/refresh")]
async fn refresh(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
    jwt.rotate(token).await
}

#[post("/access")]
fn access(jwt: &Jwt, token: RefreshToken) -> Result<String, Error> {
    jwt.access_token(token.identity()).session(&token).encode()
}

#[post("/logout")]
async fn logout(jwt: &Jwt, token: AccessToken) -> Result<(), Error> {
    jwt.revoke_session(&token).await
}

/// A server that accepts a partner's tokens for as long as the switch is on.
struct Site {
    client: Client,
    clock: ManualClock,
    partner: Vec<u8>,
    accepted: Arc<AtomicBool>,
}

const RENEWING: &str =
    "token_location = [\"headers\", \"cookies\"]\nimplicit_refresh_within = \"15m\"";

fn new_secret() -> Vec<u8> {
    [uuid::Uuid::new_v4().into_bytes(), uuid::Uuid::new_v4().into_bytes()].concat()
}

impl Site {
    fn new(hooks: impl FnOnce(JwtFairing) -> JwtFairing) -> Self {
        let (clock, partner) = (clock_at_start(), new_secret());
        let accepted = Arc::new(AtomicBool::new(true));
        let key = VerifyingKey::from_secret(Algorithm::HS256, &partner).unwrap();
        let is_on = accepted.clone();
        let fairing = Jwt::fairing().clock(clock.clone()).verifying_key(move |header, _| {
            let theirs = header.kid.as_deref() == Some("partner");
            (theirs && is_on.load(Ordering::SeqCst)).then(|| key.clone())
        });
        let routes = routes![me, look, refresh, access, logout];
        Self { client: client(RENEWING, hooks(fairing), routes), clock, partner, accepted }
    }

    fn foreign(&self, claims: &Value) -> String {
        let key = EncodingKey::from_secret(&self.partner).unwrap();
        sign_as(Algorithm::HS256, &key, r#"{"alg":"HS256","kid":"partner"}"#, &claims.to_string())
    }

    /// The cookie that an answer sets for a token that came in one.
    fn renewed(&self, token: &str) -> Option<String> {
        let request = self.client.get("/me").cookie(("access_token_cookie", token.to_string()));
        let response = request.dispatch();
        assert_eq!(response.status().code, 200);
        let cookie = response.cookies().get("access_token_cookie");
        cookie.map(|cookie| cookie.value().to_string())
    }
}

fn admin(kind: &str) -> Value {
    with(json!({"role": "admin", "type": kind}))
}

#[test]
fn a_partners_refresh_token_is_not_exchanged_for_one_of_ours() {
    let site = Site::new(|fairing| fairing);
    let token = site.foreign(&admin("refresh"));
    assert_eq!(get(&site.client, "/look", &token).status().code, 200);
    for _ in 0..2 {
        let refusal = (401, "No key for this token".to_string());
        assert_eq!(msg(post(&site.client, "/refresh", &token)), refusal);
    }
    // It was not used up either.
    assert_eq!(get(&site.client, "/look", &token).status().code, 200);
    let jwt = jwt(&site.client);
    let guard = rocket::execute(jwt.verify::<RefreshToken>(&token)).unwrap();
    let error = jwt.access_token("ada").session(&guard).encode().unwrap_err();
    assert!(matches!(error, Error::Session(_)), "{error}");
    assert_eq!(post(&site.client, "/access", &token).status().code, 500);
    site.accepted.store(false, Ordering::SeqCst);
    assert_eq!(get(&site.client, "/look", &token).status().code, 401);
}

#[test]
fn a_partners_access_token_is_not_renewed() {
    let site = Site::new(|fairing| fairing);
    assert_eq!(site.renewed(&site.foreign(&admin("access"))), None);
    // Ours is, with the same hook.
    let ours = sign(&admin("access"));
    let renewed = site.renewed(&ours).expect("ours is renewed");
    assert_eq!(payload(&renewed)["role"], "admin");
    // Nor when both come in one request.
    let foreign = site.foreign(&admin("access"));
    let request = site.client.get("/me").cookie(("access_token_cookie", foreign));
    assert!(set_cookies(&request.header(Bearer(&ours)).dispatch()).is_empty());
}

#[test]
fn a_key_of_ours_is_ours_whoever_gives_it() {
    // The hook gives the configured key.
    let configured = VerifyingKey::from_secret(Algorithm::HS256, secret().as_bytes()).unwrap();
    let clock = clock_at_start();
    let fairing = Jwt::fairing().clock(clock).verifying_key(move |_, _| Some(configured.clone()));
    let client = client(RENEWING, fairing, routes![me, refresh]);
    pair(post(&client, "/refresh", &sign(&admin("refresh"))));

    // The hook `signing_key` signs for `ada` with the key by which the other hook verifies.
    let tenant = |site: &Site| site.partner.clone();
    let slot = Arc::new(std::sync::OnceLock::<SigningKey>::new());
    let key = slot.clone();
    let site = Site::new(move |fairing| {
        fairing.signing_key(move |identity| (identity == "ada").then(|| key.get().cloned())?)
    });
    slot.set(SigningKey::from_secret(Algorithm::HS256, &tenant(&site)).unwrap()).unwrap();
    let token = site.foreign(&admin("refresh"));
    let made = pair(post(&site.client, "/refresh", &token));
    assert_eq!(payload(&made[0])["role"], "admin");
    assert!(site.renewed(&site.foreign(&admin("access"))).is_some());
    // Not for anybody else, even if the key signed it.
    let mut other = admin("refresh");
    other["sub"] = "alan".into();
    let refusal = (401, "No key for this token".to_string());
    assert_eq!(msg(post(&site.client, "/refresh", &site.foreign(&other))), refusal);
}

#[test]
fn a_partners_token_with_the_ids_of_ours_does_not_end_our_session() {
    let site = Site::new(|fairing| fairing);
    let first = jwt(&site.client).token_pair("ada").claims(&json!({"role": ""})).issue().unwrap();
    let next = pair(post(&site.client, "/refresh", first.refresh_token()));
    site.clock.advance(Duration::MINUTE);
    let mut forged = payload(first.refresh_token());
    forged["sub"] = "mallory".into();
    let forged = site.foreign(&forged);
    // It is not compared with the row of our session, which says that the token was exchanged.
    assert_eq!(get(&site.client, "/look", &forged).into_string().unwrap(), "mallory");
    assert_eq!(post(&site.client, "/refresh", &forged).status().code, 401);
    assert_eq!(get(&site.client, "/me", &next[0]).status().code, 200);
    assert_eq!(get(&site.client, "/look", &next[1]).status().code, 200);
    // The end of the session counts for it as well.
    assert_eq!(code(post(&site.client, "/refresh", first.refresh_token())).1, "token_revoked");
    assert_eq!(code(get(&site.client, "/look", &forged)), (401, "token_revoked".into()));
}

#[test]
fn a_partners_token_with_the_sid_of_ours_logs_out_itself_alone() {
    let site = Site::new(|fairing| fairing);
    let pair = jwt(&site.client).token_pair("ada").claims(&json!({"role": ""})).issue().unwrap();
    let mut forged = admin("access");
    forged["sid"] = payload(pair.access_token())["sid"].clone();
    let forged = site.foreign(&forged);
    assert_eq!(post(&site.client, "/logout", &forged).status().code, 200);
    assert_eq!(code(get(&site.client, "/me", &forged)), (401, "token_revoked".into()));
    assert_eq!(get(&site.client, "/me", pair.access_token()).status().code, 200);
    assert_eq!(get(&site.client, "/look", pair.refresh_token()).status().code, 200);
}

#[rocket::async_test]
async fn in_rust_the_refusal_of_an_exchange_says_that_no_key_of_ours_signed_it() {
    use rocket::local::asynchronous::Client as AsyncClient;

    let secret = new_secret();
    let key = VerifyingKey::from_secret(Algorithm::HS256, &secret).unwrap();
    let fairing =
        Jwt::fairing().clock(clock_at_start()).verifying_key(move |_, _| Some(key.clone()));
    let client = AsyncClient::untracked(app("", fairing, vec![])).await.unwrap();
    let jwt = Jwt::fetch(client.rocket()).unwrap();
    let signing = EncodingKey::from_secret(&secret).unwrap();
    let claims = admin("refresh").to_string();
    let token = sign_as(Algorithm::HS256, &signing, r#"{"alg":"HS256"}"#, &claims);
    let request = client.get("/").header(Bearer(&token));
    let guard = request.inner().guard::<RefreshToken>().await.succeeded().unwrap();
    let refusal = jwt.rotate(guard).await.unwrap_err();
    assert_eq!((refusal.reason(), refusal.code()), (&Reason::UnknownKey, "token_invalid"));
}
