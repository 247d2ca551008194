//! Measures the bytes of memory per entry.

use std::sync::Arc;

use dashmap::DashMap;
use rocket::Config;
use rocket::time::{Duration, OffsetDateTime};
use rocket::tokio::runtime::Builder;
use rocket_jwt_extended::blocklist::{Changes, Cursor, Entry};
use rocket_jwt_extended::{
    Blocklist, Exchange, Exchanged, Jwt, MemoryBlocklist, Revocation, TokenIds,
};

use crate::store_stub::{Answer, Call, StoreStub};
use crate::{child, ids};

const SIZES: [u64; 2] = [1_000_000, 10_000_000];

/// The kinds of store, with their names here and in the table.
const STORES: [(&str, &str); 5] = [
    ("memory", "`MemoryBlocklist`, a revoked token"),
    ("replica", "`blocklist_replica`, the same"),
    ("session", "`MemoryBlocklist`, the row of a session"),
    ("string", "`DashMap<String, i64>`, the `jti` as text"),
    ("u128", "`DashMap<u128, i64>`"),
];

/// Sizes within a factor of two: a table that grows by doubling has its best and its worst case
/// among them.
const OCTAVE: i32 = 8;

pub fn table() -> String {
    let measure =
        |what: &str, count: u64| child::numbers(&["resident", what, &count.to_string()])[0];
    let mut text = String::from("| | bytes at 10⁶ | bytes at 10⁷ |\n|---|---:|---:|\n");
    for (what, name) in STORES {
        let empty = measure(what, 0);
        let [million, ten] = SIZES.map(|count| (measure(what, count) - empty) / count as f64);
        text += &format!("| {name} | {million:.1} | {ten:.1} |\n");
    }
    let empty = measure("memory", 0);
    let octave: Vec<f64> = (0..OCTAVE)
        .map(|step| (1e6 * (f64::from(step) / f64::from(OCTAVE)).exp2()) as u64)
        .map(|count| (measure("memory", count) - empty) / count as f64)
        .collect();
    let least = octave.iter().copied().fold(f64::INFINITY, f64::min);
    let most = octave.iter().copied().fold(0.0, f64::max);
    text += &format!(
        "\nAt {OCTAVE} sizes from a million to two, an entry of `MemoryBlocklist` takes \
         {least:.1} to {most:.1} bytes.\n"
    );
    text
}

/// Fills a store, and prints the growth of the process.
pub fn case(what: &str, count: u64) {
    let until = OffsetDateTime::now_utc() + Duration::days(1);
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    // Memory of the first use is not counted as memory of an entry.
    let _ = ids::id(0).to_string();
    let before = resident();
    let bytes = match what {
        "memory" => {
            let store = MemoryBlocklist::new();
            runtime.block_on(async {
                for number in 0..count {
                    let entry = Revocation::token(ids::id(number).to_string(), until);
                    store.revoke(&entry).await.expect("revoked");
                }
            });
            grown(before, || assert_eq!(store.len() as u64, count))
        }
        "session" => {
            let store = MemoryBlocklist::new();
            let now = OffsetDateTime::now_utc();
            runtime.block_on(async {
                for number in 0..count {
                    let [id, next] = [number, number + count].map(ids::id);
                    let exchange = Exchange::new(next, [0; 16], now, Duration::ZERO, until);
                    let (sid, jti) = (id.to_string(), id.to_string());
                    let ids = TokenIds::new(Some(&jti), Some(&sid), None, None).exchangeable();
                    let exchanged = store.exchange(&ids, &exchange).await.expect("exchanged");
                    assert!(exchanged == Exchanged::First);
                }
            });
            grown(before, || assert_eq!(store.len() as u64, count))
        }
        "string" => {
            let map = DashMap::new();
            for number in 0..count {
                map.insert(ids::id(number).to_string(), until.unix_timestamp());
            }
            grown(before, || assert_eq!(map.len() as u64, count))
        }
        "u128" => {
            let map = DashMap::new();
            for number in 0..count {
                map.insert(ids::id(number).as_u128(), until.unix_timestamp());
            }
            grown(before, || assert_eq!(map.len() as u64, count))
        }
        "replica" => runtime.block_on(async {
            let figment = rocket::figment::Figment::from(Config::release_default())
                .merge(("log_level", "off"))
                .merge(("jwt.secret_key", format!("{}{}", ids::id(1), ids::id(2))))
                .merge(("jwt.blocklist_replica", "1s"));
            let store = Arc::new(given(count, until));
            let rocket = rocket::custom(figment)
                .attach(Jwt::fairing().replicable_blocklist(store))
                .ignite()
                .await
                .expect("a server");
            grown(before, || drop(rocket))
        }),
        _ => panic!("no such store: {what}"),
    };
    println!("{bytes}");
}

/// The growth of the process. The value is used again afterwards, so that it is still in memory.
fn grown(before: u64, then: impl FnOnce()) -> u64 {
    let grown = resident() - before;
    then();
    grown
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("kilobytes") * 1024
}

/// A shared store with that many revoked tokens, which holds none of them.
fn given(count: u64, until: OffsetDateTime) -> StoreStub {
    StoreStub::new(move |call| {
        let Call::Changes(after) = call else { return Answer::Fail("not to be asked") };
        let from = after.and_then(Cursor::get).copied().unwrap_or(0_u64);
        let to = count.min(from + 4096);
        let entry = |number| Entry::of(&Revocation::token(ids::id(number).to_string(), until));
        let entries = (from..to).map(entry).collect();
        Answer::Changes(Changes { entries, cursor: Cursor::new(to), more: to < count })
    })
}
