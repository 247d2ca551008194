//! Checks the environment variable that contains the table as it is written. The parser keeps only
//! one of two equal keys, and one of two variables whose names differ in case.

use std::collections::BTreeSet;

use rocket::figment::Figment;
use rocket::figment::value::Value;

use super::read::Config;
use super::report::{Origin, Report, prefix};

/// Reports a table in two variables, and a key that is twice in a table.
pub(super) fn check(figment: &Figment, report: &mut Report) {
    let mut seen = BTreeSet::new();
    for metadata in figment.metadata() {
        let Some(prefix) = prefix(metadata) else { continue };
        // Without a prefix, a variable of that name may belong to another program.
        if prefix.is_empty() || !seen.insert(prefix) {
            continue;
        }
        let name = format!("{prefix}JWT");
        let mut variables: Vec<_> = std::env::vars_os()
            .map(|(name, text)| (name.to_string_lossy().into_owned(), text))
            .filter(|(other, _)| other.trim().eq_ignore_ascii_case(&name))
            .collect();
        variables.sort();
        let origin = Origin::unread(figment, Some(metadata));
        if variables.len() > 1 {
            let names: Vec<_> = variables.iter().map(|(name, _)| format!("`{name}`")).collect();
            report.fault(
                &origin,
                format_args!("is set by {}, and only one is read; keep one", names.join(" and ")),
            );
        }
        for (name, text) in &variables {
            let text = text.to_string_lossy();
            if !matches!(text.parse(), Ok(Value::Dict(..))) {
                continue;
            }
            if let Some(key) = key_twice(&text) {
                // Another text may be a part of a secret.
                let known = Config::KEYS.iter().find(|known| **known == key);
                let key = known.map_or_else(|| "a key".into(), |key| format!("`{key}`"));
                report.fault(&origin, format_args!("has {key} twice in `{name}`; keep one"));
            }
        }
    }
}

/// The first key that is twice in one table. The text must be a table.
fn key_twice(text: &str) -> Option<String> {
    // The keys of each open table; `None` is an open list.
    let mut open: Vec<Option<BTreeSet<String>>> = Vec::new();
    let mut word = String::new();
    let mut is_value = false;
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        let is_start = word.trim().is_empty();
        match char {
            '"' if is_start => word = string(&mut chars),
            // A character in quotes.
            '\'' if is_start => {
                word.extend(chars.next());
                chars.next();
            }
            '{' | '[' => {
                open.push((char == '{').then(BTreeSet::new));
                word.clear();
                is_value = false;
            }
            '}' | ']' => {
                open.pop();
                word.clear();
            }
            ',' => {
                word.clear();
                is_value = false;
            }
            '=' if !is_value => {
                let key = word.trim().to_string();
                word.clear();
                is_value = true;
                if let Some(Some(keys)) = open.last_mut()
                    && !keys.insert(key.clone())
                {
                    return Some(key);
                }
            }
            other => word.push(other),
        }
    }
    None
}

/// The rest of a string up to its closing quote, without resolving its escapes.
fn string(chars: &mut std::str::Chars<'_>) -> String {
    let mut string = String::new();
    while let Some(char) = chars.next() {
        match char {
            '"' => break,
            '\\' => string.extend([Some(char), chars.next()].into_iter().flatten()),
            other => string.push(other),
        }
    }
    string
}
