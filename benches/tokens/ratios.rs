//! The table of ratios.

use std::time::Duration;

use crate::pairs::PAIRS;
use crate::support::operation::Operation;
use crate::support::rounds::{order, quartiles};
use crate::time;

/// The same number for each place in the order.
const ROUNDS: usize = PAIRS.len() * 32;
/// How long each operation is measured in a round: shorter than a scheduler's time slice, so that
/// most measurements are not interrupted.
const SLICE: Duration = Duration::from_millis(1);

/// Measures every pair in each round, and prints medians and quartiles. A ratio compares two
/// adjacent slices.
pub fn print() {
    let mut operations: Vec<_> =
        PAIRS.iter().flat_map(|pair| [(pair.ours)(), (pair.theirs)()]).collect();
    let times: Vec<_> = operations.iter_mut().map(|operation| fitting(&mut **operation)).collect();

    let rounds: Vec<Vec<f64>> = (0..ROUNDS)
        .map(|round| {
            let mut micros = vec![0.0; operations.len()];
            for pair in order(round, PAIRS.len()) {
                for side in order(round, 2) {
                    let place = 2 * pair + side;
                    let taken = time(&mut *operations[place], times[place]);
                    micros[place] = taken.as_secs_f64() * 1e6 / times[place] as f64;
                }
            }
            micros
        })
        .collect();

    println!("{ROUNDS} rounds of {SLICE:?}\n");
    println!("| operation | µs | quartiles | compared with | µs | ratio | quartiles |");
    println!("|---|---:|---:|---|---:|---:|---:|");
    for (number, pair) in PAIRS.iter().enumerate() {
        let (ours, theirs) = (2 * number, 2 * number + 1);
        let [low, micros, high] = quartiles(rounds.iter().map(|micros| micros[ours]));
        let [_, other, _] = quartiles(rounds.iter().map(|micros| micros[theirs]));
        let [less, ratio, more] =
            quartiles(rounds.iter().map(|micros| micros[ours] / micros[theirs]));
        println!(
            "| {} | {micros:.2} | {low:.2}–{high:.2} | {} | {other:.2} | {ratio:.3} | {less:.3}–{more:.3} |",
            pair.name, pair.beside
        );
    }
}

/// How often an operation fits in a slice.
fn fitting(operation: &mut dyn Operation) -> usize {
    let each = (0..64).map(|_| time(operation, 1)).min().unwrap_or(SLICE);
    (SLICE.as_nanos() / each.as_nanos().max(1)).max(1) as usize
}
