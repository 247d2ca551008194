//! What is written for this crate where nobody reads it fails the launch, or is said in one line: the check
//! that the operator relies on would not be made.

use crate::support::app::{from_rocket, launch};
use crate::support::log_capture::logged;
use crate::support::*;
use rocket::figment::{Figment, Jail};
use rocket::local::blocking::Client;
use rocket_jwt_extended::Jwt;

/// The line of the launch that has `text`: an error's or a warning's.
fn line(figment: Figment, text: &str) -> Option<String> {
    let (client, log) =
        logged(|| Client::untracked(rocket::custom(figment).attach(Jwt::fairing())));
    if let Err(error) = client {
        let _ = error.kind();
    }
    log.lines().find(|line| line.contains(text)).map(Into::into)
}

fn good_table() -> String {
    format!("[default.jwt]\nsecret_key = \"{}\"\n", secret())
}

#[test]
fn a_setting_in_a_variable_of_its_own_fails_the_launch_in_every_profile() {
    for (variable, value, cure) in [
        ("ROCKET_JWT_DECODE_AUDIENCE", "api", "write ROCKET_JWT='{decode_audience=\"…\"}'"),
        ("ROCKET_JWT_DECODE_ISSUER", "me", "write ROCKET_JWT='{decode_issuer=\"…\"}'"),
        ("ROCKET_JWT_SECRET_KEY", "a-secret-nobody-sees", "write ROCKET_JWT='{secret_key=\"…\"}'"),
        ("ROCKET_JWT_COOKIE_SECURE", "true", "write ROCKET_JWT='{cookie_secure=true}'"),
        (
            "ROCKET_JWT_ACCESS_TOKEN_EXPIRES",
            "60",
            "write ROCKET_JWT='{access_token_expires=\"15m\"}'",
        ),
        ("ROCKET_JWT_TOKEN_LOCATION", "[cookies]", "{token_location=[\"headers\"]}'"),
        ("ROCKET_JWT__DECODE_AUDIENCE", "api", "write ROCKET_JWT='{decode_audience=\"…\"}'"),
        ("ROCKET__JWT_DECODE_AUDIENCE", "api", "write ROCKET_JWT='{decode_audience=\"…\"}'"),
        ("ROCKET__JWT__SECRET_KEY", "a-secret-nobody-sees", "write ROCKET_JWT='{secret_key="),
        ("ROCKET_JWT_DECODE_AUDEINCE", "api", "write ROCKET_JWT='{decode_audience=\"…\"}'"),
        ("rocket_jwt_decode_audience", "api", "write ROCKET_JWT='{decode_audience=\"…\"}'"),
        ("ROCKET_JWT_AUDIENCE", "api", "did you mean `decode_audience` or `encode_audience`?"),
        ("ROCKET_JWT_BANANA", "1", "the documentation of the crate lists every key"),
    ] {
        Jail::expect_with(|jail| {
            jail.create_file("Rocket.toml", &good_table())?;
            for profile in ["debug", "release", "staging"] {
                assert!(launch(from_rocket().select(profile)).is_ok(), "{profile}");
            }
            jail.set_env(variable, value);
            for profile in ["debug", "release", "staging"] {
                let log = launch(from_rocket().select(profile)).err().expect("it does not launch");
                assert!(log.contains("(1 fault)"), "{log}");
                let key = variable.to_lowercase().replacen("rocket_", "global.", 1);
                assert!(log.contains(&format!("`{key}` is not read: ")), "{log}");
                assert!(log.contains(&format!("`{}`", variable.to_uppercase())), "{log}");
                assert!(log.contains(cure), "{variable}: {log}");
                assert!(!log.contains("a-secret-nobody-sees"), "{log}");
            }
            Ok(())
        });
    }
}

#[test]
fn a_table_in_a_variable_of_a_profile_fails_the_launch_in_every_profile() {
    for (variable, value) in [
        ("ROCKET_RELEASE_JWT", "{decode_audience=\"api\"}"),
        ("ROCKET_DEFAULT_JWT", "{decode_audience=\"api\"}"),
        ("ROCKET_GLOBAL_JWT", "{decode_audience=\"api\"}"),
        ("ROCKET_STAGING_JWT", "{decode_audience=\"api\"}"),
        ("ROCKET_RELEASE__JWT", "{decode_audience=\"api\"}"),
        ("ROCKET__RELEASE_JWT", "no table"),
        ("ROCKET_JWT_RELEASE", "{decode_audience=\"api\"}"),
    ] {
        Jail::expect_with(|jail| {
            jail.create_file("Rocket.toml", &good_table())?;
            jail.set_env(variable, value);
            for profile in ["debug", "release", "staging"] {
                let log = launch(from_rocket().select(profile)).err().expect("it does not launch");
                assert!(log.contains("(1 fault)"), "{log}");
                assert!(log.contains("is not read: a variable has no profile"), "{log}");
                assert!(log.contains("write ROCKET_JWT='{key=\"value\"}'"), "{log}");
            }
            Ok(())
        });
    }
}

#[test]
fn a_table_within_the_table_fails_the_launch_with_the_flat_names() {
    for (lines, text) in [
        (
            "[release.jwt.cookies]\nsecure = true\ndomain = \"example.test\"",
            "settings of JWT have none below them: write each in `[release.jwt]` itself, such as \
             `cookie_domain` and `cookie_secure`",
        ),
        ("[release.jwt.cookie]\nsecure = true", "itself, such as `cookie_secure`"),
        ("[release.jwt.decode]\naudience = \"api\"", "itself, such as `decode_audience`"),
        ("[release.jwt.access]\ntoken_expires = 60", "itself, such as `access_token_expires`"),
        ("[release.jwt.settings]\nencode_nbf = true", "itself, such as `encode_nbf`"),
        ("[release.jwt.banana]\npeel = true", "write each in `[release.jwt]` itself (in"),
    ] {
        let figment = raw_figment(&format!("{}{lines}", good_table())).select("release");
        let log = launch(figment).err().unwrap_or_else(|| panic!("it launches: {lines}"));
        assert!(log.contains(text) && log.contains("(1 fault)"), "{lines}: {log}");
    }
}

#[test]
fn a_table_of_another_profile_is_said_though_the_variable_sets_the_secret() {
    Jail::expect_with(|jail| {
        jail.set_env("ROCKET_JWT", format!("{{secret_key=\"{}\"}}", secret()));
        jail.create_file("Rocket.toml", "[production.jwt]\ndecode_audience = \"api\"")?;
        let line = line(from_rocket().select("release"), "is not read").expect("a line");
        let text = "`[production.jwt]` is not read, as the profile is `release`, which has no such \
                    table; write `[release.jwt]`, or set `ROCKET_PROFILE=production`";
        assert!(line.starts_with("WARN: ") && line.contains(text), "{line}");
        Ok(())
    });
}

#[test]
fn a_setting_beside_the_table_in_a_file_fails_the_launch_in_every_profile() {
    for (lines, text) in [
        (
            "[default]\njwt_decode_audience = \"api\"",
            "`default.jwt_decode_audience` is not read: write `decode_audience` in the table \
             `[default.jwt]` (in TOML ",
        ),
        (
            "[release]\nJWT_DECODE_AUDIENCE = \"api\"",
            "`release.JWT_DECODE_AUDIENCE` is not read: write `decode_audience` in the table \
             `[release.jwt]`",
        ),
        (
            "[default]\njwt-secret-key = \"a-secret-nobody-sees\"",
            "`default.jwt-secret-key` is not read: write `secret_key` in the table",
        ),
        (
            "[default]\njwt_banana = 1",
            "settings are in the table `[default.jwt]`; the documentation",
        ),
        (
            "[default.jwt_extended]\nencode_nbf = true",
            "`[default.jwt_extended]` is not read: write",
        ),
        (
            "[default.rocket_jwt_extended]\nencode_nbf = true",
            "_extended]` is not read: write `[default.jwt]`",
        ),
    ] {
        for profile in ["debug", "release"] {
            let figment = raw_figment(&format!("{}{lines}", good_table())).select(profile);
            let log = launch(figment).err().unwrap_or_else(|| panic!("it launches: {lines}"));
            assert!(log.contains(text) && log.contains("(1 fault)"), "{lines}: {log}");
            assert!(!log.contains("a-secret-nobody-sees"), "{log}");
        }
    }
}

#[test]
fn the_table_in_capital_letters_fails_the_launch_in_every_profile() {
    for table in ["default.JWT", "default.Jwt", "release.JWT", "global.jWT", "staging.Jwt"] {
        let (profile, _) = table.split_once('.').unwrap();
        for selected in ["debug", "release"] {
            let lines = format!("{}[{table}]\ndecode_audience = \"api\"", good_table());
            let log = launch(raw_figment(&lines).select(selected)).err().expect("it is a fault");
            let text = format!("`[{table}]` is not read: write `[{profile}.jwt]`");
            assert!(log.contains(&text) && log.contains("(1 fault)"), "{log}");
        }
    }
    let log = launch(raw_figment("[default]\nJWT = \"x\"")).err().expect("it is a fault");
    assert!(log.contains("`default.JWT` is not read: write its settings in the table"), "{log}");
}

#[test]
fn a_table_without_a_profile_fails_the_launch_in_every_profile() {
    for lines in [
        "[jwt]\ndecode_audience = \"api\"",
        "[JWT]\ndecode_audience = \"api\"",
        "[jwt.default]\ndecode_audience = \"api\"",
        "[jwt]",
        "[\"default.jwt\"]\ndecode_audience = \"api\"",
        "[release-jwt]\ndecode_audience = \"api\"",
        "[jwt_release]\ndecode_audience = \"api\"",
        "[jtw]\ndecode_audience = \"api\"",
    ] {
        for profile in ["debug", "release"] {
            let figment = raw_figment(&format!("{}{lines}", good_table())).select(profile);
            let log = launch(figment).err().unwrap_or_else(|| panic!("it launches: {lines}"));
            let text = "is read as a profile; did you mean `[default.jwt]`?";
            assert!(log.contains(text) && log.contains("(1 fault)"), "{lines}: {log}");
        }
    }
}

#[test]
fn a_setting_of_a_profile_without_the_table_is_said_in_one_line() {
    let beside = |lines: &str| format!("{lines}\n{}", good_table());
    for (lines, text) in [
        (
            "[default]\ndecode_audience = \"api\"",
            "`default.decode_audience` is not read by JWT; if it is meant to be, write `decode_audience` in \
             the table `[default.jwt]`",
        ),
        (
            "[release]\naccess_token_expires = 60",
            "`release.access_token_expires` is not read by JWT",
        ),
    ] {
        let line = line(raw_figment(&beside(lines)), "is not read").expect("a line");
        assert!(line.starts_with("WARN: ") && line.contains(text), "{line}");
    }
    for lines in ["[default]\npublic_key = \"x\"\nalgorithm = \"x\"", "[default]\nport = 8000"] {
        assert_eq!(line(raw_figment(&beside(lines)), "is not read"), None, "{lines}");
    }
    Jail::expect_with(|jail| {
        jail.create_file("Rocket.toml", &good_table())?;
        jail.set_env("ROCKET_DECODE_AUDIENCE", "api");
        let line = line(from_rocket(), "is not read").expect("a line");
        assert!(line.contains("write ROCKET_JWT='{decode_audience=\"…\"}'"), "{line}");
        Ok(())
    });
}

#[test]
fn a_table_of_a_misspelt_profile_is_said_in_one_line() {
    for (lines, selected, text) in [
        (
            "[relese.jwt]\ndecode_audience = \"api\"",
            "release",
            "`[relese.jwt]` is not read, as the profile is `release`; did you mean `[release.jwt]`?",
        ),
        ("[relese.jwt]\nencode_nbf = true", "debug", "did you mean `[release.jwt]`?"),
        ("[defualt.jwt]\nencode_nbf = true", "release", "did you mean `[default.jwt]`?"),
        ("[prodution.jwt]\nencode_nbf = true", "production", "did you mean `[production.jwt]`?"),
        (
            "[release.jwt]\nencode_nbf = true",
            "production",
            "`[release.jwt]` is not read, as the profile is `production`, which has no such table; write \
             `[production.jwt]`, or set `ROCKET_PROFILE=release`",
        ),
    ] {
        let figment = raw_figment(&format!("{}{lines}", good_table())).select(selected);
        let line =
            line(figment, "is not read").unwrap_or_else(|| panic!("nothing said of {lines}"));
        assert!(line.starts_with("WARN: JWT: ") && line.contains(text), "{line}");
    }
}

#[test]
fn a_warning_about_a_misspelt_profile_is_printed_where_the_launch_fails_for_it() {
    let lines = format!("[relese.jwt]\nsecret_key = \"{}\"", secret());
    let log = launch(raw_figment(&lines).select("release")).err().expect("it has no secret");
    assert!(log.contains("did you mean `[release.jwt]`?"), "{log}");
    assert!(log.contains("`release.jwt.secret_key` must be set"), "{log}");
}

#[test]
fn tables_of_profiles_that_are_meant_to_wait_are_not_spoken_of() {
    for (lines, selected) in [
        ("[release.jwt]\nencode_nbf = true", "debug"),
        ("[debug.jwt]\nencode_nbf = true", "release"),
        ("[stage2.jwt]\nencode_nbf = true\n[stage1.jwt]\nencode_nbf = true", "stage1"),
        ("[staging.jwt]\nencode_nbf = true\n[release.jwt]\nencode_nbf = true", "release"),
        ("[global.jwt]\nencode_nbf = true", "release"),
        ("[default.jwk]\nalgorithm = \"RS256\"\n[default.databases.jwt]\nurl = \"x\"", "debug"),
        ("[default]\njwtech = 1", "debug"),
    ] {
        let figment = raw_figment(&format!("{}{lines}", good_table())).select(selected);
        assert_eq!(line(figment, "is not read"), None, "{lines}");
    }
}

#[test]
fn a_table_of_a_name_that_is_nearly_ours_is_said_in_one_line() {
    for table in ["jtw", "jwts", "Jtw"] {
        let lines = format!("{}[default.{table}]\ndecode_audience = \"api\"", good_table());
        let line = line(raw_figment(&lines), "is not read").expect("a line");
        let text = format!("`[default.{table}]` is not read by JWT; did you mean `[default.jwt]`?");
        assert!(line.starts_with("WARN: ") && line.contains(&text), "{line}");
    }
}
