//! MariaDB fails over, and the connections of a node stay with the server that was the primary, which
//! answers lookups as before.

use std::thread;
use std::time::{Duration, Instant};

use crate::database::{Kind, Server};
use crate::http::Pair;
use crate::node::{Node, Place, Setup};
use crate::relay::Relay;

/// Two servers, and an address that leads to the first.
struct Servers {
    first: Server,
    second: Server,
    relay: Relay,
}

impl Servers {
    fn start() -> Self {
        let [first, second] = [(); 2].map(|()| {
            let server = Server::start(Kind::MariaDb);
            server.ask("CREATE USER app@'%'; GRANT ALL ON test.* TO app@'%'");
            server
        });
        let relay = Relay::to(first.port());
        Self { first, second, relay }
    }

    fn node(&self, port: u16) -> Node {
        let url = format!("mysql://app@127.0.0.1:{port}/test");
        Node::start(&Place { store: "sqlx_mysql", url }, &Setup::new(""))
    }
}

/// Asks until the pair is refused. Every answer that was asked for after the bound must refuse it.
fn is_refused_within(node: &Node, pair: &Pair, bound: Duration) {
    let begin = Instant::now();
    loop {
        let asked = begin.elapsed();
        let answer = node.get("/me", &pair.access);
        if answer.status == 401 {
            return;
        }
        assert!(asked <= bound, "let in after {asked:?}: {answer:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_demoted_server_is_not_asked_for_long() {
    let servers = Servers::start();
    let node = servers.node(servers.relay.port);
    let neighbour = servers.node(servers.second.port());
    let (pair, other) = (node.login("ada"), node.login("bob"));
    node.lets_in(&pair);
    // The address leads to the second server, and the first knows that it is demoted.
    servers.relay.turn_to(servers.second.port());
    servers.first.ask("SET GLOBAL read_only = 1");
    assert_eq!(neighbour.post("/logout", &pair.access).status, 204);

    is_refused_within(&node, &pair, Duration::from_millis(1500));
    node.refuses(&pair);
    node.lets_in(&other);
    assert_eq!(node.post("/logout", &other.access).status, 204);
    neighbour.refuses(&other);
}

/// During maintenance the address leads to a server that only reads. It is believed, and each second at
/// most as many connections are opened as there are.
#[test]
fn a_server_that_only_reads_is_asked_while_there_is_no_other() {
    let servers = Servers::start();
    let node = servers.node(servers.relay.port);
    let (pair, other) = (node.login("ada"), node.login("bob"));
    assert_eq!(node.post("/logout", &other.access).status, 204);
    servers.first.ask("SET GLOBAL read_only = 1");
    let before = servers.relay.accepted();
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(3) {
        node.lets_in(&pair);
        node.refuses(&other);
    }
    let opened = servers.relay.accepted() - before;
    assert!((1..=8 * 4).contains(&opened), "{opened}");
    servers.first.ask("SET GLOBAL read_only = 0");
    assert_eq!(node.post("/logout", &pair.access).status, 204);
}
