//! What these tests share.

#[path = "../../support/mod.rs"]
mod shared;

pub mod app;
#[path = "../../support/key_forms.rs"]
pub mod key_forms;
#[path = "../../support/log.rs"]
pub mod log_capture;
#[path = "../../support/pem.rs"]
pub mod pem;

pub use shared::*;
