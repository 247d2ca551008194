//! A key that is misspelt, or of the wrong type, fails the launch and is named by key and file.

use crate::bench::{from_rocket, launch};
use crate::support::*;
use rocket::figment::Jail;

/// Every key there is, as the crate's documentation lists them.
pub fn keys() -> Vec<&'static str> {
    let guide = include_str!("../../src/lib.rs");
    let start = guide.find("<!-- settings -->").expect("the table begins");
    let end = guide.find("<!-- /settings -->").expect("the table ends");
    let rows = guide[start..end].lines().filter_map(|line| line.strip_prefix("//! | `"));
    rows.filter_map(|row| row.split('`').next()).collect()
}

/// What the failed launch of a `Rocket.toml` with those lines logs.
fn refusal_of_file(lines: &str) -> String {
    let mut log = String::new();
    Jail::expect_with(|jail| {
        let secret = secret();
        let text = format!("[default.jwt]\nsecret_key = \"{secret}\"\n{lines}\n");
        // A key that is misspelt on purpose must not be there twice.
        let text = match lines.starts_with("secret_key =") {
            true => format!("[default.jwt]\n{lines}\n"),
            false => text,
        };
        jail.create_file("Rocket.toml", &text)?;
        match launch(from_rocket()) {
            Ok(_) => panic!("this launches: {lines}"),
            Err(text) => log = text,
        }
        Ok(())
    });
    log
}

#[test]
fn every_documented_setting_has_a_test_of_what_it_does() {
    let tests = [
        include_str!("secret_files.rs"),
        include_str!("settings_of_answers.rs"),
        include_str!("settings_of_blocklists.rs"),
        include_str!("settings_of_claims.rs"),
        include_str!("settings_of_cookies.rs"),
        include_str!("settings_of_csrf.rs"),
        include_str!("settings_of_keys.rs"),
        include_str!("settings_of_lifetimes.rs"),
        include_str!("settings_of_locations.rs"),
    ]
    .concat();
    let is_tested =
        |key: &str| tests.contains(&format!("{key} = ")) || tests.contains(&format!("\"{key}\""));
    let untested: Vec<_> = keys().into_iter().filter(|key| !is_tested(key)).collect();
    assert_eq!(untested, [""; 0]);
    assert!(keys().len() > 50, "{:?}", keys());
}

#[test]
fn every_key_is_refused_by_name_and_file_when_it_is_misspelt() {
    for key in keys() {
        let (without_last, _) = key.split_at(key.len() - 1);
        for typo in [without_last.to_string(), format!("{key}s"), format!("jwt_{key}")] {
            if keys().contains(&typo.as_str()) {
                continue;
            }
            let log = refusal_of_file(&format!("{typo} = \"a-value-nobody-sees\""));
            let line = format!("`default.jwt.{typo}` is no setting of JWT (in TOML file");
            assert!(log.contains(&line), "{typo}: {log}");
            assert!(log.contains("Rocket.toml)"), "{typo}: {log}");
            assert!(log.contains("(1 fault)"), "{typo}: {log}");
            assert!(!log.contains("a-value-nobody-sees"), "{typo}: {log}");
        }
    }
}

#[test]
fn keys_are_not_taken_in_capital_letters_or_by_their_flask_names() {
    for typo in ["JWT_SECRET_KEY", "SECRET_KEY", "Algorithm", "access-token-expires"] {
        let log = refusal_of_file(&format!("{typo} = \"x\""));
        assert!(log.contains(&format!("`default.jwt.{typo}` is no setting of JWT")), "{log}");
    }
}

#[test]
fn every_key_is_refused_by_name_and_file_when_it_is_of_the_wrong_type() {
    for key in keys() {
        // No setting is a table of tables.
        let table = format!("{key} = {{ hidden = {{ deep = \"in-a-table\" }} }}");
        let log = refusal_of_file(&table);
        assert!(log.contains(&format!("`default.jwt.{key}` ")), "{key}: {log}");
        assert!(log.contains("Rocket.toml)"), "{key}: {log}");
        assert!(!log.contains("in-a-table"), "{key}: {log}");
        // None is a float, either.
        let log = refusal_of_file(&format!("{key} = 1.5"));
        assert!(log.contains(&format!("`default.jwt.{key}` ")), "{key}: {log}");
    }
}
