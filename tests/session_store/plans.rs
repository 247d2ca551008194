//! Among a hundred thousand sessions, every statement finds its rows by an index, and an exchange writes
//! none.

use rocket::time::{Duration, OffsetDateTime};
use rocket_db_pools::deadpool_postgres;
use rocket_db_pools::sqlx::{self, Row};
use rocket_jwt_extended::blocklist::{
    Blocklist, Exchange, Exchanged, PostgresBlocklist, Renewal, SqlxBlocklist, Standing,
};

use crate::store_support::{self, pool};
use crate::support::{Login, id_of};

/// A hundred of each subject.
const SESSIONS: i64 = 100_000;

/// The statements that change one row.
const UPDATES: [&str; 3] = ["advance_owned", "end_owned", "renew"];

/// The statements that insert one row, if it is missing.
const INSERTS: [&str; 4] = ["begin_owned", "lock", "log_in", "notes"];

#[track_caller]
fn statement(statements: &[(&'static str, &str)], name: &str) -> String {
    let found = statements.iter().find(|(found, _)| *found == name);
    found.unwrap_or_else(|| panic!("no statement `{name}`")).1.into()
}

/// As the list and, without its limit, as the decision about a login reads them.
fn lists(statements: &[(&'static str, &str)]) -> [String; 2] {
    let list = statement(statements, "list");
    let (all, _) = list.rsplit_once(" LIMIT ").expect("a limit");
    [all.into(), list]
}

#[track_caller]
fn has(plan: &str, needed: &[&str], forbidden: &[&str]) {
    for text in needed {
        assert!(plan.contains(text), "no `{text}` in the plan:\n{plan}");
    }
    for text in forbidden {
        assert!(!plan.contains(text), "`{text}` in the plan:\n{plan}");
    }
}

#[rocket::async_test]
async fn sqlite_searches_by_index() {
    let home = store_support::sqlite::Home::new().await;
    let pool = pool::<sqlx::SqlitePool>(&home.url).await;
    let store = SqlxBlocklist::new(pool.clone());
    store.create_table().await.expect("a table");
    for insert in [
        "INSERT INTO jwt_blocklist (entry, revoked, current_jti, subject, seen, ends, expires, \
         changed) SELECT CAST(printf('s%016d', i) AS BLOB), i % 7 = 0, \
         CAST(printf('%016d', i) AS BLOB), CAST(printf('%016d', i / 100) AS BLOB), 1, 1 + i, \
         1 + i, 0 FROM n",
        "INSERT INTO jwt_blocklist_details (entry, label) \
         SELECT CAST(printf('s%016d', i) AS BLOB), x'30' FROM n",
    ] {
        let numbers = "WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n \
                       WHERE i < ?1 - 1)";
        let insert = format!("{numbers} {insert}");
        sqlx::query(&insert).bind(SESSIONS).execute(&pool).await.expect("rows");
    }
    let explain = async |text: &str| {
        let text = format!("EXPLAIN QUERY PLAN {text}");
        let rows = sqlx::query(&text).fetch_all(&pool).await.expect("a plan");
        let lines: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        lines.join("\n")
    };
    // With the planner's guesses, then with statistics.
    for _ in 0..2 {
        for list in lists(&store.statements()) {
            let session = "SEARCH s USING INDEX jwt_blocklist_subject (subject=?)";
            let details = "SEARCH d USING PRIMARY KEY (entry=?)";
            let cut_off = "SEARCH jwt_blocklist USING PRIMARY KEY (entry=?)";
            has(&explain(&list).await, &[session, details, cut_off], &["SCAN ", "TEMP B-TREE"]);
        }
        for name in UPDATES {
            let plan = explain(&statement(&store.statements(), name)).await;
            has(&plan, &["SEARCH jwt_blocklist USING PRIMARY KEY (entry=?)"], &["SCAN jwt"]);
        }
        for name in INSERTS {
            let plan = explain(&statement(&store.statements(), name)).await;
            has(&plan, &[], &["SCAN jwt"]);
        }
        sqlx::query("ANALYZE").execute(&pool).await.expect("statistics");
    }
    home.end().await;
}

#[rocket::async_test]
async fn mysql_searches_by_index() {
    let home = store_support::sqlx_mysql::Home::new().await;
    let pool = pool::<sqlx::MySqlPool>(&home.url).await;
    let store = SqlxBlocklist::new(pool.clone());
    store.create_table().await.expect("a table");
    let digits = "(SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 \
                  UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)";
    let numbers = format!(
        "(SELECT a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d AS i \
         FROM {digits} a, {digits} b, {digits} c, {digits} d, {digits} e) AS numbers"
    );
    for insert in [
        "INSERT INTO jwt_blocklist (entry, revoked, current_jti, subject, seen, ends, expires, \
         changed) SELECT CONCAT('s', LPAD(i, 16, '0')), i % 7 = 0, LPAD(i, 16, '0'), \
         LPAD(i DIV 100, 16, '0'), 1, 1 + i, 1 + i, 0",
        "INSERT INTO jwt_blocklist_details (entry, label) \
         SELECT CONCAT('s', LPAD(i, 16, '0')), 'label'",
    ] {
        let insert = format!("{insert} FROM {numbers}");
        let done = sqlx::query(&insert).execute(&pool).await.expect("rows");
        assert_eq!(done.rows_affected(), SESSIONS as u64);
    }
    // The columns that MySQL and MariaDB have in common. The values are in the text, as each has its own
    // type.
    let explain = async |text: &str, value: &str| {
        let text = format!("EXPLAIN {}", text.replace('?', value));
        let rows = sqlx::query(&text).fetch_all(&pool).await.expect("a plan");
        let lines = rows.iter().map(|row| {
            let text = |column| row.get::<Option<String>, _>(column).unwrap_or_default();
            let table = text("table");
            format!("{table}: type={} key={} extra={}", text("type"), text("key"), text("Extra"))
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    for _ in 0..2 {
        for list in lists(&store.statements()) {
            let plan = explain(&list, "x'30303030303030303030303030303432'").await;
            let session = "s: type=ref key=jwt_blocklist_subject";
            let details = "d: type=eq_ref key=PRIMARY";
            has(&plan, &[session, details], &["type=ALL", "type=index ", "filesort"]);
        }
        for name in UPDATES {
            let plan = explain(&statement(&store.statements(), name), "x'74'").await;
            let plan = plan.lines().find(|line| line.starts_with("jwt_blocklist:"));
            has(plan.expect("the table"), &["type=range"], &["type=ALL", "type=index "]);
        }
        let analyze = "ANALYZE TABLE jwt_blocklist, jwt_blocklist_details";
        sqlx::query(analyze).execute(&pool).await.expect("statistics");
    }
    home.end().await;
}

/// With either driver: the statements are the same, the prepared plans too.
#[rocket::async_test]
async fn postgres_searches_by_index() {
    let home = store_support::deadpool_postgres::Home::new().await;
    let pool = pool::<deadpool_postgres::Pool>(&home.url).await;
    let store = PostgresBlocklist::new(pool.clone());
    store.create_table().await.expect("a table");
    let connection = pool.get().await.expect("a connection");
    let id = |number: &str| format!("convert_to(lpad(({number})::text, 16, '0'), 'UTF8')");
    let (own, subject) = (id("i"), id("i / 100"));
    let last = SESSIONS - 1;
    let insert = format!(
        "INSERT INTO jwt_blocklist (entry, revoked, current_jti, subject, seen, ends, expires, \
         changed) SELECT 's'::bytea || {own}, i % 7 = 0, {own}, {subject}, 1, 1 + i, 1 + i, 0 \
         FROM generate_series(0, {last}) AS i; \
         INSERT INTO jwt_blocklist_details (entry, label) \
         SELECT 's'::bytea || {own}, 'label' FROM generate_series(0, {last}) AS i"
    );
    connection.batch_execute(&insert).await.expect("rows");
    let [all, list] = lists(&store.statements());
    let named = |name| statement(&store.statements(), name);
    let list_types = "bytea, bytea, bytea, bigint";
    let key = "'u1', 'e1', '0000000000000042', 1";
    // The text, the types of its parameters, values for them, and what the plan has.
    let statements = [
        (all, list_types, key, "jwt_blocklist_subject"),
        (list, list_types, key, "jwt_blocklist_subject"),
        (
            named("advance_owned"),
            "bytea, bytea, bigint, bytea, bigint, bytea, bigint, bigint, bytea, bytea",
            "'1', '1', 1, '1', 1, '1', 1, 1, 's1', '1'",
            "Index Scan using jwt_blocklist_pkey",
        ),
        (
            named("end_owned"),
            "bigint, bytea, bytea",
            "1, 's1', '1'",
            "Index Scan using jwt_blocklist",
        ),
        (
            named("renew"),
            "bigint, bigint, bytea, bigint, bytea",
            "1, 1, '1', 1, 's1'",
            "Index Scan using jwt_blocklist_pkey",
        ),
        (named("lock"), "bytea, bigint", "'l1', 1", "Conflict Arbiter Indexes: jwt_blocklist_pkey"),
        (
            named("log_in"),
            "bytea, bytea, bytea, bigint, bigint, bigint",
            "'s1', '1', '1', 1, 1, 1",
            "Conflict Arbiter Indexes: jwt_blocklist_pkey",
        ),
        (
            named("begin_owned"),
            "bytea, bytea, bytea, bigint, bytea, bigint, bytea, bigint, bigint",
            "'s1', '1', '1', 1, '1', 1, '1', 1, 1",
            "Conflict Arbiter Indexes: jwt_blocklist_pkey",
        ),
        (
            named("notes"),
            "bytea, bytea, bytea",
            "'s1', '1', '1'",
            "Conflict Arbiter Indexes: jwt_blocklist_details_pkey",
        ),
    ];
    for (number, (text, types, ..)) in statements.iter().enumerate() {
        let prepare = format!("PREPARE jwt_{number} ({types}) AS {text}");
        connection.batch_execute(&prepare).await.expect("a prepared statement");
    }
    for _ in 0..2 {
        for mode in ["force_generic_plan", "force_custom_plan"] {
            let set = format!("SET plan_cache_mode = {mode}");
            connection.batch_execute(&set).await.expect("a setting");
            for (number, (_, _, values, needed)) in statements.iter().enumerate() {
                let text = format!("EXPLAIN EXECUTE jwt_{number} ({values})");
                let rows = connection.query(&text, &[]).await.expect("a plan");
                let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
                has(&plan.join("\n"), &[needed], &["Seq Scan"]);
            }
        }
        let analyze = "ANALYZE jwt_blocklist; ANALYZE jwt_blocklist_details";
        connection.batch_execute(analyze).await.expect("statistics");
    }
    drop(connection);
    home.end().await;
}

/// An exchange and a renewal of a session with an owner write no index, although its subject and its expiry
/// are indexed.
#[rocket::async_test]
async fn writes_of_a_recorded_session_are_heap_only_in_postgres() {
    const TIMES: i64 = 300;

    let home = store_support::sqlx_postgres::Home::new().await;
    let store = store_support::server::<sqlx::PgPool>(&home.url).await;
    let sessions = store.session_store().expect("it lists sessions");
    let begin = OffsetDateTime::now_utc();
    // As the crate does it: rounded up to a tenth of the lifetime.
    let until = Some(begin + Duration::days(33));
    let mut login = Login::new("ada", begin);
    sessions.begin(&login.access(), &login.session(begin, until), None).await.expect("it begins");
    for number in 1..=TIMES {
        let now = begin + Duration::minutes(number);
        let exchange = Exchange::new(id_of(now), [7; 16], now, Duration::ZERO, until);
        let exchange = exchange.owned_by(&login.refresh(), now + Duration::days(30));
        let outcome = store.exchange(&login.refresh(), &exchange).await.expect("an answer");
        assert_eq!(outcome, Exchanged::First);
        login = login.after(&exchange);
        let renewal = Renewal { now, ends: Some(now + Duration::HOUR), until };
        let standing = sessions.renew(&login.access(), &renewal).await.expect("an answer");
        assert_eq!(standing, Standing::Live);
    }
    let query = format!(
        "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_all_tables \
         WHERE schemaname = '{}' AND relname = 'jwt_blocklist'",
        home.schema
    );
    let (updates, heap_only) = loop {
        // The server counts the updates of a connection when that has been idle for a while.
        let (updates, heap_only): (i64, i64) =
            sqlx::query_as(&query).fetch_one(&home.admin).await.expect("the statistics");
        if updates >= 2 * TIMES {
            break (updates, heap_only);
        }
        rocket::tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    println!("{heap_only} of {updates} updates are heap-only");
    assert!(heap_only * 10 >= updates * 9, "{heap_only} of {updates}");
    home.end().await;
}
