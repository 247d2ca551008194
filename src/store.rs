//! Which store the fairing uses, and how it is set up.

use std::fmt;
use std::sync::Arc;

use rocket::{Build, Rocket};

use crate::blocklist::{Blocklist, MemoryBlocklist};
use crate::jwt::Jwt;

pub(crate) enum Store {
    /// The default.
    Memory(Arc<MemoryBlocklist>),
    /// The application's own.
    Own(Arc<dyn Blocklist>),
    /// In the pool of a database.
    #[cfg(feature = "rocket_db_pools")]
    Database(database::Attach),
}

impl Store {
    /// Gives the managed [`Jwt`] its store, at once or by the end of ignition.
    pub(crate) fn attach(&self, rocket: Rocket<Build>) -> Rocket<Build> {
        let store: Arc<dyn Blocklist> = match self {
            Self::Memory(store) => store.clone(),
            Self::Own(store) => store.clone(),
            #[cfg(feature = "rocket_db_pools")]
            Self::Database(attach) => return attach.to(rocket),
        };
        if let Some(jwt) = rocket.state::<Jwt>() {
            jwt.set_store(store);
        }
        rocket
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(_) => f.write_str("in memory: for one process, and lost when it ends"),
            Self::Own(_) => f.write_str("the application's own"),
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
            let store = match db.blocklist().await {
                Ok(store) => store,
                Err(error) => {
                    log::error!("the JWT blocklist can't be set up in `{}`: {error}", Db::NAME);
                    return Err(rocket);
                }
            };
            match rocket.state::<Jwt>() {
                Some(jwt) => {
                    jwt.set_store(store);
                    Ok(rocket)
                }
                None => Err(rocket),
            }
        }
    }
}
