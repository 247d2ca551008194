//! Request handling: the body, the search for a token, and the request's cache.

pub(crate) mod body;
pub(crate) mod cache;
pub(crate) mod context;
pub(crate) mod locate;
