//! The usual mistakes, and what the compiler says of each: the text names the cure.
//!
//! A file in `tests/ui` is a mistake. Each of its lines that begins with `//~` must stand in the compiler's
//! words, which otherwise differ from one version of the compiler to the next. The compiler runs on the
//! libraries that this test is linked with, so that nothing is built again.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The features that this test is built with, as cargo takes them.
fn features() -> String {
    macro_rules! switched_on {
        ($($feature:literal),*) => {
            [$((cfg!(feature = $feature), $feature)),*]
        };
    }
    let all = switched_on!(
        "default",
        "aws_lc_rs",
        "rust_crypto",
        "sqlx_sqlite",
        "sqlx_postgres",
        "sqlx_mysql",
        "deadpool_postgres",
        "deadpool_redis",
        "test-util"
    );
    let on: Vec<_> =
        all.into_iter().filter(|(is_on, _)| *is_on).map(|(_, feature)| feature).collect();
    on.join(",")
}

/// The compiled libraries that a mistake uses, by name, as cargo knows them.
fn libraries(folder: &Path) -> HashMap<String, PathBuf> {
    let profile = folder.parent().expect("the folder of a profile");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CARGO_TARGET_DIR", profile.parent().expect("the target folder"))
        .args(["test", "--test", "compile_errors", "--no-run", "--message-format=json"])
        .args(["--no-default-features", "--features", &features()]);
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    // What cargo has set for this test would make it build dependencies again that look at it.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let of_this_test = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_EXE_", "NEXTEST"];
        if of_this_test.iter().any(|prefix| text.starts_with(prefix)) {
            cargo.env_remove(&name);
        }
    }
    let output = cargo.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("cargo writes JSON");
    let mut found = HashMap::new();
    for line in lines.lines().filter(|line| line.contains("\"compiler-artifact\"")) {
        let artifact: serde_json::Value = serde_json::from_str(line).expect("cargo writes JSON");
        let names = artifact["filenames"].as_array().into_iter().flatten();
        let library = names.filter_map(|name| name.as_str()).find(|name| name.ends_with(".rlib"));
        if let (Some(name), Some(library)) = (artifact["target"]["name"].as_str(), library) {
            found.insert(name.to_string(), library.into());
        }
    }
    found
}

/// What the compiler says of a file that it refuses.
fn refusal(file: &Path, folder: &Path, libraries: &HashMap<String, PathBuf>) -> String {
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.args(["--edition", "2024", "--emit", "metadata", "--color", "never", "--out-dir"]);
    rustc.arg(env!("CARGO_TARGET_TMPDIR")).arg("-L");
    rustc.arg(format!("dependency={}", folder.display()));
    for name in ["rocket", "rocket_jwt_extended"] {
        let library = libraries.get(name).unwrap_or_else(|| panic!("no {name} in {libraries:?}"));
        rustc.arg("--extern").arg(format!("{name}={}", library.display()));
    }
    let output = rustc.arg(file).output().expect("the compiler runs");
    assert!(!output.status.success(), "{} compiles", file.display());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_mistake_is_answered_by_the_compiler_with_the_cure() {
    // What is said of a database depends on the drivers there are.
    let drivers = if cfg!(feature = "_database") { "with_drivers" } else { "without_drivers" };
    let exe = env::current_exe().expect("the test has a file");
    let folder = exe.parent().expect("the file has a folder");
    let libraries = libraries(folder);
    let mut seen = 0;
    for group in ["guards", "tokens", drivers] {
        let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui").join(group);
        for case in fs::read_dir(cases).expect("the folder of a group") {
            let file = case.expect("a file").path();
            let text = fs::read_to_string(&file).expect("a mistake");
            let said = refusal(&file, folder, &libraries);
            let expected: Vec<_> =
                text.lines().filter_map(|line| line.strip_prefix("//~ ")).collect();
            assert!(!expected.is_empty(), "{} expects nothing", file.display());
            for words in expected {
                assert!(said.contains(words), "{}\n{words}\nis not in\n{said}", file.display());
            }
            seen += 1;
        }
    }
    assert!(seen >= 9, "{seen}");
}
