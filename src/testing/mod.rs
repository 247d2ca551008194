//! What tests of an application, or of a store, are made with.

mod contract;

pub use contract::blocklist_contract;
