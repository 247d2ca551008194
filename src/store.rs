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
}

impl Store {
    /// Gives the managed [`Jwt`] its store.
    pub(crate) fn attach(&self, rocket: Rocket<Build>) -> Rocket<Build> {
        let store: Arc<dyn Blocklist> = match self {
            Self::Memory(store) => store.clone(),
            Self::Own(store) => store.clone(),
        };
        if let Some(jwt) = rocket.state::<Jwt>() {
            jwt.set_store(store);
        }
        rocket
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory(_) => "in memory: for one process, and lost when it ends",
            Self::Own(_) => "the application's own",
        })
    }
}
