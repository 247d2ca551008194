//! The guards: each wrapper type changes one requirement of the policy.

pub(crate) mod access;
pub(crate) mod admit;
pub(crate) mod allow_expired;
pub(crate) mod any;
pub(crate) mod fresh;
pub(crate) mod ignore_revocation;
pub(crate) mod in_locations;
mod jwt;
mod macros;
pub(crate) mod optional;
pub(crate) mod or_forward;
pub(crate) mod refresh;
pub(crate) mod require;
mod run;
mod sentinel;
#[cfg(test)]
mod tests;
pub(crate) mod user;
pub(crate) mod with_body;
