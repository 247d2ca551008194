//! The findings about the keys of one table.

use std::fmt::Display;

use rocket::figment::Figment;

use super::read::Config;
use super::report::Report;

/// Where checks report their findings.
pub(super) struct Findings<'a> {
    pub(super) config: &'a Config,
    pub(super) figment: &'a Figment,
    pub(super) report: &'a mut Report,
}

impl Findings<'_> {
    /// An error: the launch fails.
    pub(super) fn fault(&mut self, key: &str, message: impl Display) {
        self.report.fault(&self.config.origin(self.figment, key), message);
    }

    /// A warning: the launch continues.
    pub(super) fn warn(&mut self, key: &str, message: impl Display) {
        self.report.warn(&self.config.origin(self.figment, key), message);
    }
}
