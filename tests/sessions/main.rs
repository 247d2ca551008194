//! Sessions: how long they last, how users see and end them, and what is told of them.

#[macro_use]
extern crate rocket;

#[path = "../support/mod.rs"]
mod support;

#[path = "../patterns/ask.rs"]
#[allow(dead_code)]
mod ask;

#[path = "../support/log.rs"]
mod log;

mod adopting;
mod beginning;
mod context;
mod derived;
mod ending;
mod launching;
mod lifetime;
mod lifetime_arbitrary;
mod limit;
mod listing;
mod lost_data;
mod queries;
mod site;
