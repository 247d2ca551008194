//! A token that comes again is judged as if it came for the first time, whether its signature is
//! remembered or not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::pem::{Kind, pair};
use crate::support::*;
use jsonwebtoken::Algorithm;
use rocket::local::asynchronous::Client;
use rocket::time::Duration;
use rocket_jwt_extended::{AccessToken, AnyToken, Fresh, Jwt, RefreshToken, jsonwebtoken};

const COSTLY: [Algorithm; 5] =
    [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA];

/// What a guard says of a token.
macro_rules! verdict {
    ($jwt:expr, $guard:ty, $token:expr) => {
        match $jwt.verify::<$guard>($token).await {
            Ok(token) => token.identity().to_string(),
            Err(rejection) => rejection.to_string(),
        }
    };
}

/// An application for each algorithm, with the signatures remembered and without.
async fn each<F: std::future::Future<Output = ()>>(
    judge: impl Fn(Client, ManualClock, Arc<AtomicBool>) -> F,
) {
    for algorithm in COSTLY {
        for cache in ["", "token_cache = 0"] {
            let key = &pair(Kind::of(algorithm)).private;
            let lines = format!(
                "[default.jwt]\nalgorithm = \"{algorithm:?}\"\nprivate_key = '''{key}'''\n{cache}"
            );
            let (clock, accepts) = (clock_at_start(), Arc::new(AtomicBool::new(true)));
            let hook = accepts.clone();
            let fairing = Jwt::fairing()
                .clock(clock.clone())
                .verify_claims(move |_| hook.load(Ordering::SeqCst));
            let rocket = rocket::custom(raw_figment(&lines)).attach(fairing);
            judge(Client::untracked(rocket).await.unwrap(), clock, accepts).await;
        }
    }
}

#[rocket::async_test]
async fn all_that_follows_the_signature_is_asked_each_time() {
    each(|client, clock, accepts| async move {
        let jwt = Jwt::fetch(client.rocket()).unwrap();
        let token = jwt.access_token("ada").fresh_for(Duration::minutes(5)).encode().unwrap();
        for _ in 0..3 {
            assert_eq!(verdict!(jwt, AccessToken, &token), "ada");
            assert_eq!(verdict!(jwt, Fresh, &token), "ada");
            assert_eq!(verdict!(jwt, AnyToken, &token), "ada");
            assert_eq!(verdict!(jwt, RefreshToken, &token), "Only refresh tokens are allowed");
        }
        accepts.store(false, Ordering::SeqCst);
        assert_eq!(verdict!(jwt, AccessToken, &token), "User claims verification failed");
        accepts.store(true, Ordering::SeqCst);
        clock.advance(Duration::minutes(5));
        assert_eq!(verdict!(jwt, Fresh, &token), "Fresh token required");
        assert_eq!(verdict!(jwt, AccessToken, &token), "ada");
        clock.advance(Duration::minutes(-6));
        assert_eq!(verdict!(jwt, AccessToken, &token), "The token is not yet valid (iat)");
        clock.advance(Duration::minutes(6));
        jwt.revoke(&jwt.decode::<rocket_jwt_extended::NoClaims>(&token).unwrap()).await.unwrap();
        assert_eq!(verdict!(jwt, AccessToken, &token), "Token has been revoked");
        clock.advance(Duration::minutes(10));
        for _ in 0..2 {
            assert_eq!(verdict!(jwt, AccessToken, &token), "Token has expired");
        }
    })
    .await;
}

#[rocket::async_test]
async fn no_other_text_passes_for_one_that_did() {
    each(|client, _, _| async move {
        let jwt = Jwt::fetch(client.rocket()).unwrap();
        let token = jwt.access_token("ada").encode().unwrap();
        assert_eq!(verdict!(jwt, AccessToken, &token), "ada");
        for at in (0..token.len()).step_by(7) {
            let mut other = token.clone();
            let changed = if &other[at..=at] == "A" { "B" } else { "A" };
            other.replace_range(at..=at, changed);
            assert!(jwt.verify::<AccessToken>(&other).await.is_err(), "at {at}");
        }
        for other in [format!("{token} "), format!("{token}="), token[..token.len() - 1].into()] {
            assert!(jwt.verify::<AccessToken>(&other).await.is_err());
        }
        assert_eq!(verdict!(jwt, AccessToken, &token), "ada");
    })
    .await;
}

#[rocket::async_test]
async fn a_key_hook_is_asked_each_time() {
    let key = &pair(Kind::P256).private;
    let lines = format!("[default.jwt]\nalgorithm = \"ES256\"\nprivate_key = '''{key}'''");
    let knows = Arc::new(AtomicBool::new(true));
    let asked = knows.clone();
    let fairing = Jwt::fairing().clock(clock_at_start()).verifying_key(move |_, _| {
        let other = &pair(Kind::AnotherP256).public;
        let other = || {
            rocket_jwt_extended::VerifyingKey::from_pem(Algorithm::ES256, other.as_bytes()).unwrap()
        };
        (!asked.load(Ordering::SeqCst)).then(other)
    });
    let client =
        Client::untracked(rocket::custom(raw_figment(&lines)).attach(fairing)).await.unwrap();
    let jwt = Jwt::fetch(client.rocket()).unwrap();
    let token = jwt.access_token("ada").encode().unwrap();
    assert_eq!(verdict!(jwt, AccessToken, &token), "ada");
    knows.store(false, Ordering::SeqCst);
    assert_eq!(verdict!(jwt, AccessToken, &token), "Signature verification failed");
}
