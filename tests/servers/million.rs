//! A million revoked tokens, and a request is answered by index as ever.

use std::sync::Arc;

use rocket::http::Status;
use rocket::local::blocking::Client;
use rocket::time::{Duration, OffsetDateTime};
use rocket_db_pools::sqlx::{self, Row, SqlitePool, pool::PoolOptions};
use rocket_jwt_extended::blocklist::SqlxBlocklist;
use rocket_jwt_extended::{
    AccessToken, Blocklist, Jwt, MemoryBlocklist, Revocation, rocket_db_pools,
};

use crate::database::{Kind, Server, folder};
use crate::http::Pair;
use crate::node::{Node, Place, Setup};

const MILLION: u32 = 1_000_000;

fn in_an_hour() -> i64 {
    (OffsetDateTime::now_utc() + Duration::HOUR).unix_timestamp() * 1000
}

/// Live and revoked tokens around what `load` brings in, asked for before `load` and after.
fn still_tells(place: &Place, load: impl FnOnce()) -> (Node, Pair) {
    let node = Node::start(place, &Setup::new(",blocklist_timeout=\"20s\""));
    let (live, token, session, everywhere) =
        (node.login("ada"), node.login("ada"), node.login("ada"), node.login("eve"));
    assert_eq!(node.post("/logout-token", &token.access).status, 204);
    load();
    assert_eq!(node.post("/logout", &session.access).status, 204);
    assert_eq!(node.post("/logout-all", &everywhere.access).status, 204);
    node.lets_in(&live);
    node.get("/me", &token.access).is_revoked();
    node.refuses(&session);
    node.refuses(&everywhere);
    let rotated = node.post("/refresh", &live.refresh).pair();
    node.lets_in(&rotated);
    (node, rotated)
}

/// The one statement of a guard, with values in the place of its parameters.
#[track_caller]
fn lookup(statements: &[(&'static str, &str)], values: [&str; 3]) -> String {
    let (_, text) = statements.iter().find(|(name, _)| *name == "standing").expect("a statement");
    let values = values.join(", ");
    match text.split_once(" IN (") {
        Some((head, _)) => format!("EXPLAIN {head} IN ({values})"),
        None => format!("EXPLAIN {}", text.replace("$1", &format!("ARRAY[{values}]::bytea[]"))),
    }
}

#[test]
fn sqlite_finds_one_of_a_million_by_its_key() {
    let folder = folder();
    let url = format!("sqlite://{}", folder.join("blocklist").display());
    still_tells(&Place { store: "sqlx_sqlite", url: url.clone() }, || {
        rocket::execute(async {
            let pool = SqlitePool::connect(&url).await.expect("a pool");
            let insert = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
                          INSERT INTO jwt_blocklist (entry, revoked, expires, changed) \
                          SELECT CAST(printf('t%016d', i) AS BLOB), 1, ?2, 0 FROM n";
            let insert = sqlx::query(insert).bind(MILLION).bind(in_an_hour());
            let done = insert.execute(&pool).await.expect("rows");
            assert_eq!(done.rows_affected(), u64::from(MILLION));

            let store = SqlxBlocklist::new(pool.clone());
            let text = lookup(&store.statements(), ["x'00'", "x'01'", "x'02'"]);
            let text = text.replace("EXPLAIN", "EXPLAIN QUERY PLAN");
            let rows = sqlx::query(&text).fetch_all(&pool).await.expect("a plan");
            let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
            assert_eq!(plan, ["SEARCH jwt_blocklist USING PRIMARY KEY (entry=?)"]);
        });
    });
    let _ = std::fs::remove_dir_all(folder);
}

/// Through both drivers, whose statements are the same.
#[test]
fn postgres_finds_one_of_a_million_by_its_key() {
    let server = Server::start(Kind::Postgres);
    still_tells(&server.place("sqlx_postgres"), || {
        server.ask(&format!(
            "INSERT INTO jwt_blocklist (entry, revoked, expires, changed) \
             SELECT convert_to('t' || lpad(i::text, 16, '0'), 'UTF8'), true, {}, 0 \
             FROM generate_series(1, {MILLION}) AS i",
            in_an_hour()
        ));
        assert!(server.ask("SELECT count(*) >= 1000000 FROM jwt_blocklist").starts_with('t'));
    });
    still_tells(&server.place("deadpool_postgres"), || {});
    let text = rocket::execute(async {
        let pool = PoolOptions::<sqlx::Postgres>::new().connect_lazy("postgres://localhost");
        let store = SqlxBlocklist::new(pool.expect("an address"));
        lookup(&store.statements(), ["'t0000000000050000'", "'t0000000000050001'", "'s'"])
    });
    for statistics in ["", "ANALYZE jwt_blocklist;"] {
        let plan = server.ask(&format!("{statistics} {text}"));
        assert!(plan.contains("jwt_blocklist_pkey") && !plan.contains("Seq Scan"), "{plan}");
    }
}

#[test]
fn mariadb_finds_one_of_a_million_by_its_key() {
    let server = Server::start(Kind::MariaDb);
    still_tells(&server.place("sqlx_mysql"), || {
        server.ask(&format!(
            "INSERT INTO jwt_blocklist (entry, revoked, expires, changed) \
             SELECT CONCAT('t', LPAD(seq, 16, '0')), TRUE, {}, 0 FROM seq_1_to_{MILLION}",
            in_an_hour()
        ));
        let rows = server.ask("SELECT count(*) >= 1000000 FROM jwt_blocklist");
        assert_eq!(rows.trim(), "1");
    });
    let text = rocket::execute(async {
        let pool = PoolOptions::<sqlx::MySql>::new().connect_lazy("mysql://localhost/test");
        let store = SqlxBlocklist::new(pool.expect("an address"));
        lookup(&store.statements(), ["'t0000000000050000'", "'t0000000000050001'", "'s'"])
    });
    let plan = server.ask(&text);
    let (kind, key) = (plan.contains("\trange\t"), plan.contains("\tPRIMARY\t17\t"));
    assert!(kind && key && !plan.contains("\tALL\t"), "{plan}");
}

#[test]
fn redis_finds_one_of_a_million_by_its_key() {
    let server = Server::start(Kind::Redis);
    let (node, pair) = still_tells(&server.place("deadpool_redis"), || {
        server.ask("CONFIG SET appendonly no");
        for part in 0..10 {
            server.eval(&format!(
                "for i = 1, 100000 do redis.call('SET', string.format('jwt:t%d%031d', {part}, i), \
                 '1 - {0} 0', 'PX', 3600000) end",
                in_an_hour()
            ));
        }
        let keys: u32 = server.ask("DBSIZE").trim().parse().expect("a number");
        assert!(keys >= MILLION, "{keys}");
    });
    // No more than a look at each of four keys, and whether the server is the primary.
    server.ask("CONFIG RESETSTAT");
    node.lets_in(&pair);
    let stats = server.ask("INFO commandstats");
    let mut commands: Vec<_> = stats
        .lines()
        .filter_map(|line| line.strip_prefix("cmdstat_")?.split(',').next())
        .filter(|command| !command.starts_with("config") && !command.starts_with("info"))
        .collect();
    commands.sort_unstable();
    assert_eq!(commands, ["get:calls=4", "role:calls=1"]);
}

#[rocket::get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().into()
}

#[test]
fn memory_holds_a_million() {
    let store = Arc::new(MemoryBlocklist::new());
    let until = OffsetDateTime::now_utc() + Duration::HOUR;
    rocket::execute(async {
        for _ in 0..MILLION {
            let revoked = Revocation::token(uuid::Uuid::new_v4().to_string(), until);
            store.revoke(&revoked).await.expect("revoked");
        }
    });
    let secret = format!("{}{}", uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
    let figment = rocket::Config::figment()
        .merge(("log_level", "off"))
        .merge(("jwt", rocket::figment::util::map!["secret_key" => secret]));
    let rocket = rocket::custom(figment)
        .attach(Jwt::fairing().blocklist(store.clone()))
        .mount("/", rocket::routes![me]);
    let client = Client::untracked(rocket).expect("it launches");
    let jwt = Jwt::fetch(client.rocket()).expect("the fairing is attached");
    let status = |token: &str| {
        let header = rocket::http::Header::new("Authorization", format!("Bearer {token}"));
        client.get("/me").header(header).dispatch().status()
    };
    let (live, ended) = (jwt.access_token("ada"), jwt.access_token("ada"));
    let (live, ended) = (live.encode().expect("a token"), ended.encode().expect("a token"));
    let token = jwt.decode::<rocket_jwt_extended::NoClaims>(&ended).expect("ours");
    assert_eq!(status(&ended), Status::Ok);
    rocket::execute(jwt.revoke(&token)).expect("revoked");
    assert_eq!((status(&live), status(&ended)), (Status::Ok, Status::Unauthorized));
    let pruned = rocket::execute(store.prune(until + Duration::SECOND)).expect("an answer");
    assert_eq!(pruned, u64::from(MILLION) + 1);
    assert_eq!((status(&live), status(&ended)), (Status::Ok, Status::Ok));
}
