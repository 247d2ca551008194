//! The sentinel that all guards share.

use rocket::{Ignite, Rocket};

use super::admit::TokenGuard;
use crate::jwt::Jwt;
use crate::token::location::Location;
use crate::verify::policy::Policy;

/// Fails the launch if the fairing is missing, or if a guard can never succeed. It only warns if
/// the configuration prevents all request guards from succeeding.
///
/// The fix is in the line itself, since Rocket prints no line below the level of a warning in the
/// release profile.
pub(super) fn aborts<G: TokenGuard>(rocket: &Rocket<Ignite>) -> bool {
    let Some(jwt) = Jwt::fetch(rocket) else { return is_unattached::<G>(rocket) };
    if is_contradictory::<G>(G::POLICY) {
        return true;
    }
    let body_alone = |places: &[Location]| places.iter().all(|place| *place == Location::JsonBody);
    match G::POLICY.locations() {
        Some(places) if body_alone(places) => {
            log::error!(
                "JWT: the guard `{}` can never succeed: a request guard cannot read a body. Use it inside \
                 `WithBody<…>`, as a data guard.",
                name::<G>()
            );
            true
        }
        None if body_alone(&jwt.settings().token_location) => {
            log::warn!(
                "JWT: the guard `{}` can never succeed: `token_location` is \"json\" alone, and a request \
                 guard cannot read a body. Use it inside `WithBody<…>`, as a data guard, or add a location.",
                name::<G>()
            );
            false
        }
        _ => false,
    }
}

/// Whether a guard would accept an expired token as fresh.
pub(super) fn is_contradictory<G>(policy: Policy) -> bool {
    if !(policy.needs_fresh() && policy.accepts_expired()) {
        return false;
    }
    log::error!("the guard `{}` requires a fresh token and accepts an expired one.", name::<G>());
    log::info!(target: "_", "`AllowExpired` is for logging out: remove it or `Fresh`.");
    true
}

pub(super) fn is_unattached<G>(rocket: &Rocket<Ignite>) -> bool {
    if Jwt::fetch(rocket).is_some() {
        return false;
    }
    log::error!(
        "JWT: a route has the guard `{}` without attaching `Jwt::fairing()`. Attach it with \
         `rocket::build().attach(Jwt::fairing())`.",
        name::<G>()
    );
    true
}

fn name<G>() -> &'static str {
    std::any::type_name::<G>()
}
