//! A blocklist in a database pool.
//!
//! The pool's own fairing may be attached before or after ours: a fairing that is attached during
//! ignition runs after all fairings that were attached before.

use std::any::{TypeId, type_name};
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};

use rocket::fairing::{self, Fairing, Info, Kind};
use rocket::{Build, Rocket};
use rocket_db_pools::Database;

use super::prepared::Prepared;
use crate::blocklist::BlocklistPool;

/// A database with its type erased.
pub(super) struct DatabaseSource {
    attach: fn(Rocket<Build>, Prepared) -> Rocket<Build>,
    name: &'static str,
    is_redis: bool,
}

impl DatabaseSource {
    pub(super) fn of<Db: Database>() -> Self
    where
        Db::Pool: BlocklistPool,
    {
        Self {
            attach: |rocket, prepared| rocket.attach(fairing::<Db>(prepared)),
            name: Db::NAME,
            is_redis: is_redis::<Db::Pool>(),
        }
    }

    /// Attaches the fairing that manages the `Jwt` once the pool is available.
    pub(super) fn attach_to(&self, rocket: Rocket<Build>, prepared: Prepared) -> Rocket<Build> {
        (self.attach)(rocket, prepared)
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Whether the database itself removes expired entries.
    pub(super) fn is_redis(&self) -> bool {
        self.is_redis
    }
}

/// Whether the pool is that of `deadpool_redis`.
fn is_redis<Pool: 'static>() -> bool {
    #[cfg(feature = "deadpool_redis")]
    let redis = Some(TypeId::of::<rocket_db_pools::deadpool_redis::Pool>());
    #[cfg(not(feature = "deadpool_redis"))]
    let redis = None;
    redis == Some(TypeId::of::<Pool>())
}

struct DatabaseFairing<Db> {
    prepared: Mutex<Option<Prepared>>,
    database: PhantomData<fn() -> Db>,
}

fn fairing<Db>(prepared: Prepared) -> DatabaseFairing<Db> {
    DatabaseFairing { prepared: Mutex::new(Some(prepared)), database: PhantomData }
}

#[rocket::async_trait]
impl<Db: Database> Fairing for DatabaseFairing<Db>
where
    Db::Pool: BlocklistPool,
{
    fn info(&self) -> Info {
        Info { name: "JWT blocklist", kind: Kind::Ignite }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        let Some(db) = Db::fetch(&rocket) else {
            let db = type_name::<Db>();
            // Rocket does not tell which fairings are attached.
            log::error!(
                "the JWT blocklist has no database: attach `{db}::init()`. If it is attached, it did \
                 not start: its own error is above."
            );
            return Err(rocket);
        };
        // Ignition runs each fairing once.
        let prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(prepared) = prepared else { return Err(rocket) };
        let jwt = async { prepared.with_replicable(db.blocklist().await?).await };
        match jwt.await {
            Ok(jwt) => Ok(rocket.manage(jwt)),
            Err(error) => {
                log::error!("the JWT blocklist can't be set up in `{}`: {error}", Db::NAME);
                Err(rocket)
            }
        }
    }
}
