//! Measures requests per second over loopback, by the number of revoked tokens and of workers.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::Duration;

use rocket::tokio::runtime::Builder;

use crate::client::{self, Route};
use crate::rounds::order;
use crate::{Quartiles, child, quartiles};

const ENTRIES: [u64; 5] = [1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// The number of revoked tokens on the servers with different numbers of workers.
const SOME: u64 = 1_000;

/// A multiple of twice the number of routes.
const ROUNDS: usize = 48;
const SLICE: Duration = Duration::from_millis(200);
const CONNECTIONS: usize = 16;

pub struct Requests {
    /// By entries, with one worker: requests per second, and the ratio to the first.
    pub entries: Vec<(u64, Quartiles, Quartiles)>,
    /// By workers: the rates of the open and the guarded route, and the ratio of guarded to open.
    pub workers: Vec<(u64, Quartiles, Quartiles, Quartiles)>,
}

pub fn measure() -> Requests {
    let mut servers = Servers::default();
    let mut routes = vec![];
    for count in ENTRIES {
        let (address, token) = servers.start(count, 1);
        routes.push(Route {
            name: "guarded",
            address,
            path: "/guarded",
            tokens: vec![token.clone()],
        });
        if count == SOME {
            routes.push(Route { name: "open", address, path: "/open", tokens: vec![token] });
        }
    }
    let (address, token) = servers.start(SOME, 2);
    routes.push(Route { name: "guarded", address, path: "/guarded", tokens: vec![token.clone()] });
    routes.push(Route { name: "open", address, path: "/open", tokens: vec![token] });

    let client = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let ask = |route: &Route| client.block_on(client::drive(route, CONNECTIONS, SLICE));
    for route in &routes {
        ask(route);
    }
    let round = |number: usize| {
        let mut rates = vec![0.0; routes.len()];
        for place in order(number, routes.len()) {
            rates[place] = ask(&routes[place]);
        }
        rates
    };
    let rounds: Vec<_> = (0..ROUNDS).map(round).collect();
    let rate = |place: usize| quartiles(rounds.iter().map(|rates| rates[place]));
    let ratio = |of: usize, to: usize| quartiles(rounds.iter().map(|rates| rates[of] / rates[to]));
    // The second route is the open one.
    let places = [0, 2, 3, 4, 5];
    Requests {
        entries: ENTRIES
            .into_iter()
            .zip(places)
            .map(|(count, place)| (count, rate(place), ratio(place, 0)))
            .collect(),
        workers: [(1, 1, 0), (2, 7, 6)]
            .map(|(workers, open, guarded)| {
                (workers, rate(open), rate(guarded), ratio(guarded, open))
            })
            .into(),
    }
}

pub fn tables(requests: &Requests) -> String {
    let rate = |[low, middle, high]: &Quartiles| format!("{middle:.0} ({low:.0}–{high:.0})");
    let ratio = |[low, middle, high]: &Quartiles| format!("{middle:.2} ({low:.2}–{high:.2})");
    let mut text = String::from(
        "| revoked tokens | guarded requests/s | ratio to a thousand |\n|---:|---:|---:|\n",
    );
    for (count, rates, ratios) in &requests.entries {
        text += &format!("| {count} | {} | {} |\n", rate(rates), ratio(ratios));
    }
    text += "\n| workers | open requests/s | guarded requests/s | ratio |\n|---:|---:|---:|---:|\n";
    for (workers, open, guarded, ratios) in &requests.workers {
        text +=
            &format!("| {workers} | {} | {} | {} |\n", rate(open), rate(guarded), ratio(ratios));
    }
    text += &format!(
        "\nMedians, with the first and third quartile; {ROUNDS} rounds of {SLICE:?} a route, \
         {CONNECTIONS} connections.\n"
    );
    text
}

/// Processes that are ended with this one.
#[derive(Default)]
struct Servers(Vec<Child>);

impl Servers {
    fn start(&mut self, count: u64, workers: u64) -> (std::net::SocketAddr, String) {
        let mut server = child::command(&["serve", &count.to_string(), &workers.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a server");
        let mut line = String::new();
        let output = server.stdout.take().expect("its output");
        self.0.push(server);
        BufReader::new(output).read_line(&mut line).expect("a line");
        let (address, token) = line.trim().split_once(' ').expect("an address and a token");
        (address.parse().expect("an address"), token.into())
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for server in &mut self.0 {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}
