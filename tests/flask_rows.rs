//! Checks docs/flask-jwt-extended-rows.md: no row is missing, no cell is empty, every row names tests, and
//! every test exists.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};

const PAGE: &str = include_str!("../docs/flask-jwt-extended-rows.md");

const COLUMNS: [&str; 6] = ["id", "theirs", "ours", "mark", "tests", "reason"];

/// Everything that is wrong with the page, where `tests` are the tests that exist.
fn faults(page: &str, tests: &BTreeSet<String>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut ids = BTreeSet::new();
    // For each kind of row, how many there are, and the highest number.
    let mut kinds: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for line in page.lines().filter(|line| is_row(line)) {
        let cells = cells(line);
        let id = cells.first().cloned().unwrap_or_default();
        let parts =
            id.split_once('-').map(|(kind, number)| (kind.to_string(), number.parse::<u32>()));
        let Some((kind, Ok(number))) = parts else {
            faults.push(format!("{id} is not an id such as CFG-01"));
            continue;
        };
        if !ids.insert(id.clone()) {
            faults.push(format!("{id} has two rows"));
        }
        let (count, highest) = kinds.entry(kind).or_default();
        *count += 1;
        *highest = number.max(*highest);
        faults.extend(row_faults(&id, &cells, tests));
    }
    for (kind, (count, highest)) in kinds {
        if count != highest {
            faults.push(format!("{kind} has {count} rows and ends at {highest}"));
        }
    }
    // The page says how many rows it has, so that a deleted last row of a kind is noticed too.
    if !page.contains(&format!("These {} rows", ids.len())) {
        faults.push(format!("the page has {} rows and does not say so", ids.len()));
    }
    faults
}

/// Every line of a table except its head and the line below that.
fn is_row(line: &str) -> bool {
    line.starts_with('|') && !line.starts_with("| row |") && !line.starts_with("|---")
}

/// The cells of a row. Inside a cell, a pipe is written `\|`.
fn cells(line: &str) -> Vec<String> {
    let line = line.trim().trim_start_matches('|').replace("\\|", "\u{a6}");
    let line = line.strip_suffix('|').unwrap_or(&line);
    line.split('|').map(|cell| cell.trim().replace('\u{a6}', "\\|")).collect()
}

fn row_faults(id: &str, cells: &[String], tests: &BTreeSet<String>) -> Vec<String> {
    let [_, _, _, mark, named, reason] = cells else {
        return vec![format!("{id} has {} cells and not {}", cells.len(), COLUMNS.len())];
    };
    let mut faults = Vec::new();
    for (cell, column) in cells.iter().zip(COLUMNS) {
        if cell.is_empty() {
            faults.push(format!("{id} has no {column}"));
        }
    }
    match mark.as_str() {
        "same" | "more" => (),
        "differs" if reason != "—" => (),
        "differs" => faults.push(format!("{id} differs without a reason")),
        other => faults.push(format!("{id} is marked `{other}`")),
    }
    let named: Vec<_> = named.split('`').skip(1).step_by(2).collect();
    if named.is_empty() {
        faults.push(format!("{id} names no test"));
    }
    let missing = named.into_iter().filter(|test| !tests.contains(*test));
    faults.extend(missing.map(|test| format!("{id} names `{test}`, which does not exist")));
    faults
}

/// Every test of the repository by its path: `binary::module::test`, where the binary of the unit tests is
/// `lib`.
fn tests() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tests = BTreeSet::new();
    for (folder, binary) in [("src", Some("lib")), ("tests", None), ("examples", None)] {
        for file in sources(&root.join(folder)) {
            let relative = file.strip_prefix(root.join(folder)).unwrap().with_extension("");
            let parts = relative.iter().map(|part| part.to_str().unwrap().to_string());
            let mut path: Vec<_> = binary.map(String::from).into_iter().chain(parts).collect();
            if path.len() > 1 && matches!(path[path.len() - 1].as_str(), "main" | "mod" | "lib") {
                path.pop();
            }
            let text = fs::read_to_string(&file).unwrap();
            let tokens: TokenStream =
                text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            collect(tokens, &mut path, &mut tests);
        }
    }
    tests
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![folder.to_path_buf()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension() {
                _ if path.is_dir() => folders.push(path),
                // The files of `ui` are not compiled with the tests, and some are broken on purpose.
                Some(extension) if extension == "rs" && !is_ui(&path) => files.push(path),
                _ => (),
            }
        }
    }
    files
}

fn is_ui(path: &Path) -> bool {
    path.iter().any(|part| part == "ui")
}

/// Adds the functions with an attribute such as `#[test]`, at any depth, to those of the module `path`.
fn collect(tokens: TokenStream, path: &mut Vec<String>, tests: &mut BTreeSet<String>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut is_test = false;
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at..] {
            [TokenTree::Punct(hash), TokenTree::Group(attribute), ..] if hash.as_char() == '#' => {
                is_test |= is_test_attribute(attribute.stream());
                at += 2;
            }
            [TokenTree::Ident(keyword), TokenTree::Ident(name), ..] if *keyword == "fn" => {
                if is_test {
                    tests.insert(format!("{}::{name}", path.join("::")));
                }
                is_test = false;
                at += 2;
            }
            [TokenTree::Ident(keyword), TokenTree::Ident(name), TokenTree::Group(body), ..]
                if *keyword == "mod" =>
            {
                path.push(name.to_string());
                collect(body.stream(), path, tests);
                path.pop();
                at += 3;
            }
            // The tests of `proptest!` are in the group of its invocation.
            [TokenTree::Group(group), ..] => {
                collect(group.stream(), path, tests);
                at += 1;
            }
            _ => at += 1,
        }
    }
}

/// Whether an attribute is `test`, or ends in it, as `rocket::async_test` does.
fn is_test_attribute(attribute: TokenStream) -> bool {
    let names = attribute.into_iter().take_while(|token| !matches!(token, TokenTree::Group(_)));
    let last = names.filter(|token| matches!(token, TokenTree::Ident(_))).last();
    last.is_some_and(|name| ["test", "async_test"].contains(&name.to_string().as_str()))
}

#[test]
fn every_row_is_complete_and_names_tests_that_exist() {
    let faults = faults(PAGE, &tests());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A page of one row for each of these texts.
fn page(rows: &[&str]) -> String {
    let head = "| row | Flask-JWT-Extended | here | | tests | reason |\n|---|---|---|---|---|---|";
    format!("These {} rows\n{head}\n{}\n", rows.len(), rows.join("\n"))
}

#[test]
fn a_page_without_faults_passes() {
    let tests = BTreeSet::from(["config::a::b".to_string()]);
    let rows = [
        "| CFG-01 | a | b \\| c | same | `config::a::b` | — |",
        "| CFG-02 | a | b | differs | `config::a::b` | because |",
        "| VAL-01 | a | b | more | `config::a::b` | — |",
    ];
    assert_eq!(faults(&page(&rows), &tests), [""; 0]);
}

#[test]
fn every_fault_of_a_row_is_found() {
    let tests = BTreeSet::from(["config::a::b".to_string()]);
    for (row, fault) in [
        ("| CFG-01 | a | b | same | `config::a::c` | — |", "names `config::a::c`"),
        ("| CFG-01 | a | b | same | `config::a::b`, `b` | — |", "names `b`, which"),
        ("| CFG-01 | a | b | same | config::a::b | — |", "CFG-01 names no test"),
        ("| CFG-01 | a | b | same | | — |", "CFG-01 has no tests"),
        ("| CFG-01 | a | | same | `config::a::b` | — |", "CFG-01 has no ours"),
        ("| CFG-01 | a | b | same | `config::a::b` |", "CFG-01 has 5 cells and not 6"),
        ("| CFG-01 | a | b | alike | `config::a::b` | — |", "CFG-01 is marked `alike`"),
        ("| CFG-01 | a | b | differs | `config::a::b` | — |", "CFG-01 differs without a reason"),
        ("| CFG-02 | a | b | same | `config::a::b` | — |", "CFG has 1 rows and ends at 2"),
        ("| CFG | a | b | same | `config::a::b` | — |", "CFG is not an id"),
    ] {
        let found = faults(&page(&[row]), &tests);
        assert!(found.iter().any(|one| one.contains(fault)), "{row}: {found:?}");
    }
}

#[test]
fn a_row_that_is_there_twice_or_deleted_is_found() {
    let tests = BTreeSet::from(["config::a::b".to_string()]);
    let row = "| CFG-01 | a | b | same | `config::a::b` | — |";
    let found = faults(&page(&[row, row]), &tests);
    assert!(found.contains(&"CFG-01 has two rows".to_string()), "{found:?}");

    let shortened = page(&[row]).replace("These 1 rows", "These 2 rows");
    let found = faults(&shortened, &tests);
    assert_eq!(found, ["the page has 1 rows and does not say so"]);
}

#[test]
fn a_function_is_a_test_only_with_its_attribute() {
    let source = "#[test] fn one() {} fn two() {} #[cfg(test)] mod inner { #[rocket::async_test] \
                  async fn three() {} fn four() {} proptest! { #[test] fn five(n in 0..9) {} } }";
    let mut tests = BTreeSet::new();
    collect(source.parse().unwrap(), &mut vec!["binary".into()], &mut tests);
    let tests: Vec<_> = tests.iter().map(String::as_str).collect();
    assert_eq!(tests, ["binary::inner::five", "binary::inner::three", "binary::one"]);
}
