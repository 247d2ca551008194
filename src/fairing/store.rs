//! Which blocklist the fairing uses.

use std::fmt;
use std::sync::Arc;

use crate::blocklist::access::BlocklistAccess;
use crate::blocklist::{Blocklist, MemoryBlocklist, ReplicableBlocklist};
use crate::clock::{BootClock, Clock};
use crate::settings::Settings;

pub(super) enum BlocklistSource {
    /// The default.
    Memory(Arc<MemoryBlocklist>),
    /// The application's own.
    Own(Arc<dyn Blocklist>),
    /// The application's own, which can be replicated.
    Replicable(Arc<dyn ReplicableBlocklist>),
    /// In a database pool.
    #[cfg(feature = "rocket_db_pools")]
    Database(super::database::DatabaseSource),
}

/// The store, perhaps with its replica, loaded; the error is a text.
pub(super) async fn replicated(
    store: Arc<dyn ReplicableBlocklist>,
    settings: &Settings,
    clock: Arc<dyn Clock>,
    boot_clock: BootClock,
) -> Result<BlocklistAccess, String> {
    let timeout = settings.blocklist_timeout.unsigned_abs();
    let Some(interval) = settings.blocklist_replica else {
        return Ok(BlocklistAccess::new(store, timeout));
    };
    BlocklistAccess::replicated(store, interval.unsigned_abs(), timeout, clock, boot_clock)
        .await
        .map_err(|error| error.to_string())
}

impl fmt::Display for BlocklistSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(_) => f.write_str("in memory: for one process, and lost when it ends"),
            Self::Own(_) | Self::Replicable(_) => f.write_str("the application's own"),
            #[cfg(feature = "rocket_db_pools")]
            Self::Database(source) => write!(f, "in the database `{}`", source.name()),
        }
    }
}
