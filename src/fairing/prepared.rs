//! Everything of the `Jwt` but its blocklist.

use std::sync::Arc;

use crate::blocklist::access::BlocklistAccess;
use crate::clock::{BootClock, Clock};
use crate::hooks::Hooks;
use crate::jwt::Jwt;
use crate::keys::Keys;
use crate::settings::Settings;

/// What the fairing knows once the configuration is checked. The `Jwt` is managed only when its blocklist
/// is known too, so that it is always complete.
pub(super) struct Prepared {
    pub(super) settings: Settings,
    pub(super) keys: Keys,
    pub(super) hooks: Arc<Hooks>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) boot_clock: BootClock,
}

impl Prepared {
    pub(super) fn into_jwt(self, blocklist: BlocklistAccess) -> Jwt {
        Jwt::new(self.settings, self.keys, self.hooks, self.clock, blocklist)
    }
}
