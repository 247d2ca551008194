//! What comes in: the body, the token in it or elsewhere, and what is remembered with the request.

pub(crate) mod body;
pub(crate) mod cache;
pub(crate) mod context;
pub(crate) mod locate;
