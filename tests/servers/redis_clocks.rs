//! A server whose clock is wrong, and Redis: what it revokes stays for as long as it meant it to, and
//! what others revoke is not cut short.

use crate::database::{Kind, Server};
use crate::node::{Node, Setup};

const DAYS: i64 = 24 * 60 * 60 * 1000;

/// With a limit to the lifetime of a token, so that subjects' entries expire as well.
const LIMITED: &str = ",max_token_lifetime=\"31d\"";

/// The shortest lifetime that any entry has left, in milliseconds.
fn shortest(server: &Server) -> i64 {
    let keys = server.ask("KEYS jwt:[tsu]*");
    let rest = keys.lines().map(|key| server.ask(&format!("PTTL {key}")));
    rest.map(|rest| rest.trim().parse().expect("milliseconds")).min().expect("an entry")
}

#[test]
fn what_a_server_with_a_wrong_clock_ends_stays_ended() {
    for ahead in [-32, 32, -400] {
        for path in ["/logout", "/logout-token", "/logout-all"] {
            let server = Server::start(Kind::Redis);
            let setup = Setup { ahead: ahead * DAYS, ..Setup::new(LIMITED) };
            let node = Node::start(&server.place("deadpool_redis"), &setup);
            let pair = node.login("ada");
            node.lets_in(&pair);
            assert_eq!(node.post(path, &pair.access).status, 204);
            node.get("/me", &pair.access).is_revoked();
            // As long as the access token, at least.
            assert!(shortest(&server) > 15 * 60 * 1000, "{path}, {ahead} days");
        }
    }
}

#[test]
fn a_token_that_a_server_with_a_wrong_clock_exchanges_is_exchanged_once() {
    for ahead in [-32, 32] {
        let server = Server::start(Kind::Redis);
        let jwt = format!("{LIMITED},rotation_grace=\"0s\"");
        let setup = Setup { ahead: ahead * DAYS, ..Setup::new(&jwt) };
        let node = Node::start(&server.place("deadpool_redis"), &setup);
        let pair = node.login("ada");
        let next = node.post("/refresh", &pair.refresh).pair();
        node.lets_in(&next);
        assert!(shortest(&server) > 29 * DAYS, "{ahead} days");
        node.post("/refresh", &pair.refresh).is_revoked();
        assert_eq!(node.reuses(), 1, "{ahead} days");
    }
}
