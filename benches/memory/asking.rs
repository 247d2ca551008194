//! Measures lookups and revocations as the store grows: their time and their cache misses.

use std::hint::black_box;
use std::time::{Duration, Instant};

use rocket::time::OffsetDateTime;
use rocket::tokio::runtime::Builder;
use rocket_jwt_extended::{Blocklist, MemoryBlocklist, Revocation, Standing, TokenIds};

use crate::child::{self, Misses};
use crate::{ids, quartiles};

/// The number of ids prepared at a time, outside the measured time: few enough to fit in the
/// caches.
const READY: u64 = 512;

const ROUNDS: usize = 5;

/// The time of an operation, in nanoseconds.
pub fn times() -> String {
    let mut text = String::from(
        "| entries | lookup, revoked | lookup, not revoked | revoke | dependent read |\n\
         |---|---:|---:|---:|---:|\n",
    );
    for power in 3..=7 {
        let count = 10_u64.pow(power).to_string();
        let rounds: Vec<_> =
            (0..ROUNDS).map(|_| child::numbers(&["ask", "all", &count, "1000000"])).collect();
        text += &format!("| 10{} |", sup(power));
        for operation in 0..4 {
            let [low, time, high] = quartiles(rounds.iter().map(|times| times[operation]));
            text += &format!(" {time:.0} ({low:.0}–{high:.0}) |");
        }
        text += "\n";
    }
    text += &format!("\nNanoseconds: medians of {ROUNDS} processes, with the quartiles.\n");
    text
}

/// A last-level cache of 4 MiB: a million entries have the same effect on it as ten million on one
/// of 32 MiB. Counting with ten million takes an hour.
const SMALL: &str = "4194304,16,64";

/// The misses of an operation, counted with cachegrind: a full run minus a run that only prepares.
pub fn misses() -> String {
    let mut text = String::from(
        "| entries | | instructions | L1 misses | last-level misses | with 4 MiB |\n\
         |---|---|---:|---:|---:|---:|\n",
    );
    for power in 3..=6 {
        let count = 10_u64.pow(power);
        let asked = count.min(100_000);
        let [count, asked_text] = [count, asked].map(|number| number.to_string());
        let run = |what| {
            let case = ["ask", what, &count, &asked_text];
            [None, Some(SMALL)].map(|last_level| child::misses(&case, last_level))
        };
        let filled = run("none");
        for (what, name) in
            [("hit", "lookup, revoked"), ("miss", "lookup, not revoked"), ("revoke", "revoke")]
        {
            let whole = run(what);
            let each = |cache: usize, of: fn(&Misses) -> f64| {
                (of(&whole[cache]) - of(&filled[cache])) / asked as f64
            };
            text += &format!(
                "| 10{} | {name} | {:.0} | {:.1} | {:.1} | {:.1} |\n",
                sup(power),
                each(0, |all| all.instructions),
                each(0, |all| all.first),
                each(0, |all| all.last),
                each(1, |all| all.last)
            );
        }
    }
    text
}

fn sup(power: u32) -> char {
    "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().nth(power as usize).expect("a digit")
}

/// Fills a store, queries it, and prints the nanoseconds of each operation.
pub fn case(what: &str, count: u64, asked: u64) {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let each = |time: Duration, operations: u64| time.as_nanos() as f64 / operations as f64;
    if what != "all" {
        runtime.block_on(async {
            let store = MemoryBlocklist::new();
            fill(&store, 0..count).await;
            ask(&store, what, count, asked).await;
        });
        return;
    }
    // Revoking is measured from half of the entries to all of them, including the growth of the
    // tables, and several times if the number is small.
    let half = count / 2;
    let times = (asked / 10).div_ceil(half);
    let mut revoking = Duration::ZERO;
    let mut store = MemoryBlocklist::new();
    for _ in 0..times {
        store = MemoryBlocklist::new();
        runtime.block_on(fill(&store, 0..half));
        revoking += runtime.block_on(fill(&store, half..count));
    }
    let hit = runtime.block_on(ask(&store, "hit", count, asked));
    let miss = runtime.block_on(ask(&store, "miss", count, asked));
    let numbers = [
        each(hit, asked),
        each(miss, asked),
        each(revoking, times * half),
        each(read(count, asked), asked),
    ];
    println!("{}", numbers.map(|number| number.to_string()).join(" "));
}

/// Runs an operation this often on a store with this many entries.
async fn ask(store: &MemoryBlocklist, what: &str, count: u64, asked: u64) -> Duration {
    let until = OffsetDateTime::now_utc() + rocket::time::Duration::days(1);
    let mut spent = Duration::ZERO;
    let mut number = 0;
    while number < asked {
        // Lookups of ids that were not revoked find nothing.
        let pick = |number| match what {
            "miss" => count + ids::mix(number) % count,
            "revoke" => count + number,
            _ => ids::mix(number) % count,
        };
        let to = asked.min(number + READY);
        let texts: Vec<String> = (number..to).map(|at| ids::id(pick(at)).to_string()).collect();
        number = to;
        let start = Instant::now();
        match what {
            "none" => drop(black_box(texts)),
            "revoke" => {
                for text in texts {
                    store.revoke(&Revocation::token(text, until)).await.expect("revoked");
                }
            }
            _ => {
                let found = if what == "hit" { Standing::Revoked } else { Standing::Live };
                for text in &texts {
                    let ids = TokenIds::new(Some(text), None, None, None);
                    assert!(store.standing(&ids).await.expect("an answer") == found);
                }
            }
        }
        spent += start.elapsed();
    }
    spent
}

async fn fill(store: &MemoryBlocklist, numbers: std::ops::Range<u64>) -> Duration {
    let until = OffsetDateTime::now_utc() + rocket::time::Duration::days(1);
    let mut spent = Duration::ZERO;
    let mut from = numbers.start;
    while from < numbers.end {
        let to = numbers.end.min(from + READY);
        let entry = |number| Revocation::token(ids::id(number).to_string(), until);
        let entries: Vec<Revocation> = (from..to).map(entry).collect();
        let start = Instant::now();
        for entry in &entries {
            store.revoke(entry).await.expect("revoked");
        }
        spent += start.elapsed();
        from = to;
    }
    spent
}

/// Dependent reads at addresses that no processor can predict, in as much memory as the store
/// takes: the cost of one cache miss at this size.
fn read(count: u64, asked: u64) -> Duration {
    const LINE: usize = 64 / size_of::<u32>();
    let lines = (count as usize * 36).div_ceil(64);
    let mut order: Vec<u32> = (0..lines as u32).collect();
    for place in (1..lines).rev() {
        order.swap(place, ids::mix(place as u64) as usize % place);
    }
    let mut memory = vec![0_u32; lines * LINE];
    for (line, next) in order.iter().enumerate() {
        memory[line * LINE] = *next;
    }
    drop(order);
    let mut place = 0;
    for _ in 0..lines.min(1 << 20) {
        place = memory[place as usize * LINE];
    }
    let start = Instant::now();
    for _ in 0..asked {
        place = memory[place as usize * LINE];
    }
    let spent = start.elapsed();
    black_box(place);
    spent
}
