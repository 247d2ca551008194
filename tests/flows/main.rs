//! What applications do with tokens, from the login to the logout, and what Rocket and `jsonwebtoken` do on
//! the way.

#[macro_use]
extern crate rocket;

mod support;

mod cookies;
mod dependencies;
mod hooks;
mod revocation;
mod rotation;
mod users;
