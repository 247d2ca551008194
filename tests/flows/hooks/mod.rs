//! The hooks of the fairing, and its events.

mod events;
mod keys;
mod refusals;
mod tokens;
