//! A server whose clock is wrong removes nothing that the database's clock has not expired, too.
#![cfg(all(
    feature = "test-util",
    any(
        feature = "sqlx_sqlite",
        feature = "sqlx_postgres",
        feature = "sqlx_mysql",
        feature = "deadpool_postgres",
    )
))]

use rocket::time::{Duration, OffsetDateTime};
use rocket_jwt_extended::blocklist::{BlocklistPool, Revocation, Standing, TokenIds};

use crate::store_support::server;

async fn a_wrong_clock_removes_nothing<P: BlocklistPool>(url: &str) {
    let [right, wrong] = [server::<P>(url).await, server::<P>(url).await];
    let now = OffsetDateTime::now_utc();
    let revoke = async |jti: &str, until| {
        right.revoke(&Revocation::token(jti, until)).await.expect("it is recorded");
    };
    revoke("soon", now + Duration::seconds(100)).await;
    revoke("later", now + Duration::days(30)).await;
    revoke("expired", now - Duration::HOUR).await;
    let standing = async |jti: &str| {
        let ids = TokenIds::new(Some(jti), None, None, None);
        right.standing(&ids).await.expect("a standing")
    };

    // One that is behind decides for itself.
    assert_eq!(wrong.prune(now - Duration::days(32)).await.expect("an answer"), 0);
    assert_eq!(standing("expired").await, Standing::Revoked);
    assert_eq!(wrong.prune(now + Duration::days(32)).await.expect("an answer"), 1);
    assert_eq!(standing("expired").await, Standing::Live);
    assert_eq!(standing("soon").await, Standing::Revoked);
    assert_eq!(standing("later").await, Standing::Revoked);
}

macro_rules! tests {
    ($($feature:literal, $place:ident, $pool:ty;)*) => {$(
        #[cfg(feature = $feature)]
        #[rocket::async_test]
        async fn $place() {
            let home = crate::store_support::$place::Home::new().await;
            a_wrong_clock_removes_nothing::<$pool>(&home.url).await;
            home.end().await;
        }
    )*};
}

mod a_wrong_clock_prunes_nothing_of_others {
    use super::*;

    tests! {
        "sqlx_sqlite", sqlite, rocket_db_pools::sqlx::SqlitePool;
        "sqlx_postgres", sqlx_postgres, rocket_db_pools::sqlx::PgPool;
        "sqlx_mysql", sqlx_mysql, rocket_db_pools::sqlx::MySqlPool;
        "deadpool_postgres", deadpool_postgres, rocket_db_pools::deadpool_postgres::Pool;
    }
}
