//! The pages for contributors name tests, files and folders of this repository, and all pages link to each
//! other: everything that they name exists.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The pages that name tests.
const PAGES: [&str; 2] = ["SECURITY.md", "docs/architecture.md"];

/// A code span with as many underscores is the name of a test.
const UNDERSCORES: usize = 4;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every Rust file below a folder.
fn sources(folder: &str) -> Vec<PathBuf> {
    let mut folders = vec![root().join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}

/// The functions of a source that are marked as tests.
fn tests_in(source: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut is_marked = false;
    for line in source.lines().map(str::trim) {
        let is_mark = line.starts_with("#[") && (line.contains("test]") || line.contains("test("));
        if let Some((_, rest)) = line.split_once("fn ").filter(|_| !line.starts_with("//")) {
            let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next();
            names.extend(name.filter(|_| is_marked).map(String::from));
            is_marked = false;
        }
        is_marked |= is_mark;
    }
    names
}

fn all_tests() -> BTreeSet<String> {
    let files = ["src", "tests", "examples"].map(sources).concat();
    files.iter().flat_map(|file| tests_in(&read(file))).collect()
}

/// The code spans of a text.
fn code_spans(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The rows of the tables in a page, each by the names of its columns.
fn rows(page: &str) -> Vec<BTreeMap<&str, &str>> {
    let mut header: Vec<&str> = Vec::new();
    let mut rows = Vec::new();
    for line in page.lines() {
        let Some(cells) = line.strip_prefix('|').and_then(|line| line.strip_suffix('|')) else {
            header.clear();
            continue;
        };
        let cells: Vec<_> = cells.split('|').map(str::trim).collect();
        if header.is_empty() {
            header = cells;
        } else if !cells.iter().all(|cell| cell.starts_with("---")) {
            assert_eq!(cells.len(), header.len(), "{line}");
            rows.push(header.iter().copied().zip(cells).collect());
        }
    }
    rows
}

#[test]
fn every_test_that_a_page_names_exists() {
    let tests = all_tests();
    assert!(tests.len() > 500, "the tests were found: {}", tests.len());
    for page in PAGES {
        let text = read(page);
        let mut named: Vec<&str> = code_spans(&text)
            .into_iter()
            .filter(|span| span.matches('_').count() >= UNDERSCORES)
            .filter(|span| span.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
            .collect();
        let rows = rows(&text);
        let cells: Vec<_> = rows.iter().filter_map(|row| row.get("test")).collect();
        assert!(cells.len() > 20, "{page}: the tables were found");
        for cell in cells {
            let spans = code_spans(cell);
            assert!(!spans.is_empty(), "{page}: a row without a test: {cell}");
            named.extend(spans);
        }
        let missing: BTreeSet<_> =
            named.into_iter().filter(|name| !tests.contains(*name)).collect();
        assert!(missing.is_empty(), "{page} names tests that do not exist: {missing:#?}");
    }
}

#[test]
fn every_file_that_a_page_names_exists() {
    for page in PAGES {
        let text = read(page);
        let is_path = |span: &&str| span.ends_with(".rs") || span.ends_with('/');
        let paths: BTreeSet<_> = code_spans(&text).into_iter().filter(is_path).collect();
        assert!(paths.len() > 20, "{page}: paths were found");
        let exists =
            |path: &str| ["", "src"].iter().any(|base| root().join(base).join(path).exists());
        let missing: Vec<_> = paths.into_iter().filter(|path| !exists(path)).collect();
        assert!(missing.is_empty(), "{page} names files that do not exist: {missing:#?}");
    }
}

#[test]
fn every_refusal_in_the_order_of_the_checks_exists() {
    let reasons = read("src/reason.rs");
    let page = read("docs/architecture.md");
    let rows = rows(&page);
    let cells = rows.iter().filter_map(|row| row.get("refused as"));
    let named: BTreeSet<_> = cells.flat_map(|cell| code_spans(cell)).collect();
    assert!(named.len() > 15, "the table was found: {named:?}");
    let is_row = |name: &str| {
        reasons
            .lines()
            .map(str::trim)
            .any(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '('])))
    };
    let missing: Vec<_> = named.into_iter().filter(|name| !is_row(name)).collect();
    assert!(missing.is_empty(), "no such `Reason`: {missing:?}");
}

/// The entries of the table of folders, each with the index of its row.
fn folders(page: &str) -> BTreeMap<String, usize> {
    let rows = rows(page);
    let cells = rows.iter().filter_map(|row| row.get("folder or file")).enumerate();
    cells
        .flat_map(|(at, cell)| code_spans(cell).into_iter().map(move |name| (name, at)))
        .map(|(name, at)| (name.trim_end_matches('/').trim_end_matches(".rs").to_string(), at))
        .collect()
}

#[test]
fn the_table_of_folders_has_all_of_them_in_the_order_of_their_imports() {
    let page = read("docs/architecture.md");
    let listed = folders(&page);
    let source = root().join("src");
    let mut imports = 0;
    let mut found = BTreeSet::new();
    for file in sources("src") {
        let relative = file.strip_prefix(&source).unwrap().with_extension("");
        let own = relative.iter().next().unwrap().to_str().unwrap().to_string();
        if own == "lib" {
            continue;
        }
        let row = listed.get(&own).unwrap_or_else(|| panic!("`{own}` is not in the table"));
        found.insert(own.clone());
        let text = read(&file);
        let code = text.lines().filter(|line| !line.trim().starts_with("//"));
        for path in code.flat_map(|line| line.split("crate::").skip(1)) {
            assert!(!path.starts_with('{'), "{}: an import of a group", file.display());
            let name: String =
                path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let Some(other) = listed.get(&name).filter(|_| name != own) else { continue };
            imports += 1;
            assert!(other > row, "`{own}` imports `{name}`, which is not below it in the table");
        }
    }
    assert!(imports > 200, "imports were found: {imports}");
    let superfluous: Vec<_> = listed.keys().filter(|name| !found.contains(*name)).collect();
    assert!(superfluous.is_empty(), "not in `src`: {superfluous:?}");
}

/// The pages with prose.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![PathBuf::from("benches/README.md")];
    for folder in ["", "docs"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = Path::new(folder).join(entry.unwrap().file_name());
            if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages
}

/// The targets of a page's links, except those to other sites.
fn links(page: &str) -> Vec<&str> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains(':')).collect()
}

/// The names by which links find the headings of a page.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut is_code = false;
    let mut anchors = BTreeSet::new();
    for line in page.lines() {
        is_code ^= line.starts_with("```");
        if let Some(heading) = line.strip_prefix('#').filter(|_| !is_code) {
            let text = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = text.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            anchors.insert(kept.map(|c| if c == ' ' { '-' } else { c }).collect());
        }
    }
    anchors
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut count = 0;
    let mut broken = Vec::new();
    for page in pages() {
        let text = read(&page);
        for link in links(&text) {
            count += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().unwrap().join(file),
            };
            let is_there = root().join(&target).exists()
                && (anchor.is_empty() || anchors(&read(&target)).contains(anchor));
            if !is_there {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(count > 20, "links were found: {count}");
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn a_missing_name_would_be_found() {
    let source = "#[test]\nfn a() {}\nfn b() {}\n#[rocket::async_test]\n#[should_panic]\nasync fn c() {}\n// fn d()";
    let names = ["a", "c"].map(String::from);
    assert_eq!(tests_in(source), names.into());
    let page = "| x | test |\n|---|---|\n| y | `a`, `d` |\n\ntext\n\n| z |\n|---|\n| `e` |\n";
    let tables = rows(page);
    assert_eq!(tables.len(), 2);
    assert_eq!(code_spans(tables[0]["test"]), ["a", "d"]);
    assert!(!tables[1].contains_key("test"));
    assert_eq!(links("[a](b.md#c), [d](https://e), ![f](g.svg)"), ["b.md#c", "g.svg"]);
    let headings = "# In memory: `a_b`\n```sh\n# no\n```\n## Two\n";
    assert_eq!(anchors(headings), ["in-memory-a_b", "two"].map(String::from).into());
    let page = "| folder or file | |\n|---|---|\n| `a/`, `b.rs` | |\n| `c/` | |\n";
    let expected = [("a", 0), ("b", 0), ("c", 1)].map(|(name, at)| (name.to_string(), at));
    assert_eq!(folders(page), expected.into());
}

/// The first lines of the code blocks that import macros by `extern crate`, unless they are marked.
fn blocks_on_their_own(text: &str) -> Vec<&str> {
    let (mut found, mut fence) = (Vec::new(), None);
    for line in text.lines().map(|line| line.trim_start_matches(['/', '!', ' ', '#'])) {
        if line.starts_with("```") {
            fence = fence.is_none().then_some(line);
        } else if line.contains("extern crate ") {
            found.extend(fence.filter(|fence| !fence.contains("standalone_crate")));
        }
    }
    found
}

#[test]
fn no_example_keeps_the_others_from_being_compiled_together() {
    let library = read("src/lib.rs");
    let pages =
        library.split("include_str!(\"../").skip(1).filter_map(|rest| rest.split('"').next());
    let files: Vec<PathBuf> = pages.map(PathBuf::from).chain(sources("src")).collect();
    for file in files {
        let text = read(&file);
        let found = blocks_on_their_own(&text);
        assert!(found.is_empty(), "{}: {found:?} has `extern crate`", file.display());
    }
}

#[test]
fn an_example_with_extern_crate_is_noticed() {
    let block = |fence: &str| format!("/// {fence}\n/// # #[macro_use] extern crate a;\n/// ```\n");
    assert_eq!(blocks_on_their_own(&block("```rust")), ["```rust"]);
    assert!(blocks_on_their_own(&block("```rust,standalone_crate")).is_empty());
    assert!(blocks_on_their_own("extern crate a;\n").is_empty());
}
