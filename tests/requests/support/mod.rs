//! What these tests share.

#[path = "../../support/mod.rs"]
mod shared;

pub mod arbitrary;
pub mod common;
pub mod count;
pub mod implements;
pub mod refusals;
pub mod users;

pub use shared::*;
