//! The layout of `src`: imports point one way, the ground floor does not know Rocket, files are short.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// No file is longer.
const MAX_LINES: usize = 450;

/// These folders do not know the framework.
const GROUND: [&str; 4] = ["token", "keys", "crypto", "blocklist"];

/// The parts of `rocket` that are not the framework: libraries that it re-exports, and the runtime of an
/// asynchronous test.
const LIBRARIES: [&str; 6] = ["time", "tokio", "serde", "futures", "async_trait", "async_test"];

/// A module: its path in the crate, its file, and its text.
struct Module {
    path: Vec<String>,
    file: PathBuf,
    text: String,
}

impl Module {
    /// The top-level folder or file that it belongs to.
    fn room(&self) -> &str {
        self.path.first().map_or("lib", String::as_str)
    }

    fn tokens(&self) -> TokenStream {
        self.text.parse().unwrap_or_else(|error| panic!("{}: {error}", self.file.display()))
    }
}

fn modules() -> Vec<Module> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut modules = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let file = entry.unwrap().path();
            if file.is_dir() {
                folders.push(file);
                continue;
            }
            let text = fs::read_to_string(&file).unwrap();
            let relative = file.strip_prefix(&root).unwrap().with_extension("");
            let mut path: Vec<_> =
                relative.iter().map(|part| part.to_str().unwrap().to_string()).collect();
            if path.last().is_some_and(|last| last == "mod") || path == ["lib"] {
                path.pop();
            }
            modules.push(Module { path, file, text });
        }
    }
    assert!(modules.len() > 50, "the sources were found");
    modules
}

/// A path in the source, and the names of the inline modules around it.
type Found = (Vec<String>, Vec<String>);

/// Every path of the source that begins with a name in `starts`, with the groups of `use` expanded.
fn paths(tokens: TokenStream, starts: &BTreeSet<&str>) -> Vec<Found> {
    let mut found = Vec::new();
    scan(tokens, starts, &mut Vec::new(), &mut found);
    found
}

fn scan(
    tokens: TokenStream,
    starts: &BTreeSet<&str>,
    inline: &mut Vec<String>,
    found: &mut Vec<Found>,
) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at..] {
            [TokenTree::Ident(keyword), TokenTree::Ident(name), TokenTree::Group(body), ..]
                if *keyword == "mod" =>
            {
                inline.push(name.to_string());
                scan(body.stream(), starts, inline, found);
                inline.pop();
                at += 3;
            }
            [TokenTree::Ident(ident), ..] if starts.contains(ident.to_string().as_str()) => {
                let continued = at >= 2 && is_separator(&tokens[at - 2..]);
                let (begun, next) = follow(&tokens, at);
                if !continued && begun.iter().any(|path| path.len() > 1) {
                    found.extend(begun.into_iter().map(|path| (path, inline.clone())));
                }
                at = next;
            }
            [TokenTree::Group(group), ..] => {
                scan(group.stream(), starts, inline, found);
                at += 1;
            }
            _ => at += 1,
        }
    }
}

fn is_separator(tokens: &[TokenTree]) -> bool {
    let colon = |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    colon(tokens.first()) && colon(tokens.get(1))
}

/// The paths that begin at `at`, and the index after them.
fn follow(tokens: &[TokenTree], mut at: usize) -> (Vec<Vec<String>>, usize) {
    let mut path = Vec::new();
    loop {
        match tokens.get(at) {
            Some(TokenTree::Ident(ident)) => path.push(ident.to_string()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<_> = group.stream().into_iter().collect();
                let mut all = Vec::new();
                let mut item = 0;
                while item < inner.len() {
                    let (paths, next) = follow(&inner, item);
                    let paths = paths.into_iter().filter(|rest| !rest.is_empty());
                    all.extend(paths.map(|rest| [path.clone(), rest].concat()));
                    item = next.max(item + 1);
                }
                return (all, at + 1);
            }
            _ => return (vec![path], at),
        }
        at += 1;
        if !is_separator(&tokens[at.min(tokens.len())..]) {
            return (vec![path], at);
        }
        at += 2;
    }
}

/// The modules that each module imports, by index.
fn imports(modules: &[Module]) -> Vec<BTreeSet<usize>> {
    let by_path: BTreeMap<_, _> =
        modules.iter().enumerate().map(|(at, module)| (module.path.clone(), at)).collect();
    let of = |at: usize| {
        let module = &modules[at];
        let children: Vec<_> = modules
            .iter()
            .filter(|other| other.path.len() == module.path.len() + 1)
            .filter(|other| other.path.starts_with(&module.path))
            .map(|other| other.path.last().unwrap().as_str())
            .collect();
        let starts = ["crate", "super", "self"].into_iter().chain(children.iter().copied());
        paths(module.tokens(), &starts.collect())
            .into_iter()
            .filter_map(|(path, inline)| {
                let mut base = [module.path.clone(), inline].concat();
                let mut rest = path.as_slice();
                match rest[0].as_str() {
                    "crate" => {
                        base.clear();
                        rest = &rest[1..];
                    }
                    "self" => rest = &rest[1..],
                    "super" => {
                        while rest.first().is_some_and(|part| part == "super") {
                            base.pop();
                            rest = &rest[1..];
                        }
                    }
                    _ => (),
                }
                let full = [base, rest.to_vec()].concat();
                (0..=full.len()).rev().find_map(|length| by_path.get(&full[..length]).copied())
            })
            .filter(|other| *other != at)
            .collect()
    };
    (0..modules.len()).map(of).collect()
}

/// The members of every circle: those that can be reached from themselves.
fn in_circles(imports: &[BTreeSet<usize>]) -> Vec<usize> {
    (0..imports.len())
        .filter(|&start| {
            let mut reached = BTreeSet::new();
            let mut next: Vec<_> = imports[start].iter().copied().collect();
            while let Some(at) = next.pop() {
                if reached.insert(at) {
                    next.extend(&imports[at]);
                }
            }
            reached.contains(&start)
        })
        .collect()
}

#[test]
fn no_module_imports_itself_through_others() {
    let modules = modules();
    let imports = imports(&modules);
    assert!(imports.iter().map(BTreeSet::len).sum::<usize>() > 200, "imports were found");
    let names: Vec<_> =
        in_circles(&imports).into_iter().map(|at| modules[at].path.join("::")).collect();
    assert!(names.is_empty(), "these modules import each other: {names:?}");
}

#[test]
fn no_folder_imports_itself_through_others() {
    let modules = modules();
    let rooms: Vec<_> =
        modules.iter().map(Module::room).collect::<BTreeSet<_>>().into_iter().collect();
    let room = |at: usize| rooms.binary_search(&modules[at].room()).unwrap();
    let mut between = vec![BTreeSet::new(); rooms.len()];
    for (at, imported) in imports(&modules).into_iter().enumerate() {
        let others = imported.into_iter().map(room).filter(|other| *other != room(at));
        between[room(at)].extend(others);
    }
    let names: Vec<_> = in_circles(&between).into_iter().map(|at| rooms[at]).collect();
    assert!(names.is_empty(), "these folders import each other: {names:?}");
}

#[test]
fn a_circle_would_be_found() {
    let imports = [[1].into(), [2].into(), [1].into(), [0].into()];
    assert_eq!(in_circles(&imports), [1, 2]);
    let source = "use crate::{a::{self, B}, c}; fn f() { crate::d::e(); x::crate_(); }";
    let found = paths(source.parse().unwrap(), &["crate"].into());
    let found: Vec<_> = found.iter().map(|(path, _)| path.join("::")).collect();
    assert_eq!(found, ["crate::a::self", "crate::a::B", "crate::c", "crate::d::e"]);
}

#[test]
fn the_ground_floor_does_not_know_rocket() {
    let mut faults = Vec::new();
    for module in modules().iter().filter(|module| GROUND.contains(&module.room())) {
        for (path, _) in paths(module.tokens(), &["rocket"].into()) {
            if !LIBRARIES.contains(&path[1].as_str()) {
                faults.push(format!("{}: {}", module.file.display(), path.join("::")));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn no_file_is_long() {
    for module in modules() {
        let lines = module.text.lines().count();
        assert!(lines <= MAX_LINES, "{} has {lines} lines", module.file.display());
    }
}
