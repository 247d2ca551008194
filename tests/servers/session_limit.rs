//! `max_sessions` is never exceeded, however many logins there are at once on two servers.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::database::{Kind, Server, folder};
use crate::http::{Answer, send};
use crate::node::{Node, Place};
use crate::rotation::{patient, two};

const LOGINS: usize = 200;
const MOST: usize = 5;

fn live(node: &Node) -> usize {
    node.get("/sessions/ada", "").body.parse().expect("a number")
}

/// Logs in with all clients at once, on the servers in turn, while a reader counts the live sessions.
fn log_in_at_once(nodes: &[Node]) -> Vec<Answer> {
    let start = Barrier::new(LOGINS);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let (start, done) = (&start, &done);
        let reader = scope.spawn(move || {
            let mut most = 0;
            while !done.load(Ordering::SeqCst) {
                most = nodes.iter().map(live).fold(most, usize::max);
            }
            most
        });
        let logins: Vec<_> = (0..LOGINS)
            .map(|index| {
                let port = nodes[index % nodes.len()].port;
                scope.spawn(move || {
                    start.wait();
                    send(port, "POST", "/login/ada", None).expect("an answer")
                })
            })
            .collect();
        let answers = logins.into_iter().map(|login| login.join().expect("no panic")).collect();
        done.store(true, Ordering::SeqCst);
        let most = reader.join().expect("no panic");
        assert!(most <= MOST, "{most} sessions were live");
        answers
    })
}

fn refuses_or_ends_the_oldest(place: &Place) {
    let limit = format!(",sessions=true,max_sessions={MOST}");
    let refusing = two(place, &patient(&format!("{limit},session_limit=\"refuse\"")));
    let answers = log_in_at_once(&refusing);
    let (begun, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == 200);
    assert_eq!((begun.len(), refused.len()), (MOST, LOGINS - MOST));
    for answer in refused {
        assert_eq!((answer.status, &*answer.code()), (409, "too_many_sessions"), "{answer:?}");
    }
    assert_eq!(live(&refusing[0]), MOST);
    begun.iter().for_each(|answer| refusing[1].lets_in(&answer.pair()));

    // The same store, whose sessions are ended to make room.
    let ending = two(place, &patient(&limit));
    let answers = log_in_at_once(&ending);
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    assert_eq!(ending.iter().map(live).collect::<Vec<_>>(), [MOST, MOST]);
    let accepted = |answer: &&Answer| ending[0].get("/me", &answer.pair().access).status == 200;
    assert_eq!(answers.iter().filter(accepted).count(), MOST);
    begun.iter().for_each(|answer| ending[1].refuses(&answer.pair()));
}

#[test]
fn sessions_are_limited_with_one_sqlite_file() {
    let folder = folder();
    let url = format!("sqlite://{}", folder.join("blocklist").display());
    refuses_or_ends_the_oldest(&Place { store: "sqlx_sqlite", url });
    let _ = std::fs::remove_dir_all(folder);
}

#[test]
fn sessions_are_limited_with_one_postgres() {
    let server = Server::start(Kind::Postgres);
    refuses_or_ends_the_oldest(&server.place("sqlx_postgres"));
}

#[test]
fn sessions_are_limited_with_one_postgres_through_deadpool() {
    let server = Server::start(Kind::Postgres);
    refuses_or_ends_the_oldest(&server.place("deadpool_postgres"));
}

#[test]
fn sessions_are_limited_with_one_mariadb() {
    let server = Server::start(Kind::MariaDb);
    refuses_or_ends_the_oldest(&server.place("sqlx_mysql"));
}

#[test]
fn sessions_are_limited_with_one_redis() {
    let server = Server::start(Kind::Redis);
    refuses_or_ends_the_oldest(&server.place("deadpool_redis"));
}
