//! What `Debug` and `Display` of everything public show: never a token, a secret or a key.

use std::fmt::{Debug, Display};
use std::process::Command;
use std::sync::{Arc, Mutex};

use crate::support::common::*;
use crate::support::implements::{check, table};
use crate::support::refused_requests::{bare, cases, fairing, routes};
use crate::support::users::{NotBob, User};
use crate::support::*;
use rocket::http::{ContentType, Status};
use rocket::local::blocking::Client;
use rocket::serde::{Serialize, json::Json};
use rocket_jwt_extended::jsonwebtoken::Algorithm;
use rocket_jwt_extended::{
    AccessToken, AnyToken, Audience, BodyError, Claims, CookieWriter, CurrentUser, Decoder,
    Duration, Error, Fresh, Headers, IgnoreRevocation, In, IntoRevocation, Jwt, JwtFairing,
    NoClaims, Optional, OrForward, RefreshToken, Rejection, Require, Rotation, SigningKey,
    StoreError, Token, TokenBuilder, TokenIds, TokenPair, TokenPairBuilder, VerifyingKey, WithBody,
    danger,
};
use serde_json::json;

/// Everything that was shown, to be searched.
#[derive(Default)]
struct Shown(Vec<String>);

impl Shown {
    fn debug(&mut self, value: &dyn Debug) {
        self.0.push(format!("{value:?}"));
        self.0.push(format!("{value:#?}"));
    }

    fn display(&mut self, value: &dyn Display) {
        self.0.push(value.to_string());
    }

    /// Fails if anything of `secret` was shown: its text, its parts, its bytes.
    fn never(&self, secret: &str) {
        let bytes = format!("{:?}", secret.as_bytes());
        let bytes = &bytes[1..bytes.len() - 1];
        let parts = secret.split('.').filter(|part| part.len() > 8);
        for part in parts.chain([bytes]) {
            for shown in &self.0 {
                assert!(!shown.contains(part), "{part} is shown in {shown}");
            }
        }
        assert!(!self.0.is_empty());
    }
}

#[get("/guards")]
#[allow(clippy::too_many_arguments)]
fn guards(
    access: AccessToken,
    claims: AccessToken<NoClaims>,
    any: AnyToken,
    fresh: Fresh<In<Headers, IgnoreRevocation<AccessToken>>>,
    optional: Optional,
    forward: OrForward<AccessToken>,
    require: Require<NotBob, CurrentUser<User>>,
    refresh: Result<RefreshToken, Rejection>,
    jwt: &Jwt,
) -> String {
    let mut shown = Shown::default();
    for value in [
        &access as &dyn Debug,
        &claims,
        &any,
        &fresh,
        &optional,
        &forward,
        &require,
        &refresh,
        &jwt,
        &*access,
        access.header(),
        &access.location(),
        &access.token_type(),
        &Fresh::clone(&fresh),
    ] {
        shown.debug(value);
    }
    shown.0.join("\n")
}

#[post("/body", data = "<body>")]
fn body(body: WithBody<AccessToken, &[u8]>) -> String {
    format!("{body:?} {body:#?}")
}

#[post("/json", data = "<body>")]
fn json_body(body: WithBody<AccessToken, Json<Claims>>) -> String {
    format!("{body:?} {body:#?}")
}

#[post("/error", data = "<body>")]
fn body_error(
    body: Result<WithBody<AccessToken, Json<u8>>, BodyError<rocket::serde::json::Error<'_>>>,
) -> String {
    format!("{:?}", body.map(|_| ()).unwrap_err())
}

#[test]
fn guards_and_tokens_show_no_token() {
    let fairing = Jwt::fairing().clock(clock_at_start());
    let toml = "token_location = [\"headers\", \"json\"]";
    let client = client(toml, fairing, routes![guards, body, json_body, body_error]);
    let token = sign(&with(json!({"fresh": true})));
    let (status, shown) = said(client.get("/guards").header(Bearer(&token)).dispatch());
    assert_eq!(status, 200);
    assert!(shown.contains("AccessToken") && shown.contains("wrong_token_type"), "{shown}");
    let mut all = Shown(vec![shown]);

    let with_token = format!(r#"{{"access_token": "{token}"}}"#);
    for uri in ["/body", "/json", "/error"] {
        let request = client.post(uri).header(ContentType::JSON).body(&with_token);
        let (status, shown) = said(request.dispatch());
        assert_eq!(status, 200, "{shown}");
        all.0.push(shown);
    }
    all.never(&token);
    all.never(secret());
    all.never("the-csrf-value");
}

#[test]
fn refusals_and_events_show_no_token() {
    let events = Arc::new(Mutex::new(Shown::default()));
    let seen = events.clone();
    let fairing = fairing().on_event(move |event| seen.lock().unwrap().debug(event));
    let seen = events.clone();
    let fairing = fairing.on_rejection(move |rejection, _| {
        let mut shown = seen.lock().unwrap();
        shown.debug(rejection);
        shown.display(rejection);
        shown.debug(rejection.reason());
        shown.debug(&Error::Rejected(rejection.clone()));
        shown.display(&Error::Rejected(rejection.clone()));
        shown.debug(&BodyError::<()>::Rejected(rejection.clone()));
        rejection.clone()
    });
    let client = Client::untracked(bare("", fairing).mount("/", routes())).unwrap();
    let mut tokens = vec![];
    for case in cases() {
        let request = case.send(&client, "");
        let inner = request.inner();
        tokens.extend(inner.headers().get("Authorization").map(|line| line.replace("Bearer ", "")));
        tokens.extend(inner.cookies().iter().map(|cookie| cookie.value().to_string()));
        request.dispatch();
    }
    let events = events.lock().unwrap();
    assert!(tokens.len() > 30 && events.0.len() > 100);
    tokens.iter().for_each(|token| events.never(token));
    events.never(secret());
    events.never("the-csrf-value");
}

#[test]
fn what_is_issued_and_revoked_shows_no_token() {
    let events = Arc::new(Mutex::new(Shown::default()));
    let seen = events.clone();
    let fairing = Jwt::fairing().clock(clock_at_start());
    let fairing = fairing.on_event(move |event| seen.lock().unwrap().debug(event));
    let client = client("", fairing, vec![]);
    let jwt = jwt(&client);
    let pair = jwt.token_pair("ada").issue().unwrap();
    let token = wait(jwt.verify::<RefreshToken>(pair.refresh_token())).unwrap();
    let mut shown = Shown::default();
    shown.debug(&pair);
    shown.debug(&token);
    shown.debug(&jwt);
    shown.debug(&TokenIds::from(&token));
    shown.debug(&(&token).into_revocation(Duration::ZERO).unwrap());
    shown.debug(&Audience::from("me"));
    let rotated = wait(async { jwt.rotate(guard_of(&client, pair.refresh_token()).await).await });
    let rotated = rotated.unwrap();
    shown.debug(&rotated);
    wait(jwt.revoke(&token)).unwrap();
    wait(jwt.revoke_session(&token)).unwrap();
    wait(jwt.revoke_all("ada")).unwrap();
    wait(jwt.verify::<AccessToken>(rotated.access_token())).unwrap_err();
    let events = std::mem::take(&mut *events.lock().unwrap());
    assert!(events.0.iter().any(|event| event.starts_with("Revoked")), "{:?}", events.0);
    shown.0.extend(events.0);
    for pair in [&pair, &rotated] {
        shown.never(pair.access_token());
        shown.never(pair.refresh_token());
        for token in [pair.access_token(), pair.refresh_token()] {
            shown.never(payload(token)["csrf"].as_str().unwrap());
        }
    }
    shown.never(secret());
}

/// The guard that `rotate` takes.
async fn guard_of(client: &Client, token: &str) -> RefreshToken {
    let request = client.get("/").header(Bearer(token));
    let outcome = request.inner().guard::<RefreshToken>().await;
    outcome.succeeded().unwrap()
}

#[test]
fn keys_and_errors_about_them_show_no_key() {
    let mut shown = Shown::default();
    let secret = "0123456789-a-telling-secret-0123456789";
    shown.debug(&SigningKey::from_secret(Algorithm::HS256, secret.as_bytes()).unwrap());
    shown.debug(&VerifyingKey::from_secret(Algorithm::HS256, secret.as_bytes()).unwrap());
    let openssl = Command::new("openssl")
        .args(["genpkey", "-algorithm", "ed25519"])
        .output()
        .expect("openssl runs");
    let pem = String::from_utf8(openssl.stdout).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    shown.debug(&SigningKey::from_pem(Algorithm::EdDSA, pem.as_bytes()).unwrap());
    for error in [
        SigningKey::from_secret(Algorithm::HS512, secret.as_bytes()).unwrap_err(),
        SigningKey::from_secret(Algorithm::RS256, secret.as_bytes()).unwrap_err(),
        SigningKey::from_secret(Algorithm::HS256, pem.as_bytes()).unwrap_err(),
        SigningKey::from_pem(Algorithm::RS256, pem.as_bytes()).unwrap_err(),
        SigningKey::from_pem(Algorithm::EdDSA, secret.as_bytes()).unwrap_err(),
        SigningKey::from_pem(Algorithm::EdDSA, &pem.as_bytes()[..60]).unwrap_err(),
        VerifyingKey::from_pem(Algorithm::EdDSA, pem.as_bytes()).unwrap_err(),
        VerifyingKey::from_secret(Algorithm::ES256, secret.as_bytes()).unwrap_err(),
    ] {
        shown.debug(&error);
        shown.display(&error);
    }
    shown.never(secret);
    shown.never(&body);
    shown.never(&body[..16]);
}

#[test]
fn errors_of_unverified_reading_show_nothing_of_what_was_read() {
    let mut shown = Shown::default();
    let telling = "a-telling-value";
    for token in [
        telling.to_string(),
        format!("{telling}.b.c"),
        sign_text(&format!(r#"{{"alg":"{telling}"}}"#), "{}"),
        sign_text(r#"{"alg":"HS256"}"#, &format!(r#"{{"a":"{telling}"#)),
        sign_text(r#"{"alg":"HS256"}"#, &format!(r#"{{"role":["{telling}"]}}"#)),
    ] {
        for rejection in [
            danger::unverified_header(&token).err(),
            danger::unverified_claims::<crate::support::users::Profile>(&token).err(),
        ]
        .into_iter()
        .flatten()
        {
            assert_eq!(rejection.status(), Status::Unauthorized);
            shown.debug(&rejection);
            shown.display(&rejection);
        }
    }
    shown.debug(&StoreError::new("no connection"));
    shown.never(telling);
}

/// What must not be written down has no way to be; what is not finished has no `Debug` either.
#[test]
fn what_holds_secrets_is_not_serialized_and_what_is_not_finished_shows_nothing() {
    check(table! {
        Serialize | Claims => true, TokenPair => false, Token<Claims> => false, Jwt => false,
            AccessToken => false, SigningKey => false, VerifyingKey => false, Rejection => false;
        Debug | TokenPair => true, Token<Claims> => true, Jwt => true, SigningKey => true,
            TokenBuilder<'static> => false, TokenPairBuilder<'static> => false,
            Decoder<'static> => false, Rotation<'static, NoClaims> => false, JwtFairing => false,
            CookieWriter<'static, 'static> => false;
        Display | Rejection => true, Error => true, TokenPair => false, Token<Claims> => false,
            SigningKey => false, VerifyingKey => false, Jwt => false;
    });
}
