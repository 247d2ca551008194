//! Measures curves: the time to verify by token length, and the rate of a guarded route by the
//! number of revoked tokens and of workers.
//!
//! ```sh
//! cargo bench --bench growth              # prints the figures, draws target/performance.svg
//! cargo bench --bench growth -- --record  # draws benches/performance.svg, writes benches/README.md
//! ```

#[macro_use]
extern crate rocket;

#[path = "../memory/child.rs"]
#[allow(dead_code)]
mod child;
#[path = "../stores/client.rs"]
#[allow(dead_code)]
mod client;
#[path = "../memory/ids.rs"]
mod ids;
mod length;
mod plot;
#[path = "../memory/record.rs"]
mod record;
mod requests;
#[path = "../support/rounds.rs"]
mod rounds;
#[path = "../memory/server.rs"]
mod server;

use std::path::Path;

use rounds::quartiles;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["serve", live, workers] = arguments[..] {
        let number = |text: &str| text.parse().expect("a number");
        return server::run(number(live), number(workers) as usize);
    }
    let is_recorded = arguments.contains(&"--record");
    let folder = if is_recorded { "benches" } else { "target" };
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join("performance.svg");
    let measure = || {
        let lengths = length::measure();
        let requests = requests::measure();
        plot::draw(&picture, &lengths, &requests);
        format!("{}\n{}", length::table(&lengths), requests::tables(&requests))
    };
    record::report("growth", measure, is_recorded);
}

/// The first quartile, the median, and the third.
pub type Quartiles = [f64; 3];
