//! The seeds of the fuzz targets, on stable: each holds, and so do its beginnings.

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use fuzz::{TARGETS, Target};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

/// Runs a target over its seeds. Some must be accepted and some not, or the target checks nothing.
fn run(name: &str) {
    let (_, target): (_, Target) = TARGETS.into_iter().find(|(n, _)| *n == name).expect(name);
    let (mut accepted, mut refused) = (0, 0);
    for file in files(&folder("seeds").join(name)) {
        let seed = fs::read(&file).expect("a seed");
        println!("{}", file.display());
        match target(&seed) {
            true => accepted += 1,
            false => refused += 1,
        }
        for length in (0..seed.len()).step_by(1 + seed.len() / 40) {
            target(&seed[..length]);
        }
    }
    assert!(accepted > 0 && refused > 0, "{accepted} accepted, {refused} refused");
}

#[test]
fn token_seeds_hold() {
    run("token");
}

#[test]
fn header_seeds_hold() {
    run("header");
}

#[test]
fn cookie_seeds_hold() {
    run("cookie");
}

#[test]
fn body_seeds_hold() {
    run("body");
}

#[test]
fn configuration_seeds_hold() {
    run("configuration");
}

#[test]
fn each_target_has_a_program_and_seeds() {
    let names: BTreeSet<String> = TARGETS.iter().map(|(name, _)| name.to_string()).collect();
    for of in ["fuzz_targets", "seeds"] {
        let stem = |path: PathBuf| path.file_stem().expect("a name").to_str().map(String::from);
        let found: Option<BTreeSet<String>> = files(&folder(of)).into_iter().map(stem).collect();
        assert_eq!(found.as_ref(), Some(&names), "{of}");
    }
}
