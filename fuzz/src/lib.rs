//! What must hold for every input of a fuzz target. The file in `fuzz_targets` runs it by libFuzzer,
//! `tests/fuzz_seeds.rs` over the seeds.
//!
//! A target panics if its input breaks a promise. It returns whether the input was accepted: the request
//! let in, or the configuration launched.

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
