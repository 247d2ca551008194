//! A key that is misspelt, or of the wrong type, fails the launch and is named by key and file.

use crate::support::app::{from_rocket, launch};
use crate::support::*;
use rocket::figment::Jail;

/// Every key there is, as docs/configuration.md lists them.
pub fn keys() -> Vec<&'static str> {
    let page = include_str!("../../docs/configuration.md");
    let start = page.find("<!-- settings -->").expect("the tables begin");
    let end = page.find("<!-- /settings -->").expect("the tables end");
    let rows = page[start..end].lines().filter_map(|line| line.strip_prefix("| `"));
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
        include_str!("settings_of_sessions.rs"),
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
            let line = format!("`default.jwt.{typo}` is no setting of JWT: did you mean ");
            let line = log.lines().find(|one| one.contains(&line));
            let line = line.unwrap_or_else(|| panic!("{typo}: {log}"));
            assert!(line.contains(&format!("`{key}`")), "{typo}: {line}");
            assert!(line.contains("? (in TOML file "), "{typo}: {line}");
            assert!(log.contains("Rocket.toml)"), "{typo}: {log}");
            assert!(log.contains("(1 fault)"), "{typo}: {log}");
            assert!(!log.contains("a-value-nobody-sees"), "{typo}: {log}");
        }
    }
}

#[test]
fn keys_are_not_taken_in_capital_letters_or_by_their_flask_names() {
    for (typo, meant) in [
        ("JWT_SECRET_KEY", "secret_key"),
        ("SECRET_KEY", "secret_key"),
        ("Algorithm", "algorithm"),
        ("access-token-expires", "access_token_expires"),
        ("JWT_ACCESS_TOKEN_EXPIRES", "access_token_expires"),
        ("jwt_token_location", "token_location"),
        ("cookieSecure", "cookie_secure"),
    ] {
        let log = refusal_of_file(&format!("{typo} = \"x\""));
        let line = format!("`default.jwt.{typo}` is no setting of JWT: did you mean `{meant}`?");
        assert!(log.contains(&line), "{log}");
    }
}

#[test]
fn every_setting_of_flask_is_answered_with_its_key() {
    // Each row has their name and then ours: `| CFG-01 | `JWT_TOKEN_LOCATION` | `token_location` …`.
    let page = include_str!("../../docs/flask-jwt-extended-rows.md");
    let rows = page.lines().filter(|line| line.starts_with("| CFG-") && line.contains("| `JWT_"));
    let mut seen = 0;
    for row in rows {
        let mut names = row.split('`').skip(1).step_by(2);
        let (theirs, ours) = (names.next().unwrap(), names.next().unwrap());
        // Some rows show a value: `session_cookie = false`.
        let ours = ours.split(' ').next().unwrap();
        let log = refusal_of_file(&format!("{theirs} = \"x\""));
        let line = format!("`default.jwt.{theirs}` is no setting of JWT: did you mean `{ours}`?");
        assert!(log.contains(&line), "{log}");
        seen += 1;
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn a_setting_of_flask_that_has_no_key_is_answered_with_the_reason() {
    for (key, reason) in [
        ("JWT_BLACKLIST_ENABLED", "revoked tokens are always refused"),
        ("JWT_BLOCKLIST_TOKEN_CHECKS", "every guard refuses revoked tokens"),
        ("JWT_CLAIMS_IN_REFRESH_TOKEN", "the claims of a pair are in both of its tokens"),
        ("PROPAGATE_EXCEPTIONS", "guards answer a refusal themselves"),
        ("cookie_httponly", "always `HttpOnly`"),
        ("banana", "the documentation of the crate lists every key"),
    ] {
        let log = refusal_of_file(&format!("{key} = true"));
        assert!(log.contains(&format!("`default.jwt.{key}` is no setting of JWT: ")), "{log}");
        assert!(log.contains(reason), "{log}");
    }
}

#[test]
fn a_profile_inside_the_table_is_answered_with_the_right_order() {
    let log = refusal_of_file("release = { encode_nbf = false }");
    let line = "`default.jwt.release` is no setting of JWT: the profile comes first, as in `[release.jwt]`";
    assert!(log.contains(line), "{log}");
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
        assert!(log.contains(&format!("`default.jwt.{key}` must be ")), "{key}: {log}");
        let example = format!("such as `{key} = ");
        let is_secret =
            ["secret_key", "secret_key_file", "private_key", "public_key"].contains(&key);
        assert!(is_secret || log.contains(&example), "{key}: {log}");
    }
}
