//! The configuration: every setting, every source, every profile, and what a launch says of faults.

// Of errors that are Rocket's and Figment's.
#![allow(clippy::result_large_err)]

#[macro_use]
extern crate rocket;

mod support;

mod cookie_values;
mod key_files;
mod manager;
mod own_tokens;
mod profiles;
mod report;
mod secret_files;
mod settings_elsewhere;
mod settings_of_answers;
mod settings_of_blocklists;
mod settings_of_claims;
mod settings_of_cookies;
mod settings_of_csrf;
mod settings_of_keys;
mod settings_of_lifetimes;
mod settings_of_locations;
mod settings_of_sessions;
mod texts_instead_of_secrets;
mod typos;
mod unused;
mod values;
