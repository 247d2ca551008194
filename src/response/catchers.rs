//! The fairing's catchers: JSON for our refusals, Rocket's own page for everything else.

use rocket::catcher::{self, Catcher, Handler};
use rocket::http::Status;
use rocket::response::Responder;
use rocket::{Build, Request, Rocket};

use crate::reason;
use crate::rejection::Rejection;

/// Registers catchers at `/` for exactly the statuses of the table for which the application has none
/// there, and returns the codes for which it has one anywhere.
pub(crate) fn register(rocket: Rocket<Build>, invalid: Status) -> (Rocket<Build>, Vec<u16>) {
    let codes: Vec<_> = reason::statuses(invalid).iter().map(|status| status.code).collect();
    let has = |code: u16, at: &dyn Fn(&Catcher) -> bool| {
        let of_code = |catcher: &Catcher| catcher.code.is_none() || catcher.code == Some(code);
        rocket.catchers().any(|catcher| of_code(catcher) && at(catcher))
    };
    let at_root = |catcher: &Catcher| catcher.base.path() == "/";
    let mut theirs: Vec<_> = codes.iter().copied().filter(|&code| has(code, &|_| true)).collect();
    theirs.sort_unstable();
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
                    // A bare status is not a response yet: if it were passed on, Rocket would answer 500.
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
