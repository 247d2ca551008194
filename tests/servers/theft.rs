//! A refresh token that somebody else has, too, on two servers: whoever is first, the session ends; and what
//! looks like theft and is none: a lost answer, a lost write, clocks that differ, a partner's token.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use jsonwebtoken::{Algorithm, EncodingKey};
use rocket::time::OffsetDateTime;
use serde_json::json;

use crate::database::{Kind, Server, folder};
use crate::http::{Pair, send};
use crate::node::{Node, Place, Setup};
use crate::rotation::{GRACE, STRICT, claim, patient, two, use_at_once};
use crate::support::sign_as;

/// Past the grace, in milliseconds, and within the lifetime of an access token.
const LATER: i64 = 11 * 60 * 1000;

#[track_caller]
fn refresh(node: &Node, token: &str) -> Pair {
    node.post("/refresh", token).pair()
}

fn reuses(nodes: &[Node]) -> usize {
    nodes.iter().map(Node::reuses).sum()
}

/// Both servers refuse every token of the pairs.
#[track_caller]
fn refused(nodes: &[Node], pairs: &[&Pair]) {
    for node in nodes {
        pairs.iter().for_each(|pair| node.refuses(pair));
    }
}

fn the_session_ends_whoever_is_first(place: &Place) {
    for jwt in [STRICT, GRACE] {
        let nodes = two(place, &patient(jwt));
        let [one, two] = &nodes;
        // The thief has the token first; the victim asks once the grace is over.
        let stolen = one.login("ada");
        let thiefs = refresh(two, &stolen.refresh);
        nodes.iter().for_each(|node| node.set_ahead(LATER));
        nodes.iter().for_each(|node| node.lets_in(&thiefs));
        one.post("/refresh", &stolen.refresh).is_revoked();
        refused(&nodes, &[&thiefs, &stolen]);
        assert_eq!(reuses(&nodes), 1);

        // The victim has it first, and has gone on; the thief asks within the grace, or strictly after it.
        for asked_after in [1, 2, 5] {
            let before = reuses(&nodes);
            let (stolen, other) = (one.login("ada"), two.login("ada"));
            let mut last = stolen.clone();
            for turn in 0..asked_after {
                last = refresh(&nodes[turn % 2], &last.refresh);
            }
            if asked_after == 1 && jwt == GRACE {
                // One repeat looks like a lost answer, until both go on.
                let thiefs = refresh(two, &stolen.refresh);
                assert_eq!(thiefs, last);
                last = refresh(one, &last.refresh);
                assert_eq!(refresh(two, &thiefs.refresh), last);
                refresh(one, &last.refresh);
            }
            two.post("/refresh", &stolen.refresh).is_revoked();
            refused(&nodes, &[&last, &stolen]);
            nodes.iter().for_each(|node| node.lets_in(&other));
            assert_eq!(reuses(&nodes), before + 1, "{asked_after}");
        }
    }
}

/// Within the grace, only the last token that was exchanged may be presented again.
fn a_grandparent_within_the_grace_ends_the_session(place: &Place) {
    let nodes = two(place, &patient(GRACE));
    let grandparent = nodes[0].login("ada");
    let parent = refresh(&nodes[1], &grandparent.refresh);
    assert_eq!(refresh(&nodes[0], &grandparent.refresh), parent);
    let child = refresh(&nodes[0], &parent.refresh);
    nodes[1].post("/refresh", &grandparent.refresh).is_revoked();
    refused(&nodes, &[&grandparent, &parent, &child]);
    assert_eq!(reuses(&nodes), 1);
}

/// The process ends when the row is written, and before the client has its pair.
fn a_crash_between_exchange_and_answer_costs_nothing(place: &Place) {
    let setup = patient(GRACE);
    let stays = Node::start(place, &setup);
    let mut token = stays.login("ada").refresh;
    for _ in 0..3 {
        let dies = Node::start(place, &setup);
        send(dies.port, "POST", "/refresh-and-die", Some(&token)).expect_err("no answer");
        let log = dies.log();
        let promised = log.lines().find_map(|line| line.strip_prefix("exchanged for "));
        let pair = refresh(&stays, &token);
        assert_eq!(pair.refresh, promised.expect("an exchange"));
        assert_eq!(refresh(&stays, &token), pair);
        stays.lets_in(&pair);
        token = pair.refresh;
    }
    assert_eq!(stays.reuses(), 0);
}

fn a_logout_that_races_exchanges_leaves_nothing_alive(place: &Place) {
    const EXCHANGES: usize = 100;

    let nodes = two(place, &patient(GRACE));
    // Of one token, a hundred times at once.
    for _ in 0..2 {
        let login = nodes[0].login("ada");
        let answers = thread::scope(|scope| {
            let exchanges = scope.spawn(|| use_at_once(&nodes, &login.refresh, EXCHANGES));
            assert_eq!(nodes[1].post("/logout", &login.access).status, 204);
            exchanges.join().expect("no panic")
        });
        for answer in answers.into_iter().map(|answer| answer.expect("an answer")) {
            match answer.status {
                200 => refused(&nodes, &[&answer.pair()]),
                _ => answer.is_revoked(),
            }
        }
        refused(&nodes, &[&login]);
    }

    // Of one token after another: the logout comes between two of them, or during one.
    for logged_out_after in [0, 10, EXCHANGES / 2] {
        let login = nodes[0].login("ada");
        let done = AtomicUsize::new(0);
        let mut pairs = vec![login.clone()];
        thread::scope(|scope| {
            let logout = scope.spawn(|| {
                while done.load(Ordering::SeqCst) < logged_out_after {
                    thread::yield_now();
                }
                assert_eq!(nodes[0].post("/logout", &login.access).status, 204);
            });
            for turn in 0..EXCHANGES {
                let token = &pairs[pairs.len() - 1].refresh;
                let answer = nodes[turn % 2].post("/refresh", token);
                match answer.status {
                    200 => pairs.push(answer.pair()),
                    _ => answer.is_revoked(),
                }
                done.fetch_add(1, Ordering::SeqCst);
            }
            logout.join().expect("no panic");
        });
        assert!((logged_out_after..EXCHANGES).contains(&pairs.len()), "{}", pairs.len());
        refused(&nodes, &pairs.iter().collect::<Vec<_>>());
    }
    assert_eq!(reuses(&nodes), 0);
}

/// Keeps the rows of the blocklist, and puts them back, as a fail-over does that has lost what was written
/// in between.
trait History {
    fn keep(&self);
    fn put_back(&self);
}

impl History for Server {
    fn keep(&self) {
        match self.kind() {
            Kind::Postgres => {
                self.ask("DROP TABLE IF EXISTS kept");
                self.ask("CREATE TABLE kept AS TABLE jwt_blocklist");
            }
            Kind::MariaDb => {
                self.ask("CREATE OR REPLACE TABLE kept AS SELECT * FROM jwt_blocklist");
            }
            Kind::Redis => {
                for key in self.ask("KEYS jwt:s*").lines() {
                    assert_eq!(self.ask(&format!("COPY {key} kept:{key} REPLACE")).trim(), "1");
                }
            }
        }
    }

    fn put_back(&self) {
        match self.kind() {
            Kind::Postgres | Kind::MariaDb => {
                self.ask("DELETE FROM jwt_blocklist");
                self.ask("INSERT INTO jwt_blocklist SELECT * FROM kept");
            }
            Kind::Redis => {
                for key in self.ask("KEYS jwt:s*").lines() {
                    self.ask(&format!("DEL {key}"));
                }
                for kept in self.ask("KEYS kept:*").lines() {
                    let key = kept.strip_prefix("kept:").expect("a key");
                    assert_eq!(self.ask(&format!("COPY {kept} {key} REPLACE")).trim(), "1");
                }
            }
        }
    }
}

struct File(PathBuf);

impl File {
    fn run(&self, statements: &str) {
        use rocket_db_pools::sqlx::{Connection, Executor, SqliteConnection};

        rocket::execute(async {
            let url = format!("sqlite://{}", self.0.display());
            let mut file = SqliteConnection::connect(&url).await.expect("the file");
            file.execute(statements).await.expect("it runs");
            file.close().await.expect("closed");
        });
    }
}

impl History for File {
    fn keep(&self) {
        self.run("DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT * FROM jwt_blocklist");
    }

    fn put_back(&self) {
        self.run("DELETE FROM jwt_blocklist; INSERT INTO jwt_blocklist SELECT * FROM kept");
    }
}

fn a_lost_write_is_no_theft_if_the_newest_token_comes_first(place: &Place, history: &dyn History) {
    let nodes = two(place, &patient(STRICT));
    for lost in [1, 2] {
        let before = reuses(&nodes);
        let first = refresh(&nodes[0], &nodes[1].login("ada").refresh);
        history.keep();
        let mut newest = first.clone();
        for turn in 0..lost {
            newest = refresh(&nodes[turn % 2], &newest.refresh);
        }
        history.put_back();
        nodes.iter().for_each(|node| node.lets_in(&newest));
        let next = refresh(&nodes[1], &newest.refresh);
        let last = refresh(&nodes[0], &next.refresh);
        nodes.iter().for_each(|node| node.lets_in(&last));
        assert_eq!(reuses(&nodes), before);
        // From then on it is a session as any other.
        nodes[0].post("/refresh", &newest.refresh).is_revoked();
        refused(&nodes, &[&last]);
        assert_eq!(reuses(&nodes), before + 1);

        // An older token that is exchanged before the newest comes.
        let older = refresh(&nodes[0], &nodes[1].login("ada").refresh);
        history.keep();
        let mut newest = older.clone();
        for turn in 0..lost {
            newest = refresh(&nodes[turn % 2], &newest.refresh);
        }
        history.put_back();
        let again = refresh(&nodes[1], &older.refresh);
        nodes[0].post("/refresh", &newest.refresh).is_revoked();
        refused(&nodes, &[&again, &newest, &older]);
        assert_eq!(reuses(&nodes), before + 2);
    }
}

/// Where each session has a row, the store may have lost the end of one, too: no token of it goes on.
fn a_lost_write_ends_a_recorded_session(place: &Place, history: &dyn History) {
    let nodes = two(place, &patient(&format!("{STRICT},sessions=true")));
    let first = refresh(&nodes[0], &nodes[1].login("ada").refresh);
    let other = nodes[0].login("ada");
    history.keep();
    let newest = refresh(&nodes[1], &first.refresh);
    let later = nodes[1].login("ada");
    history.put_back();
    nodes[0].post("/refresh", &newest.refresh).is_revoked();
    // Nor does the one that the store takes for the current one.
    refused(&nodes, &[&first, &newest]);
    assert_eq!(nodes.iter().map(Node::losses).sum::<usize>(), 1);

    // A session that the store knows nothing of ends with its access token.
    nodes.iter().for_each(|node| node.lets_in(&later));
    nodes.iter().for_each(|node| node.post("/refresh", &later.refresh).is_revoked());
    nodes.iter().for_each(|node| node.lets_in(&other));
    refresh(&nodes[1], &other.refresh);
    assert_eq!(reuses(&nodes), 0);
}

/// Whoever exchanged it with whichever clock: no earlier token of a session is taken for a newer one.
fn clocks_that_differ_make_no_token_newer(place: &Place) {
    const CHAIN: usize = 4;

    for jwt in [STRICT, GRACE] {
        let leeway = patient(&format!("{jwt},decode_leeway=\"6s\""));
        let ahead = |ahead| Setup { ahead, ..leeway.clone() };
        let nodes = [2500, -2500].map(|by| Node::start(place, &ahead(by)));
        // Which node makes each exchange.
        for order in [[0, 1, 0, 1], [1, 0, 1, 0], [0, 0, 1, 1], [1, 1, 0, 0]] {
            for replayed in 0..CHAIN {
                let before = reuses(&nodes);
                let mut chain = vec![nodes[order[0]].login("ada")];
                for turn in order {
                    chain.push(refresh(&nodes[turn], &chain[chain.len() - 1].refresh));
                }
                let ids: Vec<_> = chain.iter().map(|pair| claim(&pair.refresh, "jti")).collect();
                assert!(ids.is_sorted(), "{ids:?}");

                let last = &chain[CHAIN];
                let node = &nodes[replayed % 2];
                let answer = node.post("/refresh", &chain[replayed].refresh);
                if jwt == GRACE && replayed == CHAIN - 1 {
                    assert_eq!(answer.pair(), *last);
                    continue;
                }
                answer.is_revoked();
                refused(&nodes, &[last, &chain[replayed]]);
                assert_eq!(reuses(&nodes), before + 1, "{order:?}, {replayed}");
            }
        }
    }
}

/// A partner's token is accepted, and no more: it is not exchanged, and ends nothing of ours, whatever ids it
/// claims to have.
fn a_partners_token_ends_nothing(place: &Place) {
    let secret = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    let nodes = two(place, &Setup { partner: secret.clone(), ..patient(STRICT) });
    let victim = nodes[0].login("ada");
    let mut last = victim.clone();
    for turn in 0..3 {
        last = refresh(&nodes[turn % 2], &last.refresh);
    }
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let header = r#"{"alg":"HS256","typ":"JWT","kid":"partner"}"#;
    let new = uuid::Uuid::now_v7().to_string();
    for jti in [&new, "chosen", &claim(&victim.refresh, "jti"), &claim(&last.refresh, "jti")] {
        let claims = json!({
            "sub": "mallory", "type": "refresh", "jti": jti, "sid": claim(&victim.refresh, "sid"),
            "iat": now, "nbf": now, "exp": now + 600, "fresh": false,
        });
        let key = EncodingKey::from_secret(secret.as_bytes()).expect("a key");
        let token = sign_as(Algorithm::HS256, &key, header, &claims.to_string());
        for node in &nodes {
            let answer = node.post("/refresh", &token);
            assert_eq!((answer.status, &*answer.code()), (401, "token_invalid"), "{answer:?}");
        }
    }
    nodes.iter().for_each(|node| node.lets_in(&last));
    let next = refresh(&nodes[0], &last.refresh);
    nodes.iter().for_each(|node| node.lets_in(&next));
    assert_eq!(reuses(&nodes), 0);
}

fn all_at(place: &Place, history: &dyn History) {
    the_session_ends_whoever_is_first(place);
    a_grandparent_within_the_grace_ends_the_session(place);
    a_crash_between_exchange_and_answer_costs_nothing(place);
    a_logout_that_races_exchanges_leaves_nothing_alive(place);
    a_lost_write_is_no_theft_if_the_newest_token_comes_first(place, history);
    a_lost_write_ends_a_recorded_session(place, history);
    clocks_that_differ_make_no_token_newer(place);
    a_partners_token_ends_nothing(place);
}

#[test]
fn theft_is_detected_with_one_sqlite_file() {
    let folder = folder();
    let file = folder.join("blocklist");
    let url = format!("sqlite://{}", file.display());
    all_at(&Place { store: "sqlx_sqlite", url }, &File(file));
    let _ = std::fs::remove_dir_all(folder);
}

#[test]
fn theft_is_detected_with_one_postgres() {
    let server = Server::start(Kind::Postgres);
    all_at(&server.place("sqlx_postgres"), &server);
}

#[test]
fn theft_is_detected_with_one_postgres_through_deadpool() {
    let server = Server::start(Kind::Postgres);
    all_at(&server.place("deadpool_postgres"), &server);
}

#[test]
fn theft_is_detected_with_one_mariadb() {
    let server = Server::start(Kind::MariaDb);
    all_at(&server.place("sqlx_mysql"), &server);
}

#[test]
fn theft_is_detected_with_one_redis() {
    let server = Server::start(Kind::Redis);
    all_at(&server.place("deadpool_redis"), &server);
}
