//! One operation, by this crate and by `jsonwebtoken`.

use std::hint::black_box;

use jsonwebtoken::{Algorithm, TokenData};
use rocket::futures::FutureExt;
use rocket::serde::DeserializeOwned;
use rocket_jwt_extended::{AccessToken, jsonwebtoken, rocket};

use super::{App, Everything, Profile};

/// Something that is done again and again. What it makes is dropped in it.
pub trait Operation {
    /// Makes what will be used up.
    fn prepare(&mut self, _times: usize) {}

    fn run(&mut self);
}

impl<F: FnMut()> Operation for F {
    fn run(&mut self) {
        self();
    }
}

/// How often something is done before it is measured: caches are filled then, and what is made at the
/// first use is made.
const WARM: usize = 16;

fn warm(mut operation: impl Operation + 'static) -> Box<dyn Operation> {
    operation.prepare(WARM);
    (0..WARM).for_each(|_| operation.run());
    Box::new(operation)
}

/// What a guard does with a header's text, the application's own claims included.
pub fn verify(app: &App, token: &str) {
    let verified = app.jwt.verify::<AccessToken<Profile>>(black_box(token)).now_or_never();
    black_box(verified.expect("no store to wait for").expect("a good token"));
}

fn decode<C: DeserializeOwned>(app: &App, token: &str) {
    let decoded: Result<TokenData<C>, _> =
        jsonwebtoken::decode(black_box(token), &app.decoding, &app.validation);
    black_box(decoded.expect("a good token"));
}

/// Verification of a token of `bytes` bytes that has come before.
pub fn verifies(algorithm: Algorithm, bytes: usize) -> Box<dyn Operation> {
    let (app, token) = app_and_token(algorithm, bytes);
    warm(move || verify(&app, &token))
}

/// Verification of tokens that come for the first time.
pub fn verifies_new(algorithm: Algorithm) -> Box<dyn Operation> {
    warm(NewTokens { app: App::new(algorithm), tokens: vec![] })
}

/// Verification into the same claims by `jsonwebtoken`, to which it makes no difference whether the
/// token has come before.
pub fn decodes(algorithm: Algorithm, bytes: usize) -> Box<dyn Operation> {
    let (app, token) = app_and_token(algorithm, bytes);
    warm(move || decode::<Profile>(&app, &token))
}

/// The same into every claim, as a guard knows them, too.
pub fn decodes_everything(algorithm: Algorithm, bytes: usize) -> Box<dyn Operation> {
    let (app, token) = app_and_token(algorithm, bytes);
    warm(move || decode::<Everything>(&app, &token))
}

/// Makes a token, with ids and times of its own.
pub fn issue(app: &App, profile: &Profile) {
    black_box(app.token(black_box(profile)));
}

pub fn issues(algorithm: Algorithm) -> Box<dyn Operation> {
    let (app, profile) = (App::new(algorithm), Profile::new());
    warm(move || issue(&app, &profile))
}

/// Writing such a token's claims by `jsonwebtoken`, which are there already.
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
