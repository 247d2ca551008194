//! What a request meets: guards, locations, CSRF, refusals, revocation.

#[macro_use]
extern crate rocket;

#[path = "../support/mod.rs"]
mod support;

mod smoke;
