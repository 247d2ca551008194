//! Formats the results as text.

use std::fmt::Write;

use anyhow::Result;

use crate::load::CONNECTIONS;
use crate::machine;
use crate::measure::{Plan, Rate, Round};
use crate::peers::Bench;
use crate::stats::Quartiles;
use crate::table::Table;

pub struct Report {
    pub text: String,
    /// The number of rounds in the tables.
    pub quiet: usize,
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// The tables of the quiet rounds. If there are none, the tables are of all rounds, and say so.
pub fn of(bench: &Bench, plan: &Plan, rounds: &[Round]) -> Result<Report> {
    let quiet: Vec<_> = rounds.iter().filter(|round| round.is_quiet()).collect();
    let measured = match quiet.is_empty() {
        true => rounds.iter().collect(),
        false => quiet.clone(),
    };
    let mut text = machine::describe()?;
    writeln!(
        text,
        "{} of {} rounds were quiet{}; {} sittings, {:?} for each route in a round, {CONNECTIONS} \
         connections.",
        quiet.len(),
        rounds.len(),
        if quiet.is_empty() { ", so that this is of all" } else { "" },
        plan.sittings,
        plan.slice,
    )?;
    write!(text, "\n{}\n{}", peers(bench, &measured), own(bench, &measured))?;
    writeln!(text, "\n{}", client(bench, &measured))?;
    Ok(Report { text, quiet: quiet.len() })
}

/// Figures computed within each round, with their quartiles.
fn over(rounds: &[&Round], figure: impl Fn(&[Rate]) -> f64) -> Quartiles {
    Quartiles::of(rounds.iter().map(|round| figure(&round.rates)))
}

/// Sorted by added time.
fn peers(bench: &Bench, rounds: &[&Round]) -> Table {
    let mut table = Table::new(&[
        "guard",
        "open, requests/s",
        "guarded, requests/s",
        "guarded / open",
        "added µs",
        "added µs of the server's CPU",
    ]);
    let mut rows: Vec<_> = bench
        .peers
        .iter()
        .map(|peer| {
            let (open, guarded) = (peer.open, peer.guarded);
            let added = over(rounds, |rates| rates[guarded].time() - rates[open].time());
            let cells = [
                format!("{} ({})", peer.name, peer.versions.join(", ")),
                format!("{:.0}", over(rounds, |rates| rates[open].per_second).median),
                format!("{:.0}", over(rounds, |rates| rates[guarded].per_second).median),
                format!(
                    "{:.3}",
                    over(rounds, |rates| rates[guarded].per_second / rates[open].per_second)
                ),
                format!("{added:.2}"),
                format!("{:.2}", over(rounds, |rates| rates[guarded].cpu - rates[open].cpu)),
            ];
            (added.median, cells)
        })
        .collect();
    rows.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    for (_, cells) in rows {
        table.row(cells);
    }
    table
}

fn own(bench: &Bench, rounds: &[&Round]) -> Table {
    let own = &bench.own;
    let mut table = Table::new(&[
        "this crate",
        "compared with",
        "ratio of requests/s",
        "added µs",
        "added µs of the server's CPU",
        "part of the first guard's CPU",
    ]);
    let first = over(rounds, |rates| rates[own.one].cpu - rates[own.open].cpu).median;
    for (name, with, route, base) in [
        ("one guard", "open route", own.one, own.open),
        ("a second guard", "one guard", own.two, own.beside_two),
        ("a third guard", "two guards", own.three, own.two),
        ("a million revoked tokens", "none revoked", own.million, own.empty),
    ] {
        let cpu = over(rounds, |rates| rates[route].cpu - rates[base].cpu);
        let ratio = over(rounds, |rates| rates[route].per_second / rates[base].per_second);
        let time = over(rounds, |rates| rates[route].time() - rates[base].time());
        table.row([
            name.into(),
            with.into(),
            format!("{ratio:.3}"),
            format!("{time:.2}"),
            format!("{cpu:.2}"),
            format!("{:.2}", cpu.median / first),
        ]);
    }
    table
}

/// If the client is busy all the time, the figures measure the client.
fn client(bench: &Bench, rounds: &[&Round]) -> String {
    let busy = |target: usize| over(rounds, |rates| rates[target].client).median;
    let most = (0..bench.targets.len()).max_by(|&one, &other| busy(one).total_cmp(&busy(other)));
    let most = most.unwrap_or_default();
    let name = &bench.servers[bench.targets[most].server].name;
    format!("The client was busy at most {:.0} % of the time ({name}).", 100.0 * busy(most))
}
