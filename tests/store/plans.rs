//! Among a hundred thousand entries, every statement finds its rows by an index.
#![cfg(all(
    feature = "test-util",
    any(feature = "sqlx_sqlite", feature = "sqlx_mysql", feature = "deadpool_postgres",)
))]

use rocket::time::{Duration, OffsetDateTime};
use rocket_jwt_extended::blocklist::{Blocklist, Revocation, Standing, TokenIds};

/// All of them, and of these so many have expired; the rest expires in an hour, or never.
const ENTRIES: i64 = 100_000;
const EXPIRED: i64 = 20_500;

/// Besides, so many live sessions, three of each subject.
const SESSIONS: i64 = 10_000;

fn millis(time: OffsetDateTime) -> i64 {
    (time.unix_timestamp_nanos() / 1_000_000) as i64
}

/// The text of one statement of a store.
#[track_caller]
fn statement<'a>(statements: &[(&'static str, &'a str)], name: &str) -> &'a str {
    let found = statements.iter().find(|(found, _)| *found == name);
    found.unwrap_or_else(|| panic!("no statement `{name}`")).1
}

/// The statements for one lookup, and for the largest batch.
const STANDING: [&str; 2] = ["standing", "standing_of_many"];

/// The statements that change one row.
const UPDATES: [&str; 8] =
    ["revoke", "cut_off", "extend", "advance", "end", "advance_owned", "end_owned", "renew"];

/// The statements that insert one row, if it is missing.
const INSERTS: [&str; 4] = ["insert", "begin", "begin_owned", "log_in"];

/// Some entries that exist, and others.
fn entries(number: usize) -> impl Iterator<Item = String> {
    (0..number).map(|i| format!("{}{:016}", if i % 3 == 2 { 's' } else { 't' }, 50_000 + 40 * i))
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

/// Pruning removes what has expired, in many batches, and nothing else.
async fn prunes(store: &dyn Blocklist) {
    let now = OffsetDateTime::now_utc();
    let ids = TokenIds::new(Some("kept"), None, None, None);
    store.revoke(&Revocation::token("kept", now + Duration::HOUR)).await.expect("recorded");
    assert_eq!(store.prune(now).await.expect("an answer"), EXPIRED as u64);
    assert_eq!(store.prune(now).await.expect("an answer"), 0);
    assert_eq!(store.standing(&ids).await.expect("an answer"), Standing::Revoked);
}

#[cfg(feature = "sqlx_sqlite")]
#[rocket::async_test]
async fn sqlite_searches_by_index() {
    use rocket_db_pools::sqlx::{self, Row, SqlitePool};
    use rocket_jwt_extended::blocklist::SqlxBlocklist;

    let home = crate::store_support::sqlite::Home::new().await;
    let pool = crate::store_support::pool::<SqlitePool>(&home.url).await;
    let store = SqlxBlocklist::new(pool.clone());
    store.create_table().await.expect("a table");
    // SQLite prunes by whole seconds.
    let now = millis(OffsetDateTime::now_utc()) - 1000;
    let insert = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
                  INSERT INTO jwt_blocklist (entry, revoked, expires, changed) \
                  SELECT CAST(printf('t%016d', i) AS BLOB), 1, \
                  CASE WHEN i <= ?2 THEN ?3 - i WHEN i % 2 = 0 THEN ?3 + 3600000 END, ?3 FROM n";
    let insert = sqlx::query(insert).bind(ENTRIES).bind(EXPIRED).bind(now);
    insert.execute(&pool).await.expect("rows");

    let insert = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
                  INSERT INTO jwt_blocklist (entry, revoked, current_jti, subject, seen, changed) \
                  SELECT CAST(printf('s%016d', i) AS BLOB), 0, CAST(printf('%016d', i) AS BLOB), \
                  CAST(printf('%016d', i / 3) AS BLOB), 0, 0 FROM n";
    sqlx::query(insert).bind(SESSIONS).execute(&pool).await.expect("rows");

    let explain = async |name: &str| {
        let text = format!("EXPLAIN QUERY PLAN {}", statement(&store.statements(), name));
        let rows = sqlx::query(&text).fetch_all(&pool).await.expect("a plan");
        let lines: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        lines.join("\n")
    };
    // With the planner's guesses, then with statistics.
    for _ in 0..2 {
        for name in STANDING {
            let plan = explain(name).await;
            has(&plan, &["SEARCH jwt_blocklist USING PRIMARY KEY (entry=?)"], &["SCAN"]);
        }
        for name in UPDATES {
            let plan = explain(name).await;
            has(&plan, &["SEARCH jwt_blocklist USING PRIMARY KEY (entry=?)"], &["SCAN jwt"]);
        }
        for name in INSERTS {
            has(&explain(name).await, &[], &["SCAN jwt"]);
        }
        let plan = explain("prune").await;
        let outer = "SEARCH jwt_blocklist USING PRIMARY KEY (entry=?)";
        let inner = "USING COVERING INDEX jwt_blocklist_expires (expires<?)";
        has(&plan, &[outer, inner], &["SCAN", "TEMP B-TREE"]);
        sqlx::query("ANALYZE").execute(&pool).await.expect("statistics");
    }
    prunes(&store).await;
    home.end().await;
}

#[cfg(feature = "sqlx_mysql")]
#[rocket::async_test]
async fn mysql_searches_by_index() {
    use rocket_db_pools::sqlx::{self, MySqlPool, Row};
    use rocket_jwt_extended::blocklist::SqlxBlocklist;

    let home = crate::store_support::sqlx_mysql::Home::new().await;
    let pool = crate::store_support::pool::<MySqlPool>(&home.url).await;
    let store = SqlxBlocklist::new(pool.clone());
    store.create_table().await.expect("a table");
    // MySQL prunes by whole seconds, too.
    let now = millis(OffsetDateTime::now_utc()) - 1000;
    let digits = "(SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 \
                  UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)";
    let insert = format!(
        "INSERT INTO jwt_blocklist (entry, revoked, expires, changed) \
         SELECT CONCAT('t', LPAD(i, 16, '0')), 1, CASE WHEN i < {EXPIRED} THEN {now} - i \
         WHEN i % 2 = 0 THEN {now} + 3600000 END, {now} FROM (SELECT \
         a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d AS i FROM \
         {digits} a, {digits} b, {digits} c, {digits} d, {digits} e) AS numbers"
    );
    let done = sqlx::query(&insert).execute(&pool).await.expect("rows");
    assert_eq!(done.rows_affected(), ENTRIES as u64);

    let insert = format!(
        "INSERT INTO jwt_blocklist (entry, revoked, current_jti, subject, seen, changed) \
         SELECT CONCAT('s', LPAD(i, 16, '0')), 0, LPAD(i, 16, '0'), LPAD(i DIV 3, 16, '0'), 0, 0 \
         FROM (SELECT a.d + 10 * b.d + 100 * c.d + 1000 * d.d AS i FROM \
         {digits} a, {digits} b, {digits} c, {digits} d) AS numbers"
    );
    let done = sqlx::query(&insert).execute(&pool).await.expect("rows");
    assert_eq!(done.rows_affected(), SESSIONS as u64);

    // The columns that MySQL and MariaDB have in common.
    let read = |rows: Vec<sqlx::mysql::MySqlRow>| {
        let lines = rows.iter().map(|row| {
            let text = |column| row.get::<Option<String>, _>(column).unwrap_or_default();
            let table = text("table");
            format!("{table}: type={} key={} extra={}", text("type"), text("key"), text("Extra"))
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    for _ in 0..2 {
        for name in STANDING {
            let text = format!("EXPLAIN {}", statement(&store.statements(), name));
            let mut query = sqlx::query(&text);
            for entry in entries(text.matches('?').count()) {
                query = query.bind(entry.into_bytes());
            }
            let plan = read(query.fetch_all(&pool).await.expect("a plan"));
            has(&plan, &["type=range", "key=PRIMARY"], &["type=ALL"]);
        }

        for name in UPDATES {
            // The values in the text, as each has its own types.
            let text = format!("EXPLAIN {}", statement(&store.statements(), name));
            let plan = read(
                sqlx::query(&text.replace('?', "x'74'")).fetch_all(&pool).await.expect("a plan"),
            );
            let plan = plan.lines().find(|line| line.starts_with("jwt_blocklist:"));
            let keys: &[_] = if name == "end_owned" { &[] } else { &["key=PRIMARY"] };
            has(plan.expect("the table"), keys, &["type=ALL", "type=index"]);
        }

        let text = format!("EXPLAIN {}", statement(&store.statements(), "prune"));
        let rows = sqlx::query(&text).bind(now).fetch_all(&pool).await.expect("a plan");
        let plan = read(rows);
        has(&plan, &["type=range", "key=jwt_blocklist_expires"], &["type=ALL", "filesort"]);
        sqlx::query("ANALYZE TABLE jwt_blocklist").execute(&pool).await.expect("statistics");
    }
    prunes(&store).await;
    home.end().await;
}

/// With either driver: the statements are the same, the prepared plans too.
#[cfg(feature = "deadpool_postgres")]
#[rocket::async_test]
async fn postgres_searches_by_index() {
    use rocket_db_pools::deadpool_postgres::{Object, Pool};
    use rocket_jwt_extended::blocklist::PostgresBlocklist;

    async fn explain(connection: &Object, prepared: &str, values: &str) -> String {
        let text = format!("EXPLAIN EXECUTE {prepared} ({values})");
        let rows = connection.query(&text, &[]).await.expect("a plan");
        rows.iter().map(|row| row.get(0)).collect::<Vec<String>>().join("\n")
    }

    let home = crate::store_support::deadpool_postgres::Home::new().await;
    let pool = crate::store_support::pool::<Pool>(&home.url).await;
    let store = PostgresBlocklist::new(pool.clone());
    store.create_table().await.expect("a table");
    let connection = pool.get().await.expect("a connection");
    let now = millis(OffsetDateTime::now_utc());
    let insert = format!(
        "INSERT INTO jwt_blocklist (entry, revoked, expires, changed) \
         SELECT convert_to('t' || lpad(i::text, 16, '0'), 'UTF8'), true, \
         CASE WHEN i <= {EXPIRED} THEN {now} - i WHEN i % 2 = 0 THEN {now} + 3600000 END, {now} \
         FROM generate_series(1, {ENTRIES}) AS i"
    );
    connection.batch_execute(&insert).await.expect("rows");
    let insert = format!(
        "INSERT INTO jwt_blocklist (entry, revoked, current_jti, subject, seen, changed) \
         SELECT convert_to('s' || lpad(i::text, 16, '0'), 'UTF8'), false, \
         convert_to(lpad(i::text, 16, '0'), 'UTF8'), \
         convert_to(lpad((i / 3)::text, 16, '0'), 'UTF8'), 0, 0 \
         FROM generate_series(1, {SESSIONS}) AS i"
    );
    connection.batch_execute(&insert).await.expect("rows");
    // The name, the types of its parameters, and values for them.
    let updates = [
        ("revoke", "bigint, bytea", "1, 't1'"),
        ("cut_off", "bigint, bigint, bytea, bigint", "1, 1, 't1', 1"),
        ("extend", "bigint, bytea", "1, 't1'"),
        (
            "advance",
            "bytea, bytea, bigint, bytea, bigint, bytea, bytea",
            "'1', '1', 1, '1', 1, 't1', '1'",
        ),
        ("end", "bytea, bigint, bytea, bytea", "'1', 1, 't1', '1'"),
        (
            "advance_owned",
            "bytea, bytea, bigint, bytea, bigint, bytea, bigint, bigint, bytea, bytea",
            "'1', '1', 1, '1', 1, '1', 1, 1, 't1', '1'",
        ),
        ("end_owned", "bigint, bytea, bytea", "1, 't1', '1'"),
        ("renew", "bigint, bigint, bytea, bigint, bytea", "1, 1, '1', 1, 't1'"),
    ];
    let inserts = [
        ("insert", "bytea, boolean, bigint, bigint", "'t1', true, 1, 1"),
        ("begin", "bytea, bytea, bytea, bigint, bytea, bigint", "'t1', '1', '1', 1, '1', 1"),
        (
            "begin_owned",
            "bytea, bytea, bytea, bigint, bytea, bigint, bytea, bigint, bigint",
            "'t1', '1', '1', 1, '1', 1, '1', 1, 1",
        ),
        ("log_in", "bytea, bytea, bytea, bigint, bigint, bigint", "'t1', '1', '1', 1, 1, 1"),
    ];
    assert_eq!(updates.map(|(name, ..)| name), UPDATES);
    assert_eq!(inserts.map(|(name, ..)| name), INSERTS);
    let others = [("standing", "bytea[]", ""), ("prune", "bigint", "")];
    for (name, types, _) in others.into_iter().chain(updates).chain(inserts) {
        // Quoted, as `end` is no name.
        let text = statement(&store.statements(), name);
        let prepare = format!("PREPARE \"{name}\" ({types}) AS {text}");
        connection.batch_execute(&prepare).await.expect("a prepared statement");
    }

    for statistics in [false, true] {
        for mode in ["force_generic_plan", "force_custom_plan"] {
            let set = format!("SET plan_cache_mode = {mode}");
            connection.batch_execute(&set).await.expect("a setting");
            for number in [3, 192] {
                let keys: Vec<_> = entries(number).map(|entry| format!("'{entry}'")).collect();
                let keys = format!("ARRAY[{}]::bytea[]", keys.join(", "));
                let plan = explain(&connection, "standing", &keys).await;
                has(&plan, &["jwt_blocklist_pkey"], &["Seq Scan"]);
            }
            for (name, _, values) in updates {
                let plan = explain(&connection, &format!("\"{name}\""), values).await;
                // The index by subject has the whole key, too.
                let index = if name == "end_owned" { "" } else { "jwt_blocklist_pkey" };
                has(&plan, &[&format!("Index Scan using {index}")], &["Seq Scan"]);
            }
            for (name, _, values) in inserts {
                let plan = explain(&connection, name, values).await;
                has(&plan, &["Conflict Arbiter Indexes: jwt_blocklist_pkey"], &["Seq Scan"]);
            }
            let plan = explain(&connection, "prune", &now.to_string()).await;
            has(&plan, &["jwt_blocklist_pkey", "jwt_blocklist_expires"], &["Seq Scan"]);
            if statistics {
                has(&plan, &[], &["Sort"]);
            }
        }
        connection.batch_execute("ANALYZE jwt_blocklist").await.expect("statistics");
    }
    drop(connection);
    prunes(&store).await;
    home.end().await;
}
