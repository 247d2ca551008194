//! What applications do with tokens: hooks, cookies, rotation, logout, and the traps on the way.

#[macro_use]
extern crate rocket;

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/pem.rs"]
mod pem;

#[path = "../support/browser.rs"]
mod browser;

mod ask;
mod blocklist_hook;
mod browser_rfc6265;
mod cookies_browser;
mod cookies_refused;
mod cookies_set;
mod cookies_shadowed;
mod cookies_unset;
mod cookies_wire;
mod dependency_traps;
mod events;
mod foreign_tokens;
mod freshness;
mod hooks_on_keys;
mod hooks_on_refusals;
mod hooks_on_tokens;
mod implicit_refresh;
mod implicit_refresh_not;
mod login;
mod logout;
mod logout_expired;
mod outliving;
mod pruning;
#[cfg(feature = "test-util")]
mod replica;
mod request_traps;
mod resource_server;
mod response_traps;
mod revoke_all;
mod rotation;
mod rotation_at_once;
mod rotation_theft;
mod times_of_issue;
mod token_traps;
mod users;
mod users_for_expired;
