//! The application `node` as a process.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Once, OnceLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::http::{Answer, Pair, send};

/// Where a blocklist is: the feature it needs and the address of the database.
#[derive(Debug, Clone)]
pub struct Place {
    pub store: &'static str,
    pub url: String,
}

/// How a node is started, but for its place.
#[derive(Debug, Clone)]
pub struct Setup {
    /// More of `[default.jwt]`, with a comma before each.
    pub jwt: String,
    /// What `rocket_db_pools` waits for a connection, in seconds.
    pub connect_timeout: u32,
    pub attach: &'static str,
    pub log_level: &'static str,
    /// By how many milliseconds its clock is ahead.
    pub ahead: i64,
    /// The secret of a partner whose tokens are accepted.
    pub partner: String,
}

impl Setup {
    pub fn new(jwt: &str) -> Self {
        Self {
            jwt: jwt.into(),
            connect_timeout: 5,
            attach: "before",
            log_level: "critical",
            ahead: 0,
            partner: String::new(),
        }
    }
}

pub struct Node {
    child: Child,
    pub port: u16,
    log: PathBuf,
}

impl Node {
    #[track_caller]
    pub fn start(place: &Place, setup: &Setup) -> Self {
        Self::try_start(place, setup).unwrap_or_else(|log| panic!("no launch at {place:?}:\n{log}"))
    }

    /// The error is the log of a process that ended.
    pub fn try_start(place: &Place, setup: &Setup) -> Result<Self, String> {
        let log = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("node-{}.log", uuid::Uuid::now_v7().simple()));
        let out = File::create(&log).expect("a file for the log");
        let Place { store, url } = place;
        let Setup { jwt, connect_timeout, attach, log_level, ahead, partner } = setup;
        let pool = format!("url={url:?},max_connections=8,connect_timeout={connect_timeout}");
        let child = bound_to_us(None)
            .arg(program())
            .env("NODE_STORE", store)
            .env("NODE_ATTACH", attach)
            .env("NODE_AHEAD", ahead.to_string())
            .env("NODE_PARTNER", partner)
            .env("ROCKET_PROFILE", "debug")
            .env("ROCKET_PORT", "0")
            .env("ROCKET_WORKERS", "4")
            .env("ROCKET_LOG_LEVEL", log_level)
            .env("ROCKET_CLI_COLORS", "false")
            .env("ROCKET_JWT", format!("{{secret_key={:?}{jwt}}}", secret()))
            .env("ROCKET_DATABASES", format!("{{blocklist={{{pool}}}}}"))
            .stderr(out.try_clone().expect("the same file"))
            .stdout(out)
            .spawn()
            .expect("the node starts");
        let mut node = Self { child, port: 0, log };
        loop {
            let ended = node.child.try_wait().expect("a child of ours");
            let log = fs::read_to_string(&node.log).unwrap_or_default();
            let port = log.lines().find_map(|line| line.strip_prefix("node is ready at "));
            if let Some(port) = port.and_then(|port| port.parse().ok()) {
                node.port = port;
                return Ok(node);
            }
            if ended.is_some() {
                return Err(log);
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// SIGSTOP: its clocks run on, and nothing else.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    pub fn resume(&self) {
        self.signal("CONT");
    }

    /// SIGTERM: it shuts down, with some seconds of grace.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    fn signal(&self, signal: &str) {
        let kill = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status();
        assert!(kill.expect("kill").success(), "SIG{signal}");
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    #[track_caller]
    pub fn get(&self, path: &str, token: &str) -> Answer {
        send(self.port, "GET", path, Some(token)).expect("an answer")
    }

    #[track_caller]
    pub fn post(&self, path: &str, token: &str) -> Answer {
        send(self.port, "POST", path, Some(token)).expect("an answer")
    }

    #[track_caller]
    pub fn login(&self, name: &str) -> Pair {
        let answer = send(self.port, "POST", &format!("/login/{name}"), None);
        answer.expect("an answer").pair()
    }

    #[track_caller]
    pub fn lets_in(&self, pair: &Pair) {
        let answer = self.get("/me", &pair.access);
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Neither token of the pair is of any use.
    #[track_caller]
    pub fn refuses(&self, pair: &Pair) {
        self.get("/me", &pair.access).is_revoked();
        self.post("/refresh", &pair.refresh).is_revoked();
    }

    /// Its clock is ahead by so many milliseconds from now on.
    #[track_caller]
    pub fn set_ahead(&self, millis: i64) {
        assert_eq!(self.post(&format!("/ahead/{millis}"), "").status, 200);
    }

    pub fn losses(&self) -> usize {
        self.get("/losses", "").body.parse().expect("a number")
    }

    pub fn reuses(&self) -> usize {
        self.get("/reuses", "").body.parse().expect("a number")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            let start = log.char_indices().nth_back(4000).map_or(0, |(start, _)| start);
            eprintln!("the log of the node at {}:\n{}", self.port, &log[start..]);
        }
        let _ = fs::remove_file(&self.log);
    }
}

/// A command, to be given a program, that is killed when this process is, however it ends; as that
/// user if this is root.
pub fn bound_to_us(user: Option<&str>) -> Command {
    static ROOT: OnceLock<bool> = OnceLock::new();
    let is_root = *ROOT.get_or_init(|| {
        let id = Command::new("id").arg("-u").output().expect("id");
        id.stdout == b"0\n"
    });
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if let (Some(user), true) = (user, is_root) {
        command.args(["--reuid", user, "--regid", user, "--init-groups"]);
    }
    command
}

/// The example `node`, built if it is not there or older than what it is made of.
fn program() -> PathBuf {
    static BUILT: Once = Once::new();
    let tests = std::env::current_exe().expect("this program");
    let profile = tests.parent().and_then(Path::parent).expect("the folder of the profile");
    let program = profile.join("examples").join("node");
    BUILT.call_once(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let sources = ["Cargo.toml", "Cargo.lock", "migrations", "src", "tests/servers/app"];
        let newest = sources.iter().filter_map(|source| made(&root.join(source))).max();
        if made(&program).is_some_and(|made| newest.is_none_or(|newest| newest < made)) {
            return;
        }
        let status = Command::new(env!("CARGO"))
            .args(["build", "--example", "node", "--all-features", "--manifest-path"])
            .arg(root.join("Cargo.toml"))
            .env("CARGO_TARGET_DIR", profile.parent().expect("the target folder"))
            .status()
            .expect("cargo");
        assert!(status.success(), "the example `node` does not build");
    });
    program
}

/// When a file, or the newest one in a folder, was written.
fn made(path: &Path) -> Option<SystemTime> {
    match fs::read_dir(path) {
        Ok(files) => files.filter_map(|file| made(&file.ok()?.path())).max(),
        Err(_) => fs::metadata(path).ok()?.modified().ok(),
    }
}

/// One secret for all nodes of this process, made now.
fn secret() -> &'static str {
    static SECRET: OnceLock<String> = OnceLock::new();
    SECRET.get_or_init(|| {
        format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple())
    })
}

/// Looks until it holds. What is waited for is another process, whose pace nobody knows; the limit is
/// there to fail at all.
#[track_caller]
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
