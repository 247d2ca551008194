//! Whether an application with its blocklist in a database launches, and what it says if not.

use crate::database::{Kind, Server, folder};
use crate::node::{Node, Place, Setup};

/// The log of a launch that fails.
#[track_caller]
fn failure(place: &Place, attach: &'static str) -> String {
    let setup = Setup { attach, connect_timeout: 1, log_level: "normal", ..Setup::new("") };
    match Node::try_start(place, &setup) {
        Ok(_) => panic!("it launches: {place:?}"),
        Err(log) => log,
    }
}

#[test]
fn without_its_pool_it_fails_with_one_clear_line() {
    for (store, db) in [
        ("sqlx_sqlite", "Sqlite"),
        ("sqlx_postgres", "SqlxPostgres"),
        ("sqlx_mysql", "MySql"),
        ("deadpool_postgres", "DeadpoolPostgres"),
        ("deadpool_redis", "Redis"),
    ] {
        let log = failure(&Place { store, url: "never used".into() }, "never");
        let line = format!("the JWT blocklist has no database: attach `node::{db}::init()`.");
        let said = log.lines().filter(|found| found.contains("JWT blocklist has no")).count();
        assert!(log.contains(&line) && said == 1, "{store}:\n{log}");
        assert!(!log.contains("node is ready"), "{log}");
    }
}

/// Logs in and out at a node whose fairings are attached in that order.
fn works_when_attached(place: &Place, attach: &'static str) {
    let node = Node::start(place, &Setup { attach, ..Setup::new("") });
    let (stays, leaves) = (node.login("ada"), node.login("ada"));
    assert_eq!(node.post("/logout", &leaves.access).status, 204);
    node.refuses(&leaves);
    node.lets_in(&stays);
}

#[test]
fn the_pool_may_be_attached_before_or_after() {
    let folder = folder();
    let url = format!("sqlite://{}", folder.join("blocklist").display());
    let redis = Server::start(Kind::Redis);
    for attach in ["before", "after"] {
        works_when_attached(&Place { store: "sqlx_sqlite", url: url.clone() }, attach);
        works_when_attached(&redis.place("deadpool_redis"), attach);
    }
    let _ = std::fs::remove_dir_all(folder);
}

/// A pool of `sqlx` connects at once; one of `deadpool` when it is first asked, which is by the store.
#[test]
fn with_its_database_out_of_reach_it_fails() {
    let password = "correct-horse";
    let folder = folder();
    for (store, url, said) in [
        ("sqlx_sqlite", format!("sqlite://{}/no/such/folder", folder.display()), "blocklist"),
        (
            "sqlx_postgres",
            format!("postgres://postgres:{password}@127.0.0.1:1/test"),
            "If it is attached, it did not start",
        ),
        (
            "sqlx_mysql",
            format!("mysql://root:{password}@127.0.0.1:1/test"),
            "If it is attached, it did not start",
        ),
        (
            "deadpool_postgres",
            format!("postgres://postgres:{password}@127.0.0.1:1/test"),
            "the JWT blocklist can't be set up in `blocklist`: ",
        ),
        (
            "deadpool_redis",
            format!("redis://:{password}@127.0.0.1:1"),
            "the JWT blocklist can't be set up in `blocklist`: ",
        ),
    ] {
        for attach in ["before", "after"] {
            let log = failure(&Place { store, url: url.clone() }, attach);
            assert!(log.contains(said), "{store}, {attach}:\n{log}");
            assert!(!log.contains("node is ready"), "{log}");
            // What `rocket_db_pools` itself says of its configuration is not ours.
            let ours = log.lines().filter(|line| line.contains("JWT"));
            ours.for_each(|line| assert!(!line.contains(password), "{line}"));
        }
    }
    let _ = std::fs::remove_dir_all(folder);
}

/// What fails at launch has ended its transaction; a second end would be logged by the driver.
#[test]
fn a_postgres_that_only_reads_is_one_warning() {
    let server = Server::start(Kind::Postgres);
    for store in ["sqlx_postgres", "deadpool_postgres"] {
        let place = server.place(store);
        let setup = Setup { log_level: "normal", ..Setup::new("") };
        drop(Node::start(&place, &setup));
        server.ask("ALTER ROLE postgres SET default_transaction_read_only = on");
        let node = Node::start(&place, &setup);
        server.ask(
            "BEGIN READ WRITE; \
             ALTER ROLE postgres SET default_transaction_read_only = off; COMMIT",
        );
        let log = node.log();
        assert!(log.contains("can be read, but not written"), "{log}");
        assert!(!log.contains("no transaction in progress"), "{log}");
    }
}
