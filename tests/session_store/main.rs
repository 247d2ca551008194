//! The sessions that users see, in each store: the contract, what remains, the plans of the queries.

#[path = "../store/store_support.rs"]
mod store_support;

mod agreement;
mod changes;
mod contract;
mod contract_catches;
mod failures;
mod malformed;
mod plans;
mod remains;
mod rights;
mod roles;
mod support;
