//! Counts the instructions of verifying and issuing a token, compared with `jsonwebtoken` with the
//! same claims and key. Callgrind counts them without noise.
//!
//! ```sh
//! scripts/check-instructions           # measures, and compares with the baseline
//! scripts/check-instructions --record  # measures, and makes it the baseline
//! ```
//!
//! Each operation runs often before it is counted once, so that the count excludes set-up at the
//! first use.

#[path = "../support/mod.rs"]
mod support;

use gungraun::prelude::*;
use rocket_jwt_extended::jsonwebtoken::Algorithm::{HS256, RS256};

use support::operation::{self, Operation};

type Made = Box<dyn Operation>;

#[library_benchmark]
#[bench::ours(operation::verifies(HS256, 0))]
#[bench::theirs(operation::decodes(HS256, 0))]
fn verify_hs256(mut operation: Made) -> Made {
    operation.run();
    operation
}

#[library_benchmark]
#[bench::ours(operation::verifies(HS256, 0))]
#[bench::theirs(operation::decodes_everything(HS256, 0))]
fn verify_hs256_all_claims(mut operation: Made) -> Made {
    operation.run();
    operation
}

#[library_benchmark]
#[bench::ours(operation::verifies(HS256, 4 << 10))]
#[bench::theirs(operation::decodes(HS256, 4 << 10))]
fn verify_hs256_4_kib(mut operation: Made) -> Made {
    operation.run();
    operation
}

#[library_benchmark]
#[bench::ours(operation::verifies(RS256, 0))]
#[bench::theirs(operation::decodes(RS256, 0))]
fn verify_rs256_again(mut operation: Made) -> Made {
    operation.run();
    operation
}

#[library_benchmark]
#[bench::ours(operation::issues(HS256))]
#[bench::theirs(operation::encodes(HS256))]
fn issue_hs256(mut operation: Made) -> Made {
    operation.run();
    operation
}

#[library_benchmark]
#[bench::ours(operation::issues(RS256))]
#[bench::theirs(operation::encodes(RS256))]
fn issue_rs256(mut operation: Made) -> Made {
    operation.run();
    operation
}

library_benchmark_group!(
    name = tokens,
    benchmarks = [
        verify_hs256,
        verify_hs256_all_claims,
        verify_hs256_4_kib,
        verify_rs256_again,
        issue_hs256,
        issue_rs256
    ]
);

main!(
    config = LibraryBenchmarkConfig::default().valgrind_args(["--trace-children=no"]),
    library_benchmark_groups = tokens
);
