//! A store that is paused, killed and started again under load: nobody is let in who should not be,
//! nobody waits without end, and all is well when the store is.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::database::{Kind, Server};
use crate::http::send;
use crate::node::{Node, Setup, wait_until};

const TIMEOUT: &str = ",blocklist_timeout=\"500ms\"";
/// A request may wait for the store twice, and then for its turn on a loaded machine.
const NO_HANG: Duration = Duration::from_secs(10);

/// What concurrent loops of requests have seen.
#[derive(Default)]
struct Seen {
    over: AtomicBool,
    let_in: AtomicUsize,
    unavailable: AtomicUsize,
    revoked: AtomicUsize,
    open: AtomicUsize,
    slowest: AtomicUsize,
    /// What should never be seen.
    wrong: std::sync::Mutex<HashSet<String>>,
}

impl Seen {
    /// Asks over and over, until it is over.
    fn ask(&self, port: u16, path: &str, token: Option<&str>, allowed: &[(u16, &str)]) {
        while !self.over.load(Ordering::SeqCst) {
            let begin = Instant::now();
            let answer = send(port, "GET", path, token);
            self.slowest.fetch_max(begin.elapsed().as_millis() as usize, Ordering::SeqCst);
            let found = answer.as_ref().map(|answer| (answer.status, answer.code()));
            match found.as_ref().map(|(status, code)| (*status, &**code)) {
                Ok(found) if allowed.contains(&found) => {
                    let count = match found.0 {
                        503 => &self.unavailable,
                        401 => &self.revoked,
                        _ if token.is_none() => &self.open,
                        _ => &self.let_in,
                    };
                    count.fetch_add(1, Ordering::SeqCst);
                }
                _ => {
                    let mut wrong = self.wrong.lock().expect("no panic");
                    wrong.insert(format!("{path} ({allowed:?}): {answer:?}"));
                }
            }
        }
    }

    #[track_caller]
    fn wait_for_more(&self, what: &str, count: &AtomicUsize, more: usize) {
        let before = count.load(Ordering::SeqCst);
        wait_until(what, || {
            // The lock is not held in a panic, which would be another one in every loop.
            let wrong = self.wrong.lock().expect("no panic").clone();
            assert!(wrong.is_empty(), "{wrong:?}");
            count.load(Ordering::SeqCst) >= before + more
        });
    }

    /// Nobody who asks now is told that the store is unavailable.
    #[track_caller]
    fn wait_for_service(&self, what: &str) {
        wait_until(what, || {
            let unavailable = self.unavailable.load(Ordering::SeqCst);
            self.wait_for_more(what, &self.let_in, 40);
            self.wait_for_more(what, &self.revoked, 10);
            self.unavailable.load(Ordering::SeqCst) == unavailable
        });
    }
}

/// Runs `faults` while live tokens, revoked ones, and no token at all are sent to the node. What
/// comes before and after is done at `patient`, which has the same store.
fn under_load(node: &Node, patient: &Node, faults: impl FnOnce(&Seen)) {
    const UNAVAILABLE: (u16, &str) = (503, "store_unavailable");
    const REVOKED: (u16, &str) = (401, "token_revoked");

    let (live, ended, logged_out) =
        (patient.login("ada"), patient.login("ada"), patient.login("eve"));
    assert_eq!(patient.post("/logout", &ended.access).status, 204);
    assert_eq!(patient.post("/logout-all", &logged_out.access).status, 204);
    let (seen, port) = (Seen::default(), node.port);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| seen.ask(port, "/me", Some(&live.access), &[(200, ""), UNAVAILABLE]));
        }
        for token in [&ended.access, &ended.access, &logged_out.access, &logged_out.access] {
            scope.spawn(|| seen.ask(port, "/me", Some(token), &[REVOKED, UNAVAILABLE]));
        }
        scope.spawn(|| seen.ask(port, "/open", None, &[(200, "")]));

        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| faults(&seen)));
        seen.over.store(true, Ordering::SeqCst);
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
    });
    let wrong = seen.wrong.into_inner().expect("no panic");
    assert!(wrong.is_empty(), "{wrong:?}");
    let slowest = Duration::from_millis(seen.slowest.into_inner() as u64);
    assert!(slowest < NO_HANG, "a request took {slowest:?}");
    patient.lets_in(&live);
    patient.refuses(&ended);
    patient.refuses(&logged_out);
}

fn fails_closed_and_comes_back(mut server: Server, store: &'static str) {
    let node = Node::start(&server.place(store), &Setup::new(TIMEOUT));
    under_load(&node, &node, |seen| {
        seen.wait_for_service("it serves");

        for _ in 0..2 {
            server.pause();
            seen.wait_for_more("a paused store is unavailable", &seen.unavailable, 30);
            seen.wait_for_more("open routes are open", &seen.open, 10);
            server.resume();
            seen.wait_for_service("it serves after a pause");
        }

        for _ in 0..2 {
            server.kill();
            seen.wait_for_more("a killed store is unavailable", &seen.unavailable, 30);
            seen.wait_for_more("open routes are open", &seen.open, 10);
            server.restart();
            seen.wait_for_service("it serves after a restart");
        }

        // What a pool had before the pause is no use after it.
        server.pause();
        seen.wait_for_more("a paused store is unavailable", &seen.unavailable, 30);
        server.kill();
        server.restart();
        seen.wait_for_service("it serves after a pause and a restart");
    });
}

/// The replies to cancelled requests are never taken for those of later ones.
fn no_late_answer_is_mixed_up(mut server: Server, store: &'static str) {
    let node = Node::start(&server.place(store), &Setup::new(",blocklist_timeout=\"30ms\""));
    let patient = Node::start(&server.place(store), &Setup::new(",blocklist_timeout=\"20s\""));
    under_load(&node, &patient, |seen| {
        for round in 0..24 {
            seen.wait_for_more("it serves", &seen.let_in, 10);
            server.pause();
            seen.wait_for_more("a paused store is unavailable", &seen.unavailable, 4);
            server.resume();
            if round % 8 == 7 {
                // New connections, on which everything is prepared anew.
                server.kill();
                server.restart();
            }
        }
        // Not without a 503 in between: this node waits no longer than a busy machine may take.
        seen.wait_for_more("it serves", &seen.let_in, 40);
    });
}

macro_rules! tests {
    ($($module:ident: $kind:ident, $store:literal;)*) => {$(
        mod $module {
            use super::*;

            #[test]
            fn fails_closed_and_comes_back() {
                super::fails_closed_and_comes_back(Server::start(Kind::$kind), $store);
            }

            #[test]
            fn no_late_answer_is_mixed_up() {
                super::no_late_answer_is_mixed_up(Server::start(Kind::$kind), $store);
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
