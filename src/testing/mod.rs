//! Utilities for testing applications and custom stores.

// A failing contract case panics with its name.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bearer;
mod clock;
mod contract;

pub use bearer::Bearer;
pub use clock::ManualClock;
pub use contract::{blocklist_contract, replicable_blocklist_contract, session_store_contract};
