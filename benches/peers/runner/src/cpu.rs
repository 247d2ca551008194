//! Cores, and the CPU time that processes used on them.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::{Pid, SysconfVar, sysconf};

/// Servers have a separate core, so that the client never competes with the server that it
/// measures.
#[derive(Clone, Copy)]
pub enum Core {
    Server = 0,
    Client = 1,
}

/// Pins this process, and the processes that it starts from now on, to one core.
pub fn pin(core: Core) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(core as usize)?;
    sched_setaffinity(Pid::from_raw(0), &set).context("there must be two cores")
}

/// The CPU time of this process.
pub fn own() -> Result<Duration> {
    Ok(ClockId::CLOCK_PROCESS_CPUTIME_ID.now()?.into())
}

/// The CPU time of a process with all its threads.
pub fn of(process: u32) -> Result<Duration> {
    let process = Pid::from_raw(process.try_into()?);
    Ok(clock_getcpuclockid(process)?.now()?.into())
}

/// The processes that a process has started.
pub fn children(process: u32) -> Result<Vec<u32>> {
    let text = fs::read_to_string(format!("/proc/{process}/task/{process}/children"))?;
    text.split_whitespace().map(|child| Ok(child.parse()?)).collect()
}

/// The time that all processes together used on both cores, including the time that a hypervisor
/// took.
pub fn both() -> Result<Duration> {
    let per_second = sysconf(SysconfVar::CLK_TCK)?.context("no clock ticks")?;
    let text = fs::read_to_string("/proc/stat")?;
    let mut ticks = 0;
    for core in [Core::Server, Core::Client] {
        let name = format!("cpu{}", core as usize);
        let line = text.lines().find(|line| line.split(' ').next() == Some(&name));
        let line = line.context("no such core in /proc/stat")?;
        // user nice system idle iowait irq softirq steal
        let times: Vec<u64> = line.split(' ').skip(1).map(str::parse).collect::<Result<_, _>>()?;
        ticks += [0, 1, 2, 5, 6, 7].iter().filter_map(|&place| times.get(place)).sum::<u64>();
    }
    Ok(Duration::from_secs_f64(ticks as f64 / per_second as f64))
}
