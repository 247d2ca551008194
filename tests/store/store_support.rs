//! Where the tests of the stores find their servers, and a place of their own on each.
//!
//! A server that does not answer fails the test: nothing is skipped.

#![allow(dead_code)]

use std::sync::Arc;

use rocket::figment::{Figment, providers::Serialized};
use rocket::time::{Duration, OffsetDateTime};
use rocket_db_pools::{Config, Pool};
use rocket_jwt_extended::blocklist::{
    Blocklist, BlocklistPool, EntryKey, Exchange, Exchanged, ReplicableBlocklist, TokenIds,
};
use uuid::{NoContext, Timestamp, Uuid};

/// A pool as Rocket's fairing makes it from `Rocket.toml`.
pub async fn pool<P: Pool>(url: &str) -> P {
    match try_pool(url, 8).await {
        Ok(pool) => pool,
        Err(error) => panic!("no pool for {url}: {error}"),
    }
}

pub async fn try_pool<P: Pool>(url: &str, max_connections: usize) -> Result<P, P::Error> {
    let config =
        Config { url: url.into(), max_connections, connect_timeout: 5, ..Config::default() };
    P::init(&Figment::from(Serialized::defaults(config))).await
}

/// A server's store: a new pool for that place, and the store it gives.
pub async fn server<P: BlocklistPool>(url: &str) -> Arc<dyn ReplicableBlocklist> {
    pool::<P>(url).await.blocklist().await.expect("a store in the pool")
}

/// The ids of a refresh token of this session, which may be exchanged.
pub fn refresh<'a>(jti: &'a str, sid: &'a str) -> TokenIds<'a> {
    TokenIds::new(Some(jti), Some(sid), None, None).exchangeable()
}

/// An exchange by a call of its own, at this time, whose row is kept for an hour.
pub fn exchange_at(now: OffsetDateTime, grace: Duration) -> Exchange {
    Exchange::new(id_of(now), Uuid::new_v4().into_bytes(), now, grace, now + Duration::HOUR)
}

/// A UUIDv7 with this time.
pub fn id_of(time: OffsetDateTime) -> Uuid {
    let seconds = u64::try_from(time.unix_timestamp()).expect("a time after 1970");
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, time.nanosecond()))
}

/// Exchanges the tokens of a session one after another, so many times, a quarter of an hour apart, and
/// records its owner if one is given. Returns the first token and the last, which may be exchanged.
pub async fn exchange_often<B: Blocklist + ?Sized>(
    stores: &[Arc<B>],
    sid: &str,
    owner: Option<&str>,
    times: usize,
) -> [String; 2] {
    const QUARTER: Duration = Duration::minutes(15);

    let begin = OffsetDateTime::now_utc() - QUARTER * times as f64;
    let first = id_of(begin).to_string();
    let mut token = first.clone();
    for number in 0..times {
        let now = begin + QUARTER * (number + 1) as f64;
        // As the crate does it with a lifetime of thirty days: rounded up to a tenth of that.
        let days = (now + Duration::days(30)).unix_timestamp() / Duration::DAY.whole_seconds();
        let until = OffsetDateTime::UNIX_EPOCH + Duration::days(days / 3 * 3 + 3);
        let seed = Uuid::new_v4().into_bytes();
        let exchange = Exchange::new(id_of(now), seed, now, Duration::ZERO, until);
        let ids = TokenIds::new(Some(&token), Some(sid), owner, None).exchangeable();
        let exchange = match owner {
            Some(_) => exchange.owned_by(&ids, now + Duration::days(30)),
            None => exchange,
        };
        let store = &stores[number % stores.len()];
        let outcome = store.exchange(&ids, &exchange).await;
        assert_eq!(outcome.expect("an answer"), Exchanged::First);
        token = exchange.next().to_string();
    }
    [first, token]
}

/// A key as the errors name it: the letter of its kind, then the id in hexadecimal.
pub fn key_name([kind, id @ ..]: EntryKey) -> String {
    format!("{}{}", char::from(kind), Uuid::from_bytes(id).as_simple())
}

/// A name that no other test has.
pub fn unique() -> String {
    format!("jwt_test_{}", uuid::Uuid::now_v7().simple())
}

pub fn address(variable: &str, default: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| default.into())
}

pub fn postgres() -> String {
    address("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/test")
}

pub fn mysql() -> String {
    address("TEST_MYSQL_URL", "mysql://root@127.0.0.1:3306/test")
}

pub fn redis() -> String {
    address("TEST_REDIS_URL", "redis://127.0.0.1:6379")
}

/// The URL with another setting of the PostgreSQL session.
pub fn with_setting(url: &str, setting: &str) -> String {
    let separator = match url {
        // Ours, as the addresses have none.
        _ if url.contains("options=") => "%20",
        _ if url.contains('?') => "&options=",
        _ => "?options=",
    };
    format!("{url}{separator}-c%20{}", setting.replace('=', "%3D"))
}

/// The URL with another database.
pub fn with_database(url: &str, database: &str) -> String {
    let (server, _) = url.rsplit_once('/').expect("the URL of a database");
    format!("{server}/{database}")
}

#[cfg(feature = "sqlx_sqlite")]
pub mod sqlite {
    use std::path::PathBuf;

    /// A database file, removed by [`end()`](Home::end()).
    pub struct Home {
        path: PathBuf,
        pub url: String,
    }

    impl Home {
        pub async fn new() -> Self {
            let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(super::unique());
            Self { url: format!("sqlite://{}", path.display()), path }
        }

        pub fn path(&self) -> &std::path::Path {
            &self.path
        }

        pub async fn end(self) {
            for suffix in ["", "-wal", "-shm", "-journal"] {
                let mut path = self.path.clone().into_os_string();
                path.push(suffix);
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

/// A schema of its own, to be dropped by [`end()`](Home::end()).
#[cfg(feature = "sqlx_postgres")]
pub mod sqlx_postgres {
    use rocket_db_pools::sqlx::{Executor, PgPool};

    pub struct Home {
        pub admin: PgPool,
        pub schema: String,
        pub url: String,
    }

    impl Home {
        pub async fn new() -> Self {
            let admin = super::pool::<PgPool>(&super::postgres()).await;
            let schema = super::unique();
            let create = format!("CREATE SCHEMA {schema}");
            admin.execute(&*create).await.expect("a schema");
            let url = super::with_setting(&super::postgres(), &format!("search_path={schema}"));
            Self { admin, schema, url }
        }

        pub async fn end(self) {
            let drop = format!("DROP SCHEMA {} CASCADE", self.schema);
            self.admin.execute(&*drop).await.expect("the schema is dropped");
        }
    }
}

/// A schema of its own, to be dropped by [`end()`](Home::end()).
#[cfg(feature = "deadpool_postgres")]
pub mod deadpool_postgres {
    use rocket_db_pools::deadpool_postgres::Pool;

    pub struct Home {
        pub admin: Pool,
        pub schema: String,
        pub url: String,
    }

    impl Home {
        pub async fn new() -> Self {
            let admin = super::pool::<Pool>(&super::postgres()).await;
            let schema = super::unique();
            let url = super::with_setting(&super::postgres(), &format!("search_path={schema}"));
            let home = Self { admin, url, schema };
            home.run(&format!("CREATE SCHEMA {}", home.schema)).await;
            home
        }

        pub async fn run(&self, sql: &str) {
            let connection = self.admin.get().await.expect("a connection");
            connection.batch_execute(sql).await.expect("the statement runs");
        }

        pub async fn end(self) {
            self.run(&format!("DROP SCHEMA {} CASCADE", self.schema)).await;
        }
    }
}

/// A database of its own, to be dropped by [`end()`](Home::end()).
#[cfg(feature = "sqlx_mysql")]
pub mod sqlx_mysql {
    use rocket_db_pools::sqlx::{Executor, MySqlPool};

    pub struct Home {
        pub admin: MySqlPool,
        pub database: String,
        pub url: String,
    }

    impl Home {
        pub async fn new() -> Self {
            let admin = super::pool::<MySqlPool>(&super::mysql()).await;
            let database = super::unique();
            let create = format!("CREATE DATABASE {database}");
            admin.execute(&*create).await.expect("a database");
            let url = super::with_database(&super::mysql(), &database);
            Self { admin, database, url }
        }

        pub async fn end(self) {
            let drop = format!("DROP DATABASE {}", self.database);
            self.admin.execute(&*drop).await.expect("the database is dropped");
        }
    }
}

/// Keys with a prefix of their own, removed by [`end()`](Home::end()).
#[cfg(feature = "deadpool_redis")]
pub mod deadpool_redis {
    use rocket_db_pools::deadpool_redis::{Pool, redis};

    pub struct Home {
        pub pool: Pool,
        pub prefix: String,
    }

    impl Home {
        pub async fn new() -> Self {
            let pool = super::pool::<Pool>(&super::redis()).await;
            Self { pool, prefix: format!("{}:", super::unique()) }
        }

        pub async fn ask<T: redis::FromRedisValue>(&self, command: &[&str]) -> T {
            let mut connection = self.pool.get().await.expect("a connection");
            let mut cmd = redis::Cmd::new();
            cmd.arg(command);
            cmd.query_async(&mut connection).await.expect("the command runs")
        }

        /// Those of entries.
        pub async fn keys(&self) -> Vec<String> {
            self.ask(&["KEYS", &format!("{}[tsue]*", self.prefix)]).await
        }

        /// That of the stream of changes.
        pub fn stream(&self) -> String {
            format!("{}changes", self.prefix)
        }

        pub async fn end(self) {
            for key in self.keys().await {
                self.ask::<()>(&["DEL", &key]).await;
            }
            self.ask::<()>(&["DEL", &self.stream()]).await;
        }
    }
}
