//! What these tests share.

#[path = "../../support/mod.rs"]
mod shared;

pub mod arbitrary;
pub mod common;
pub mod count;
pub mod implements;
pub mod refused_requests;
pub mod users;

pub use shared::*;
