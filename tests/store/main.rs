//! The stores: one contract, the servers' own ways to fail, the plans of their queries.

mod store_support;

mod changes;
mod changes_contract;
mod contract;
mod contract_catches;
mod crash;
mod entry_keys;
mod faults;
mod old_layout;
mod own_connections;
mod plans;
mod pruning;
mod redis;
mod redis_connection;
mod relay;
mod rights;
mod sessions;
mod tables;
