//! The rights that the documentation names are enough for a role that may not create tables.

use rocket::time::{Duration, OffsetDateTime};
use rocket_db_pools::sqlx::{self, Executor};
use rocket_jwt_extended::blocklist::Blocklist;

use crate::store_support::{self, postgres, server, sqlx_mysql, sqlx_postgres, with_setting};
use crate::support::{Login, use_store};

const DOCUMENTATION: &str = include_str!("../../docs/stores.md");

/// The lines of the documentation that grant rights in SQL, for this role, on tables in this place.
fn grants(place: &str, role: &str) -> Vec<String> {
    let lines = DOCUMENTATION.lines().filter(|line| line.starts_with("GRANT "));
    let line = |line: &str| {
        let (statement, _) = line.split_once(';').expect("a statement");
        statement.replace(" ON ", &format!(" ON {place}.")).replace("my_server", role)
    };
    let grants: Vec<_> = lines.map(line).collect();
    assert_eq!(grants.len(), 3);
    grants
}

/// Everything that a store does with sessions, also the pruning of those that have expired.
async fn works(store: &dyn Blocklist) {
    let now = OffsetDateTime::now_utc();
    use_store(store, Some(now - Duration::HOUR)).await;
    let user = use_store(store, Some(now + Duration::HOUR)).await;
    let sessions = store.session_store().expect("it lists sessions");
    let login = Login::new(&user, now);
    let new = login.session(now, Some(now + Duration::HOUR));
    sessions.begin(&login.access(), &new, None).await.expect("it begins");
    assert_eq!(sessions.sessions(&login.access(), now).await.expect("a list").len(), 3);
    let ended = sessions.end_session(&login.access(), login.id(), None).await;
    assert!(ended.expect("an answer"));
    let ended = sessions.end_other_sessions(&login.access(), None).await;
    assert_eq!(ended.expect("an answer").len(), 2);
    // Three sessions and the lock of their subject.
    assert_eq!(store.prune(now).await.expect("an answer"), 4);
}

#[rocket::async_test]
async fn a_postgres_role_needs_the_documented_rights() {
    let home = sqlx_postgres::Home::new().await;
    let (schema, role) = (&home.schema, store_support::unique());
    let own = with_setting(&postgres(), &format!("search_path={schema}"));
    let owner = store_support::pool::<sqlx::PgPool>(&own).await;
    owner.execute(include_str!("../../migrations/postgres.sql")).await.expect("the tables");
    let create = format!("CREATE ROLE {role}; GRANT USAGE ON SCHEMA {schema} TO {role}");
    owner.execute(&*create).await.expect("a role");
    // The last one is for MySQL.
    for grant in &grants(schema, &role)[..2] {
        owner.execute(&**grant).await.expect("a grant");
    }
    let url = with_setting(&home.url, &format!("role={role}"));
    works(&*server::<sqlx::PgPool>(&url).await).await;
    let drop = format!("DROP OWNED BY {role}; DROP ROLE {role}");
    owner.execute(&*drop).await.expect("no role");
    home.end().await;
}

#[rocket::async_test]
async fn a_mysql_user_needs_the_documented_rights() {
    let home = sqlx_mysql::Home::new().await;
    let owner = store_support::pool::<sqlx::MySqlPool>(&home.url).await;
    owner.execute(include_str!("../../migrations/mysql.sql")).await.expect("the tables");
    // A name has at most 32 characters.
    let user = format!("jwt_{}", &store_support::unique()[16..40]);
    let create = format!("CREATE USER {user} IDENTIFIED BY 'correct-horse'");
    owner.execute(&*create).await.expect("a user");
    for grant in grants(&home.database, &user) {
        owner.execute(&*grant).await.expect("a grant");
    }
    let (_, server_and_database) = home.url.split_once('@').expect("the URL of a user");
    let url = format!("mysql://{user}:correct-horse@{server_and_database}");
    works(&*server::<sqlx::MySqlPool>(&url).await).await;
    owner.execute(&*format!("DROP USER {user}")).await.expect("no user");
    home.end().await;
}
