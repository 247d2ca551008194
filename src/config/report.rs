//! The launch report: every error of the configuration, with its key and where it is set.

use std::fmt;
use std::path::{Path, PathBuf};

use rocket::figment::value::Value;
use rocket::figment::{Figment, Metadata, Profile};

/// Collects the errors of one table, so that a launch reports all of them.
#[derive(Default)]
pub(crate) struct Report {
    faults: Vec<String>,
    warnings: Vec<String>,
}

/// Where a key is set: its full path and its file.
#[derive(Clone)]
pub(crate) struct Origin {
    key: String,
    place: Option<String>,
    folder: Option<PathBuf>,
}

impl Origin {
    /// The origin of `value`, the value of `key` in the table.
    pub(crate) fn of(figment: &Figment, value: &Value, key: &str) -> Self {
        let metadata = figment.get_metadata(value.tag());
        let profile = value.tag().profile().unwrap_or_else(|| figment.profile().clone());
        Self {
            key: full_key(&profile, key),
            place: metadata.map(place),
            folder: metadata
                .and_then(|metadata| metadata.source.as_ref()?.file_path())
                .and_then(Path::parent)
                .map(Path::to_path_buf),
        }
    }

    /// The origin of `value`, which is at `path`, outside the table that is read.
    pub(crate) fn at(figment: &Figment, value: Option<&Value>, path: &str) -> Self {
        let origin = value.map(|value| Self::of(figment, value, ""));
        Self { key: path.into(), ..origin.unwrap_or_else(|| Self::unwritten(figment, "")) }
    }

    /// A key that is not set.
    pub(crate) fn unwritten(figment: &Figment, key: &str) -> Self {
        Self { key: full_key(figment.profile(), key), place: None, folder: None }
    }

    /// The whole table, which a provider could not read.
    pub(crate) fn unread(figment: &Figment, metadata: Option<&Metadata>) -> Self {
        Self { place: metadata.map(place), ..Self::unwritten(figment, "") }
    }

    /// `path`, relative to the file that contains it.
    pub(crate) fn resolve(&self, path: &str) -> PathBuf {
        self.folder.as_deref().map_or_else(|| PathBuf::from(path), |folder| folder.join(path))
    }
}

fn place(metadata: &Metadata) -> String {
    match &metadata.source {
        Some(source) => format!("{} {source}", metadata.name),
        None => metadata.name.to_string(),
    }
}

/// The name of the environment variable from which `value` was read as `key`, if any.
pub(super) fn variable(figment: &Figment, value: &Value, key: &str) -> Option<String> {
    let prefix = prefix(figment.get_metadata(value.tag())?)?;
    Some(format!("{prefix}{}", key.to_ascii_uppercase()))
}

/// The prefix of a source that is the environment.
pub(super) fn prefix(source: &Metadata) -> Option<&str> {
    // Figment names the source "`ROCKET_` environment variable(s)"; the prefix is available nowhere
    // else.
    Some(source.name.strip_suffix("environment variable(s)")?.trim().trim_matches('`'))
}

fn full_key(profile: &Profile, key: &str) -> String {
    match key {
        "" => format!("{profile}.jwt"),
        _ => format!("{profile}.jwt.{key}"),
    }
}

impl Report {
    /// An error: the launch will fail.
    pub(crate) fn fault(&mut self, origin: &Origin, message: impl fmt::Display) {
        self.faults.push(line(origin, &message));
    }

    /// A warning: the launch continues.
    pub(crate) fn warn(&mut self, origin: &Origin, message: impl fmt::Display) {
        self.warnings.push(line(origin, &message));
    }

    /// The warnings, one per line.
    pub(crate) fn into_warnings(self) -> Vec<String> {
        self.warnings
    }

    /// The report, if there is any error.
    pub(crate) fn failure(&self) -> Option<String> {
        if self.faults.is_empty() {
            return None;
        }
        let mut text = match self.faults.len() {
            1 => "JWT configuration is invalid (1 fault):".to_string(),
            many => format!("JWT configuration is invalid ({many} faults):"),
        };
        for fault in &self.faults {
            text.push_str("\n   >> ");
            text.push_str(fault);
        }
        Some(text)
    }
}

fn line(origin: &Origin, message: &impl fmt::Display) -> String {
    match &origin.place {
        Some(place) => format!("`{}` {message} (in {place})", origin.key),
        None => format!("`{}` {message}", origin.key),
    }
}
