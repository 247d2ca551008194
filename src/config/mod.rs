//! The `[default.jwt]` table: read once at ignition, checked into `Settings`, reported together.

mod check;
mod consistency;
pub(crate) mod domain;
mod findings;
mod in_code;
mod keys;
mod names;
mod read;
mod report;
mod required;
mod setting;
mod stray;
mod unused;
mod values;

#[cfg(test)]
mod documented;

use rocket::figment::Figment;

use crate::keys::ring::Keys;
use crate::settings::Settings;

pub(crate) use in_code::{BlocklistKind, InCode};
use read::Config;
use report::Report;

/// A configuration without faults.
pub(crate) struct Loaded {
    pub(crate) settings: Settings,
    pub(crate) keys: Keys,
    pub(crate) warnings: Vec<String>,
}

/// A configuration with faults: the report of all of them, and what else there is to say.
pub(crate) struct Refused {
    pub(crate) report: String,
    pub(crate) warnings: Vec<String>,
}

/// Loads the configuration, or reports every fault.
pub(crate) fn load(figment: &Figment, in_code: &InCode) -> Result<Loaded, Refused> {
    let mut report = Report::default();
    let config = Config::read(figment, &mut report);
    stray::check(&config, figment, &mut report);
    let settings = check::settings(&config, figment, &mut report);
    consistency::check(&settings, &config, figment, in_code, &mut report);
    unused::check(&settings, &config, figment, in_code, &mut report);
    let keys = keys::keys(&config, &settings, figment, in_code.verifying_key, &mut report);
    match report.failure() {
        Some(failure) => Err(Refused { report: failure, warnings: report.into_warnings() }),
        None => Ok(Loaded { settings, keys, warnings: report.into_warnings() }),
    }
}
