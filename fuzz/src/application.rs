//! The application that gets the requests, its secret and its tokens.

use std::convert::Infallible;
use std::sync::{LazyLock, OnceLock};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rocket::figment::Figment;
use rocket::figment::providers::{Format, Toml};
use rocket::form::Form;
use rocket::local::blocking::{Client, LocalRequest};
use rocket::log::LogLevel;
use rocket::serde::json::Json;
use rocket::time::OffsetDateTime;
use rocket::{FromForm, Request, get, post, routes};
use rocket_jwt_extended::jsonwebtoken::{Algorithm, EncodingKey};
use rocket_jwt_extended::testing::ManualClock;
use rocket_jwt_extended::{
    AccessToken, AnyToken, Claims, CurrentUser, Fresh, In, JsonBody, Jwt, LoadUser, NoClaims,
    Optional, RefreshToken, Rejection, Token, WithBody, jsonwebtoken,
};
use serde_json::{Value, json};

/// The time at which the clock of every application is stopped.
pub const START: i64 = 1_800_000_000;

/// The identity of every good token.
pub const IDENTITY: &str = "ada";

/// The CSRF value of every good token.
pub const CSRF: &str = "the-csrf-value";

/// The secret of the application, made at run time.
pub fn secret() -> &'static str {
    static SECRET: OnceLock<String> = OnceLock::new();
    SECRET.get_or_init(new_secret)
}

pub fn new_secret() -> String {
    format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple())
}

/// The claims of a good access token.
pub fn claims() -> Value {
    json!({
        "sub": IDENTITY, "iat": START, "nbf": START, "exp": START + 900, "type": "access",
        "fresh": true, "jti": "one", "csrf": CSRF,
    })
}

/// A token with any header and payload, signed with HS256, without using the tested code.
pub fn sign(header: &[u8], payload: &[u8], secret: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let key = EncodingKey::from_secret(secret.as_bytes()).expect("a key");
    let signer = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.signer_factory;
    let signer = signer(&Algorithm::HS256, &key).expect("a signer");
    let signature = signer.try_sign(message.as_bytes()).expect("a signature");
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The tokens for placeholders such as `$ACCESS` in an input.
pub struct Tokens {
    pub access: String,
    pub refresh: String,
    expired: String,
    early: String,
    forged: String,
    unsigned: String,
}

impl Tokens {
    fn new() -> Self {
        let header = br#"{"alg":"HS256","typ":"JWT"}"#;
        let of = |changes: &[(&str, Value)], secret: &str| {
            let mut claims = claims();
            for (name, value) in changes {
                claims[*name] = value.clone();
            }
            sign(header, claims.to_string().as_bytes(), secret)
        };
        let unsigned = sign(br#"{"alg":"none"}"#, claims().to_string().as_bytes(), secret());
        let end = unsigned.rfind('.').expect("a token has dots");
        Self {
            access: of(&[], secret()),
            refresh: of(&[("type", "refresh".into())], secret()),
            expired: of(&[("exp", START.into())], secret()),
            early: of(&[("nbf", (START + 1).into())], secret()),
            forged: of(&[], &new_secret()),
            unsigned: unsigned[..=end].into(),
        }
    }

    /// The text of an input, with each placeholder replaced.
    pub fn expand(&self, input: &[u8]) -> String {
        let text = String::from_utf8_lossy(input).into_owned();
        if !text.contains('$') {
            return text;
        }
        let parts: Vec<&str> = self.access.split('.').collect();
        [
            ("$ACCESS", &*self.access),
            ("$REFRESH", &self.refresh),
            ("$EXPIRED", &self.expired),
            ("$EARLY", &self.early),
            ("$FORGED", &self.forged),
            ("$UNSIGNED", &self.unsigned),
            ("$HEADER", parts[0]),
            ("$PAYLOAD", parts[1]),
            ("$SIGNATURE", parts[2]),
            ("$CSRF", CSRF),
        ]
        .into_iter()
        .fold(text, |text, (name, value)| text.replace(name, value))
    }
}

pub fn tokens() -> &'static Tokens {
    static TOKENS: LazyLock<Tokens> = LazyLock::new(Tokens::new);
    &TOKENS
}

/// A user for every identity.
struct User;

#[rocket::async_trait]
impl LoadUser for User {
    type Claims = NoClaims;
    type Error = Infallible;

    async fn load(_: &Token<NoClaims>, _: &Request<'_>) -> Result<Option<Self>, Infallible> {
        Ok(Some(Self))
    }
}

#[derive(FromForm)]
struct Fields {
    text: String,
}

#[get("/access")]
fn get_access(token: AccessToken) -> String {
    token.identity().into()
}

#[post("/access")]
fn post_access(token: AccessToken) -> String {
    token.identity().into()
}

#[get("/refresh")]
fn get_refresh(token: RefreshToken) -> String {
    token.identity().into()
}

/// Accepts every refusal as a value, so that every kind of guard runs.
#[get("/many")]
fn many(
    _one: Result<AccessToken<Claims>, Rejection>,
    _two: Result<AnyToken, Rejection>,
    _three: Result<Fresh<CurrentUser<User>>, Rejection>,
    four: Optional,
) -> String {
    four.token().map_or("nobody", |token| token.identity()).into()
}

#[post("/unit", data = "<body>")]
fn unit(body: WithBody) -> String {
    body.token.identity().into()
}

#[post("/json", data = "<body>")]
fn json_body(body: WithBody<Optional<In<JsonBody>>, Json<Value>>) -> String {
    body.token.token().map_or("nobody", |token| token.identity()).into()
}

#[post("/form", data = "<body>")]
fn form_body(body: WithBody<Optional, Form<Fields>>) -> String {
    let length = body.body.text.len();
    body.token.token().map_or(format!("nobody {length}"), |token| token.identity().into())
}

/// A client of the application with the secret and these settings. Each thread reuses its client,
/// since launching takes longer than a request.
pub fn client(settings: &str) -> Client {
    let table = format!("[debug.jwt]\nsecret_key = \"{}\"\n{settings}\n", secret());
    let figment = figment().merge(Toml::string(&table).nested());
    let rocket = rocket::custom(figment).attach(Jwt::fairing().clock(clock())).mount(
        "/",
        routes![get_access, post_access, get_refresh, many, unit, json_body, form_body],
    );
    Client::untracked(rocket).expect("the application launches")
}

/// The manager of a client.
pub fn jwt(client: &Client) -> &Jwt {
    Jwt::fetch(client.rocket()).expect("the fairing is attached")
}

/// Rocket's debug profile, silent.
pub fn figment() -> Figment {
    let config = rocket::Config { log_level: LogLevel::Off, ..rocket::Config::debug_default() };
    Figment::from(config).select(rocket::Config::DEBUG_PROFILE)
}

/// A clock that is stopped at [`START`].
pub fn clock() -> ManualClock {
    ManualClock::at(OffsetDateTime::from_unix_timestamp(START).expect("a time"))
}

/// A response: its status, and its text or the code of its refusal.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub text: String,
}

impl Answer {
    /// Whether the request was accepted with a token of [`IDENTITY`]: without a token, `Optional`
    /// guards also respond with 200.
    pub fn is_let_in(&self) -> bool {
        self.status == 200 && self.text == IDENTITY
    }
}

/// The response to a request, which is never a server error.
pub fn ask(request: LocalRequest<'_>) -> Answer {
    let response = request.dispatch();
    let status = response.status().code;
    let text = response.into_string().unwrap_or_default();
    assert!(status < 500, "{status} {text}");
    let json: Value = serde_json::from_str(&text).unwrap_or_default();
    let text = json["code"].as_str().map_or(text, Into::into);
    Answer { status, text }
}
