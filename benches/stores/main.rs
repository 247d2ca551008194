//! What a store costs: the throughput of a guarded route, by store, as a ratio to the store in memory.
//!
//! ```sh
//! cargo bench --all-features --bench stores
//! ```
//!
//! One Rocket server for each store listens on loopback, and all of them are asked in turn, most of a
//! second each, round after round, in an order that changes with each round, so that what else the
//! machine does hits all alike. A ratio is taken within its round. PostgreSQL, MariaDB and Redis are
//! found as the tests find them. It takes not quite three minutes, after it was built.
//!
//! Names after `--` ask those stores only whose names they are part of; `ROUNDS` and `CONNECTIONS` in the
//! environment say how often, and over how many connections at once.

#[macro_use]
extern crate rocket;

mod checkout;
mod client;
#[path = "../support/rounds.rs"]
mod rounds;
mod server;
mod store;

use std::thread::available_parallelism;
use std::time::Duration;

use rocket::tokio::runtime::{Builder, Runtime};

use client::Route;
use rounds::{order, quartiles};

const SLICE: Duration = Duration::from_millis(800);

/// A guarded route in front of the store in memory: what the others are compared with.
const MEMORY: usize = 1;

fn main() {
    let plan = Plan::new();
    // The client has a thread of its own, so that it never waits behind what it measures.
    let servers = Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let client = Builder::new_current_thread().enable_all().build().expect("a runtime");

    let (routes, stores) = servers.block_on(async {
        let stores = store::all().await;
        let mut routes = vec![];
        for store in &stores {
            let server = server::start(store).await;
            if routes.is_empty() {
                routes.push(server.route("open route", "/open"));
            }
            if routes.len() == MEMORY || plan.has(store.name) {
                routes.push(server.route(store.name, "/guarded"));
            }
        }
        (routes, stores)
    });

    let rounds = measure(&client, &routes, &plan);
    report(&routes, &rounds, &plan);

    servers.block_on(async {
        for store in stores {
            store.remove().await;
        }
    });
    servers.shutdown_background();
}

/// What the command line and the environment ask for.
struct Plan {
    names: Vec<String>,
    rounds: Option<usize>,
    connections: usize,
}

impl Plan {
    fn new() -> Self {
        let number = |name| {
            let text = std::env::var(name).ok()?;
            Some(text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
        };
        Self {
            // Cargo adds options of its own.
            names: std::env::args().skip(1).filter(|name| !name.starts_with('-')).collect(),
            rounds: number("ROUNDS"),
            connections: number("CONNECTIONS").unwrap_or(16),
        }
    }

    fn has(&self, store: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| store.contains(&**name))
    }

    /// Twice as many as there are routes, unless it was said.
    fn rounds(&self, routes: &[Route]) -> usize {
        self.rounds.unwrap_or(2 * routes.len())
    }
}

/// Requests per second of each route, round by round.
fn measure(client: &Runtime, routes: &[Route], plan: &Plan) -> Vec<Vec<f64>> {
    let ask = |route: &Route, time| client.block_on(client::drive(route, plan.connections, time));
    let number_of_rounds = plan.rounds(routes);
    for route in routes {
        ask(route, SLICE / 2);
    }
    let round = |number: usize| {
        let mut rates = vec![0.0; routes.len()];
        for place in order(number, routes.len()) {
            rates[place] = ask(&routes[place], SLICE);
        }
        eprintln!("round {} of {number_of_rounds}", number + 1);
        rates
    };
    (0..number_of_rounds).map(round).collect()
}

fn report(routes: &[Route], rounds: &[Vec<f64>], plan: &Plan) {
    let processors = available_parallelism().map_or(1, usize::from);
    let (number, connections) = (rounds.len(), plan.connections);
    println!("{number} rounds of {SLICE:?}, {connections} connections, {processors} processors\n");
    println!("| store | requests/s | quartiles | ratio to memory | quartiles |");
    println!("|---|---:|---:|---:|---:|");
    for (place, route) in routes.iter().enumerate() {
        let [low, rate, high] = quartiles(rounds.iter().map(|rates| rates[place]));
        let [less, ratio, more] =
            quartiles(rounds.iter().map(|rates| rates[place] / rates[MEMORY]));
        println!(
            "| {} | {rate:.0} | {low:.0}–{high:.0} | {ratio:.2} | {less:.2}–{more:.2} |",
            route.name
        );
    }
    by_hand(routes, rounds);
}

/// What sharing one connection comes to.
fn by_hand(routes: &[Route], rounds: &[Vec<f64>]) {
    let place = |name| routes.iter().position(|route| route.name == name);
    if let (Some(ours), Some(theirs)) = (place(store::REDIS), place(store::REDIS_BY_HAND)) {
        let [less, ratio, more] = quartiles(rounds.iter().map(|rates| rates[ours] / rates[theirs]));
        println!("\n`{}` to `{}`:", store::REDIS, store::REDIS_BY_HAND);
        println!("{ratio:.2}, quartiles {less:.2}–{more:.2}");
    }
}
