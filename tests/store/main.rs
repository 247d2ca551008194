//! The stores: one contract, the servers' own ways to fail, the plans of their queries.

mod store_support;

mod contract;
mod contract_catches;
mod crash;
mod faults;
mod follow;
mod follow_contract;
mod plans;
mod redis;
mod redis_line;
mod relay;
mod tables;
