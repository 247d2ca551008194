//! Revoking tokens, sessions and subjects, and the stores that record it.

mod custom_store;
mod logout;
mod logout_expired;
mod outliving;
mod pruning_task;
mod replica;
mod revoke_all;
mod times_of_issue;
