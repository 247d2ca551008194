//! Measures in rounds. Each round measures every route once.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::cpu;
use crate::load::{self, Slice};
use crate::peers::Bench;

/// A round is quiet if all other processes together used less than this share of both cores.
pub const QUIET: f64 = 0.02;

/// The warm-up time of servers with a just-in-time compiler.
const LONG_WARM_UP: Duration = Duration::from_secs(4);

pub struct Plan {
    /// How many times all servers are started,
    pub sittings: usize,
    /// and how many rounds there are each time.
    pub rounds: usize,
    /// How long a route is measured in a round,
    pub slice: Duration,
    /// after a lead that is not counted.
    pub lead: Duration,
    /// The warm-up time of each route before the first round of a sitting.
    pub warm_up: Duration,
}

/// The results of a route in a round.
#[derive(Clone, Copy)]
pub struct Rate {
    pub per_second: f64,
    /// Microseconds of the server's CPU per request.
    pub cpu: f64,
    /// The share of the time in which the client was busy.
    pub client: f64,
}

impl Rate {
    /// Microseconds per request.
    pub fn time(&self) -> f64 {
        1e6 / self.per_second
    }
}

pub struct Round {
    /// By target.
    pub rates: Vec<Rate>,
    /// The share of both cores that other processes used.
    pub others: f64,
}

impl Round {
    pub fn is_quiet(&self) -> bool {
        self.others < QUIET
    }
}

/// The rounds of a sitting.
pub fn all(bench: &Bench, plan: &Plan) -> Result<Vec<Round>> {
    eprintln!("warming up");
    for target in 0..bench.targets.len() {
        let is_compiled = bench.servers[bench.targets[target].server].is_compiled;
        ask(bench, target, plan.lead, if is_compiled { plan.warm_up } else { LONG_WARM_UP })?;
    }
    (0..plan.rounds)
        .map(|number| {
            let round = round(bench, plan, number)?;
            let others = 100.0 * round.others;
            eprintln!("round {} of {}: others took {others:.1} %", number + 1, plan.rounds);
            Ok(round)
        })
        .collect()
}

/// Every other round runs backwards, so that each route is measured equally often before and after
/// its neighbour.
fn round(bench: &Bench, plan: &Plan, number: usize) -> Result<Round> {
    let mut order: Vec<_> = (0..bench.targets.len()).collect();
    if number % 2 == 1 {
        order.reverse();
    }
    let (started, all, ours) = (Instant::now(), cpu::both()?, ours(bench)?);
    let mut rates = vec![None; order.len()];
    for target in order {
        rates[target] = Some(ask(bench, target, plan.lead, plan.slice)?);
    }
    let time = started.elapsed().as_secs_f64();
    let others = (cpu::both()? - all).as_secs_f64() - (self::ours(bench)? - ours).as_secs_f64();
    Ok(Round {
        rates: rates.into_iter().collect::<Option<_>>().context("a route left out")?,
        others: others.max(0.0) / (2.0 * time),
    })
}

/// The CPU time of this program and the servers.
fn ours(bench: &Bench) -> Result<Duration> {
    bench.servers.iter().try_fold(cpu::own()?, |sum, server| Ok(sum + server.cpu()?))
}

fn ask(bench: &Bench, target: usize, lead: Duration, time: Duration) -> Result<Rate> {
    let target = &bench.targets[target];
    let server = &bench.servers[target.server];
    let clocks = || Ok((server.cpu()?, cpu::own()?));
    let Slice { answers, time, before, after } =
        load::drive(server.port, &target.requests, lead, time, clocks)
            .with_context(|| format!("{} at {}", server.name, target.path))?;
    let (answers, time) = (answers as f64, time.as_secs_f64());
    Ok(Rate {
        per_second: answers / time,
        cpu: 1e6 * (after.0 - before.0).as_secs_f64() / answers,
        client: (after.1 - before.1).as_secs_f64() / time,
    })
}
