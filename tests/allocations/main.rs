//! How often memory is allocated in Rust code for a token, once it has been done before. Each bound is
//! what was counted when it was set: lower it where there is less to count.

#[path = "../../benches/support/mod.rs"]
mod support;

use rocket_jwt_extended::jsonwebtoken::Algorithm::{HS256, RS256};

use support::operation::{self, Operation};

#[track_caller]
fn at_most(most: u64, mut operation: Box<dyn Operation>) {
    operation.prepare(1);
    let count = allocation_counter::measure(|| operation.run()).count_total;
    assert!(count <= most, "{count} allocations, and not at most {most}");
}

#[test]
fn verification_from_a_headers_text_to_custom_claims() {
    at_most(5, operation::verifies(HS256, 0));
}

#[test]
fn verification_by_a_signature_that_is_remembered() {
    at_most(5, operation::verifies(RS256, 0));
}

#[test]
fn verification_by_a_signature_that_is_then_remembered() {
    at_most(7, operation::verifies_new(RS256));
}

#[test]
fn issuing_by_a_secret() {
    at_most(4, operation::issues(HS256));
}

#[test]
fn issuing_by_a_private_key() {
    at_most(6, operation::issues(RS256));
}
