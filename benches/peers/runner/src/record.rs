//! Writes the table to the README.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::home;
use crate::machine::output;
use crate::report::Report;

const BEGIN: &str = "<!-- table -->\n";
const END: &str = "<!-- /table -->";

/// Quartiles of fewer rounds are not meaningful.
const ENOUGH: usize = 5;

/// The record names the sources, so they must be committed.
pub fn refuse_unclean() -> Result<()> {
    let changes = output("git", &["status", "--porcelain", "--", "../../src"])?;
    ensure!(changes.is_empty(), "src/ has changes that are not committed:\n{changes}");
    Ok(())
}

pub fn write(report: &Report) -> Result<()> {
    ensure!(report.quiet >= ENOUGH, "fewer than {ENOUGH} rounds were quiet: nothing is recorded");
    refuse_unclean()?;
    let path = home().join("README.md");
    let page = fs::read_to_string(&path)?;
    let (before, rest) = page.split_once(BEGIN).context("no mark where the table begins")?;
    let (_, after) = rest.split_once(END).context("no mark where the table ends")?;
    fs::write(path, format!("{before}{BEGIN}\n{report}\n{END}{after}"))?;
    Ok(())
}
