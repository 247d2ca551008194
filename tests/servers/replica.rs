//! `blocklist_replica` on two processes: what one of them revokes holds on the other within the bound,
//! whatever becomes of the store, of the process, and of the clocks.

use std::thread;
use std::time::{Duration, Instant};

use crate::database::{Kind, Server, folder};
use crate::http::{Answer, Pair};
use crate::node::{Node, Place, Setup, wait_until};
use crate::rotation;

/// The bound is two seconds.
const FOLLOWED: &str = ",blocklist_replica=\"500ms\",blocklist_timeout=\"1500ms\"";
const BOUND: Duration = Duration::from_secs(2);

/// A bound that no test sees the end of: what is not known by following is not known.
const NEVER: &str = ",blocklist_replica=\"1h\"";

fn revoked(answer: &Answer) -> bool {
    (answer.status, &*answer.code()) == (401, "token_revoked")
}

/// Asks until the token is refused, as it must be from the bound on.
///
/// Each request is judged by when it was sent, and a slow machine makes each of them only later.
#[track_caller]
fn holds_within_the_bound(node: &Node, pair: &Pair, acknowledged: Instant) {
    loop {
        let sent = Instant::now();
        let answer = node.get("/me", &pair.access);
        if revoked(&answer) {
            return;
        }
        assert!(matches!(answer.status, 200 | 503), "{answer:?}");
        let is_late = sent.duration_since(acknowledged) > BOUND;
        assert!(!is_late || answer.status == 503, "let in past the bound: {answer:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Revoked on one, refused there at once, and on the other within the bound; either way round.
fn revocations_arrive(nodes: [&Node; 2]) {
    for [here, there] in [nodes, [nodes[1], nodes[0]]] {
        for path in ["/logout", "/logout-token", "/logout-all"] {
            let pair = here.login(&format!("user-{}", uuid::Uuid::new_v4().simple()));
            there.lets_in(&pair);
            assert_eq!(here.post(path, &pair.access).status, 204);
            let acknowledged = Instant::now();
            here.get("/me", &pair.access).is_revoked();
            holds_within_the_bound(there, &pair, acknowledged);
        }
    }
}

fn follow_each_other(place: &Place) {
    let setup = Setup::new(FOLLOWED);
    let [one, two] = [(); 2].map(|()| Node::start(place, &setup));
    revocations_arrive([&one, &two]);

    // One that starts later has it all from the beginning.
    let pair = one.login("ada");
    assert_eq!(one.post("/logout", &pair.access).status, 204);
    Node::start(place, &Setup::new(NEVER)).refuses(&pair);
}

/// What is issued is decided by the store: neither node knows of the other by following it here.
fn rotate_as_one(place: &Place) {
    rotation::exchanged_once(place, NEVER);
}

/// Both clocks are wrong, in opposite directions; all that is compared is times of tokens, for which
/// the leeway is.
fn clocks_apart(place: &Place) {
    let ahead = |ahead| Setup { ahead, ..Setup::new(&format!("{FOLLOWED},decode_leeway=\"5s\"")) };
    let nodes = [500, -500].map(|by| Node::start(place, &ahead(by)));
    revocations_arrive([&nodes[0], &nodes[1]]);
}

/// A store that is paused, then killed and started again.
fn survive_the_store(mut server: Server, store: &'static str) {
    let place = server.place(store);
    let setup = Setup::new(FOLLOWED);
    let [one, two] = [(); 2].map(|()| Node::start(&place, &setup));
    let [live, ended] = [one.login("ada"), one.login("eve")];
    assert_eq!(one.post("/logout", &ended.access).status, 204);
    two.lets_in(&live);
    holds_within_the_bound(&two, &ended, Instant::now());

    for _ in 0..2 {
        // Whom the memory knows is refused as long as it may be asked; then nobody is let in.
        server.pause();
        for node in [&one, &two] {
            wait_until("it can't be sure any more", || {
                let answer = node.get("/me", &ended.access);
                assert!(revoked(&answer) || answer.status == 503, "{answer:?}");
                node.get("/me", &live.access).status == 503
            });
            assert_eq!(node.get("/me", &ended.access).status, 503);
        }
        assert!(!matches!(one.post("/logout", &live.access).status, 200..=299));
        server.resume();
        for node in [&one, &two] {
            // What could not be acknowledged may have been done all the same.
            wait_until("it is sure again", || node.get("/me", &live.access).status != 503);
            wait_until("of all", || node.get("/me", &ended.access).status != 503);
            node.get("/me", &ended.access).is_revoked();
        }
        revocations_arrive([&one, &two]);

        server.kill();
        for node in [&one, &two] {
            wait_until("it can't be sure any more", || {
                node.get("/me", &ended.access).status == 503
            });
        }
        server.restart();
        for node in [&one, &two] {
            wait_until("it is sure again", || {
                let pair = node.login("bob");
                node.get("/me", &pair.access).status == 200
            });
            wait_until("of all", || node.get("/me", &ended.access).status != 503);
            node.get("/me", &ended.access).is_revoked();
        }
        revocations_arrive([&one, &two]);
    }
}

/// A process that slept past the bound does not answer from what it knew before.
fn survive_a_pause_of_the_process(place: &Place) {
    let setup = Setup::new(FOLLOWED);
    let [one, two] = [(); 2].map(|()| Node::start(place, &setup));
    for _ in 0..3 {
        let pair = one.login("ada");
        two.lets_in(&pair);
        two.pause();
        assert_eq!(one.post("/logout", &pair.access).status, 204);
        let acknowledged = Instant::now();
        // There is no clock to be moved but the machine's.
        wait_until("the bound has passed", || acknowledged.elapsed() > BOUND);
        two.resume();
        let answer = two.get("/me", &pair.access);
        assert!(revoked(&answer) || answer.status == 503, "{answer:?}");
    }
}

macro_rules! tests {
    ($($module:ident: $kind:ident, $store:literal;)*) => {$(
        mod $module {
            use super::*;

            #[test]
            fn nodes_follow_each_other() {
                let server = Server::start(Kind::$kind);
                let place = server.place($store);
                follow_each_other(&place);
                clocks_apart(&place);
                survive_a_pause_of_the_process(&place);
            }

            #[test]
            fn nodes_rotate_as_one() {
                rotate_as_one(&Server::start(Kind::$kind).place($store));
            }

            #[test]
            fn nodes_survive_the_store() {
                survive_the_store(Server::start(Kind::$kind), $store);
            }
        }
    )*};
}

tests! {
    postgres: Postgres, "sqlx_postgres";
    postgres_through_deadpool: Postgres, "deadpool_postgres";
    mariadb: MariaDb, "sqlx_mysql";
    redis: Redis, "deadpool_redis";
}

#[test]
fn nodes_with_one_sqlite_file_follow_each_other() {
    let folder = folder();
    let url = format!("sqlite://{}", folder.join("blocklist").display());
    let place = Place { store: "sqlx_sqlite", url };
    follow_each_other(&place);
    clocks_apart(&place);
    survive_a_pause_of_the_process(&place);
    rotate_as_one(&place);
    let _ = std::fs::remove_dir_all(folder);
}

/// Redis without its data: what the nodes knew, they know.
#[test]
fn a_redis_that_forgot_everything_is_followed_anew() {
    let server = Server::start(Kind::Redis);
    let setup = Setup::new(FOLLOWED);
    let place = server.place("deadpool_redis");
    let [one, two] = [(); 2].map(|()| Node::start(&place, &setup));
    let ended = one.login("ada");
    assert_eq!(one.post("/logout", &ended.access).status, 204);
    holds_within_the_bound(&two, &ended, Instant::now());
    server.ask("FLUSHALL");
    revocations_arrive([&one, &two]);
    two.get("/me", &ended.access).is_revoked();
}
