//! Checks the tables of docs/configuration.md against the code: every key, its type and its default, in
//! the debug profile and in others.

use std::collections::BTreeSet;

use rocket::figment::Figment;
use rocket::figment::providers::{Format, Toml};

use super::check;
use super::read::Config;
use super::report::Report;
use super::setting::Setting;
use super::stray;
use super::values::{OneOrMany, OptionalCount, OptionalSpan, RequiredClaims, SessionsMode, Span};

const PAGE: &str = include_str!("../../docs/configuration.md");

/// The row of a key.
struct Row<'a> {
    key: &'a str,
    kind: &'a str,
    default: &'a str,
}

/// The rows between the marks, with an error for each incomplete row.
fn rows<'a>(page: &'a str, faults: &mut Vec<String>) -> Vec<Row<'a>> {
    let start = page.find("<!-- settings -->").expect("the tables are marked");
    let end = page.find("<!-- /settings -->").expect("the tables' end is marked");
    let mut rows = Vec::new();
    for line in page[start..end].lines() {
        let is_head = line.starts_with("| key |") || line.starts_with("|---");
        if !line.starts_with('|') || is_head {
            continue;
        }
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        match cells[..] {
            [key, kind, default, meaning] if !meaning.is_empty() => {
                rows.push(Row { key: key.trim_matches('`'), kind, default });
            }
            _ => faults.push(format!("a row is not `key | type | default | meaning`: {line}")),
        }
    }
    rows
}

/// The default that a row states for a profile, as TOML; `None` if the row has `—`.
fn stated<'a>(row: &Row<'a>, debug: bool) -> Result<Option<&'a str>, String> {
    let parts: Vec<_> = row.default.split('`').collect();
    match parts[..] {
        ["—"] => Ok(None),
        ["", always, ""] => Ok(Some(always)),
        ["", other, ", in debug ", in_debug, ""] => Ok(Some(if debug { in_debug } else { other })),
        _ => Err(format!("`{}` has a default that is not a value: {}", row.key, row.default)),
    }
}

/// The values that the code reads from a table, and the checked settings as `Debug` shows them.
fn read(profile: &str, lines: &str) -> Result<(Config, String), String> {
    let toml = Toml::string(&format!("[default.jwt]\n{lines}")).nested();
    let figment = Figment::from(toml).select(profile);
    let mut report = Report::default();
    let config = Config::read(&figment, &mut report);
    let settings = check::settings(&config, &figment, &mut report);
    match report.failure() {
        Some(failure) => Err(failure),
        None => Ok((config, format!("{settings:#?}"))),
    }
}

/// The field of the settings that has the same name as a key, if there is one.
fn field<'a>(settings: &'a str, key: &str) -> Option<&'a str> {
    settings.lines().find_map(|line| line.strip_prefix(&format!("    {key}: ")))
}

/// Compares the stated default with the real one: sets the key to the stated default, then leaves
/// it unset.
fn default_fault(row: &Row<'_>, profile: &str) -> Result<(), String> {
    // `decode_algorithms` follows `algorithm`.
    let base = match row.key {
        "algorithm" => "",
        _ => "algorithm = \"HS384\"\n",
    };
    let (config, settings) = read(profile, base)?;
    let (real, _) = config.shown(row.key).ok_or("no such key")?;
    let Some(value) = stated(row, profile == "debug")? else {
        return match field(&settings, row.key) {
            None | Some("None,") if real == "None" => Ok(()),
            _ => Err("has a default".into()),
        };
    };
    let value = value.replace("[algorithm]", "[\"HS384\"]");
    let (written, settings_written) = read(profile, &format!("{base}{} = {value}", row.key))?;
    // If the checks compute the default, the value as written is `None`.
    let is_derived = real == "None" && field(&settings, row.key).is_some();
    let is_same = written.shown(row.key).is_some_and(|(shown, _)| shown == real);
    match settings == settings_written && (is_same || is_derived) {
        true => Ok(()),
        false => Err(format!("has another default than {value}: {real}")),
    }
}

/// The page's name for a type.
fn kind_of(expected: &str) -> &'static str {
    match expected {
        String::EXPECTED => "string",
        OneOrMany::EXPECTED => "list",
        RequiredClaims::EXPECTED => "list or table",
        Span::EXPECTED => "duration",
        OptionalSpan::EXPECTED => "duration or false",
        OptionalCount::EXPECTED => "integer or false",
        SessionsMode::EXPECTED => "boolean or `\"adopt\"`",
        bool::EXPECTED => "boolean",
        u16::EXPECTED | usize::EXPECTED => "integer",
        _ => "a type without a name here",
    }
}

/// All differences between the page and the code.
fn faults(page: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let rows = rows(page, &mut faults);
    let mut seen = BTreeSet::new();
    for row in &rows {
        if !seen.insert(row.key) {
            faults.push(format!("`{}` has two rows", row.key));
        }
        let (config, _) = read("release", "").expect("an empty table has no fault");
        let Some((_, expected)) = config.shown(row.key) else {
            faults.push(format!("`{}` is no setting", row.key));
            continue;
        };
        if row.kind != kind_of(expected) {
            faults.push(format!(
                "`{}` is of type {}, not {}",
                row.key,
                kind_of(expected),
                row.kind
            ));
        }
        for profile in ["debug", "release"] {
            if let Err(fault) = default_fault(row, profile) {
                faults.push(format!("`{}` in {profile}: {fault}", row.key));
            }
        }
    }
    let missing = Config::KEYS.iter().filter(|key| !seen.contains(*key));
    faults.extend(missing.map(|key| format!("`{key}` has no row")));
    faults
}

#[test]
fn the_documented_settings_are_those_of_the_code_with_their_types_and_defaults() {
    let faults = faults(PAGE);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The fenced TOML blocks of a page.
fn toml_blocks(page: &str) -> impl Iterator<Item = &str> {
    page.split("```toml\n").skip(1).filter_map(|block| block.split("```").next())
}

#[test]
fn the_examples_in_the_pages_are_valid() {
    let mut count = 0;
    for page in [
        PAGE,
        include_str!("../../docs/cookies.md"),
        include_str!("../../docs/revocation.md"),
        include_str!("../../docs/sessions.md"),
    ] {
        for example in toml_blocks(page) {
            for profile in ["debug", "release"] {
                let figment = Figment::from(Toml::string(example).nested()).select(profile);
                let mut report = Report::default();
                let config = Config::read(&figment, &mut report);
                stray::check(&config, &figment, &mut report);
                check::settings(&config, &figment, &mut report);
                assert_eq!(report.failure(), None, "{example}");
            }
            count += 1;
        }
    }
    assert!(count >= 4, "{count}");
}

#[test]
fn a_page_that_differs_from_the_code_is_noticed() {
    for (right, wrong, fault) in [
        ("| `\"15m\"`", "| `\"20m\"`", "`access_token_expires` in debug: has another default"),
        ("| `\"30d\"` |", "| — |", "`refresh_token_expires` in release: has a default"),
        ("`true`, in debug `false`", "`true`", "`cookie_secure` in debug: has another"),
        ("`true`, in debug `false`", "`false`", "`cookie_secure` in release: has another"),
        ("`true`, in debug `false`", "—", "`cookie_secure` in debug: has a default"),
        ("`[algorithm]`", "`[\"HS256\"]`", "`decode_algorithms` in release: has another"),
        ("`[algorithm]`", "—", "`decode_algorithms` in release: has a default"),
        ("`[\"\", \"JWT\", \"at+jwt\"]`", "`[\"JWT\"]`", "`decode_typ` in debug: has another"),
        ("`\"text\"` |", "`\"hex\"` |", "`secret_key_encoding` in debug: has another"),
        (
            "`secret_key_file` | string | — |",
            "`secret_key_file` | string | `\"a\"` |",
            "has another",
        ),
        ("`\"HS256\"`", "`\"HS512\"`", "`algorithm` in release: has another default"),
        ("`\"HS256\"`", "`\"none\"`", "must be one of HS256"),
        ("`4194304`", "4 MiB", "`token_cache` has a default that is not a value: 4 MiB"),
        ("| `token_cache` |", "| `token_caches` |", "`token_caches` is no setting"),
        ("| `token_cache` |", "| `token_caches` |", "`token_cache` has no row"),
        ("| `token_cache` |", "| `algorithm` |", "`algorithm` has two rows"),
        ("`token_cache` | integer", "`token_cache` | string", "is of type integer, not string"),
        ("`\"msg\"` | ", "`\"msg\"` | | ", "a row is not `key | type | default | meaning`"),
    ] {
        assert!(PAGE.contains(right), "{right}");
        let found = faults(&PAGE.replacen(right, wrong, 1));
        assert!(found.iter().any(|one| one.contains(fault)), "{wrong}: {found:?}");
    }
}
