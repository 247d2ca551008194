//! One refresh token on two servers: it makes one pair, whoever asks where and how often.

use std::collections::HashSet;
use std::io;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::database::{Kind, Server, folder};
use crate::http::{Answer, Pair, send};
use crate::node::{Node, Place, Setup};

/// Longer than any machine here takes, since what is tested is not the time but the fact.
pub const GRACE: &str = ",rotation_grace=\"10m\"";
pub const STRICT: &str = ",rotation_grace=\"0s\"";
const USES: usize = 200;

/// A setup in which no load makes a store too slow.
pub fn patient(jwt: &str) -> Setup {
    let jwt = format!("{jwt},blocklist_timeout=\"50s\"");
    Setup { connect_timeout: 50, ..Setup::new(&jwt) }
}

pub fn two(place: &Place, setup: &Setup) -> [Node; 2] {
    [Node::start(place, setup), Node::start(place, setup)]
}

/// All at once, on the nodes in turn.
pub fn use_at_once(nodes: &[Node], token: &str, uses: usize) -> Vec<io::Result<Answer>> {
    let start = Barrier::new(uses);
    thread::scope(|scope| {
        let start = &start;
        let uses: Vec<_> = (0..uses)
            .map(|index| {
                let port = nodes[index % nodes.len()].port;
                scope.spawn(move || {
                    start.wait();
                    send(port, "POST", "/refresh", Some(token))
                })
            })
            .collect();
        uses.into_iter().map(|handle| handle.join().expect("no panic")).collect()
    })
}

fn without_grace_one_use_wins_and_the_session_ends(place: &Place, jwt: &str) {
    let nodes = two(place, &patient(&format!("{STRICT}{jwt}")));
    let first = nodes[0].login("ada");
    let other = nodes[1].login("ada");
    let answers = use_at_once(&nodes, &first.refresh, USES);
    let answers: Vec<_> = answers.into_iter().map(|answer| answer.expect("an answer")).collect();
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    let won_and_lost = (won.len(), lost.len());
    assert_eq!(won_and_lost, (1, USES - 1));
    lost.iter().for_each(|answer| answer.is_revoked());

    let pair = won[0].pair();
    for node in &nodes {
        node.post("/refresh", &pair.refresh).is_revoked();
        node.post("/refresh", &first.refresh).is_revoked();
        node.lets_in(&other);
        // A guard may go by what the node knows from before.
        if jwt.is_empty() {
            node.refuses(&pair);
            node.refuses(&first);
        }
    }
    assert_eq!(nodes.iter().map(Node::reuses).sum::<usize>(), 1);
}

fn within_grace_all_get_the_same_pair(place: &Place, jwt: &str) {
    let nodes = two(place, &patient(&format!("{GRACE}{jwt}")));
    let grandparent = nodes[0].login("ada");
    let answers = use_at_once(&nodes, &grandparent.refresh, USES);
    let pairs: Vec<_> = answers.into_iter().map(|answer| answer.expect("an answer").body).collect();
    let same: HashSet<_> = pairs.iter().collect();
    assert_eq!(same.len(), 1, "different answers");
    let parent = Answer { status: 200, body: pairs[0].clone() }.pair();

    // Both browser tabs go on, on either server.
    nodes.iter().for_each(|node| node.lets_in(&parent));
    let child = nodes[1].post("/refresh", &parent.refresh).pair();
    assert_eq!(nodes[0].post("/refresh", &parent.refresh).pair(), child);
    nodes.iter().for_each(|node| node.lets_in(&child));
    assert_eq!(nodes.iter().map(Node::reuses).sum::<usize>(), 0);

    // The grace is still running, but its purpose is over.
    nodes[0].post("/refresh", &grandparent.refresh).is_revoked();
    assert_eq!(nodes[0].reuses(), 1);
    nodes[1].post("/refresh", &child.refresh).is_revoked();
    for node in nodes.iter().take(if jwt.is_empty() { 2 } else { 1 }) {
        node.refuses(&child);
        node.refuses(&parent);
    }
}

/// Kills a node at several points of many rotations of one token.
fn a_lost_answer_can_be_asked_for_again(place: &Place) {
    let setup = patient(GRACE);
    let stays = Node::start(place, &setup);
    for answered_before in [0, 0, 1, 4, 16] {
        let mut dies = Node::start(place, &setup);
        let login = stays.login("ada");
        let answered = AtomicUsize::new(0);
        let start = Barrier::new(41);
        let mut pairs: HashSet<Pair> = HashSet::new();
        thread::scope(|scope| {
            let (answered, start, token) = (&answered, &start, &*login.refresh);
            let uses: Vec<_> = (0..40)
                .map(|index| {
                    let port = if index % 8 == 7 { stays.port } else { dies.port };
                    scope.spawn(move || {
                        start.wait();
                        let answer = send(port, "POST", "/refresh", Some(token));
                        answered.fetch_add(1, Ordering::SeqCst);
                        answer
                    })
                })
                .collect();
            start.wait();
            while answered.load(Ordering::SeqCst) < answered_before {
                thread::yield_now();
            }
            dies.kill();
            for answer in
                uses.into_iter().filter_map(|handle| handle.join().expect("no panic").ok())
            {
                pairs.insert(answer.pair());
            }
        });

        let again = Node::start(place, &setup);
        pairs.insert(again.post("/refresh", &login.refresh).pair());
        pairs.insert(stays.post("/refresh", &login.refresh).pair());
        assert_eq!(pairs.len(), 1, "different pairs");
        let pair = pairs.into_iter().next().expect("one");
        stays.lets_in(&pair);
        again.lets_in(&pair);
        stays.lets_in(&again.post("/refresh", &pair.refresh).pair());
    }
    assert_eq!(stays.reuses(), 0);
}

fn logging_out_everywhere_reaches_every_server(place: &Place) {
    let [one, two] = two(place, &patient(""));
    let (here, there, other) = (one.login("ada"), two.login("ada"), two.login("eve"));
    two.lets_in(&here);
    assert_eq!(one.post("/logout-all", &here.access).status, 204);
    // At once, in the same second.
    let (later_there, later_here) = (two.login("ada"), one.login("ada"));
    for node in [&one, &two] {
        node.refuses(&here);
        node.refuses(&there);
        node.lets_in(&later_there);
        node.lets_in(&later_here);
        node.lets_in(&other);
    }

    assert_eq!(two.post("/logout", &later_here.access).status, 204);
    one.refuses(&later_here);
    one.lets_in(&later_there);
}

fn session_of(token: &str) -> String {
    claim(token, "sid")
}

/// A claim of a token, which is text.
pub fn claim(token: &str, name: &str) -> String {
    let payload = token.split('.').nth(1).expect("a payload");
    let payload = URL_SAFE_NO_PAD.decode(payload).expect("Base64url");
    let payload: serde_json::Value = serde_json::from_slice(&payload).expect("JSON");
    payload[name].as_str().expect("a text").into()
}

fn a_thousand_rotations_are_one_session(place: &Place) {
    let nodes = two(place, &patient(""));
    let first = nodes[0].login("ada");
    let mut last = first.clone();
    for index in 0..1000 {
        last = nodes[index % 2].post("/refresh", &last.refresh).pair();
        assert_eq!(session_of(&last.access), session_of(&first.access));
        assert_eq!(session_of(&last.refresh), session_of(&first.access));
    }
    nodes[0].lets_in(&last);
    assert_eq!(nodes[1].post("/logout", &first.access).status, 204);
    for node in &nodes {
        node.refuses(&last);
        node.get("/me", &first.access).is_revoked();
    }
}

fn all_at(place: &Place) {
    without_grace_one_use_wins_and_the_session_ends(place, "");
    within_grace_all_get_the_same_pair(place, "");
    a_lost_answer_can_be_asked_for_again(place);
    logging_out_everywhere_reaches_every_server(place);
}

/// With more of `[default.jwt]`, all that does not depend on guards that know at once.
pub fn exchanged_once(place: &Place, jwt: &str) {
    without_grace_one_use_wins_and_the_session_ends(place, jwt);
    within_grace_all_get_the_same_pair(place, jwt);
}

#[test]
fn two_servers_with_one_sqlite_file_rotate_as_one() {
    let folder = folder();
    let url = format!("sqlite://{}", folder.join("blocklist").display());
    all_at(&Place { store: "sqlx_sqlite", url });
    let _ = std::fs::remove_dir_all(folder);
}

#[test]
fn two_servers_with_one_postgres_rotate_as_one() {
    all_at(&Server::start(Kind::Postgres).place("sqlx_postgres"));
}

#[test]
fn two_servers_with_one_postgres_through_deadpool_rotate_as_one() {
    all_at(&Server::start(Kind::Postgres).place("deadpool_postgres"));
}

#[test]
fn two_servers_with_one_mariadb_rotate_as_one() {
    all_at(&Server::start(Kind::MariaDb).place("sqlx_mysql"));
}

#[test]
fn two_servers_with_one_redis_rotate_as_one() {
    let server = Server::start(Kind::Redis);
    all_at(&server.place("deadpool_redis"));
    a_thousand_rotations_are_one_session(&server.place("deadpool_redis"));
}

/// The two drivers for PostgreSQL use one table.
#[test]
fn two_servers_with_different_drivers_share_what_is_revoked() {
    let server = Server::start(Kind::Postgres);
    let one = Node::start(&server.place("sqlx_postgres"), &patient(GRACE));
    let two = Node::start(&server.place("deadpool_postgres"), &patient(GRACE));
    let login = one.login("ada");
    let pair = one.post("/refresh", &login.refresh).pair();
    assert_eq!(two.post("/refresh", &login.refresh).pair(), pair);
    assert_eq!(two.post("/logout", &pair.access).status, 204);
    one.refuses(&pair);
}
