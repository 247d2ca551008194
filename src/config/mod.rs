//! The `[default.jwt]` table: read once at ignite, checked into [`Settings`], reported in one go.

mod keys;
mod read;
mod report;
mod settings;
mod values;

pub(crate) use keys::keys;
pub(crate) use read::Config;
pub(crate) use report::Report;
pub(crate) use settings::{KindNames, Settings};
