//! The parts of the `Jwt` except its blocklist.

use std::sync::Arc;

use rocket::time::Duration;

use crate::blocklist::access::BlocklistAccess;
use crate::blocklist::prune_limit::PruneLimit;
use crate::blocklist::{Blocklist, ReplicableBlocklist, StoreError};
use crate::clock::{BootClock, Clock};
use crate::hooks::Hooks;
use crate::jwt::Jwt;
use crate::keys::ring::Keys;
use crate::settings::{Sessions, Settings};

/// The parts that are ready once the configuration is checked. The `Jwt` is managed only after its
/// blocklist is available too, so it is always complete.
pub(super) struct Prepared {
    pub(super) settings: Settings,
    pub(super) keys: Keys,
    pub(super) hooks: Arc<Hooks>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) boot_clock: BootClock,
    /// How far `clock` may be ahead of `boot_clock` when entries are removed.
    pub(super) prune_slack: Duration,
}

impl Prepared {
    /// Completes the `Jwt` with a store that cannot be replicated.
    pub(super) async fn with_store(self, store: Arc<dyn Blocklist>) -> Result<Jwt, StoreError> {
        let timeout = self.settings.blocklist_timeout.unsigned_abs();
        let prune_limit = self.prune_limit();
        self.complete(BlocklistAccess::new(store, timeout, prune_limit)).await
    }

    /// Completes the `Jwt`, with a replica of the store if the settings require one.
    pub(super) async fn with_replicable(
        self,
        store: Arc<dyn ReplicableBlocklist>,
    ) -> Result<Jwt, StoreError> {
        let Some(interval) = self.settings.blocklist_replica else {
            return self.with_store(store).await;
        };
        let [interval, timeout] =
            [interval, self.settings.blocklist_timeout].map(|span| span.unsigned_abs());
        let (clock, boot_clock) = (self.clock.clone(), self.boot_clock.clone());
        let limit = self.prune_limit();
        let access =
            BlocklistAccess::replicated(store, interval, timeout, clock, boot_clock, limit).await;
        let named = |error| StoreError::new(format!("`blocklist_replica`: {error}"));
        self.complete(access.map_err(named)?).await
    }

    fn prune_limit(&self) -> PruneLimit {
        PruneLimit::new(self.clock.now(), self.boot_clock.clone(), self.prune_slack)
    }

    async fn complete(self, blocklist: BlocklistAccess) -> Result<Jwt, StoreError> {
        if self.settings.sessions != Sessions::Off {
            let none = "`sessions` needs a store that lists sessions: implement `SessionStore` for it, and \
                        return it from `Blocklist::session_store()`, or remove the setting";
            let store = blocklist.session_store().ok_or_else(|| StoreError::new(none))?;
            store.check_sessions().await?;
        }
        Ok(Jwt::new(self.settings, self.keys, self.hooks, self.clock, blocklist))
    }
}
