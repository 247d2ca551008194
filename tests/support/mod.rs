//! What the tests share: an application from TOML text, a store that behaves as it is told, and tokens made
//! by hand.

#![allow(dead_code)]

pub mod store_stub;

use std::sync::OnceLock;
use std::time::Duration;

use jsonwebtoken::crypto::CryptoProvider;
use jsonwebtoken::{Algorithm, EncodingKey};
use rocket::figment::Figment;
use rocket::figment::providers::{Format, Toml};
use rocket::http::Status;
use rocket::local::blocking::{Client, LocalResponse};
use rocket::time::OffsetDateTime;
use rocket::tokio::{task::yield_now, time::timeout};
use rocket::{Build, Rocket, Route};
#[allow(unused_imports)] // Not every binary needs both.
pub use rocket_jwt_extended::testing::{Bearer, ManualClock};
use rocket_jwt_extended::{Jwt, JwtFairing, jsonwebtoken, rocket};
use serde_json::{Value, json};

/// The instant at which the clocks of tests stand, in seconds since the Unix epoch.
pub const START: i64 = 1_800_000_000;

/// A clock that stands still at [`START`] until it is moved.
pub fn clock_at_start() -> ManualClock {
    ManualClock::at(unix(START))
}

/// An instant by its seconds since the Unix epoch.
pub fn unix(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap()
}

/// A secret made once a process.
pub fn secret() -> &'static str {
    static SECRET: OnceLock<String> = OnceLock::new();
    SECRET.get_or_init(|| {
        format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple())
    })
}

/// Rocket's debug profile, quiet, with `[default.jwt]` holding [`secret()`] and the lines of `toml`.
pub fn figment(toml: &str) -> Figment {
    raw_figment(&format!("[default.jwt]\nsecret_key = \"{}\"\n{toml}", secret()))
}

/// Rocket's debug profile, quiet, merged with `toml`.
pub fn raw_figment(toml: &str) -> Figment {
    Figment::from(rocket::Config {
        log_level: rocket::log::LogLevel::Off,
        ..rocket::Config::debug_default()
    })
    .select(rocket::Config::DEBUG_PROFILE)
    .merge(Toml::string(toml).nested())
}

/// An application of that configuration, fairing and routes.
pub fn app(toml: &str, fairing: JwtFairing, routes: Vec<Route>) -> Rocket<Build> {
    rocket::custom(figment(toml)).attach(fairing).mount("/", routes)
}

/// A client of such an application, with cookies only as they are set by hand.
pub fn client(toml: &str, fairing: JwtFairing, routes: Vec<Route>) -> Client {
    Client::untracked(app(toml, fairing, routes)).expect("the application launches")
}

/// A client at [`START`], with its clock.
pub fn clocked(toml: &str, routes: Vec<Route>) -> (Client, ManualClock) {
    let clock = clock_at_start();
    (client(toml, Jwt::fairing().clock(clock.clone()), routes), clock)
}

/// Whether an application of that configuration launches.
pub fn launches(toml: &str) -> bool {
    match Client::untracked(app(toml, Jwt::fairing(), vec![])) {
        Ok(_) => true,
        Err(error) => {
            // An error that nobody looks at panics.
            let _ = error.kind();
            false
        }
    }
}

/// The manager of a client.
pub fn jwt(client: &Client) -> &Jwt {
    Jwt::fetch(client.rocket()).expect("the fairing is attached")
}

/// Lets other tasks run until it is so.
pub async fn until(so: impl Fn() -> bool) {
    let wait = async {
        while !so() {
            yield_now().await;
        }
    };
    soon(wait).await;
}

/// What the future gives, which takes no ten seconds.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(10), future).await.expect("it takes no ten seconds")
}

/// Status and JSON body of an answer.
pub fn answer(response: LocalResponse<'_>) -> (Status, Value) {
    let status = response.status();
    let body = response.into_string().unwrap_or_default();
    (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
}

/// The message of an answer's JSON body.
pub fn msg(response: LocalResponse<'_>) -> (u16, String) {
    let (status, body) = answer(response);
    (status.code, body["msg"].as_str().unwrap_or_default().to_string())
}

/// The code of an answer's JSON body.
pub fn code(response: LocalResponse<'_>) -> (u16, String) {
    let (status, body) = answer(response);
    (status.code, body["code"].as_str().unwrap_or_default().to_string())
}

/// The claims of a good access token for `ada` at [`START`], to be changed at will.
pub fn claims() -> Value {
    json!({
        "sub": "ada", "iat": START, "nbf": START, "exp": START + 900, "type": "access",
        "fresh": false, "jti": uuid::Uuid::new_v4().to_string(), "csrf": "the-csrf-value",
    })
}

/// [`claims()`] with members replaced; `null` stays a `null`, see [`without()`].
pub fn with(changes: Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

/// [`claims()`] without members.
pub fn without(names: &[&str]) -> Value {
    let mut claims = claims();
    names.iter().for_each(|name| {
        claims.as_object_mut().unwrap().remove(*name);
    });
    claims
}

/// A token of these claims, signed with [`secret()`] by HS256, header and all.
pub fn sign(claims: &Value) -> String {
    sign_text(r#"{"alg":"HS256","typ":"JWT"}"#, &claims.to_string())
}

/// A token of that header and payload text, whatever they are, signed with [`secret()`] by HS256.
pub fn sign_text(header: &str, payload: &str) -> String {
    sign_parts(&base64url(header.as_bytes()), &base64url(payload.as_bytes()))
}

/// A token of those two parts as they are, signed with [`secret()`] by HS256.
pub fn sign_parts(header: &str, payload: &str) -> String {
    let message = format!("{header}.{payload}");
    let signature = sign_message(
        message.as_bytes(),
        Algorithm::HS256,
        &EncodingKey::from_secret(secret().as_bytes()).unwrap(),
    );
    format!("{message}.{}", base64url(&signature))
}

/// A signature of any message by any key: the backend's, without this crate.
pub fn sign_message(message: &[u8], algorithm: Algorithm, key: &EncodingKey) -> Vec<u8> {
    (provider().signer_factory)(&algorithm, key).unwrap().try_sign(message).unwrap()
}

pub fn provider() -> &'static CryptoProvider {
    #[cfg(feature = "aws_lc_rs")]
    return &jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
    #[cfg(not(feature = "aws_lc_rs"))]
    return &jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
}

/// Base64url without padding (RFC 7515 §2).
pub fn base64url(bytes: &[u8]) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A part of a token as JSON.
pub fn part(token: &str, index: usize) -> Value {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The payload of a token as JSON.
pub fn payload(token: &str) -> Value {
    part(token, 1)
}

/// A token of that header and payload text, signed by any algorithm with any key.
pub fn sign_as(algorithm: Algorithm, key: &EncodingKey, header: &str, payload: &str) -> String {
    let message = format!("{}.{}", base64url(header.as_bytes()), base64url(payload.as_bytes()));
    let signature = sign_message(message.as_bytes(), algorithm, key);
    format!("{message}.{}", base64url(&signature))
}
