//! Servers that share a blocklist, as processes: rotation and theft on several of them, a store that fails, a
//! restart, a million entries, and a store that is answered for from memory.

#[path = "../support/mod.rs"]
mod support;

mod database;
mod http;
mod node;
mod relay;

mod fails_closed;
mod launch;
mod mariadb_failover;
mod million;
mod own_connections;
mod pooler;
mod redis_clocks;
mod redis_failover;
mod redis_rights;
mod replica;
mod restart;
mod rotation;
mod session_limit;
mod theft;
