//! A database server of a test's own: in a temporary folder, at a port of its own, to be paused,
//! killed and started again.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::node::{Place, bound_to_us, wait_until};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Postgres,
    MariaDb,
    Redis,
}

pub struct Server {
    kind: Kind,
    folder: PathBuf,
    port: u16,
    process: Child,
    arguments: &'static [&'static str],
}

impl Server {
    pub fn start(kind: Kind) -> Self {
        Self::start_with(kind, &[])
    }

    /// With more arguments.
    pub fn start_with(kind: Kind, arguments: &'static [&'static str]) -> Self {
        let folder = folder();
        let port = free_port();
        kind.prepare(&folder);
        let process = kind.launch(&folder, port, arguments);
        let mut server = Self { kind, folder, port, process, arguments };
        server.await_ready();
        if kind == Kind::MariaDb {
            server.ask_without_database("CREATE DATABASE test");
        }
        server
    }

    pub fn place(&self, store: &'static str) -> Place {
        let port = self.port;
        let url = match self.kind {
            Kind::Postgres => format!("postgres://postgres@127.0.0.1:{port}/postgres"),
            Kind::MariaDb => format!("mysql://root@127.0.0.1:{port}/test"),
            Kind::Redis => format!("redis://127.0.0.1:{port}"),
        };
        Place { store, url }
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the server's own client prints.
    #[track_caller]
    pub fn ask(&self, text: &str) -> String {
        let mut client = self.kind.client(self.port);
        match self.kind {
            Kind::Postgres => client.args(["-c", text]),
            Kind::MariaDb => client.args(["test", "-e", text]),
            Kind::Redis => client.args(text.split_whitespace()),
        };
        run(&mut client)
    }

    /// A script for Redis, with no arguments.
    #[track_caller]
    pub fn eval(&self, script: &str) -> String {
        run(self.kind.client(self.port).args(["EVAL", script, "0"]))
    }

    fn ask_without_database(&self, text: &str) {
        run(self.kind.client(self.port).args(["-e", text]));
    }

    /// SIGSTOP: the port is open, and nobody answers.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    pub fn resume(&self) {
        self.signal("CONT");
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.signal("KILL");
        let _ = self.process.wait();
    }

    pub fn restart(&mut self) {
        self.process = self.kind.launch(&self.folder, self.port, self.arguments);
        self.await_ready();
    }

    fn await_ready(&mut self) {
        let (kind, folder, port) = (self.kind, self.folder.clone(), self.port);
        let arguments = self.arguments;
        let process = &mut self.process;
        wait_until("the database answers", || {
            if process.try_wait().expect("a child of ours").is_some() {
                // PostgreSQL refuses while processes of the one that was killed are still ending.
                *process = kind.launch(&folder, port, arguments);
            }
            let mut client = kind.client(port);
            match kind {
                Kind::Redis => client.arg("PING"),
                Kind::Postgres => client.args(["-c", "SELECT 1"]),
                Kind::MariaDb => client.args(["-e", "SELECT 1"]),
            };
            let output = client.output().expect("a client");
            let text = String::from_utf8_lossy(&output.stdout);
            output.status.success() && matches!(text.trim(), "1" | "PONG")
        });
    }

    /// To all its processes. The first one makes the others, so it is stopped before they are counted.
    fn signal(&self, signal: &str) {
        let mut pids = vec![self.process.id()];
        send("STOP", &pids);
        pids.extend(children(self.process.id()));
        send(signal, &pids);
    }
}

fn send(signal: &str, pids: &[u32]) {
    // Some may have ended by themselves.
    let pids = pids.iter().map(ToString::to_string);
    let _ = Command::new("kill").args(["-s", signal]).args(pids).stderr(Stdio::null()).status();
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("{}", fs::read_to_string(self.folder.join("log")).unwrap_or_default());
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Kind {
    fn prepare(self, folder: &Path) {
        let data = folder.join("data");
        fs::create_dir(&data).expect("a folder");
        let user = self.user();
        if let Some(user) = user {
            // Of use to root only, and needed by root only.
            let _ = Command::new("chown").arg("-R").arg(user).arg(folder).status();
        }
        match self {
            Kind::Postgres => {
                let mut init = bound_to_us(user);
                init.arg(postgres("initdb")).arg("-D").arg(&data);
                run(init.args([
                    "-U",
                    "postgres",
                    "--auth=trust",
                    "--no-sync",
                    "--no-instructions",
                ]));
            }
            Kind::MariaDb => {
                let mut init = bound_to_us(user);
                init.arg("mariadb-install-db").arg("--no-defaults");
                init.arg(format!("--datadir={}", data.display()));
                // One that starts removes what it takes for its own of an earlier time: where two had
                // one folder for temporary files, the other's.
                init.env("TMPDIR", folder);
                run(init.args([
                    "--auth-root-authentication-method=normal",
                    "--skip-test-db",
                    "--skip-name-resolve",
                ]));
            }
            Kind::Redis => {}
        }
    }

    fn launch(self, folder: &Path, port: u16, arguments: &[&str]) -> Child {
        let data = folder.join("data");
        let (data, folder_name) = (data.display(), folder.display());
        let mut command = bound_to_us(self.user());
        match self {
            Kind::Postgres => {
                command.arg(postgres("postgres"));
                command.arg("-D").arg(folder.join("data")).arg("-k").arg(folder);
                command.args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
            }
            Kind::MariaDb => {
                command.arg("/usr/sbin/mariadbd").arg("--no-defaults").args([
                    format!("--datadir={data}"),
                    format!("--port={port}"),
                    format!("--socket={folder_name}/socket"),
                    format!("--pid-file={folder_name}/pid"),
                    format!("--tmpdir={folder_name}"),
                    "--bind-address=127.0.0.1".into(),
                    "--skip-name-resolve".into(),
                    "--innodb-buffer-pool-size=256M".into(),
                ]);
            }
            Kind::Redis => {
                // What it acknowledged is on disk, so that it may be killed like the others.
                command.args(["redis-server", "--bind", "127.0.0.1", "--port", &port.to_string()]);
                command.args(["--save", "", "--appendonly", "yes", "--appendfsync", "always"]);
                command.arg("--dir").arg(folder.join("data"));
            }
        }
        let log = fs::File::options().create(true).append(true).open(folder.join("log"));
        let log = log.expect("a file for the log");
        command.args(arguments);
        command.stderr(log.try_clone().expect("the same file")).stdout(log);
        command.spawn().expect("the server starts")
    }

    /// The server's own client, with no command yet.
    fn client(self, port: u16) -> Command {
        let port = port.to_string();
        let mut client;
        match self {
            Kind::Postgres => {
                client = Command::new(postgres("psql"));
                client.args(["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-XqAt"]);
                client.args(["-v", "ON_ERROR_STOP=1"]);
            }
            Kind::MariaDb => {
                client = Command::new("mariadb");
                client.args(["--no-defaults", "-h", "127.0.0.1", "-P", &port, "-u", "root", "-N"]);
            }
            Kind::Redis => {
                client = Command::new("redis-cli");
                client.args(["-h", "127.0.0.1", "-p", &port]);
            }
        }
        client
    }

    fn user(self) -> Option<&'static str> {
        match self {
            Kind::Postgres => Some("postgres"),
            Kind::MariaDb => Some("mysql"),
            Kind::Redis => None,
        }
    }
}

/// A new folder that servers which are not root can reach.
pub fn folder() -> PathBuf {
    let name = format!("jwt-{}", uuid::Uuid::now_v7().simple());
    let folder = std::env::temp_dir().join(name);
    fs::create_dir(&folder).expect("a temporary folder");
    folder
}

/// A port below those that outgoing connections get, which could take it while the server is down.
pub fn free_port() -> u16 {
    loop {
        let port = 20_000 + (uuid::Uuid::new_v4().as_u128() % 10_000) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A program of the newest PostgreSQL there is.
fn postgres(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let newest = versions
        .filter_map(|version| Some(version.ok()?.path().join("bin").join(name)))
        .filter(|program| program.exists())
        .max();
    newest.unwrap_or_else(|| panic!("PostgreSQL has no `{name}`"))
}

fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").expect("/proc");
    processes
        .filter_map(|process| {
            let pid = process.ok()?.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // pid (name) state parent …, where the name may have anything in it.
            let (_, rest) = stat.rsplit_once(") ")?;
            let found: u32 = rest.split(' ').nth(1)?.parse().ok()?;
            (found == parent).then_some(pid)
        })
        .collect()
}

#[track_caller]
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
