//! The servers, and the requests to them.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::rc::Rc;

use anyhow::{Context, Result};

use crate::home;
use crate::server::Server;
use crate::token::{self, Issuer};
use crate::versions::Versions;

/// The number of revoked tokens in the large blocklist.
pub const ENTRIES: usize = 1_000_000;

/// The number of tokens that take turns when the blocklist is measured. With a single token, each
/// lookup would read the same cached place.
pub const MANY: usize = 100_000;

/// The kind of guard of a route.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    None,
    /// Accepts any header.
    Header,
    Token,
}

/// A route that is measured.
pub struct Target {
    pub server: usize,
    pub path: &'static str,
    pub guard: Guard,
    pub requests: Rc<[Vec<u8>]>,
}

/// A server with and without its guard: places in `Bench::targets`.
pub struct Peer {
    pub name: &'static str,
    pub versions: Vec<String>,
    pub open: usize,
    pub guarded: usize,
}

/// Routes of this crate alone: places in `Bench::targets`.
pub struct Own {
    pub open: usize,
    pub one: usize,
    /// One guard, at a path of the same length as that with two.
    pub beside_two: usize,
    pub two: usize,
    pub three: usize,
    pub empty: usize,
    pub million: usize,
}

pub struct Bench {
    pub issuer: Issuer,
    pub servers: Vec<Server>,
    pub targets: Vec<Target>,
    pub peers: Vec<Peer>,
    pub own: Own,
}

impl Bench {
    /// Starts all servers.
    pub fn start() -> Result<Self> {
        let versions = Versions::read()?;
        let mut start = Start { issuer: Issuer::new(), servers: vec![], targets: vec![] };
        let token = start.issuer.token()?;
        let one = |path| -> Rc<[_]> { [token::request(path, Some(&token))].into() };
        let root = one("/");

        let open = start.server("this crate, open", rust("ours", &["open"]))?;
        let guarded = start.server("this crate", rust("ours", &["guarded"]))?;
        let entries = ENTRIES.to_string();
        let million =
            start.server("this crate, with entries", rust("ours", &["guarded", &entries]))?;
        let many: Rc<[_]> = (0..MANY)
            .map(|_| Ok(token::request("/", Some(&start.issuer.token()?))))
            .collect::<Result<_>>()?;
        let own = Own {
            open: start.target(open, "/", Guard::None, &root),
            one: start.target(guarded, "/", Guard::Token, &root),
            beside_two: start.target(guarded, "/one", Guard::Token, &one("/one")),
            two: start.target(guarded, "/two", Guard::Token, &one("/two")),
            three: start.target(guarded, "/three", Guard::Token, &one("/three")),
            empty: start.target(guarded, "/", Guard::Token, &many),
            million: start.target(million, "/", Guard::Token, &many),
        };
        let rocket = versions.cargo("rocket")?;
        let mut peers = vec![Peer {
            name: "this crate",
            versions: vec![versions.own()?, rocket.clone()],
            open: own.open,
            guarded: own.one,
        }];

        let jsonwebtoken = versions.cargo("jsonwebtoken")?;
        let axum = vec![versions.cargo("jwt-authorizer")?, versions.cargo("axum")?];
        let fastify = vec![versions.npm("@fastify/jwt")?, versions.npm("fastify")?];
        let mut add = |name, versions, guard, open: Program, guarded: Program| -> Result<()> {
            let open = start.server(&format!("{name}, open"), open)?;
            let guarded = start.server(name, guarded)?;
            peers.push(Peer {
                name,
                versions,
                open: start.target(open, "/", Guard::None, &root),
                guarded: start.target(guarded, "/", guard, &root),
            });
            Ok(())
        };
        let mut add_rust = |name, versions, guard, program| {
            add(name, versions, guard, rust(program, &["open"]), rust(program, &["guarded"]))
        };
        add_rust(
            "guard by hand",
            vec![jsonwebtoken.clone(), rocket.clone()],
            Guard::Token,
            "by_hand",
        )?;
        add_rust(
            "rocket-jwt-authorization",
            vec![versions.cargo("rocket-jwt-authorization")?, rocket.clone()],
            Guard::Token,
            "rocket_jwt_authorization_server",
        )?;
        add_rust("header only", vec![rocket], Guard::Header, "header_only")?;
        add_rust(
            "actix-web-httpauth",
            vec![versions.cargo("actix-web-httpauth")?, jsonwebtoken, versions.cargo("actix-web")?],
            Guard::Token,
            "actix_server",
        )?;
        add_rust("jwt-authorizer", axum, Guard::Token, "axum_server")?;
        for (name, mode) in [("@fastify/jwt", "guarded"), ("@fastify/jwt, `cache`", "cached")] {
            add(name, fastify.clone(), Guard::Token, node("open"), node(mode))?;
        }
        add(
            "Flask-JWT-Extended",
            vec![
                versions.pip("Flask-JWT-Extended")?,
                versions.pip("Flask")?,
                versions.pip("gunicorn")?,
            ],
            Guard::Token,
            gunicorn("open"),
            gunicorn("guarded"),
        )?;

        let Start { issuer, servers, targets } = start;
        Ok(Self { issuer, servers, targets, peers, own })
    }
}

struct Start {
    issuer: Issuer,
    servers: Vec<Server>,
    targets: Vec<Target>,
}

impl Start {
    fn server(&mut self, name: &str, program: Program) -> Result<usize> {
        eprintln!("starting {name}");
        let secret = self.issuer.secret();
        let Program { command, is_compiled } = program;
        let server = Server::start(name.into(), is_compiled, |port| {
            let mut command = command(port);
            command
                .env("PEERS_SECRET", secret)
                .env("ROCKET_JWT", format!("{{secret_key=\"{secret}\"}}"))
                .env("ROCKET_WORKERS", "1")
                .env("ROCKET_LOG_LEVEL", "off")
                // There is no configuration file: one in a parent folder must not be read.
                .env("ROCKET_CONFIG", "/nowhere/Rocket.toml")
                .env("NODE_ENV", "production");
            command
        })
        .with_context(|| name.to_owned())?;
        self.servers.push(server);
        Ok(self.servers.len() - 1)
    }

    fn target(
        &mut self,
        server: usize,
        path: &'static str,
        guard: Guard,
        requests: &Rc<[Vec<u8>]>,
    ) -> usize {
        self.targets.push(Target { server, path, guard, requests: requests.clone() });
        self.targets.len() - 1
    }
}

/// How a server is started on a port.
struct Program {
    command: Box<dyn FnOnce(u16) -> Command>,
    /// Whether the first request is as fast as later ones.
    is_compiled: bool,
}

/// The programs are in the same folder as this one.
fn rust(name: &str, args: &[&str]) -> Program {
    let program = env::current_exe().unwrap_or_default().with_file_name(name);
    let args: Vec<String> = args.iter().map(|&arg| arg.into()).collect();
    let command = move |port: u16| {
        let mut command = Command::new(program);
        command.arg(port.to_string()).args(args);
        command
    };
    Program { command: Box::new(command), is_compiled: true }
}

fn node(mode: &'static str) -> Program {
    let command = move |port: u16| {
        let mut command = Command::new("node");
        command.current_dir(home().join("servers/fastify"));
        command.args(["server.js", &port.to_string(), mode]);
        command
    };
    Program { command: Box::new(command), is_compiled: false }
}

/// Only the worker with threads keeps connections alive.
fn gunicorn(mode: &'static str) -> Program {
    let command = move |port: u16| {
        let mut command = Command::new(python().with_file_name("gunicorn"));
        command.current_dir(home().join("servers/flask"));
        command.args(["--workers", "1", "--worker-class", "gthread", "--threads", "1"]);
        command.args(["--no-control-socket", "--log-level", "warning"]);
        command.args(["--bind", &format!("127.0.0.1:{port}")]);
        command.arg(format!("app:create_app({mode:?})"));
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command
    };
    Program { command: Box::new(command), is_compiled: false }
}

/// Python in the virtual environment that `run` creates.
pub fn python() -> PathBuf {
    home().join("target/python/bin/python")
}
