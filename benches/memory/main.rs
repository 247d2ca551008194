//! Measures the in-memory store: the bytes of an entry, the cost of lookups and revocations as it
//! grows, and the latency of requests while a million entries are pruned.
//!
//! ```sh
//! cargo bench --bench memory                          # resident, time, leaving
//! cargo bench --bench memory -- misses                # takes minutes, wants valgrind
//! cargo bench --all-features --bench memory -- shared # takes minutes, wants Redis and PostgreSQL
//! cargo bench --bench memory -- resident --record     # and writes it into benches/README.md
//! ```
//!
//! Each case runs in a separate process of this program.

#[macro_use]
extern crate rocket;

mod asking;
mod child;
mod ids;
mod leaving;
mod record;
mod resident;
#[path = "../support/rounds.rs"]
#[allow(dead_code)]
mod rounds;
mod server;
#[cfg(all(feature = "deadpool_postgres", feature = "deadpool_redis"))]
mod shared;
#[path = "../../tests/support/store_stub.rs"]
mod store_stub;

use rounds::quartiles;

/// The name of a part, whether it is measured by default, and the function that measures it.
type Part = (&'static str, bool, fn() -> String);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let named: Vec<&str> =
        arguments.iter().copied().filter(|name| !name.starts_with("--")).collect();
    match named[..] {
        ["resident", what, count] => return resident::case(what, number(count)),
        ["ask", what, count, asked] => return asking::case(what, number(count), number(asked)),
        ["serve", revoked] => return server::run(number(revoked), 1),
        _ => {}
    }
    let is_asked_for = |part: &str, by_default| match named[..] {
        [] => by_default,
        _ => named.contains(&part),
    };
    let parts: &[Part] = &[
        ("resident", true, resident::table),
        ("time", true, asking::times),
        ("leaving", true, leaving::table),
        ("misses", false, asking::misses),
        #[cfg(all(feature = "deadpool_postgres", feature = "deadpool_redis"))]
        ("shared", false, shared::table),
    ];
    for (part, by_default, measure) in parts {
        if is_asked_for(part, *by_default) {
            record::report(part, measure, arguments.contains(&"--record"));
        }
    }
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}
