//! The table is created where it is missing, by many servers at once, and used as it is where it is
//! there, even by a role that may create nothing.
#![cfg(all(
    feature = "test-util",
    any(
        feature = "sqlx_sqlite",
        feature = "sqlx_postgres",
        feature = "sqlx_mysql",
        feature = "deadpool_postgres",
    )
))]

use rocket::futures::future::join_all;
use rocket::time::{Duration, OffsetDateTime};
use rocket_jwt_extended::blocklist::{Blocklist, BlocklistPool, Revocation, Standing, TokenIds};

use crate::store_support::{pool, server, unique};

/// Sixteen servers start at the same time on a place without the table; all of them work.
async fn start_together<P: BlocklistPool>(url: &str) {
    let pools = join_all((0..16).map(|_| pool::<P>(url))).await;
    let stores = join_all(pools.iter().map(|pool| pool.blocklist())).await;
    for (number, store) in stores.into_iter().enumerate() {
        let store = store.unwrap_or_else(|error| panic!("server {number}: {error}"));
        works(&*store).await;
    }
}

async fn works(store: &dyn Blocklist) {
    let jti = unique();
    let ids = TokenIds::new(Some(&jti), None, None, None);
    assert_eq!(store.standing(&ids).await.expect("an answer"), Standing::Live);
    let until = OffsetDateTime::now_utc() + Duration::HOUR;
    store.revoke(&Revocation::token(&jti, until)).await.expect("it is recorded");
    assert_eq!(store.standing(&ids).await.expect("an answer"), Standing::Revoked);
}

#[cfg(any(feature = "sqlx_sqlite", feature = "sqlx_postgres", feature = "sqlx_mysql"))]
mod sqlx {
    use rocket_db_pools::sqlx::Pool;
    use rocket_jwt_extended::blocklist::{SqlxBackend, SqlxBlocklist};

    use super::*;

    /// A table of that name without the columns is not taken for the blocklist, nor changed.
    async fn is_refused<P: BlocklistPool>(url: &str) {
        let store = pool::<P>(url).await.blocklist().await;
        assert!(store.is_err(), "a table with other columns");
    }

    /// A table of another name stands beside the usual one.
    pub async fn tables_are_separate<DB: SqlxBackend>(url: &str) {
        let pool = pool::<Pool<DB>>(url).await;
        let usual = pool.blocklist().await.expect("a store");
        let other = SqlxBlocklist::with_table(pool, "Other_1").expect("a good name");
        other.create_table().await.expect("the table is created");
        other.create_table().await.expect("the table is there");
        let entry = Revocation::token("one", OffsetDateTime::now_utc() + Duration::HOUR);
        other.revoke(&entry).await.expect("it is recorded");
        let ids = TokenIds::new(Some("one"), None, None, None);
        assert_eq!(other.standing(&ids).await.expect("an answer"), Standing::Revoked);
        assert_eq!(usual.standing(&ids).await.expect("an answer"), Standing::Live);
    }

    macro_rules! tests {
        ($feature:literal, $place:ident, $database:ident) => {
            #[cfg(feature = $feature)]
            mod $place {
                use rocket_db_pools::sqlx::{self, Executor, $database};

                use crate::store_support::{pool, $place::Home};

                type Pool = sqlx::Pool<$database>;

                #[rocket::async_test]
                async fn servers_start_together() {
                    let home = Home::new().await;
                    super::start_together::<Pool>(&home.url).await;
                    home.end().await;
                }

                #[rocket::async_test]
                async fn tables_are_separate() {
                    let home = Home::new().await;
                    super::tables_are_separate::<$database>(&home.url).await;
                    home.end().await;
                }

                #[rocket::async_test]
                async fn another_table_is_refused() {
                    let home = Home::new().await;
                    let admin = pool::<Pool>(&home.url).await;
                    admin.execute("CREATE TABLE jwt_blocklist (entry int)").await.expect("a table");
                    super::is_refused::<Pool>(&home.url).await;
                    home.end().await;
                }
            }
        };
    }

    tests!("sqlx_sqlite", sqlite, Sqlite);
    tests!("sqlx_postgres", sqlx_postgres, Postgres);
    tests!("sqlx_mysql", sqlx_mysql, MySql);

    #[cfg(feature = "sqlx_sqlite")]
    #[rocket::async_test]
    async fn a_name_that_is_none_is_refused() {
        let home = crate::store_support::sqlite::Home::new().await;
        let pool = pool::<rocket_db_pools::sqlx::SqlitePool>(&home.url).await;
        let long = "x".repeat(49);
        for name in ["", "1st", "a b", "a;b", "a\"b", "a`b", "a.b", "a-b", "ä", "a\0", &long] {
            assert!(SqlxBlocklist::with_table(pool.clone(), name).is_err(), "{name:?}");
        }
        for name in ["a", "_1", "Revoked_Tokens_2", &long[1..]] {
            assert!(SqlxBlocklist::with_table(pool.clone(), name).is_ok(), "{name:?}");
        }
        home.end().await;
    }
}

/// The table was made by hand, from the file that is shipped, and the server's role may read and
/// write it, nothing else.
#[cfg(feature = "deadpool_postgres")]
mod by_hand {
    use rocket_db_pools::deadpool_postgres::Pool;

    use super::*;

    #[rocket::async_test]
    async fn postgres_servers_start_together() {
        let home = crate::store_support::deadpool_postgres::Home::new().await;
        start_together::<Pool>(&home.url).await;
        home.end().await;
    }

    #[rocket::async_test]
    async fn a_role_without_the_right_to_create_works() {
        let home = crate::store_support::deadpool_postgres::Home::new().await;
        let (schema, role) = (&home.schema, unique());
        home.run(&format!("CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA {schema} TO {role}"))
            .await;
        let url = crate::store_support::with_setting(&home.url, &format!("role={role}"));

        let denied = pool::<Pool>(&url).await.blocklist().await;
        let denied = denied.err().expect("no table, and no right to create one").to_string();
        assert!(denied.contains("permission denied for schema"), "{denied}");

        let migration = include_str!("../../migrations/postgres.sql");
        home.run(&format!("SET search_path = {schema}; {migration}; RESET search_path")).await;
        let table = format!("{schema}.jwt_blocklist");
        let rights = "SELECT, INSERT, UPDATE, DELETE";
        home.run(&format!("GRANT {rights} ON {table}, {table}_details TO {role}")).await;

        let store = server::<Pool>(&url).await;
        works(&*store).await;
        let expired = OffsetDateTime::now_utc() - Duration::HOUR;
        store.revoke(&Revocation::token("expired", expired)).await.expect("it is recorded");
        assert_eq!(store.prune(OffsetDateTime::now_utc()).await.expect("an answer"), 1);

        home.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
        home.end().await;
    }
}
