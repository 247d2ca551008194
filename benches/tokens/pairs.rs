//! The pairs of operations that are compared.

use rocket_jwt_extended::jsonwebtoken::Algorithm::{HS256, RS256};

use crate::support::operation::{self, Operation};

pub struct Pair {
    pub name: &'static str,
    pub ours: fn() -> Box<dyn Operation>,
    pub beside: &'static str,
    pub theirs: fn() -> Box<dyn Operation>,
}

const JSONWEBTOKEN: &str = "jsonwebtoken";

/// The smallest token has the eight default claims and a role: 348 bytes with HS256.
pub const PAIRS: [Pair; 11] = [
    Pair {
        name: "verify HS256",
        ours: || operation::verifies(HS256, 0),
        beside: JSONWEBTOKEN,
        theirs: || operation::decodes(HS256, 0),
    },
    Pair {
        name: "verify HS256, all claims",
        ours: || operation::verifies(HS256, 0),
        beside: "jsonwebtoken into all claims",
        theirs: || operation::decodes_everything(HS256, 0),
    },
    Pair {
        name: "verify HS256, 1 KiB",
        ours: || operation::verifies(HS256, 1 << 10),
        beside: JSONWEBTOKEN,
        theirs: || operation::decodes(HS256, 1 << 10),
    },
    Pair {
        name: "verify HS256, 4 KiB",
        ours: || operation::verifies(HS256, 4 << 10),
        beside: JSONWEBTOKEN,
        theirs: || operation::decodes(HS256, 4 << 10),
    },
    Pair {
        name: "verify HS256, 16 KiB",
        ours: || operation::verifies(HS256, 16 << 10),
        beside: JSONWEBTOKEN,
        theirs: || operation::decodes(HS256, 16 << 10),
    },
    Pair {
        name: "verify RS256, new",
        ours: || operation::verifies_new(RS256),
        beside: JSONWEBTOKEN,
        theirs: || operation::decodes(RS256, 0),
    },
    Pair {
        name: "verify RS256, new",
        ours: || operation::verifies_new(RS256),
        beside: "HS256",
        theirs: || operation::verifies(HS256, 0),
    },
    Pair {
        name: "verify RS256, cached",
        ours: || operation::verifies(RS256, 0),
        beside: JSONWEBTOKEN,
        theirs: || operation::decodes(RS256, 0),
    },
    Pair {
        name: "verify RS256, cached",
        ours: || operation::verifies(RS256, 0),
        beside: "HS256",
        theirs: || operation::verifies(HS256, 0),
    },
    Pair {
        name: "issue HS256",
        ours: || operation::issues(HS256),
        beside: JSONWEBTOKEN,
        theirs: || operation::encodes(HS256),
    },
    Pair {
        name: "issue RS256",
        ours: || operation::issues(RS256),
        beside: JSONWEBTOKEN,
        theirs: || operation::encodes(RS256),
    },
];
