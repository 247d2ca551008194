//! Measures the time to verify and issue a token, compared with `jsonwebtoken` with the same claims
//! and key.
//!
//! ```sh
//! cargo bench --bench tokens            # everything
//! cargo bench --bench tokens -- ratios  # the table of ratios alone, in half a minute
//! cargo bench --bench tokens -- RS256   # the times of one kind
//! ```
//!
//! For the table, all operations take turns in one run, so its ratios are valid on a busy machine
//! too; criterion measures one operation after another. Both sides use AWS-LC, and `jsonwebtoken`
//! checks `exp` and `nbf` without leeway. This crate has its default configuration, and runs all
//! checks of a guard.

mod pairs;
mod ratios;
#[path = "../support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode};

use pairs::{PAIRS, Pair};
use support::operation::Operation;

fn main() {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    if filter.is_none_or(|filter| filter == "ratios") {
        ratios::print();
    }
    let mut criterion = Criterion::default().configure_from_args();
    for pair in &PAIRS {
        measure(&mut criterion, pair);
    }
    criterion.final_summary();
}

fn measure(criterion: &mut Criterion, pair: &Pair) {
    let mut group = criterion.benchmark_group(pair.name);
    // New tokens are signed for every measurement, which takes longer than verifying them.
    group.sampling_mode(SamplingMode::Flat).sample_size(50);
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(1));
    for (name, make) in [("this crate", pair.ours), (pair.beside, pair.theirs)] {
        group.bench_function(name, |bencher| {
            let mut operation = make();
            bencher.iter_custom(|times| time(&mut *operation, times as usize));
        });
    }
}

/// The time to run an operation this often.
fn time(operation: &mut dyn Operation, times: usize) -> Duration {
    operation.prepare(times);
    let start = Instant::now();
    (0..times).for_each(|_| operation.run());
    start.elapsed()
}
