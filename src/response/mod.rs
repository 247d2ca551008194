//! Responses: refusals, errors, token pairs, cookies and their scopes, and the renewal of a token
//! in a cookie.

pub(crate) mod catchers;
pub(crate) mod challenge;
pub(crate) mod cookies;
mod error;
pub(crate) mod insecure;
mod pair;
mod refusal;
pub(crate) mod renew;
pub(crate) mod scopes;
