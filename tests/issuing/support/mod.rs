//! What these tests share.

#[path = "../../support/mod.rs"]
mod shared;

#[path = "../../support/pem.rs"]
pub mod pem;

pub use shared::*;
