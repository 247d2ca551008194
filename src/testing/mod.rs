//! What tests of an application, or of a store, are made with.

// A test that fails panics, and says which.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bearer;
mod clock;
mod contract;

pub use bearer::Bearer;
pub use clock::ManualClock;
pub use contract::{blocklist_contract, replicable_blocklist_contract};
