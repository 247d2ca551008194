//! What tests of an application, or of a store, are made with.

// A test that fails panics, and says which.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod contract;

pub use contract::blocklist_contract;
