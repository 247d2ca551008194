//! The `[default.jwt]` table: read once at ignition, checked into `Settings`, reported together.

mod check;
mod consistency;
mod findings;
mod keys;
mod read;
mod report;
mod required;
mod values;

use rocket::figment::Figment;

use crate::keys::ring::Keys;
use crate::settings::Settings;

use read::Config;
use report::Report;

/// A configuration without faults.
pub(crate) struct Loaded {
    pub(crate) settings: Settings,
    pub(crate) keys: Keys,
    pub(crate) warnings: Vec<String>,
}

/// Loads the configuration, or reports every fault. `hooked` says that there is a `verifying_key` hook,
/// with which no key need be configured.
pub(crate) fn load(figment: &Figment, hooked: bool) -> Result<Loaded, String> {
    let mut report = Report::default();
    let config = Config::read(figment, &mut report);
    let settings = check::settings(&config, figment, &mut report);
    consistency::check(&settings, &config, figment, &mut report);
    let keys = keys::keys(&config, &settings, figment, hooked, &mut report);
    match report.failure() {
        Some(failure) => Err(failure),
        None => Ok(Loaded { settings, keys, warnings: report.into_warnings() }),
    }
}
