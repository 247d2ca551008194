//! Redis fails over, and the connections of a node stay with the server that was the primary. The
//! node is answered by the new one without a restart, and nobody is let in whom that has revoked.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rocket::figment::{Figment, providers::Serialized};
use rocket::futures::future::join_all;
use rocket::time::OffsetDateTime;
use rocket_db_pools::{Config, Pool as _, deadpool_redis};
use rocket_jwt_extended::blocklist::{Blocklist, RedisBlocklist, Revocation, Standing, TokenIds};

use crate::database::{Kind, Server};
use crate::http::Pair;
use crate::node::{Node, Place, Setup, wait_until};
use crate::relay::Relay;

/// A primary, its replica, and an address that leads to the primary.
struct Servers {
    first: Server,
    second: Server,
    relay: Relay,
}

impl Servers {
    fn start() -> Self {
        let [first, second] = [(); 2].map(|()| Server::start(Kind::Redis));
        second.ask(&format!("REPLICAOF 127.0.0.1 {}", first.port()));
        wait_until("the replica follows", || {
            second.ask("INFO replication").contains("master_link_status:up")
        });
        let relay = Relay::to(first.port());
        Self { first, second, relay }
    }

    /// Through the address.
    fn place(&self) -> Place {
        let url = format!("redis://127.0.0.1:{}", self.relay.port);
        Place { store: "deadpool_redis", url }
    }

    /// A node that asks the second server directly, after the fail-over.
    fn neighbour(&self) -> Node {
        Node::start(&self.second.place("deadpool_redis"), &Setup::new(""))
    }

    /// What is acknowledged up to here reaches the replica.
    fn replicate(&self) {
        assert_eq!(self.first.ask("WAIT 1 10000").trim(), "1");
    }

    fn promote_second(&self) {
        self.second.ask("REPLICAOF NO ONE");
        self.relay.turn_to(self.second.port());
    }

    fn demote_first(&self) {
        self.first.ask(&format!("REPLICAOF 127.0.0.1 {}", self.second.port()));
    }

    /// As a demoted node that does not reach the new primary.
    fn cut_off_first(&self) {
        self.first.ask("REPLICAOF 127.0.0.1 1");
    }
}

/// Logs in and out, and exchanges a token.
fn works(node: &Node) {
    let (stays, leaves) = (node.login("ada"), node.login("ada"));
    assert_eq!(node.post("/logout", &leaves.access).status, 204);
    node.refuses(&leaves);
    let pair = node.post("/refresh", &stays.refresh).pair();
    node.lets_in(&pair);
}

#[test]
fn the_first_logout_and_exchange_after_a_fail_over_succeed() {
    for first_request in ["/logout", "/logout-token", "/logout-all", "/refresh", "/me"] {
        let pool = Servers::start();
        // An exchange that takes its own effect for that of another is theft here.
        let node = Node::start(&pool.place(), &Setup::new(",rotation_grace=\"0s\""));
        works(&node);
        let pair = node.login("ada");
        node.lets_in(&pair);
        pool.replicate();
        pool.promote_second();
        pool.demote_first();

        match first_request {
            "/refresh" => node.lets_in(&node.post("/refresh", &pair.refresh).pair()),
            "/me" => node.lets_in(&pair),
            path => {
                assert_eq!(node.post(path, &pair.access).status, 204, "{path}");
                node.get("/me", &pair.access).is_revoked();
                pool.neighbour().get("/me", &pair.access).is_revoked();
            }
        }
        works(&node);
    }
}

/// The demoted node serves what it has, and does not follow the new primary.
#[test]
fn a_demoted_server_that_is_cut_off_lets_nobody_in() {
    let pool = Servers::start();
    let node = Node::start(&pool.place(), &Setup::new(""));
    let (pair, other) = (node.login("ada"), node.login("bob"));
    node.lets_in(&pair);
    pool.replicate();
    pool.promote_second();
    pool.cut_off_first();
    let neighbour = pool.neighbour();
    assert_eq!(neighbour.post("/logout", &pair.access).status, 204);
    let exchanged = neighbour.post("/refresh", &other.refresh).pair();

    node.refuses(&pair);
    node.lets_in(&exchanged);
    works(&node);
}

/// Whatever the demoted node still does, and a primary that refuses to write without its replicas: nothing
/// that either server acknowledges is lost.
#[test]
fn a_server_that_is_no_primary_any_more_is_left() {
    for (setting, is_cut_off) in [
        ("replica-serve-stale-data no", true),
        // It acknowledges what is then lost.
        ("replica-read-only no", true),
        ("min-replicas-to-write 1", false),
    ] {
        let pool = Servers::start();
        if is_cut_off {
            pool.first.ask(&format!("CONFIG SET {setting}"));
        }
        let node = Node::start(&pool.place(), &Setup::new(""));
        let (here, there) = (node.login("ada"), node.login("bob"));
        node.lets_in(&here);
        pool.replicate();
        pool.promote_second();
        match is_cut_off {
            true => pool.cut_off_first(),
            false => drop(pool.first.ask(&format!("CONFIG SET {setting}"))),
        }
        let neighbour = pool.neighbour();
        assert_eq!(node.post("/logout", &here.access).status, 204, "{setting}");
        neighbour.refuses(&here);
        assert_eq!(neighbour.post("/logout", &there.access).status, 204, "{setting}");
        node.refuses(&there);
        works(&node);
    }
}

/// Until the address is turned, nobody is let in. Then it works without a restart.
#[test]
fn with_no_primary_in_reach_it_fails_closed_until_there_is_one() {
    let pool = Servers::start();
    let node = Node::start(&pool.place(), &Setup::new(""));
    let pair = node.login("ada");
    node.lets_in(&pair);
    pool.replicate();
    pool.cut_off_first();
    for _ in 0..5 {
        assert_eq!(node.get("/me", &pair.access).status, 503);
        assert_eq!(node.post("/logout", &pair.access).status, 503);
        assert_eq!(node.post("/refresh", &pair.refresh).status, 503);
    }
    pool.promote_second();
    node.lets_in(&pair);
    works(&node);
}

#[test]
fn a_server_that_loses_the_login_is_asked_on_a_new_connection() {
    let server = Server::start(Kind::Redis);
    let node = Node::start(&server.place("deadpool_redis"), &Setup::new(""));
    works(&node);
    // Ends the connections of the user, too.
    server.ask("ACL SETUSER default off");
    server.ask("ACL SETUSER default on");
    works(&node);
}

/// The roles are swapped again and again while requests run. No acknowledged logout is lost, and no
/// token is exchanged for two different pairs.
#[test]
fn requests_that_run_during_fail_overs_lose_nothing() {
    const SWAPS: usize = 4;

    let pool = Servers::start();
    let node = Node::start(&pool.place(), &Setup::new(",rotation_grace=\"0s\""));
    let over = AtomicBool::new(false);
    let (ended, exchanged) = (Mutex::new(vec![]), Mutex::new(vec![]));
    thread::scope(|scope| {
        for number in 0..4 {
            let (node, over, ended, exchanged) = (&node, &over, &ended, &exchanged);
            scope.spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    let pair = node.login(&format!("user-{number}"));
                    // One that takes its own effect for that of another is theft, as the grace is zero.
                    match node.post("/refresh", &pair.refresh).status {
                        200 => exchanged.lock().expect("no panic").push(pair.clone()),
                        // It was repeated once, and the server it was sent to had been left by then, too.
                        503 => continue,
                        other => panic!("the first exchange: {other}"),
                    }
                    if node.post("/logout", &pair.access).status == 204 {
                        ended.lock().expect("no panic").push(pair);
                    }
                }
            });
        }
        let [mut primary, mut replica] = [&pool.first, &pool.second];
        for swap in 0..SWAPS {
            let before = ended.lock().expect("no panic").len();
            wait_until("logouts", || ended.lock().expect("no panic").len() > before + 20);
            wait_until("the replica follows", || {
                replica.ask("INFO replication").contains("master_link_status:up")
            });
            // The primary hands over all that it has, and becomes the replica.
            primary.ask(&format!("FAILOVER TO 127.0.0.1 {}", replica.port()));
            wait_until("the roles are swapped", || {
                replica.ask("ROLE").starts_with("master")
                    && primary.ask("ROLE").starts_with("slave")
            });
            pool.relay.turn_to(replica.port());
            (primary, replica) = (replica, primary);
            assert!(!ended.lock().expect("no panic").is_empty(), "{swap}");
        }
        over.store(true, Ordering::SeqCst);
    });
    let (ended, exchanged) = (ended.into_inner(), exchanged.into_inner());
    let (ended, exchanged) = (ended.expect("no panic"), exchanged.expect("no panic"));
    assert!(ended.len() > 20 * SWAPS && exchanged.len() >= ended.len());
    let lets_in = |pair: &&Pair| node.get("/me", &pair.access).status != 401;
    assert_eq!(ended.iter().filter(lets_in).count(), 0, "logouts are lost, of {}", ended.len());
    let again = |pair: &&Pair| node.post("/refresh", &pair.refresh).status != 401;
    assert_eq!(exchanged.iter().filter(again).count(), 0, "exchanged twice");
    works(&node);
}

/// The connections that the replica in memory is polled by stay with the demoted node too.
#[test]
fn a_replica_in_memory_follows_the_new_primary() {
    let bound = Duration::from_secs(2);
    let replicated = ",blocklist_replica=\"500ms\",blocklist_timeout=\"1500ms\"";
    for stale in ["yes", "no"] {
        let pool = Servers::start();
        pool.first.ask(&format!("CONFIG SET replica-serve-stale-data {stale}"));
        let node = Node::start(&pool.place(), &Setup::new(replicated));
        let (pair, stays) = (node.login("ada"), node.login("bob"));
        node.lets_in(&pair);
        pool.replicate();
        pool.promote_second();
        pool.cut_off_first();
        assert_eq!(pool.neighbour().post("/logout", &pair.access).status, 204);
        let acknowledged = Instant::now();
        loop {
            let sent = Instant::now();
            let answer = node.get("/me", &pair.access);
            if answer.status == 401 {
                break;
            }
            let is_late = sent.duration_since(acknowledged) > bound;
            assert!(!is_late, "let in past the bound: {answer:?}");
            thread::sleep(Duration::from_millis(5));
        }
        node.lets_in(&stays);
        works(&node);
    }
}

/// Each fail-over costs a few connections, not one for each request.
#[test]
fn a_fail_over_opens_few_connections() {
    let pool = Servers::start();
    let node = Node::start(&pool.place(), &Setup::new(""));
    let pair = node.login("ada");
    node.lets_in(&pair);
    pool.replicate();
    let before = pool.relay.accepted();
    pool.promote_second();
    pool.cut_off_first();
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| (0..20).for_each(|_| node.lets_in(&pair)));
        }
    });
    let opened = pool.relay.accepted() - before;
    assert!((1..=3).contains(&opened), "{opened}");
}

/// The application shares the pool, whose connections stay with the demoted node as well.
#[rocket::async_test]
async fn connections_of_the_pool_to_the_demoted_server_are_not_used() {
    let servers = Servers::start();
    let config = Config {
        url: servers.place().url,
        max_connections: 8,
        connect_timeout: 5,
        ..Config::default()
    };
    let figment = Figment::from(Serialized::defaults(config));
    let pool = deadpool_redis::Pool::init(&figment).await.expect("a pool");
    let store = RedisBlocklist::new(pool.clone());
    let until = OffsetDateTime::now_utc() + rocket::time::Duration::HOUR;
    store.revoke(&Revocation::token("first", until)).await.expect("recorded");
    let mut others = join_all((0..6).map(|_| pool.get())).await;
    let held = others.pop();
    drop(others);
    servers.replicate();
    servers.promote_second();
    servers.cut_off_first();

    store.revoke(&Revocation::token("second", until)).await.expect("recorded");
    let listed = servers.second.ask("KEYS jwt:t*");
    assert_eq!(listed.lines().count(), 2, "{listed}");
    // One that the application returns later is the next that the pool hands out.
    drop(held);
    servers.second.ask("CLIENT KILL TYPE normal SKIPME yes");
    let ids = TokenIds::new(Some("second"), None, None, None);
    let standing = store.standing(&ids).await.expect("an answer");
    assert_eq!(standing, Standing::Revoked);
    assert!(servers.relay.accepted() <= 7 + 2, "{}", servers.relay.accepted());
}
