//! The one sentinel of all guards.

use rocket::{Ignite, Rocket};

use super::admit::TokenGuard;
use crate::jwt::Jwt;
use crate::token::location::Location;
use crate::verify::policy::Policy;

/// Fails the launch without the fairing, or where a guard can never succeed. If the configuration lets no
/// request guard succeed, it warns.
pub(super) fn aborts<G: TokenGuard>(rocket: &Rocket<Ignite>) -> bool {
    let Some(jwt) = Jwt::fetch(rocket) else { return is_unattached::<G>(rocket) };
    if is_contradictory::<G>(G::POLICY) {
        return true;
    }
    let body_alone = |places: &[Location]| places.iter().all(|place| *place == Location::JsonBody);
    match G::POLICY.locations() {
        Some(places) if body_alone(places) => {
            log::error!("the guard `{}` can never succeed.", name::<G>());
            log::info!(target: "_", "A request guard cannot read a body: use it inside `WithBody<…>`.");
            true
        }
        None if body_alone(&jwt.settings().token_location) => {
            log::warn!(
                "JWT: with this `token_location` the guard `{}` can never succeed.",
                name::<G>()
            );
            log::info!(target: "_", "A request guard cannot read a body: use it inside `WithBody<…>`.");
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
    log::error!("requested the guard `{}` without attaching `Jwt::fairing()`.", name::<G>());
    log::info!(target: "_", "Attach it with `rocket::build().attach(Jwt::fairing())`.");
    true
}

fn name<G>() -> &'static str {
    std::any::type_name::<G>()
}
