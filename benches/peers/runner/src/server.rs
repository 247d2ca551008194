//! A running server.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::cpu;

const PATIENCE: Duration = Duration::from_secs(60);

pub struct Server {
    pub name: String,
    pub port: u16,
    pub is_compiled: bool,
    child: Child,
}

impl Server {
    /// Starts the server that `command` returns for a port, and waits until it listens.
    pub fn start(
        name: String,
        is_compiled: bool,
        command: impl FnOnce(u16) -> Command,
    ) -> Result<Self> {
        let port = free_port()?;
        let child = command(port)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("{name} does not start"))?;
        let mut server = Self { name, port, is_compiled, child };
        server.wait()?;
        Ok(server)
    }

    fn wait(&mut self) -> Result<()> {
        let started = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended: {status}", self.name);
            }
            ensure!(started.elapsed() < PATIENCE, "{} does not listen", self.name);
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// For gunicorn this is the worker, which may start after the port is open.
    fn children(&self) -> Result<Vec<u32>> {
        cpu::children(self.child.id())
    }

    /// The CPU time of the server.
    pub fn cpu(&self) -> Result<Duration> {
        let mut time = cpu::of(self.child.id())?;
        for child in self.children()? {
            time += cpu::of(child)?;
        }
        Ok(time)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server may have ended already.
        let children = self.children().unwrap_or_default();
        for child in children.into_iter().filter_map(|child| child.try_into().ok()) {
            let _ = kill(Pid::from_raw(child), Signal::SIGKILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
