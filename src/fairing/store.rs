//! The blocklist that the fairing uses.

use std::fmt;
use std::sync::Arc;

use crate::blocklist::{Blocklist, MemoryBlocklist, ReplicableBlocklist};
use crate::config::BlocklistKind;

pub(super) enum BlocklistSource {
    /// The default.
    Memory(Arc<MemoryBlocklist>),
    /// A custom store.
    Own(Arc<dyn Blocklist>),
    /// A custom store that can be replicated.
    Replicable(Arc<dyn ReplicableBlocklist>),
    /// In a database pool.
    #[cfg(feature = "_database")]
    Database(super::database::DatabaseSource),
}

impl BlocklistSource {
    /// The kind of blocklist, on which some settings depend.
    pub(super) fn kind(&self) -> BlocklistKind {
        match self {
            Self::Memory(_) => BlocklistKind::Memory,
            #[cfg(feature = "_database")]
            Self::Database(source) if source.is_redis() => BlocklistKind::SelfPruning,
            _ => BlocklistKind::Other,
        }
    }
}

impl fmt::Display for BlocklistSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(_) => f.write_str("in memory: for one process, and lost when it ends"),
            Self::Own(_) | Self::Replicable(_) => f.write_str("the application's own"),
            #[cfg(feature = "_database")]
            Self::Database(source) => write!(f, "in the database `{}`", source.name()),
        }
    }
}
