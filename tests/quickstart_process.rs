//! The README's quickstart as its reader meets it: the example as a process, asked by `curl`.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

use serde_json::Value;

const README: &str = include_str!("../README.md");
const EXAMPLE: &str = include_str!("../examples/quickstart.rs");

/// The quickstart as a process, at a port of its own, which ends with this value.
struct Quickstart {
    process: Child,
    address: String,
}

impl Quickstart {
    fn start() -> Self {
        let mut process = Command::new(built())
            // Any port that is free, and no configuration of this machine's own.
            .env("ROCKET_PORT", "0")
            .env("ROCKET_LOG_LEVEL", "normal")
            .env("ROCKET_CLI_COLORS", "false")
            .env("ROCKET_PROFILE", "debug")
            .env_remove("ROCKET_CONFIG")
            .env_remove("ROCKET_JWT")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the example starts");
        let mut lines = BufReader::new(process.stdout.take().expect("it is piped"));
        let address = launched(&mut lines);
        // Somebody must read what it says, or it would stop when the pipe is full.
        thread::spawn(move || io::copy(&mut lines, &mut io::sink()));
        match address {
            Some(address) => Self { process, address },
            None => panic!("the example ended: {:?}", process.wait()),
        }
    }

    /// What a command of the README prints, with these variables of the shell.
    fn run(&self, command: &str, variables: &HashMap<String, String>) -> String {
        let command = command.replace("localhost:8000", &self.address);
        let output = Command::new("sh")
            .args(["-c", &command])
            .envs(variables)
            .env("no_proxy", "*")
            .output()
            .expect("there is a shell");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}: {:?} {error}", output.status);
        String::from_utf8(output.stdout).expect("it is text")
    }
}

impl Drop for Quickstart {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The address a server says it was launched from.
fn launched(lines: &mut impl BufRead) -> Option<String> {
    lines.lines().map_while(Result::ok).find_map(|line| {
        let (_, address) = line.split_once("launched from http://")?;
        Some(address.trim().to_string())
    })
}

/// Builds the example as this test was built.
fn built() -> PathBuf {
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--quiet", "--example", "quickstart"]);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    // With the features of this test, of which `scripts/test` has all, no dependency is compiled again.
    let drivers = cfg!(all(
        feature = "sqlx_sqlite",
        feature = "sqlx_postgres",
        feature = "sqlx_mysql",
        feature = "deadpool_postgres",
        feature = "deadpool_redis"
    ));
    let backends = [cfg!(feature = "aws_lc_rs"), cfg!(feature = "rust_crypto")];
    match backends {
        [true, true] if drivers && cfg!(feature = "test-util") => command.arg("--all-features"),
        [true, true] => command.args(["--features", "rust_crypto"]),
        [true, false] => &mut command,
        _ => command.args(["--no-default-features", "--features", "rust_crypto"]),
    };
    assert!(command.status().expect("cargo runs").success(), "the example builds");
    // This test is in `deps`, beside `examples`.
    let mut path = std::env::current_exe().expect("a test has a path");
    path.pop();
    path.pop();
    path.join("examples").join(format!("quickstart{}", std::env::consts::EXE_SUFFIX))
}

/// The fenced blocks of that language in the README's quickstart.
fn blocks(language: &str) -> Vec<&'static str> {
    let start = README.find("\n## Quickstart\n").expect("there is a quickstart");
    let section = &README[start + 1..];
    let section = &section[..section[2..].find("\n## ").map_or(section.len(), |end| end + 2)];
    let fence = format!("\n```{language}");
    let block = |text: &'static str| text.split("\n```").next().expect("a split has a first part");
    // The rest of the line has options for rustdoc.
    section
        .split(&fence)
        .skip(1)
        .filter_map(|text| text.split_once('\n'))
        .map(|(_, text)| block(text))
        .collect()
}

/// A command of the README, and what it prints.
struct Step {
    command: &'static str,
    prints: String,
}

fn steps() -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let lines = blocks("console").into_iter().flat_map(str::lines);
    // A comment of the shell is for the reader.
    for line in lines.filter(|line| !line.starts_with("# ")) {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push(Step { command, prints: String::new() }),
            (None, Some(step)) => step.prints.extend([line, "\n"]),
            (None, None) => panic!("a block begins with a command: {line}"),
        }
    }
    steps
}

/// `NAME=eyJ…    # its member`: to be taken from the last answer.
fn assignment(command: &str) -> Option<(&str, &str)> {
    let (name, member) = command.split_once("=eyJ…")?;
    Some((name, member.trim().strip_prefix("# its ")?))
}

/// Text with its tokens cut short, as the README shows them.
fn shortened(text: &str) -> String {
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let (mut short, mut rest) = (String::new(), text);
    while let Some((before, token)) = rest.split_once("eyJ") {
        short.extend([before, "eyJ…"]);
        rest = token.trim_start_matches(is_of_token);
    }
    short + rest
}

#[test]
fn every_line_of_the_readme_prints_what_it_says() {
    let quickstart = Quickstart::start();
    let steps = steps();
    let mut variables = HashMap::new();
    let mut last = Value::Null;
    let mut asked = 0;
    for Step { command, prints } in &steps {
        if let Some((name, member)) = assignment(command) {
            let value = last[member].as_str().unwrap_or_else(|| panic!("{command}: {last}"));
            variables.insert(name.to_string(), value.to_string());
            continue;
        }
        assert!(command.starts_with("curl "), "{command}");
        let printed = quickstart.run(command, &variables);
        assert_eq!(shortened(&printed), *prints, "{command}");
        if let Some((body, _status)) = printed.rsplit_once(' ') {
            last = serde_json::from_str(body).unwrap_or_default();
        }
        asked += 1;
    }
    assert!(asked >= 10, "the walk was found");
}

#[test]
fn the_readmes_walk_meets_every_route_and_the_refusals_people_meet() {
    let steps = steps();
    let shown = |text: &str| {
        steps.iter().any(|step| step.command.contains(text) || step.prints.contains(text))
    };
    for text in [
        "/login ",
        "/me",
        "/password",
        "/refresh",
        "/logout",
        "token_missing",
        "token_expired",
        "token_revoked",
        "fresh_token_required",
        "wrong_token_type",
    ] {
        assert!(shown(text), "{text}");
    }
}

#[test]
fn the_readmes_code_is_the_examples() {
    let [code] = blocks("rust")[..] else { panic!("one block of Rust") };
    let mut example = EXAMPLE.lines();
    for line in code.lines() {
        assert!(example.any(|other| other == line), "not in the example, or not there: {line}");
    }
    for part in ["fn login(", "fn me(", "fn change_password(", "fn refresh(", "fn logout("] {
        assert!(code.contains(part), "{part}");
    }
}

#[test]
fn a_server_that_does_not_launch_is_noticed() {
    let said = "Configured for debug.\n   >> port: 1\n";
    assert_eq!(launched(&mut said.as_bytes()), None);
    let said = "JWT:\nRocket has launched from http://127.0.0.1:41 \n";
    assert_eq!(launched(&mut said.as_bytes()).as_deref(), Some("127.0.0.1:41"));
}

#[test]
fn tokens_are_cut_short_and_nothing_else() {
    let text = r#"{"a":"eyJ0-_.eyJ9.x","b":1} eyJ 401"#;
    assert_eq!(shortened(text), r#"{"a":"eyJ…","b":1} eyJ… 401"#);
    assert_eq!(shortened("no token"), "no token");
}
