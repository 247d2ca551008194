//! One operation, with this crate and with `jsonwebtoken`.

use std::hint::black_box;

use jsonwebtoken::{Algorithm, TokenData};
use rocket::futures::FutureExt;
use rocket::serde::DeserializeOwned;
use rocket_jwt_extended::{AccessToken, jsonwebtoken, rocket};

use super::{App, Everything, Profile};

/// An operation that is repeated. The time includes dropping its result.
pub trait Operation {
    /// Prepares the inputs that will be consumed.
    fn prepare(&mut self, _times: usize) {}

    fn run(&mut self);
}

impl<F: FnMut()> Operation for F {
    fn run(&mut self) {
        self();
    }
}

/// The number of runs before the measurement, which fill caches and do the set-up of the first use.
const WARM: usize = 16;

fn warm(mut operation: impl Operation + 'static) -> Box<dyn Operation> {
    operation.prepare(WARM);
    (0..WARM).for_each(|_| operation.run());
    Box::new(operation)
}

/// The work of a guard on a header's text, including custom claims.
pub fn verify(app: &App, token: &str) {
    let verified = app.jwt.verify::<AccessToken<Profile>>(black_box(token)).now_or_never();
    black_box(verified.expect("no store to wait for").expect("a good token"));
}

fn decode<C: DeserializeOwned>(app: &App, token: &str) {
    let decoded: Result<TokenData<C>, _> =
        jsonwebtoken::decode(black_box(token), &app.decoding, &app.validation);
    black_box(decoded.expect("a good token"));
}

/// Verification of a token of `bytes` bytes that was verified before.
pub fn verifies(algorithm: Algorithm, bytes: usize) -> Box<dyn Operation> {
    let (app, token) = app_and_token(algorithm, bytes);
    warm(move || verify(&app, &token))
}

/// Verification of new tokens.
pub fn verifies_new(algorithm: Algorithm) -> Box<dyn Operation> {
    warm(NewTokens { app: App::new(algorithm), tokens: vec![] })
}

/// Verification into the same claims with `jsonwebtoken`, which does not cache, so it makes no
/// difference whether the token is new.
pub fn decodes(algorithm: Algorithm, bytes: usize) -> Box<dyn Operation> {
    let (app, token) = app_and_token(algorithm, bytes);
    warm(move || decode::<Profile>(&app, &token))
}

/// The same, but reading every claim, as a guard does.
pub fn decodes_everything(algorithm: Algorithm, bytes: usize) -> Box<dyn Operation> {
    let (app, token) = app_and_token(algorithm, bytes);
    warm(move || decode::<Everything>(&app, &token))
}

/// Issues a token with new ids and times.
pub fn issue(app: &App, profile: &Profile) {
    black_box(app.token(black_box(profile)));
}

pub fn issues(algorithm: Algorithm) -> Box<dyn Operation> {
    let (app, profile) = (App::new(algorithm), Profile::new());
    warm(move || issue(&app, &profile))
}

/// Issuing such a token with `jsonwebtoken`, from claims that exist already.
pub fn encodes(algorithm: Algorithm) -> Box<dyn Operation> {
    let (app, token) = app_and_token(algorithm, 0);
    let decoded: Result<TokenData<Everything>, _> =
        jsonwebtoken::decode(token, &app.decoding, &app.validation);
    let claims = decoded.expect("a good token").claims;
    warm(move || {
        let token = jsonwebtoken::encode(&app.header, black_box(&claims), &app.encoding);
        black_box(token.expect("a token"));
    })
}

fn app_and_token(algorithm: Algorithm, bytes: usize) -> (App, String) {
    let app = App::new(algorithm);
    let token = app.token(&Profile::filling(bytes, &app));
    (app, token)
}

struct NewTokens {
    app: App,
    tokens: Vec<String>,
}

impl Operation for NewTokens {
    fn prepare(&mut self, times: usize) {
        let profile = Profile::new();
        self.tokens = (0..times).map(|_| self.app.token(&profile)).collect();
    }

    fn run(&mut self) {
        verify(&self.app, &self.tokens.pop().expect("as many tokens as were prepared"));
    }
}
