//! The pages of `docs/recipes/` quote examples, whose tests run the code.

use std::fs;
use std::path::{Path, PathBuf};

/// A block of code on a page, and the file that the page names last before it.
#[derive(Debug, PartialEq)]
struct Quote {
    file: PathBuf,
    line: usize,
    code: Vec<String>,
}

/// The blocks of Rust and JavaScript. A block of another language, such as a configuration, is no quote.
fn quotes(folder: &Path, page: &str) -> Vec<Quote> {
    let (mut quotes, mut named): (Vec<Quote>, _) = (Vec::new(), None);
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        match line.strip_prefix("```") {
            Some(language) => {
                let code = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
                let code = code.map(str::to_string).collect();
                if ["rust", "js"].contains(&language) {
                    let file: Option<PathBuf> = named.clone();
                    let file = file.unwrap_or_else(|| panic!("line {}: from what?", number + 1));
                    quotes.push(Quote { file, line: number + 1, code });
                }
            }
            None => {
                let links = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
                let examples = links.filter(|link| link.starts_with("../../examples/"));
                named = examples.last().map(|link| folder.join(link)).or(named);
            }
        }
    }
    quotes
}

/// The first line that is not in the text, or not after those before it.
fn missing<'a>(code: &'a [String], text: &str) -> Option<&'a str> {
    let mut rest = text.lines();
    let mut is_there = |line: &str| line.is_empty() || rest.any(|other| other == line);
    code.iter().map(String::as_str).find(|line| !is_there(line))
}

#[test]
fn every_line_of_code_on_a_page_is_in_the_example_that_it_names() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/recipes");
    let mut found = 0;
    for page in fs::read_dir(&folder).unwrap() {
        let page = page.unwrap().path();
        let text = fs::read_to_string(&page).unwrap();
        let quotes = quotes(&folder, &text);
        assert!(!quotes.is_empty(), "{} shows no code", page.display());
        for Quote { file, line, code } in quotes {
            let example = fs::read_to_string(&file);
            let example = example.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let missing = missing(&code, &example);
            assert_eq!(missing, None, "{}:{line} quotes {}", page.display(), file.display());
            found += 1;
        }
    }
    assert!(found >= 15, "the quotes were found: {found}");
}

#[test]
fn a_quote_that_differs_is_noticed() {
    let code = ["fn a() {", "", "}"].map(String::from);
    assert_eq!(missing(&code, "fn a() {\n    b();\n}\n"), None);
    assert_eq!(missing(&code, "fn a () {\n}\n"), Some("fn a() {"));
    assert_eq!(missing(&code, "}\nfn a() {\n"), Some("}"));
}

#[test]
fn a_quote_is_of_the_example_named_last_before_it() {
    let page = "[a](../../examples/a.rs), [b](../../examples/b.rs)\n```toml\nx = 1\n```\n\
                [c](c.md)\n```rust\nfn b() {}\n```\n";
    let file = PathBuf::from("docs/../../examples/b.rs");
    let quote = Quote { file, line: 6, code: vec!["fn b() {}".into()] };
    assert_eq!(quotes(Path::new("docs"), page), [quote]);
}
