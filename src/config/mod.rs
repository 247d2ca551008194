//! The `[default.jwt]` table: read once at ignition, checked and turned into `Settings`, with one
//! report of all errors.

pub(crate) mod browser_rules;
mod check;
mod consistency;
mod durations;
mod findings;
mod identifiers;
mod in_code;
mod keys;
mod names;
pub(crate) mod own_tokens;
mod read;
mod report;
mod required;
mod sessions;
mod setting;
mod stray;
mod unused;
mod values;
mod variables;

#[cfg(test)]
mod documented;

use rocket::figment::Figment;

use crate::keys::ring::Keys;
use crate::settings::Settings;

use findings::Findings;
pub(crate) use in_code::{BlocklistKind, InCode};
use own_tokens::LeastLengths;
use read::Config;
use report::Report;

/// A valid configuration.
pub(crate) struct Loaded {
    pub(crate) settings: Settings,
    pub(crate) keys: Keys,
    pub(crate) warnings: Vec<String>,
}

/// An invalid configuration: the report of all errors, and the warnings.
pub(crate) struct Refused {
    pub(crate) report: String,
    pub(crate) warnings: Vec<String>,
}

/// Loads the configuration, or reports every error. `lengths` computes the lengths of the shortest
/// tokens that these settings and keys allow, if they can sign any.
pub(crate) fn load(
    figment: &Figment,
    in_code: &InCode,
    lengths: fn(&Settings, &Keys) -> Option<LeastLengths>,
) -> Result<Loaded, Refused> {
    let mut report = Report::default();
    let config = Config::read(figment, &mut report);
    variables::check(figment, &mut report);
    stray::check(&config, figment, &mut report);
    if config.is_unreadable {
        // The table could not be read, so no other setting can be checked.
        let failure = report.failure().unwrap_or_default();
        return Err(Refused { report: failure, warnings: report.into_warnings() });
    }
    let settings = check::settings(&config, figment, &mut report);
    consistency::check(&settings, &config, figment, in_code, &mut report);
    unused::check(&settings, &config, figment, in_code, &mut report);
    let keys = keys::keys(&config, &settings, figment, in_code.verifying_key, &mut report);
    if let Some(lengths) = lengths(&settings, &keys) {
        let findings = &mut Findings { config: &config, figment, report: &mut report };
        own_tokens::check_lengths(&settings, &lengths, findings);
    }
    match report.failure() {
        Some(failure) => Err(Refused { report: failure, warnings: report.into_warnings() }),
        None => Ok(Loaded { settings, keys, warnings: report.into_warnings() }),
    }
}
