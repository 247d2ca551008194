//! The properties that must hold for every input of a fuzz target. The files in `fuzz_targets`
//! check them with libFuzzer, and `tests/fuzz_seeds.rs` checks them on the seeds.
//!
//! A target panics if its input violates a property. It returns whether the input was accepted: a
//! request passed the guard, or a launch succeeded.

pub mod application;
pub mod body;
pub mod configuration;
pub mod cookie;
pub mod header;
pub mod token;

/// Runs one target on an input.
pub type Target = fn(&[u8]) -> bool;

/// Every target, by the name of its file and of the folder of its seeds.
pub const TARGETS: [(&str, Target); 5] = [
    ("token", token::run),
    ("header", header::run),
    ("cookie", cookie::run),
    ("body", body::run),
    ("configuration", configuration::run),
];
