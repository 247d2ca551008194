//! What these tests share.

#[path = "../../support/mod.rs"]
mod shared;

pub mod capture;
#[path = "../../requests/support/common.rs"]
#[allow(dead_code)]
pub mod common;
#[path = "../../requests/support/refused_requests.rs"]
#[allow(dead_code)]
pub mod refused_requests;
#[path = "../../requests/support/users.rs"]
#[allow(dead_code)]
pub mod users;

pub use shared::*;
