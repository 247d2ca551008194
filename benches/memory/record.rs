//! Prints figures, and on request writes them to `benches/README.md`, together with the machine and
//! the sources.

use std::path::Path;
use std::process::Command;

use rocket::time::OffsetDateTime;

/// Measures and prints, and with `is_recorded` writes the result between the marks with this name.
///
/// # Panics
///
/// If figures of uncommitted sources are to be recorded, since they could not be reproduced.
pub fn report(part: &str, measure: impl FnOnce() -> String, is_recorded: bool) {
    if is_recorded {
        let changed = run("git", &["status", "--porcelain", "--", "src", "Cargo.toml"]);
        assert!(changed.is_empty(), "not recorded, as these are not committed:\n{changed}");
    }
    let figures = measure();
    println!("{figures}");
    if is_recorded {
        write(part, &format!("{}\n\n{}", stamp(), figures.trim()));
    }
}

/// The date, the machine and the sources.
fn stamp() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("an unknown processor", |(_, name)| name);
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    let rustc = run("rustc", &["--version"]);
    let version = rustc.split(' ').nth(1).unwrap_or("unknown");
    let sources = run("git", &["rev-parse", "--short=12", "HEAD:src"]);
    format!(
        "*{}, {processor}, {count} processors, rustc {version}, sources `{sources}`*",
        OffsetDateTime::now_utc().date()
    )
}

fn write(part: &str, text: &str) {
    let page = root().join("benches/README.md");
    let old = std::fs::read_to_string(&page).expect("the page");
    let (open, close) = (format!("<!-- {part} -->\n"), format!("<!-- /{part} -->"));
    let (before, rest) = old.split_once(&open).expect("where it begins");
    let (_, after) = rest.split_once(&close).expect("where it ends");
    std::fs::write(&page, format!("{before}{open}{text}\n{close}{after}")).expect("written");
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(root()).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {arguments:?}");
    String::from_utf8_lossy(&output.stdout).trim().into()
}
