//! A table with a row for each refresh token that was exchanged fails the launch, with the statement that
//! turns it into one with a row for each session.
#![cfg(all(
    feature = "test-util",
    feature = "sqlx_sqlite",
    feature = "sqlx_postgres",
    feature = "sqlx_mysql",
    feature = "deadpool_postgres",
))]

use rocket::time::{Duration, OffsetDateTime};
use rocket_jwt_extended::blocklist::{
    BlocklistPool, Entry, Exchanged, Revocation, Standing, TokenIds,
};

use crate::store_support::{exchange_at, pool, refresh, server};

const SQLITE: &str = "CREATE TABLE jwt_blocklist (\
    entry BLOB NOT NULL PRIMARY KEY CHECK (length(entry) = 17), \
    revoked INTEGER NOT NULL CHECK (revoked IN (0, 1)), \
    cut_off INTEGER, used INTEGER, expires INTEGER, changed INTEGER NOT NULL\
    ) STRICT, WITHOUT ROWID; \
    CREATE INDEX jwt_blocklist_expires ON jwt_blocklist (expires); \
    CREATE INDEX jwt_blocklist_changed ON jwt_blocklist (changed)";

const POSTGRES: &str = "CREATE TABLE jwt_blocklist (\
    entry bytea NOT NULL PRIMARY KEY CHECK (octet_length(entry) = 17), \
    revoked boolean NOT NULL, \
    cut_off bigint, used bigint, expires bigint, changed bigint NOT NULL); \
    CREATE INDEX jwt_blocklist_expires ON jwt_blocklist (expires); \
    CREATE INDEX jwt_blocklist_changed ON jwt_blocklist (changed)";

const MYSQL: &str = "CREATE TABLE jwt_blocklist_epoch (\
    one TINYINT NOT NULL PRIMARY KEY, epoch BIGINT NOT NULL, marks VARBINARY(4096) NOT NULL\
    ) ENGINE = InnoDB; \
    INSERT INTO jwt_blocklist_epoch (one, epoch, marks) VALUES (1, 1, ''); \
    CREATE TABLE jwt_blocklist (\
    entry BINARY(17) NOT NULL PRIMARY KEY, revoked BOOLEAN NOT NULL, \
    cut_off BIGINT NULL, used BIGINT NULL, expires BIGINT NULL, changed BIGINT NOT NULL, \
    INDEX jwt_blocklist_expires (expires), INDEX jwt_blocklist_changed (changed)\
    ) ENGINE = InnoDB";

fn millis(time: OffsetDateTime) -> i64 {
    (time.unix_timestamp_nanos() / 1_000_000) as i64
}

/// The rows of a token that was revoked, one that was exchanged, one that was both, a session, and a subject.
fn rows(bytes: impl Fn(&str) -> String) -> String {
    let until = OffsetDateTime::now_utc() + Duration::HOUR;
    let used = millis(OffsetDateTime::now_utc() - Duration::HOUR).to_string();
    let rows = [
        (Revocation::token("revoked", until), true, "NULL"),
        (Revocation::token("exchanged", until), false, &*used),
        (Revocation::token("both", until), true, &*used),
        (Revocation::session("ended", until), true, "NULL"),
        (Revocation::subject("ada", until, until), false, "NULL"),
    ];
    let rows = rows.map(|(entry, revoked, used)| {
        let Entry { key, cut_off, .. } = Entry::of(&entry);
        let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        let cut_off = cut_off.map_or("NULL".into(), |at| at.to_string());
        format!("({}, {revoked}, {cut_off}, {used}, {}, 1)", bytes(&key), millis(until))
    });
    let rows = rows.join(", ");
    format!(
        "INSERT INTO jwt_blocklist (entry, revoked, cut_off, used, expires, changed) VALUES {rows}"
    )
}

/// The launch fails, and the error ends with the statements to run.
async fn refused<P: BlocklistPool>(url: &str) -> String {
    let error = pool::<P>(url).await.blocklist().await.err().expect("no launch").to_string();
    let (what, statements) = error.split_once("As its owner, run: ").expect("a cure");
    assert!(what.contains("`jwt_blocklist` has a row for each refresh token"), "{what}");
    statements.into()
}

/// All that was revoked still is, and a token that was exchanged is, too. New sessions are kept.
async fn works<P: BlocklistPool>(url: &str) {
    let stores = [server::<P>(url).await, server::<P>(url).await];
    let ids = |jti, sid, subject| TokenIds::new(Some(jti), sid, subject, None).exchangeable();
    for store in &stores {
        for (ids, standing) in [
            (ids("revoked", None, None), Standing::Revoked),
            (ids("exchanged", None, None), Standing::Revoked),
            (ids("exchanged", Some("a session"), Some("eve")), Standing::Revoked),
            (ids("both", None, None), Standing::Revoked),
            (ids("another", Some("ended"), None), Standing::Revoked),
            (ids("another", None, Some("ada")), Standing::Revoked),
            (ids("another", Some("a session"), Some("eve")), Standing::Live),
        ] {
            assert_eq!(store.standing(&ids).await.expect("a standing"), standing, "{ids:?}");
        }
        let exchange = exchange_at(OffsetDateTime::now_utc(), Duration::MINUTE);
        let outcome = store.exchange(&ids("exchanged", None, None), &exchange).await;
        assert_eq!(outcome.expect("an answer"), Exchanged::Ended);
    }
    let exchange = exchange_at(OffsetDateTime::now_utc(), Duration::ZERO);
    let outcome = stores[0].exchange(&refresh("live", "new"), &exchange).await;
    assert_eq!(outcome.expect("an answer"), Exchanged::First);
    let standing = stores[1].standing(&refresh("live", "new")).await.expect("a standing");
    assert!(matches!(standing, Standing::Exchanged { .. }), "{standing:?}");

    // A replica reads them all, but for the row of the live session.
    let (mut count, mut cursor) = (0, None);
    loop {
        let changes = stores[0].changes(cursor.as_ref()).await.expect("changes");
        count += changes.entries.len();
        if !changes.more {
            break;
        }
        cursor = Some(changes.cursor);
    }
    assert_eq!(count, 5);
}

#[rocket::async_test]
async fn sqlite_names_the_statements_that_upgrade_the_table() {
    use rocket_db_pools::sqlx::{self, Executor, SqlitePool};
    use rocket_jwt_extended::blocklist::SqlxBlocklist;

    let home = crate::store_support::sqlite::Home::new().await;
    let admin = pool::<SqlitePool>(&home.url).await;
    admin.execute(SQLITE).await.expect("a table");
    admin.execute(&*rows(|hex| format!("x'{hex}'"))).await.expect("rows");
    let statements = refused::<SqlitePool>(&home.url).await;
    admin.execute(&*statements).await.expect("the table is upgraded");
    works::<SqlitePool>(&home.url).await;
    // All that a new table has.
    let shape = async |table: &str| -> Vec<(String, String)> {
        let query = "SELECT name, type || \"notnull\" || pk FROM pragma_table_info(?1) UNION ALL \
                     SELECT 'index', group_concat(i.name) FROM pragma_index_list(?1) AS l, \
                     pragma_index_info(l.name) AS i GROUP BY l.name ORDER BY 1, 2";
        let query = sqlx::query_as(query).bind(table);
        query.fetch_all(&admin).await.expect("the columns")
    };
    let upgraded = shape("jwt_blocklist").await;
    let other = SqlxBlocklist::with_table(admin.clone(), "other").expect("a name");
    other.create_table().await.expect("a table");
    assert_eq!(upgraded, shape("other").await);
    home.end().await;
}

#[rocket::async_test]
async fn postgres_names_the_statements_that_upgrade_the_table() {
    use rocket_db_pools::deadpool_postgres::Pool;
    use rocket_db_pools::sqlx::{self, Executor, PgPool};
    use rocket_jwt_extended::blocklist::SqlxBlocklist;

    let home = crate::store_support::sqlx_postgres::Home::new().await;
    let admin = pool::<PgPool>(&home.url).await;
    admin.execute(POSTGRES).await.expect("a table");
    admin.execute(&*rows(|hex| format!("decode('{hex}', 'hex')"))).await.expect("rows");
    let statements = refused::<PgPool>(&home.url).await;
    assert_eq!(refused::<Pool>(&home.url).await, statements);
    admin.execute(&*statements).await.expect("the table is upgraded");
    let options: Vec<String> = sqlx::query_scalar(
        "SELECT unnest(reloptions) FROM pg_class WHERE oid = 'jwt_blocklist'::regclass",
    )
    .fetch_all(&admin)
    .await
    .expect("the options");
    assert_eq!(options, ["fillfactor=80"]);
    works::<PgPool>(&home.url).await;
    // All that a new table has.
    let shape = async |table: &str| -> Vec<(String, String)> {
        let query = "SELECT column_name::text, concat(data_type, is_nullable) \
                     FROM information_schema.columns \
                     WHERE table_schema = current_schema AND table_name = $1 UNION ALL \
                     SELECT 'index', replace(indexdef, $1, '') FROM pg_indexes \
                     WHERE schemaname = current_schema AND tablename = $1 ORDER BY 1, 2";
        let query = sqlx::query_as(query).bind(table);
        query.fetch_all(&admin).await.expect("the columns")
    };
    let upgraded = shape("jwt_blocklist").await;
    let other = SqlxBlocklist::with_table(admin.clone(), "other").expect("a name");
    other.create_table().await.expect("a table");
    assert_eq!(upgraded, shape("other").await);
    home.end().await;
}

#[rocket::async_test]
async fn mysql_names_the_statements_that_upgrade_the_table() {
    use rocket_db_pools::sqlx::{self, Executor, MySqlPool};

    let home = crate::store_support::sqlx_mysql::Home::new().await;
    let admin = pool::<MySqlPool>(&home.url).await;
    admin.execute(MYSQL).await.expect("a table");
    admin.execute(&*rows(|hex| format!("x'{hex}'"))).await.expect("rows");
    let statements = refused::<MySqlPool>(&home.url).await;
    admin.execute(&*statements).await.expect("the table is upgraded");
    works::<MySqlPool>(&home.url).await;
    // All that a new table has.
    let columns = async |table: &str| -> Vec<(String, String)> {
        let query = "SELECT CONCAT(index_name, '.', column_name), CAST(seq_in_index AS CHAR) \
                     FROM information_schema.statistics WHERE table_schema = database() \
                     AND table_name = ? UNION ALL SELECT column_name, column_type \
                     FROM information_schema.columns WHERE table_schema = database() \
                     AND table_name = ? ORDER BY 1";
        let query = sqlx::query_as(query).bind(table).bind(table);
        query.fetch_all(&admin).await.expect("the columns")
    };
    admin.execute("RENAME TABLE jwt_blocklist TO upgraded").await.expect("renamed");
    admin.execute("DROP TABLE jwt_blocklist_details").await.expect("dropped");
    server::<MySqlPool>(&home.url).await;
    let [upgraded, new] = [columns("upgraded").await, columns("jwt_blocklist").await];
    assert_eq!(upgraded, new);
    home.end().await;
}
