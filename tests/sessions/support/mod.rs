//! What these tests share.

#[path = "../../support/mod.rs"]
mod shared;

#[path = "../../flows/support/ask.rs"]
#[allow(dead_code)]
pub mod ask;
#[path = "../../support/log.rs"]
pub mod log;
pub mod site;

pub use shared::*;
