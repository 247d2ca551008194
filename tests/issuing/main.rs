//! Issuing tokens: what is in them, what can be asked for, and what cannot.

#[macro_use]
extern crate rocket;

#[path = "../support/pem.rs"]
mod pem;
#[path = "../support/mod.rs"]
mod support;

mod algorithms;
mod arbitrary_claims;
mod contents;
mod custom_claims;
mod freshness;
mod headers;
mod hooks;
mod identities;
mod lifetimes;
mod pairs;
mod secrecy;
