//! The rights of the server's role are tried at launch, and what is missing is named with the statement
//! that grants it.
#![cfg(all(
    feature = "test-util",
    feature = "sqlx_sqlite",
    feature = "sqlx_postgres",
    feature = "sqlx_mysql",
    feature = "deadpool_postgres",
))]

use rocket_db_pools::{deadpool_postgres, sqlx};
use rocket_jwt_extended::blocklist::{BlocklistPool, StoreError};

use crate::store_support::{pool, server, sqlx_mysql, sqlx_postgres, unique};

async fn launch<P: BlocklistPool>(url: &str) -> Result<(), StoreError> {
    pool::<P>(url).await.blocklist().await.map(|_| ())
}

#[track_caller]
fn says(result: Result<(), StoreError>, texts: &[&str], not: &[&str]) {
    let text = result.expect_err("a launch that fails").to_string();
    for expected in texts {
        assert!(text.contains(expected), "no {expected:?} in: {text}");
    }
    for unexpected in not {
        assert!(!text.contains(unexpected), "{unexpected:?} in: {text}");
    }
}

#[rocket::async_test]
async fn postgres_names_the_missing_rights_and_grants_them() {
    let home = sqlx_postgres::Home::new().await;
    let (schema, role) = (&home.schema, unique());
    let run = async |sql: String| {
        sqlx::Executor::execute(&home.admin, &*sql).await.expect("the statement runs");
    };
    run(format!("CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA {schema} TO {role}")).await;
    let url = home.url.replacen("postgres@", &format!("{role}@"), 1);
    let grant = format!(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON jwt_blocklist TO {role}; \
         GRANT SELECT, INSERT ON jwt_blocklist_details TO {role};"
    );
    let both = async |texts: &[&str], not: &[&str]| {
        says(launch::<sqlx::PgPool>(&url).await, texts, not);
        says(launch::<deadpool_postgres::Pool>(&url).await, texts, not);
    };

    // No table, and no right to create one: both, and what to do.
    both(&["does not exist", "permission denied for schema", "migrations/", &grant], &[]).await;

    server::<sqlx::PgPool>(&home.url).await;
    let all = "the right to SELECT, INSERT, UPDATE, DELETE, SELECT (on jwt_blocklist_details), \
               INSERT (on jwt_blocklist_details) is missing";
    both(&[all, "permission denied for table", &grant], &["schema"]).await;
    run(format!("GRANT SELECT ON {schema}.jwt_blocklist TO {role}")).await;
    let some = "the right to INSERT, UPDATE, DELETE, SELECT (on jwt_blocklist_details), INSERT (on \
                jwt_blocklist_details) is missing";
    both(&[some, &grant], &["schema"]).await;
    run(format!("GRANT SELECT, INSERT ON {schema}.jwt_blocklist_details TO {role}")).await;
    both(&["the right to INSERT, UPDATE, DELETE is missing", &grant], &["schema"]).await;
    run(format!("GRANT INSERT, DELETE ON {schema}.jwt_blocklist TO {role}")).await;
    both(&["the right to UPDATE is missing", &grant], &["INSERT is", "DELETE is"]).await;
    run(format!("GRANT UPDATE ON {schema}.jwt_blocklist TO {role}")).await;
    run(format!("REVOKE DELETE ON {schema}.jwt_blocklist FROM {role}")).await;
    both(&["the right to DELETE is missing", &grant], &[]).await;

    // The statement that it named does it.
    run(format!("SET search_path = {schema}; {grant}; RESET search_path")).await;
    launch::<sqlx::PgPool>(&url).await.expect("a launch");
    launch::<deadpool_postgres::Pool>(&url).await.expect("a launch");
    let left =
        sqlx::query_scalar::<_, i64>(&format!("SELECT count(*) FROM {schema}.jwt_blocklist"))
            .fetch_one(&home.admin)
            .await;
    assert_eq!(left.expect("a count"), 0, "the trial leaves nothing");
    run(format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    home.end().await;
}

#[rocket::async_test]
async fn mysql_names_the_missing_rights_and_grants_them() {
    let home = sqlx_mysql::Home::new().await;
    let database = &home.database;
    // At most 32 characters.
    let name = unique();
    let user = format!("u{}", &name[name.len() - 24..]);
    let run = async |sql: &str| {
        sqlx::Executor::execute(&home.admin, sql).await.expect("the statement runs");
    };
    run(&format!("CREATE USER {user}@'%'")).await;
    let url = home.url.replacen("root@", &format!("{user}@"), 1);
    run(&format!("GRANT SELECT ON {database}.* TO {user}@'%'")).await;

    let grant = format!("GRANT SELECT, INSERT, UPDATE, DELETE ON jwt_blocklist TO '{user}'@'%';");
    let epoch = format!("GRANT SELECT, INSERT, UPDATE ON jwt_blocklist_epoch TO '{user}'@'%';");
    let texts = ["doesn't exist", "CREATE command denied", "migrations/", &grant, &epoch];
    says(launch::<sqlx::MySqlPool>(&url).await, &texts, &[]);
    server::<sqlx::MySqlPool>(&home.url).await;
    let missing = "the right to INSERT, UPDATE, DELETE, INSERT (on jwt_blocklist_details), INSERT (on \
                   jwt_blocklist_epoch), UPDATE (on jwt_blocklist_epoch) is missing";
    says(launch::<sqlx::MySqlPool>(&url).await, &[missing, &grant, &epoch], &[]);
    run(&format!("GRANT INSERT, UPDATE ON {database}.* TO {user}@'%'")).await;
    says(launch::<sqlx::MySqlPool>(&url).await, &["the right to DELETE is missing"], &[]);
    run(&format!("GRANT DELETE ON {database}.* TO {user}@'%'")).await;
    launch::<sqlx::MySqlPool>(&url).await.expect("a launch");
    let left = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM jwt_blocklist");
    let left = left.fetch_one(&pool::<sqlx::MySqlPool>(&home.url).await).await;
    assert_eq!(left.expect("a count"), 0, "the trial leaves nothing");
    run(&format!("DROP USER {user}@'%'")).await;
    home.end().await;
}

#[rocket::async_test]
async fn a_file_that_cannot_be_written_fails_the_launch() {
    let home = crate::store_support::sqlite::Home::new().await;
    server::<sqlx::SqlitePool>(&home.url).await;
    let read_only = format!("{}?mode=ro", home.url);
    says(
        launch::<sqlx::SqlitePool>(&read_only).await,
        &["readonly database", "the right to write to the file and to its folder"],
        &[],
    );
    let left = pool::<sqlx::SqlitePool>(&home.url).await;
    let left = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM jwt_blocklist").fetch_one(&left);
    assert_eq!(left.await.expect("a count"), 0, "the trial leaves nothing");
    home.end().await;

    // Without the table, it can't be created either.
    let home = crate::store_support::sqlite::Home::new().await;
    pool::<sqlx::SqlitePool>(&home.url).await;
    let read_only = format!("{}?mode=ro", home.url);
    says(launch::<sqlx::SqlitePool>(&read_only).await, &["no such table", "readonly"], &[]);
    home.end().await;
}
