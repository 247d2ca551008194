//! Starts the servers, checks that each guards its route, sends them requests in turn, and prints
//! the table.

mod answer;
mod ask;
mod check;
mod cpu;
mod load;
mod machine;
mod measure;
mod peers;
mod record;
mod report;
#[path = "../../../support/rounds.rs"]
#[allow(dead_code)]
mod rounds;
mod server;
mod stats;
mod table;
mod token;
mod versions;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use clap::Parser;

use cpu::Core;
use measure::Plan;
use peers::Bench;

/// Measures the cost of a guard over HTTP, for each server.
#[derive(Parser)]
#[command(name = "benches/peers/run")]
struct Flags {
    /// A few short rounds, for trying.
    #[arg(long)]
    quick: bool,
    /// Write the table into README.md.
    #[arg(long)]
    record: bool,
    /// How many times all servers are started.
    #[arg(long)]
    sittings: Option<usize>,
    /// How many rounds in each sitting.
    #[arg(long)]
    rounds: Option<usize>,
}

impl Flags {
    fn plan(&self) -> Plan {
        let (sittings, rounds, slice) = match self.quick {
            true => (1, 3, Duration::from_millis(300)),
            false => (8, 11, Duration::from_millis(250)),
        };
        let sittings = self.sittings.unwrap_or(sittings).max(1);
        let rounds = self.rounds.unwrap_or(rounds).max(1);
        Plan { sittings, rounds, slice, lead: slice / 10, warm_up: slice }
    }
}

fn main() -> Result<()> {
    let flags = Flags::parse();
    if flags.record {
        record::refuse_unclean()?;
    }
    let plan = flags.plan();

    let mut bench = start()?;
    let mut rounds = measure::all(&bench, &plan)?;
    for sitting in 1..plan.sittings {
        eprintln!("sitting {} of {}", sitting + 1, plan.sittings);
        // The servers of the last one end before those of the next begin.
        bench.servers.clear();
        bench = start()?;
        rounds.extend(measure::all(&bench, &plan)?);
    }
    let report = report::of(&bench, &plan, &rounds)?;
    println!("{report}");
    match flags.record {
        true => record::write(&report),
        false => Ok(()),
    }
}

/// All servers, after the check that each guards its route.
fn start() -> Result<Bench> {
    // A started process inherits the core.
    cpu::pin(Core::Server)?;
    let bench = Bench::start()?;
    cpu::pin(Core::Client)?;
    check::all(&bench)?;
    Ok(bench)
}

/// This folder of the repository.
fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
