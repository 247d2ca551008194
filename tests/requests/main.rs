//! What a request meets: guards, locations, CSRF, refusals, revocation.

#[macro_use]
extern crate rocket;

mod support;

mod accessors;
mod arbitrary_bodies;
mod arbitrary_headers;
mod arbitrary_places;
mod arbitrary_tokens;
mod authorization_header;
mod catchers;
mod changed_header;
mod cookie;
mod csrf;
mod csrf_form;
mod csrf_methods;
mod current_user;
mod debug;
mod fresh_guard;
mod header_names;
mod ignore_revocation;
mod json;
mod large;
mod locations;
mod nesting;
mod no_guards;
mod on_rejection;
mod once;
mod only_after_all;
mod optional;
mod or_forward;
mod order;
mod permissions;
mod query;
mod refusal_table;
mod results;
mod sentinels;
mod smoke;
mod token_types;
mod wire;
mod with_body;
