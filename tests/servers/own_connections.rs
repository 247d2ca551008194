//! What a database refuses for a while, and a server that shuts down: the store's own connections are
//! replaced, and outlive the application's pool.

use std::thread;

use crate::database::{Kind, Server};
use crate::node::{Node, Setup};

/// MariaDB only reads for a while, by 1290, and the connections that saw it are replaced.
#[test]
fn a_mariadb_that_only_read_for_a_while_is_written_again() {
    let server = Server::start(Kind::MariaDb);
    server.ask("CREATE USER app@'%'; GRANT ALL ON test.* TO app@'%'");
    let mut place = server.place("sqlx_mysql");
    place.url = place.url.replace("root@", "app@");
    let setup = Setup { log_level: "normal", ..Setup::new("") };
    let node = Node::start(&place, &setup);
    let pair = node.login("ada");
    server.ask("SET GLOBAL read_only = 1");
    assert_eq!(node.post("/logout", &pair.access).status, 503);
    node.lets_in(&pair);
    // A server may start meanwhile: what it can't do yet is a warning.
    let later = Node::start(&place, &setup);
    assert_eq!(later.post("/logout", &pair.access).status, 503);
    server.ask("SET GLOBAL read_only = 0");
    assert_eq!(later.post("/logout", &pair.access).status, 204);
    node.refuses(&pair);
}

/// A test suite truncates all tables, and the servers run on.
#[test]
fn a_missing_epoch_is_restored_by_running_servers_and_at_launch() {
    let server = Server::start(Kind::MariaDb);
    let place = server.place("sqlx_mysql");
    let running = Node::start(&place, &Setup::new(""));
    let replica = Node::start(&place, &Setup::new(",blocklist_replica=\"100ms\""));
    for launch in [false, true] {
        server.ask("DELETE FROM jwt_blocklist; TRUNCATE jwt_blocklist_epoch");
        let relaunched = launch.then(|| Node::start(&place, &Setup::new("")));
        let node = relaunched.as_ref().unwrap_or(&running);
        let pair = node.login("ada");
        let next = node.post("/refresh", &pair.refresh).pair();
        assert_eq!(node.post("/logout", &next.access).status, 204);
        running.refuses(&next);
        crate::node::wait_until("the replica knows it", || {
            replica.get("/me", &next.access).status == 401
        });
    }
}

/// A request that is in its grace when the server shuts down is answered, after the pool is closed.
#[test]
fn a_request_in_its_grace_is_answered_after_the_pool_is_closed() {
    for (kind, store) in [
        (Kind::Postgres, "sqlx_postgres"),
        (Kind::Postgres, "deadpool_postgres"),
        (Kind::MariaDb, "sqlx_mysql"),
    ] {
        let server = Server::start(kind);
        let node = Node::start(&server.place(store), &Setup::new(""));
        let pair = node.login("ada");
        let slow = thread::scope(|scope| {
            let slow = scope.spawn(|| node.post("/slow-logout", &pair.access));
            crate::node::wait_until("the request has begun", || node.get("/slow", "").body == "1");
            node.terminate();
            slow.join().expect("no panic")
        });
        assert_eq!(slow.status, 204, "{store}: {slow:?}");
        let other = Node::start(&server.place(store), &Setup::new(""));
        other.refuses(&pair);
    }
}
