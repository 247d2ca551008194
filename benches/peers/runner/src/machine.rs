//! Describes the machine and the sources of a measurement.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::home;
use crate::peers::python;

/// The date, the machine, the programs and the sources.
pub fn describe() -> Result<String> {
    let information = fs::read_to_string("/proc/cpuinfo")?;
    let model =
        information.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let (_, model) = model.context("no model of a processor")?;
    let cores = information.lines().filter(|line| line.starts_with("processor")).count();
    Ok(format!(
        "{}, {model}, {cores} cores, Linux {}, {}, node {}, {}, sources {}.\n",
        output("date", &["-u", "+%F"])?,
        output("uname", &["-r"])?,
        output("rustc", &["--version"])?,
        output("node", &["--version"])?,
        output(python(), &["--version"])?,
        output("git", &["rev-parse", "HEAD:src"])?,
    ))
}

/// The output of a program, run in this folder.
pub fn output(program: impl AsRef<Path>, args: &[&str]) -> Result<String> {
    let program = program.as_ref();
    let name = program.display();
    let output = Command::new(program).args(args).current_dir(home()).output();
    let output = output.with_context(|| format!("{name} does not start"))?;
    ensure!(output.status.success(), "{name} failed: {}", output.status);
    Ok(String::from_utf8(output.stdout)?.trim().into())
}
