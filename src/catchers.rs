//! The fairing's catchers: JSON for our refusals, Rocket's own page for all else.

use rocket::catcher::{self, Catcher, Handler};
use rocket::http::Status;
use rocket::response::Responder;
use rocket::{Build, Request, Rocket};

use crate::config::Settings;
use crate::rejection::Rejection;

/// Every status a refusal can have.
fn codes(settings: &Settings) -> Vec<u16> {
    let mut codes = vec![400, 401, 403, 503];
    let invalid = settings.invalid_token_status.code;
    if !codes.contains(&invalid) {
        codes.push(invalid);
    }
    codes
}

/// Registers catchers at `/` for just the codes that the application has none for there, and tells
/// those that it has one for, anywhere.
pub(crate) fn register(rocket: Rocket<Build>, settings: &Settings) -> (Rocket<Build>, Vec<u16>) {
    let codes = codes(settings);
    let has = |code: u16, at: &dyn Fn(&Catcher) -> bool| {
        let of_code = |catcher: &Catcher| catcher.code.is_none() || catcher.code == Some(code);
        rocket.catchers().any(|catcher| of_code(catcher) && at(catcher))
    };
    let at_root = |catcher: &Catcher| catcher.base.path() == "/";
    let theirs = codes.iter().copied().filter(|&code| has(code, &|_| true)).collect();
    let ours = codes.iter().copied().filter(|&code| !has(code, &at_root));
    let catchers: Vec<_> = ours.map(|code| Catcher::new(code, Refusals)).collect();
    (rocket.register("/", catchers), theirs)
}

#[derive(Clone)]
struct Refusals;

#[rocket::async_trait]
impl Handler for Refusals {
    async fn handle<'r>(&self, status: Status, request: &'r Request<'_>) -> catcher::Result<'r> {
        match Rejection::of(request) {
            Some(rejection) if rejection.status() == status => {
                match rejection.respond_to(request) {
                    // A bare status is no answer yet: were it handed on, Rocket would answer 500.
                    Err(status) => rockets_own(status, request).await,
                    answered => answered,
                }
            }
            _ => rockets_own(status, request).await,
        }
    }
}

async fn rockets_own<'r>(status: Status, request: &'r Request<'_>) -> catcher::Result<'r> {
    Catcher::default().handler.handle(status, request).await
}
