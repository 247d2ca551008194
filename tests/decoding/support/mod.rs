//! What these tests share.

#[path = "../../support/mod.rs"]
mod shared;

pub mod app;
pub mod jwk;
#[path = "../../support/key_forms.rs"]
pub mod key_forms;
#[path = "../../support/pem.rs"]
pub mod pem;

pub use shared::*;
