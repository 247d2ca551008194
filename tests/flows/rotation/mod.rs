//! Exchanging refresh tokens.

mod concurrent;
mod exchange;
mod foreign_tokens;
mod reuse;
