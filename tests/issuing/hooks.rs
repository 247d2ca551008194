//! What an application hooks into the fairing.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use crate::support::pem::{Kind, pair};
use crate::support::*;
use rocket::http::Status;
use rocket::local::blocking::Client;
use rocket_jwt_extended::jsonwebtoken::Algorithm;
use rocket_jwt_extended::{
    AccessToken, Claims, Error, Event, Jwt, JwtFairing, NoClaims, Optional, RefreshToken,
    Rejection, SigningKey, TokenPair, VerifyingKey,
};
use serde_json::json;

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().into()
}

#[get("/twice")]
fn twice(_one: AccessToken<Claims>, _two: Optional, token: AccessToken) -> String {
    token.identity().into()
}

#[post("/rotate")]
async fn rotate(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
    jwt.rotate(token).await
}

#[delete("/logout")]
async fn logout(jwt: &Jwt, token: AccessToken) -> Result<Status, Error> {
    jwt.revoke_session(&token).await?;
    Ok(Status::NoContent)
}

fn fairing() -> JwtFairing {
    Jwt::fairing().clock(clock_at_start())
}

#[test]
fn what_a_hook_hands_out_is_never_written_to() {
    fn shared() -> &'static Claims {
        static SHARED: OnceLock<Claims> = OnceLock::new();
        SHARED.get_or_init(|| Claims::from_iter([("shared".to_string(), json!(true))]))
    }
    let fairing =
        fairing().additional_claims(|_| shared().clone()).additional_headers(|_| shared().clone());
    let client = client("", fairing, routes![]);
    let jwt = jwt(&client);
    let admin = jwt.access_token("ada").claims(&json!({"admin": true})).header("kid", "k");
    let admin = admin.encode().unwrap();
    assert_eq!((&payload(&admin)["admin"], &part(&admin, 0)["kid"]), (&json!(true), &json!("k")));
    let other = jwt.access_token("bob").encode().unwrap();
    let (header, claims) = (part(&other, 0), payload(&other));
    assert_eq!((&claims["shared"], &header["shared"]), (&json!(true), &json!(true)));
    assert!(claims["admin"].is_null() && header["kid"].is_null());
    assert_eq!(shared().len(), 1);
}

#[test]
fn each_hook_is_asked_once_a_token_with_the_identity_as_text() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let note = |name: &'static str| {
        let asked = asked.clone();
        move |identity: &str| asked.lock().unwrap().push(format!("{name} {identity}"))
    };
    let (key, headers, claims) = (note("key"), note("headers"), note("claims"));
    let fairing = fairing()
        .additional_claims(move |identity| {
            claims(identity);
            Claims::new()
        })
        .additional_headers(move |identity| {
            headers(identity);
            Claims::new()
        })
        .signing_key(move |identity| {
            key(identity);
            None
        });
    let client = client("", fairing, routes![]);
    jwt(&client).access_token(7).encode().unwrap();
    // The key first: its algorithm is what the header says.
    assert_eq!(*asked.lock().unwrap(), ["key 7", "headers 7", "claims 7"]);
    asked.lock().unwrap().clear();
    jwt(&client).token_pair(8).issue().unwrap();
    assert_eq!(asked.lock().unwrap().len(), 6);
}

#[test]
fn a_signing_hook_signs_for_whom_it_has_a_key_and_leaves_the_rest_to_the_configured_one() {
    let own = SigningKey::from_pem(Algorithm::ES256, pair(Kind::P256).private.as_bytes()).unwrap();
    let fairing = fairing()
        .signing_key(move |identity| (identity == "ada").then(|| own.clone()))
        .verifying_key(|header, _| match header.alg {
            Algorithm::ES256 => {
                let pem = pair(Kind::P256).public.as_bytes();
                VerifyingKey::from_pem(Algorithm::ES256, pem).ok()
            }
            _ => None,
        });
    let client = client("", fairing, routes![me]);
    for (identity, algorithm) in [("ada", "ES256"), ("bob", "HS256")] {
        let token = jwt(&client).access_token(identity).encode().unwrap();
        assert_eq!(part(&token, 0)["alg"], algorithm);
        let response = client.get("/me").header(Bearer(&token)).dispatch();
        assert_eq!(response.into_string().as_deref(), Some(identity));
    }
}

#[test]
fn a_verify_claims_hook_can_say_no_and_is_asked_once_a_request() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let fairing = fairing().verify_claims(move |token| {
        count.fetch_add(1, Ordering::SeqCst);
        token.claims.get("banned").is_none() && token.identity() != "eve"
    });
    let client = client("", fairing, routes![me, twice]);
    let get = |uri: &'static str, token: &str| client.get(uri).header(Bearer(token)).dispatch();
    let good = sign(&claims());
    assert_eq!(get("/twice", &good).into_string().as_deref(), Some("ada"));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    for bad in [json!({"banned": true}), json!({"sub": "eve"})] {
        let bad = sign(&with(bad));
        let response = get("/me", &bad);
        assert_eq!(response.headers().get_one("WWW-Authenticate"), None);
        let (status, body) = answer(response);
        assert_eq!(status, Status::BadRequest);
        let text = "User claims verification failed";
        assert_eq!(body, json!({"msg": text, "code": "claims_rejected"}));
        // Decoding alone asks no hook.
        assert!(jwt(&client).decode::<NoClaims>(&bad).is_ok());
    }
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[test]
fn an_on_rejection_hook_answers_with_anything_and_knows_the_token() {
    let fairing = fairing().on_rejection(|rejection, request| {
        let whose = rejection.token().map(|token| token.identity().to_string());
        let path = request.uri().path().as_str();
        let body = json!({"error": rejection.code(), "at": path, "whose": whose});
        (Status::ImATeapot, body.to_string())
    });
    let client = client("", fairing, routes![me]);
    let cases = [
        (None, json!({"error": "token_missing", "at": "/me", "whose": null})),
        (
            Some("nonsense".to_string()),
            json!({"error": "token_invalid", "at": "/me", "whose": null}),
        ),
        (
            Some(sign(&with(json!({"exp": START})))),
            json!({"error": "token_expired", "at": "/me", "whose": "ada"}),
        ),
    ];
    for (token, expected) in cases {
        let mut request = client.get("/me");
        if let Some(token) = token {
            request.add_header(Bearer(&token));
        }
        let (status, body) = answer(request.dispatch());
        assert_eq!((status, body), (Status::ImATeapot, expected));
    }
    // What is none of ours is answered as ever.
    assert_eq!(client.get("/nowhere").dispatch().status(), Status::NotFound);
}

fn with_events(lines: &str) -> (Client, Arc<Mutex<Vec<Event>>>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = events.clone();
    let fairing = fairing().on_event(move |event| seen.lock().unwrap().push(event.clone()));
    (client(lines, fairing, routes![me, rotate, logout]), events)
}

#[test]
fn events_tell_what_was_issued_to_whom() {
    let (client, events) = with_events("");
    let pair = jwt(&client).token_pair("ada").issue().unwrap();
    let alone = jwt(&client).access_token("bob").encode().unwrap();
    let told: Vec<_> = events
        .lock()
        .unwrap()
        .drain(..)
        .map(|event| match event {
            Event::Issued { token_type, identity, jti, session_id, .. } => {
                (token_type.to_string(), identity, jti, session_id)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    for (told, token) in told.iter().zip([pair.access_token(), pair.refresh_token(), &alone]) {
        let claims = payload(token);
        assert_eq!(told.0, claims["type"]);
        assert_eq!(told.1, claims["sub"]);
        assert_eq!(told.2, claims["jti"]);
        assert_eq!(told.3.as_deref(), claims["sid"].as_str());
    }
    assert_eq!(told.len(), 3);
    assert!(jwt(&client).access_token("").encode().is_err());
    assert!(events.lock().unwrap().is_empty(), "what was not issued is not told of");
}

#[test]
fn events_tell_what_was_refused_revoked_and_stolen() {
    let (client, events) = with_events("rotation_grace = \"0s\"");
    let pair = jwt(&client).token_pair("ada").issue().unwrap();
    events.lock().unwrap().clear();
    let kinds = || {
        let mut events = events.lock().unwrap();
        let names: Vec<_> = events
            .drain(..)
            .map(|event| match event {
                Event::Issued { .. } => "issued".to_string(),
                Event::Refused { rejection, .. } => format!("refused {}", rejection.code()),
                Event::Revoked { .. } => "revoked".into(),
                Event::ReuseDetected { identity, .. } => format!("stolen from {identity}"),
                other => panic!("{other:?}"),
            })
            .collect();
        names.join(", ")
    };
    client.get("/me").dispatch();
    assert_eq!(kinds(), "refused token_missing");
    client.get("/me").header(Bearer("nonsense")).dispatch();
    assert_eq!(kinds(), "refused token_invalid");
    client.get("/me").header(Bearer(pair.access_token())).dispatch();
    assert_eq!(kinds(), "");
    let use_up = || client.post("/rotate").header(Bearer(pair.refresh_token())).dispatch().status();
    assert_eq!(use_up(), Status::Ok);
    assert_eq!(kinds(), "issued, issued");
    assert_eq!(use_up(), Status::Unauthorized);
    assert_eq!(kinds(), "revoked, stolen from ada, refused token_revoked");

    let pair = jwt(&client).token_pair("ada").issue().unwrap();
    events.lock().unwrap().clear();
    let response = client.delete("/logout").header(Bearer(pair.access_token())).dispatch();
    assert_eq!(response.status(), Status::NoContent);
    assert_eq!(kinds(), "revoked");
}

#[test]
fn the_clock_given_is_the_one_everything_goes_by() {
    let clock = clock_at_start();
    let client = client("", Jwt::fairing().clock(clock.clone()), routes![me]);
    // Long before this test was written, and long after.
    for start in [1_000_000, 32_503_680_000] {
        clock.set(unix(start));
        let token = jwt(&client).access_token("ada").encode().unwrap();
        assert_eq!(payload(&token)["exp"], start + 900);
        let get = || client.get("/me").header(Bearer(&token)).dispatch().status();
        assert_eq!(get(), Status::Ok);
        clock.set(unix(start + 900));
        assert_eq!(get(), Status::Unauthorized);
        clock.set(unix(start - 1));
        assert_eq!(get(), Status::Unauthorized);
    }
}

#[test]
fn without_a_clock_it_is_now() {
    let client = client("", Jwt::fairing(), routes![]);
    let before = rocket::time::OffsetDateTime::now_utc().unix_timestamp();
    let claims = payload(&jwt(&client).access_token("ada").encode().unwrap());
    let after = rocket::time::OffsetDateTime::now_utc().unix_timestamp();
    let iat = claims["iat"].as_i64().unwrap();
    assert!((before..=after).contains(&iat), "{before} {iat} {after}");
}
