//! What a launch says of a Redis server that the application cannot use as it must.

use crate::database::{Kind, Server};
use crate::node::{Node, Place, Setup};

const PASSWORD: &str = "correct-horse";

fn place(server: &Server, login: &str, database: &str) -> Place {
    let url = format!("redis://{login}127.0.0.1:{}{database}", server.port());
    Place { store: "deadpool_redis", url }
}

/// The line of a launch that fails.
#[track_caller]
fn fault(place: &Place, jwt: &str) -> String {
    let setup = Setup { connect_timeout: 2, log_level: "normal", ..Setup::new(jwt) };
    let log = match Node::try_start(place, &setup) {
        Ok(_) => panic!("it launches: {place:?}, {jwt}"),
        Err(log) => log,
    };
    let lines: Vec<_> = log.lines().filter(|line| line.contains("JWT blocklist can't")).collect();
    let [line] = lines[..] else { panic!("{log}") };
    assert!(!line.contains(PASSWORD), "{line}");
    line.into()
}

/// A user with these rights, beside a server that demands a login of nobody else.
fn with_user(rights: &str) -> (Server, Place) {
    let server = Server::start(Kind::Redis);
    server.ask(&format!("ACL SETUSER app on >{PASSWORD} {rights}"));
    let place = place(&server, &format!("app:{PASSWORD}@"), "");
    (server, place)
}

/// Runs the statement that the launch names.
#[track_caller]
fn cure(server: &Server, line: &str) {
    let (_, rest) = line.split_once("run `").expect("a cure");
    let (statement, _) = rest.split_once('`').expect("its end");
    server.ask(&statement.replace("<user>", "app"));
}

#[track_caller]
fn works(node: &Node) {
    let (stays, leaves) = (node.login("ada"), node.login("ada"));
    assert_eq!(node.post("/logout", &leaves.access).status, 204);
    node.refuses(&leaves);
    node.lets_in(&node.post("/refresh", &stays.refresh).pair());
}

const COMMANDS: [&str; 10] =
    ["ROLE", "PING", "UNWATCH", "TIME", "GET", "PTTL", "TYPE", "SET", "XADD", "EVAL"];
const OF_THE_REPLICA: [&str; 3] = ["XRANGE", "SCAN", "MGET"];

fn granted(commands: &[&str]) -> String {
    commands.iter().map(|name| format!(" +{}", name.to_lowercase())).collect()
}

#[test]
fn the_documented_rights_are_enough() {
    let (_server, place) = with_user(&format!("~jwt:* {}", granted(&COMMANDS)));
    works(&Node::start(&place, &Setup::new("")));
    let all = [&COMMANDS[..], &OF_THE_REPLICA].concat();
    let (_server, place) = with_user(&format!("~jwt:* {}", granted(&all)));
    works(&Node::start(&place, &Setup::new(",blocklist_replica=\"1s\"")));
    // The keys may be told one kind from another.
    let (_server, place) =
        with_user(&format!("~jwt:t* ~jwt:s* ~jwt:u* ~jwt:e* ~jwt:changes {}", granted(&all)));
    works(&Node::start(&place, &Setup::new(",blocklist_replica=\"1s\"")));
}

#[test]
fn each_missing_right_is_named_with_the_statement_that_grants_it() {
    let (server, place) = with_user("~jwt:* +@all");
    for command in COMMANDS {
        server.ask(&format!("ACL SETUSER app -{}", command.to_lowercase()));
        let line = fault(&place, "");
        assert!(line.contains(&format!("no right to `{command}`: run `ACL SETUSER app")), "{line}");
        cure(&server, &line);
        works(&Node::start(&place, &Setup::new("")));
    }
    for command in OF_THE_REPLICA {
        server.ask(&format!("ACL SETUSER app -{}", command.to_lowercase()));
        // It is not needed for anything else.
        works(&Node::start(&place, &Setup::new("")));
        let line = fault(&place, ",blocklist_replica=\"1s\"");
        assert!(line.contains(&format!("no right to `{command}`: run `ACL SETUSER app")), "{line}");
        cure(&server, &line);
        works(&Node::start(&place, &Setup::new(",blocklist_replica=\"1s\"")));
    }
}

#[test]
fn all_missing_rights_are_named_together() {
    let (server, place) = with_user("~other:* +ping +get +unwatch");
    let line = fault(&place, ",blocklist_replica=\"1s\"");
    for name in ["ROLE", "TIME", "PTTL", "TYPE", "SET", "XADD", "EVAL"] {
        assert!(line.contains(&format!("`{name}`")), "{name}: {line}");
    }
    assert!(line.contains("the keys that begin with `jwt:`"), "{line}");
    assert!(!line.contains("`GET`") && !line.contains("`PING`"), "{line}");
    // One statement, and it is for the replica too.
    cure(&server, &line);
    works(&Node::start(&place, &Setup::new(",blocklist_replica=\"1s\"")));
}

#[test]
fn the_trial_leaves_nothing() {
    let (server, place) = with_user("~jwt:* +@all");
    let _node = Node::start(&place, &Setup::new(""));
    assert_eq!(server.ask("DBSIZE").trim(), "0");
}

#[test]
fn a_server_that_records_nothing_fails_the_launch() {
    let server = Server::start(Kind::Redis);
    let place = place(&server, "", "");
    server.ask("CONFIG SET maxmemory 100kb");
    let line = fault(&place, "");
    assert!(line.contains("is full") && line.contains("`maxmemory`"), "{line}");
    server.ask("CONFIG SET maxmemory 0");

    server.ask("CONFIG SET min-replicas-to-write 1");
    let line = fault(&place, "");
    assert!(line.contains("`min-replicas-to-write`"), "{line}");
    server.ask("CONFIG SET min-replicas-to-write 0");

    server.ask("REPLICAOF 127.0.0.1 1");
    for stale in ["yes", "no"] {
        server.ask(&format!("CONFIG SET replica-serve-stale-data {stale}"));
        let line = fault(&place, "");
        assert!(line.contains("is a replica of 127.0.0.1:1"), "{line}");
        assert!(line.contains("must lead to the primary"), "{line}");
    }
    server.ask("REPLICAOF NO ONE");

    server.ask("SET jwt:changes text");
    let line = fault(&place, "");
    assert!(line.contains("`jwt:changes` is a string and no stream: delete it"), "{line}");
    server.ask("DEL jwt:changes");
    works(&Node::start(&place, &Setup::new("")));
}

#[test]
fn a_wrong_login_or_database_is_named() {
    let (server, right) = with_user("~jwt:* +@all");
    let wrong = place(&server, "app:another@", "");
    let line = fault(&wrong, "");
    assert!(line.contains("refused the user or the password"), "{line}");
    assert!(!line.contains("another"), "{line}");
    let nobody = place(&server, &format!("nobody:{PASSWORD}@"), "");
    assert!(fault(&nobody, "").contains("refused the user or the password"));

    let database = place(&server, "", "/99");
    let line = fault(&database, "");
    assert!(line.contains("the database number in the pool's `url`"), "{line}");

    server.ask(&format!("CONFIG SET requirepass {PASSWORD}"));
    let line = fault(&place(&server, "", ""), "");
    assert!(line.contains("demands a password"), "{line}");
    works(&Node::start(&right, &Setup::new("")));
}

/// As services without it do.
#[test]
fn a_server_without_role_launches_with_a_warning() {
    let server = Server::start_with(Kind::Redis, &["--rename-command", "ROLE", ""]);
    let setup = Setup { log_level: "normal", ..Setup::new("") };
    let node = Node::start(&place(&server, "", ""), &setup);
    assert!(node.log().contains("has no `ROLE`"), "{}", node.log());
    works(&node);
}
