use std::mem::size_of_val;

use rocket::local::blocking::Client;

use super::access::AccessToken;
use super::fresh::Fresh;
use super::run::from_request;
use crate::token::claims::Claims;

/// Rocket boxes this future for each request, and allocators serve small sizes faster.
#[test]
fn the_future_of_a_guard_is_small() {
    let client = Client::untracked(rocket::build()).expect("a client");
    let request = client.get("/");
    let future = from_request::<Fresh<AccessToken<Claims>>>(request.inner());
    assert!(size_of_val(&future) <= 512, "{}", size_of_val(&future));
    drop(future);
}
