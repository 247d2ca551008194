//! What is logged, down to `trace`, by everybody: never a token, a secret or a CSRF value.
//!
//! A binary of its own, as a process has one logger: this one is set before Rocket sets its own.

#[macro_use]
extern crate rocket;

mod support;

mod launch;
mod requests;
mod stale_replica;
