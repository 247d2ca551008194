//! Runs this program again for one case.

use std::process::{Command, Stdio};

fn itself() -> std::path::PathBuf {
    std::env::current_exe().expect("its own path")
}

pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(itself());
    command.args(arguments);
    command
}

/// Runs a case, and parses the numbers that it prints.
pub fn numbers(arguments: &[&str]) -> Vec<f64> {
    let output = command(arguments).stderr(Stdio::inherit()).output().expect("a process");
    assert!(output.status.success(), "{arguments:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_whitespace().map(|number| number.parse().expect("a number")).collect()
}

/// Runs a case under cachegrind, and returns its counts.
#[derive(Clone, Copy)]
pub struct Misses {
    pub instructions: f64,
    pub first: f64,
    pub last: f64,
}

/// With the caches of this processor, or with another last-level cache: its size, ways and line
/// size.
pub fn misses(arguments: &[&str], last_level: Option<&str>) -> Misses {
    let output = Command::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=yes", "--cachegrind-out-file=/dev/null"])
        .args(last_level.map(|size| format!("--LL={size}")))
        .arg(itself())
        .args(arguments)
        .output()
        .expect("valgrind");
    assert!(output.status.success(), "{arguments:?}");
    let text = String::from_utf8_lossy(&output.stderr);
    let count = |name: &str| {
        let line = text.lines().find_map(|line| line.split_once(name)).expect("a count").1;
        let digits: String =
            line.chars().take_while(|c| *c != '(').filter(char::is_ascii_digit).collect();
        digits.parse().expect("digits")
    };
    Misses {
        instructions: count("I   refs:"),
        first: count("D1  misses:"),
        last: count("LLd misses:"),
    }
}
