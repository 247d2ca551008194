//! Measures the cost of a store: the throughput of a guarded route for each store, as a ratio to
//! the in-memory store.
//!
//! ```sh
//! cargo bench --all-features --bench stores
//! ```
//!
//! One Rocket server for each store listens on loopback. In each round, every server gets requests
//! for most of a second. The order changes with each round, so that other load on the machine
//! affects all servers equally. Ratios are computed within a round. PostgreSQL, MariaDB and Redis
//! are found as in the tests. After the build, it takes almost three minutes.
//!
//! Arguments after `--` select the stores whose names contain one of them. The environment
//! variables `ROUNDS` and `CONNECTIONS` set the number of rounds and of concurrent connections.

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

/// A guarded route with the in-memory store, to which the others are compared.
const MEMORY: usize = 1;

fn main() {
    let plan = Plan::new();
    // The client has a separate thread, so that it never waits for the server that it measures.
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

/// The options from the command line and the environment.
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
            // Cargo adds its own options.
            names: std::env::args().skip(1).filter(|name| !name.starts_with('-')).collect(),
            rounds: number("ROUNDS"),
            connections: number("CONNECTIONS").unwrap_or(16),
        }
    }

    fn has(&self, store: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| store.contains(&**name))
    }

    /// By default, twice the number of routes.
    fn rounds(&self, routes: &[Route]) -> usize {
        self.rounds.unwrap_or(2 * routes.len())
    }
}

/// Requests per second of each route, in each round.
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

/// The effect of sharing one connection.
fn by_hand(routes: &[Route], rounds: &[Vec<f64>]) {
    let place = |name| routes.iter().position(|route| route.name == name);
    if let (Some(ours), Some(theirs)) = (place(store::REDIS), place(store::REDIS_BY_HAND)) {
        let [less, ratio, more] = quartiles(rounds.iter().map(|rates| rates[ours] / rates[theirs]));
        println!("\n`{}` to `{}`:", store::REDIS, store::REDIS_BY_HAND);
        println!("{ratio:.2}, quartiles {less:.2}–{more:.2}");
    }
}
