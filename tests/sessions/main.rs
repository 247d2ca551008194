//! Sessions: how long they last, how users see and end them, and which events tell of them.

#[macro_use]
extern crate rocket;

mod support;

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
