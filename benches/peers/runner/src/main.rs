//! Starts the servers, checks that each guards its route, asks them in turn, and prints the table.

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

/// What a guard costs over HTTP, by server.
#[derive(Parser)]
#[command(name = "benches/peers/run")]
struct Flags {
    /// A few short rounds, for trying.
    #[arg(long)]
    quick: bool,
    /// Write the table into README.md.
    #[arg(long)]
    record: bool,
    /// How many rounds.
    #[arg(long)]
    rounds: Option<usize>,
}

impl Flags {
    fn plan(&self) -> Plan {
        let (rounds, slice) = match self.quick {
            true => (3, Duration::from_millis(300)),
            false => (88, Duration::from_millis(250)),
        };
        let rounds = self.rounds.unwrap_or(rounds).max(1);
        Plan { rounds, slice, lead: slice / 10, warm_up: slice }
    }
}

fn main() -> Result<()> {
    let flags = Flags::parse();
    if flags.record {
        record::refuse_unclean()?;
    }
    let plan = flags.plan();

    // What is started has the core of who starts it.
    cpu::pin(Core::Server)?;
    let bench = Bench::start()?;
    cpu::pin(Core::Client)?;
    check::all(&bench)?;

    let rounds = measure::all(&bench, &plan)?;
    let report = report::of(&bench, &plan, &rounds)?;
    println!("{report}");
    match flags.record {
        true => record::write(&report),
        false => Ok(()),
    }
}

/// This folder of the repository.
fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
