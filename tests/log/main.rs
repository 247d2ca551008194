//! What is logged, down to `trace`, by everybody: never a token, a secret or a CSRF value.
//!
//! A binary of its own, as a process has one logger: this one is set before Rocket sets its own.

#[macro_use]
extern crate rocket;

#[path = "../support/mod.rs"]
mod support;

#[path = "../requests/common.rs"]
#[allow(dead_code)]
mod common;

#[path = "../requests/refusals.rs"]
#[allow(dead_code)]
mod refusals;

#[path = "../requests/users.rs"]
#[allow(dead_code)]
mod users;

mod capture;
mod launch;
#[cfg(feature = "test-util")]
mod replica;
mod requests;
