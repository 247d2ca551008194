//! What Rocket and `jsonwebtoken` do, and how this crate behaves because of it.

mod claim_checks;
mod keys_and_backends;
mod rocket_requests;
mod rocket_responses;
