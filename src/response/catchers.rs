//! The fairing's catchers: they answer our refusals with JSON, and everything else with Rocket's
//! own page.

use rocket::catcher::{self, Catcher, Handler};
use rocket::http::Status;
use rocket::response::Responder;
use rocket::{Build, Request, Rocket};

use crate::reason;
use crate::rejection::Rejection;

/// Registers a catcher at `/` for each status of the table that the application does not catch
/// there. Returns a warning for each of the application's catchers that handles refusals, at any
/// path.
pub(crate) fn register(rocket: Rocket<Build>, invalid: Status) -> (Rocket<Build>, Vec<String>) {
    let codes: Vec<_> = reason::statuses(invalid).iter().map(|status| status.code).collect();
    let has_at_root = |code: u16| {
        let mut at_root = rocket.catchers().filter(|catcher| catcher.base.path() == "/");
        at_root.any(|catcher| answers(catcher, code))
    };
    let ours = codes.iter().copied().filter(|&code| !has_at_root(code));
    let catchers: Vec<_> = ours.map(|code| Catcher::new(code, Refusals)).collect();
    let theirs = rocket.catchers().filter_map(|catcher| instead_of_hook(catcher, &codes)).collect();
    (rocket.register("/", catchers), theirs)
}

fn answers(catcher: &Catcher, code: u16) -> bool {
    catcher.code.is_none_or(|own| own == code)
}

/// The warning about a catcher that takes precedence over the `on_rejection` hook. Whether it calls
/// the hook can't be detected, so the text states the condition.
fn instead_of_hook(catcher: &Catcher, codes: &[u16]) -> Option<String> {
    let mut codes: Vec<_> = codes.iter().copied().filter(|&code| answers(catcher, code)).collect();
    codes.sort_unstable();
    if codes.is_empty() {
        return None;
    }
    let codes: Vec<_> = codes.iter().map(u16::to_string).collect();
    let name = catcher.name.as_deref().map_or_else(String::new, |name| format!(" `{name}`"));
    Some(format!(
        "`on_rejection` is not called for {} below `{}`, whichever guard refuses: the application's own \
         catcher{name} answers there, unless it returns the `Rejection` that `Rejection::of(request)` finds. \
         Return that, or remove the catcher.",
        codes.join(", "),
        catcher.base.path(),
    ))
}

#[derive(Clone)]
struct Refusals;

#[rocket::async_trait]
impl Handler for Refusals {
    async fn handle<'r>(&self, status: Status, request: &'r Request<'_>) -> catcher::Result<'r> {
        match Rejection::of(request) {
            Some(rejection) if rejection.status() == status => {
                match rejection.respond_to(request) {
                    // A bare status is not a response yet: if it were returned, Rocket would answer
                    // 500.
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
