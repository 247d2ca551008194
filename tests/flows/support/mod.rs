//! What these tests share.

#[path = "../../support/mod.rs"]
mod shared;

pub mod anybody;
pub mod ask;
#[path = "../../support/browser.rs"]
pub mod browser;
#[path = "../../support/pem.rs"]
pub mod pem;

pub use shared::*;
