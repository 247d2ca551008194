//! Servers that share a blocklist, as processes: rotation on several of them, a store that fails, a
//! restart, a million entries, and a store that is answered for from memory.

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
