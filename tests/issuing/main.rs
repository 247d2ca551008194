//! Issuing tokens: what is in them, what can be asked for, and what cannot.

#[macro_use]
extern crate rocket;

mod support;

mod algorithms;
mod arbitrary_claims;
mod contents;
mod custom_claims;
mod fresh_claim;
mod header_members;
mod hooks;
mod identities;
mod lifetimes;
mod pairs;
mod secrecy;
