//! The one sentinel of all guards.

use rocket::{Ignite, Rocket};

use super::admit::TokenGuard;
use crate::jwt::Jwt;
use crate::token::location::Location;
use crate::verify::policy::Policy;

/// Fails the launch without the fairing, or where a guard can never succeed. If the configuration lets no
/// request guard succeed, it warns.
///
/// The cure is in the line itself: in the release profile Rocket prints no line below a warning.
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

/// Whether a guard would take an expired token for a fresh one.
pub(super) fn is_contradictory<G>(policy: Policy) -> bool {
    if !(policy.needs_fresh() && policy.accepts_expired()) {
        return false;
    }
    log::error!("the guard `{}` asks for a fresh token and accepts an expired one.", name::<G>());
    log::info!(target: "_", "`AllowExpired` is for logging out: take it or `Fresh` away.");
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
