//! What was acknowledged is still revoked after the application, or the database, was killed.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::database::{Kind, Server, folder};
use crate::http::{Pair, send};
use crate::node::{Node, Place, Setup, wait_until};

/// How many revocations are acknowledged before something is killed.
const ENOUGH: usize = 60;

/// Logs in and out in several loops until `kill` was called, which happens in the midst of it. Gives
/// those whose log-out was acknowledged, each with the way it was done.
fn log_out_until(node: &mut Node, kill: impl FnOnce(&mut Node)) -> Vec<(&'static str, Pair)> {
    let (over, acknowledged) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        let (over, acknowledged, port) = (&over, &acknowledged, node.port);
        for index in 0..6 {
            scope.spawn(move || {
                let path = ["/logout", "/logout-token", "/logout-all"][index % 3];
                let mut round = 0;
                while !over.load(Ordering::SeqCst) {
                    round += 1;
                    let name = format!("/login/user-{index}-{round}");
                    let Ok(login) = send(port, "POST", &name, None) else { continue };
                    let pair = login.pair();
                    let answer = send(port, "POST", path, Some(&pair.access));
                    if answer.is_ok_and(|answer| answer.status == 204) {
                        acknowledged.lock().expect("no panic").push((path, pair));
                    }
                }
            });
        }
        wait_until("some log out", || acknowledged.lock().expect("no panic").len() >= ENOUGH);
        kill(node);
        over.store(true, Ordering::SeqCst);
    });
    acknowledged.into_inner().expect("no panic")
}

fn all_are_revoked(node: &Node, ended: &[(&'static str, Pair)]) {
    for (path, pair) in ended {
        node.get("/me", &pair.access).is_revoked();
        match *path {
            // A log-out of the one token leaves the session.
            "/logout-token" => assert_eq!(node.post("/refresh", &pair.refresh).status, 200),
            _ => node.post("/refresh", &pair.refresh).is_revoked(),
        }
    }
}

fn survives_a_killed_application(place: &Place) {
    let setup = Setup::new("");
    let mut node = Node::start(place, &setup);
    let stays = node.login("stays");
    let ended = log_out_until(&mut node, Node::kill);
    let node = Node::start(place, &setup);
    all_are_revoked(&node, &ended);
    node.lets_in(&stays);
}

fn survives_a_killed_database(mut server: Server, store: &'static str) {
    survives_a_killed_application(&server.place(store));
    let mut node = Node::start(&server.place(store), &Setup::new(""));
    let stays = node.login("stays");
    let ended = log_out_until(&mut node, |_| server.kill());
    server.restart();
    wait_until("it serves again", || node.get("/me", &stays.access).status == 200);
    all_are_revoked(&node, &ended);
    let later = Node::start(&server.place(store), &Setup::new(""));
    later.lets_in(&stays);
    let (_, last) = ended.last().expect("some");
    later.get("/me", &last.access).is_revoked();
}

#[test]
fn what_sqlite_acknowledged_survives() {
    let folder = folder();
    let url = format!("sqlite://{}", folder.join("blocklist").display());
    survives_a_killed_application(&Place { store: "sqlx_sqlite", url });
    let _ = std::fs::remove_dir_all(folder);
}

#[test]
fn what_postgres_acknowledged_survives() {
    survives_a_killed_database(Server::start(Kind::Postgres), "sqlx_postgres");
}

#[test]
fn what_postgres_acknowledged_through_deadpool_survives() {
    survives_a_killed_database(Server::start(Kind::Postgres), "deadpool_postgres");
}

#[test]
fn what_mariadb_acknowledged_survives() {
    survives_a_killed_database(Server::start(Kind::MariaDb), "sqlx_mysql");
}

/// With `appendfsync always`; what Redis promises is up to its configuration.
#[test]
fn what_redis_acknowledged_survives() {
    survives_a_killed_database(Server::start(Kind::Redis), "deadpool_redis");
}
