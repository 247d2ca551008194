//! A login that fails half-way leaves neither a session nor a transaction.

use std::time::Duration as StdDuration;

use rocket::time::{Duration, OffsetDateTime};
use rocket::tokio;
use rocket_db_pools::sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use rocket_db_pools::sqlx::{self, Connection, Executor};
use rocket_jwt_extended::blocklist::{
    Begun, Blocklist, Limit, Revocation, SqlxBlocklist, Standing, StoreError,
};

use crate::store_support::{self, pool, server};
use crate::support::{LIMIT, Login};

async fn log_in(
    store: &dyn Blocklist,
    login: &Login,
    limit: Option<Limit>,
) -> Result<Begun, StoreError> {
    let now = OffsetDateTime::now_utc();
    let until = Some(now + Duration::HOUR);
    let sessions = store.session_store().expect("it lists sessions");
    sessions.begin(&login.access(), &login.session(now, until), limit).await
}

async fn listed(store: &dyn Blocklist, login: &Login) -> usize {
    let sessions = store.session_store().expect("it lists sessions");
    let listed = sessions.sessions(&login.access(), OffsetDateTime::now_utc()).await;
    listed.expect("a list").len()
}

fn revocation(login: &Login) -> Revocation {
    Revocation::session(&login.sid, OffsetDateTime::now_utc() + Duration::HOUR)
}

/// A reader keeps SQLite from committing.
#[rocket::async_test]
async fn a_commit_that_fails_is_rolled_back() {
    let home = store_support::sqlite::Home::new().await;
    let setup = server::<sqlx::SqlitePool>(&home.url).await;
    let options: SqliteConnectOptions = home.url.parse().expect("a URL");
    let options = options.busy_timeout(StdDuration::from_millis(50));
    // The store has one connection, so that the next statement gets the same one.
    let pool = SqlitePoolOptions::new().max_connections(1).connect_lazy_with(options.clone());
    let store = SqlxBlocklist::new(pool);
    let mut reader = sqlx::SqliteConnection::connect_with(&options).await.expect("a connection");
    reader.execute("BEGIN; SELECT count(*) FROM jwt_blocklist").await.expect("a read lock");
    let login = Login::new("ada", OffsetDateTime::now_utc());
    for limit in [None, LIMIT] {
        let error = log_in(&store, &login, limit).await.expect_err("it can't be committed");
        assert!(error.to_string().contains("locked"), "{error}");
    }
    reader.execute("ROLLBACK").await.expect("no lock");
    assert_eq!(listed(&*setup, &login).await, 0, "nothing was written");
    // What is written now is no part of that transaction: others see it.
    let other = Login::new("ada", OffsetDateTime::now_utc());
    store.revoke(&revocation(&other)).await.expect("recorded");
    let standing = setup.standing(&other.access()).await.expect("an answer");
    assert_eq!(standing, Standing::Revoked);
    log_in(&store, &login, LIMIT).await.expect("it begins");
    assert_eq!(listed(&*setup, &login).await, 1);
    home.end().await;
}

/// Where the store uses the application's own connection, a login that is cancelled must not leave it in a
/// transaction, in which what is recorded later would be lost.
#[rocket::async_test]
async fn a_login_that_is_cancelled_leaves_no_transaction() {
    let options = SqliteConnectOptions::new().filename(":memory:");
    let pool = SqlitePoolOptions::new().max_connections(1).connect_lazy_with(options);
    let store = SqlxBlocklist::new(pool.clone());
    store.create_table().await.expect("a table");
    let now = OffsetDateTime::now_utc();
    let mut cancelled = 0;
    for micros in 0..400_u64 {
        let login = Login::new("ada", now + Duration::milliseconds(micros as i64));
        let limit = StdDuration::from_micros(micros);
        let is_done = tokio::time::timeout(limit, log_in(&store, &login, LIMIT)).await;
        cancelled += usize::from(is_done.is_err());
        let other = Login::new("ada", now);
        store.revoke(&revocation(&other)).await.expect("recorded");
        let mut connection = pool.acquire().await.expect("the connection");
        connection.execute("BEGIN").await.expect("it is in no transaction");
        connection.execute("ROLLBACK").await.expect("it is in this one");
        drop(connection);
        let standing = store.standing(&other.access()).await.expect("an answer");
        assert_eq!(standing, Standing::Revoked, "after {micros} µs");
    }
    println!("{cancelled} were cancelled");
    assert!(cancelled > 10, "{cancelled}");
    let login = Login::new("ada", now);
    log_in(&store, &login, LIMIT).await.expect("it begins");
    assert!(listed(&store, &login).await <= 2);
}

/// The number of the changes, without which none can be written, is restored.
#[rocket::async_test]
async fn mysql_without_its_epoch_ends_the_oldest_session() {
    let home = store_support::sqlx_mysql::Home::new().await;
    let store = server::<sqlx::MySqlPool>(&home.url).await;
    let admin = pool::<sqlx::MySqlPool>(&home.url).await;
    let now = OffsetDateTime::now_utc();
    let [oldest, second, third] =
        [3, 2, 1].map(|hours| Login::new("ada", now - Duration::HOUR * hours));
    for login in [&oldest, &second] {
        log_in(&*store, login, LIMIT).await.expect("it begins");
    }
    admin.execute("DELETE FROM jwt_blocklist_epoch").await.expect("the row is gone");
    let begun = log_in(&*store, &third, LIMIT).await.expect("it begins");
    assert_eq!(begun, Begun::Begun { ended: vec![oldest.id()] });
    assert_eq!(listed(&*store, &third).await, 2);
    home.end().await;
}

/// One that is refused by the limit, too.
#[rocket::async_test]
async fn a_refused_login_writes_nothing_in_sql() {
    let home = store_support::sqlx_postgres::Home::new().await;
    let store = server::<sqlx::PgPool>(&home.url).await;
    let now = OffsetDateTime::now_utc();
    let limit = Some(Limit { max: 1, ends_oldest: false });
    log_in(&*store, &Login::new("ada", now), limit).await.expect("it begins");
    let pool = pool::<sqlx::PgPool>(&home.url).await;
    let count = async || {
        let count = "SELECT (SELECT count(*) FROM jwt_blocklist) + \
                     (SELECT count(*) FROM jwt_blocklist_details)";
        sqlx::query_scalar::<_, i64>(count).fetch_one(&pool).await.expect("a count")
    };
    let before = count().await;
    for _ in 0..3 {
        let begun = log_in(&*store, &Login::new("ada", now), limit).await.expect("an answer");
        assert_eq!(begun, Begun::TooMany);
    }
    assert_eq!(count().await, before);
    home.end().await;
}
