//! Which store the fairing uses, and how it is set up.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rocket::{fairing, Build, Rocket};

use crate::blocklist::{
    Blocklist, MemoryBlocklist, Replica, ReplicableBlocklist, Standing, StoreError, TokenIds,
};
use crate::jwt::Jwt;

/// What a page of entries may take at launch, where no request waits.
const LAUNCH: Duration = Duration::from_secs(30);

pub(crate) enum Store {
    /// The default.
    Memory(Arc<MemoryBlocklist>),
    /// The application's own.
    Own(Arc<dyn Blocklist>),
    /// The application's own, which can be followed.
    Followed(Arc<dyn ReplicableBlocklist>),
    /// In the pool of a database.
    #[cfg(feature = "rocket_db_pools")]
    Database(database::Attach),
}

impl Store {
    /// Gives the managed [`Jwt`] its store, at once or by the end of ignition.
    pub(crate) async fn attach(&self, rocket: Rocket<Build>) -> fairing::Result {
        let Some(jwt) = rocket.state::<Jwt>() else { return Err(rocket) };
        let is_replicated = jwt.settings().blocklist_replica.is_some();
        let ready = match self {
            Self::Memory(_) if is_replicated => Err("the blocklist is in memory already".into()),
            Self::Own(_) if is_replicated => {
                Err("the application's own is to be given by `replicable_blocklist()`".into())
            }
            Self::Memory(store) => Ok(Stores::of(store.clone())),
            Self::Own(store) => Ok(Stores::of(store.clone())),
            Self::Followed(store) => {
                Stores::followed(store.clone(), jwt).await.map_err(|error| error.to_string())
            }
            #[cfg(feature = "rocket_db_pools")]
            Self::Database(attach) => return Ok(attach.to(rocket)),
        };
        match ready {
            Ok(stores) => {
                jwt.set_stores(stores);
                Ok(rocket)
            }
            Err(error) => {
                log::error!("JWT: there can be no `blocklist_replica`: {error}.");
                Err(rocket)
            }
        }
    }
}

/// The blocklist, and what of it is in memory here: who asks which is decided by who asks.
pub(crate) struct Stores {
    store: Arc<dyn Blocklist>,
    replica: Option<Arc<Replica>>,
}

impl Stores {
    fn of(store: Arc<dyn Blocklist>) -> Self {
        Self { store, replica: None }
    }

    /// With a replica, loaded, where the settings want one.
    pub(crate) async fn followed(
        store: Arc<dyn ReplicableBlocklist>,
        jwt: &Jwt,
    ) -> Result<Self, StoreError> {
        let settings = jwt.settings();
        let Some(interval) = settings.blocklist_replica else { return Ok(Self::of(store)) };
        let limit = settings.blocklist_timeout.unsigned_abs();
        let bound = interval.unsigned_abs() + limit;
        let replica = Replica::new(store.clone(), jwt.clock(), jwt.uptime(), bound);
        replica.poll(limit.max(LAUNCH)).await?;
        Ok(Self { store, replica: Some(Arc::new(replica)) })
    }

    /// The store itself: for what is issued, and for what another server may have done a moment ago.
    pub(crate) fn truth(&self) -> Arc<dyn Blocklist> {
        self.store.clone()
    }

    /// What guards ask: the memory of this server, while it is recent enough.
    pub(crate) fn nearest(&self) -> Arc<dyn Blocklist> {
        self.recorder()
    }

    /// By which entries are recorded in the store, used up and removed, so that the memory here knows
    /// at once.
    pub(crate) fn recorder(&self) -> Arc<dyn Blocklist> {
        match &self.replica {
            Some(replica) => replica.clone(),
            None => self.store.clone(),
        }
    }

    /// What the nearest tells without waiting.
    pub(crate) fn at_once(&self, ids: &TokenIds<'_>) -> Option<Result<Standing, StoreError>> {
        match &self.replica {
            Some(replica) => replica.try_standing(ids),
            None => self.store.try_standing(ids),
        }
    }

    pub(crate) fn replica(&self) -> Option<&Arc<Replica>> {
        self.replica.as_ref()
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(_) => f.write_str("in memory: for one process, and lost when it ends"),
            Self::Own(_) | Self::Followed(_) => f.write_str("the application's own"),
            #[cfg(feature = "rocket_db_pools")]
            Self::Database(attach) => write!(f, "in the database `{}`", attach.name()),
        }
    }
}

#[cfg(feature = "rocket_db_pools")]
pub(crate) mod database {
    //! A store in a pool. The pool's own fairing may be attached before ours or after: a fairing
    //! attached during ignition runs after all that were attached before.

    use std::any::type_name;
    use std::marker::PhantomData;

    use rocket::fairing::{self, Fairing, Info, Kind};
    use rocket::{Build, Rocket};
    use rocket_db_pools::Database;

    use super::Stores;
    use crate::blocklist::BlocklistPool;
    use crate::jwt::Jwt;

    /// Attaches the fairing of one database, whose type is forgotten.
    pub(crate) struct Attach {
        attach: fn(Rocket<Build>) -> Rocket<Build>,
        name: &'static str,
    }

    impl Attach {
        pub(crate) fn of<Db: Database>() -> Self
        where
            Db::Pool: BlocklistPool,
        {
            Self { attach: |rocket| rocket.attach(FromPool::<Db>(PhantomData)), name: Db::NAME }
        }

        pub(super) fn to(&self, rocket: Rocket<Build>) -> Rocket<Build> {
            (self.attach)(rocket)
        }

        pub(super) fn name(&self) -> &'static str {
            self.name
        }
    }

    struct FromPool<Db>(PhantomData<fn() -> Db>);

    #[rocket::async_trait]
    impl<Db: Database> Fairing for FromPool<Db>
    where
        Db::Pool: BlocklistPool,
    {
        fn info(&self) -> Info {
            Info { name: "JWT blocklist", kind: Kind::Ignite }
        }

        async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
            let Some(db) = Db::fetch(&rocket) else {
                let db = type_name::<Db>();
                log::error!("the JWT blocklist has no database: attach `{db}::init()`.");
                return Err(rocket);
            };
            let Some(jwt) = rocket.state::<Jwt>() else { return Err(rocket) };
            let set_up = async { Stores::followed(db.blocklist().await?, jwt).await };
            match set_up.await {
                Ok(stores) => {
                    jwt.set_stores(stores);
                    Ok(rocket)
                }
                Err(error) => {
                    log::error!("the JWT blocklist can't be set up in `{}`: {error}", Db::NAME);
                    Err(rocket)
                }
            }
        }
    }
}
