//! The launch report: every fault at once, by key and by source, without a secret.

use std::process::Command;

use crate::support::app::{from_rocket, launch, refusal};
use crate::support::pem::{Kind, pair};
use crate::support::{raw_figment, secret};
use rocket::figment::Jail;

/// What no line may show.
const HIDDEN: &str = "correct-horse-battery-staple";

#[test]
fn all_faults_are_reported_at_once() {
    let log = refusal(
        "secret_key = 12345\nalgorithm = \"none\"\naccess_token_expires = 0\n\
         token_location = \"banana\"\ncsrf_methods = []\nnonsense = 1",
    );
    assert!(log.contains("(6 faults)"), "{log}");
    for key in [
        "secret_key",
        "algorithm",
        "access_token_expires",
        "token_location",
        "csrf_methods",
        "nonsense",
    ] {
        assert_eq!(log.matches(&format!(">> `default.jwt.{key}` ")).count(), 1, "{key}: {log}");
    }
}

#[test]
fn each_fault_names_the_source_it_was_written_in() {
    Jail::expect_with(|jail| {
        jail.create_dir("conf")?;
        jail.set_env("ROCKET_CONFIG", "conf/Rocket.toml");
        jail.create_file(
            "conf/Rocket.toml",
            "[default.jwt]\njson_key = \"\"\n[debug.jwt]\nheader_name = \"\"\n\
             [global.jwt]\nquery_string_name = \"\"",
        )?;
        jail.set_env("ROCKET_JWT", "{refresh_json_key=\"\"}");
        let code = from_rocket().merge(("jwt.access_csrf_field_name", ""));
        let log = launch(code).err().expect("it does not launch");
        for (key, place) in [
            ("default.jwt.json_key", "(in TOML file "),
            ("debug.jwt.header_name", "(in TOML file "),
            ("global.jwt.query_string_name", "(in TOML file "),
            ("global.jwt.refresh_json_key", "(in `ROCKET_` environment variable(s))"),
            ("global.jwt.access_csrf_field_name", "(in (&str, &str))"),
        ] {
            let line = log.lines().find(|line| line.contains(&format!(">> `{key}` ")));
            let line = line.unwrap_or_else(|| panic!("{key} is not in {log}"));
            assert!(line.contains(place), "{line}");
            let is_file = place.contains("TOML");
            assert_eq!(line.contains("conf/Rocket.toml)"), is_file, "{line}");
        }
        assert!(log.contains("(5 faults)"), "{log}");
        Ok(())
    });
}

#[test]
fn a_table_that_is_none_is_a_fault() {
    Jail::expect_with(|jail| {
        for (text, key) in [
            (format!("[default]\njwt = \"{HIDDEN}\""), "default.jwt"),
            (format!("[default]\njwt = [\"{HIDDEN}\"]"), "default.jwt"),
        ] {
            jail.create_file("Rocket.toml", &text)?;
            let log = launch(from_rocket()).err().expect("it does not launch");
            let text = format!("`{key}` must be a table: write `[default.jwt]` and below it");
            assert!(log.contains(&text) && log.contains("(in TOML file"), "{log}");
            assert!(!log.contains(HIDDEN), "{log}");
        }
        jail.create_file("Rocket.toml", "")?;
        jail.set_env("ROCKET_JWT", HIDDEN);
        let log = launch(from_rocket()).err().expect("it does not launch");
        assert!(log.contains("`global.jwt` could not be read as a table"), "{log}");
        assert!(!log.contains(HIDDEN), "{log}");
        Ok(())
    });
}

#[test]
fn a_variable_that_is_no_table_is_answered_with_what_a_table_looks_like() {
    for (text, cause) in [
        (format!("{{secret_key=\"{HIDDEN}\""), "a quote, a bracket or a comma is missing"),
        (format!("{{secret_key=\"{HIDDEN}}}"), "a quote, a bracket or a comma is missing"),
        (format!("{{secret_key=\"{HIDDEN}\" encode_nbf=true}}"), "a quote, a bracket or a comma"),
        (format!("{{secret_key:\"{HIDDEN}\"}}"), "a quote, a bracket or a comma"),
        (format!("{{\"secret_key\":\"{HIDDEN}\"}}"), "it is JSON"),
        (format!(" {{\n  \"secret_key\": \"{HIDDEN}\"\n}}"), "it is JSON"),
        (format!("secret_key=\"{HIDDEN}\""), "it is not in braces"),
        (format!("'{{secret_key=\"{HIDDEN}\"}}'"), "the quotes around the braces are part of it"),
        (format!("{{secret_key='{HIDDEN}'}}"), "it has single quotes; write double ones"),
        (format!("{{secret_key=“{HIDDEN}, and more”}}"), "it has typographic quotes"),
        (HIDDEN.into(), "it is not in braces"),
        (format!("[\"{HIDDEN}\"]"), "it is not in braces"),
        ("918273645".into(), "it is not in braces"),
        (String::new(), "it is empty"),
    ] {
        Jail::expect_with(|jail| {
            jail.set_env("ROCKET_JWT", &text);
            let log = launch(from_rocket()).err().expect("it does not launch");
            let line = format!("`global.jwt` could not be read as a table: {cause}");
            assert!(log.contains(&line), "{text}: {log}");
            assert!(log.contains("write ROCKET_JWT='{secret_key=\"…\", decode_audience="), "{log}");
            assert!(log.contains("(1 fault)") && !log.contains("must be set"), "{log}");
            assert!(!log.contains(HIDDEN) && !log.contains("918273645"), "{log}");
            Ok(())
        });
    }
}

#[test]
fn a_key_that_is_twice_in_a_variable_is_a_fault() {
    let known = "has `access_token_expires` twice in `ROCKET_JWT`; keep one";
    for (text, fault) in [
        ("access_token_expires=\"5m\",access_token_expires=\"10d\"", Some(known)),
        ("access_token_expires = 60 , \"access_token_expires\" = 60,", Some(known)),
        ("access_token_expires=60,encode_nbf=true,\naccess_token_expires=60", Some(known)),
        ("json_key=\"\\\",{\",access_token_expires=60,access_token_expires=60", Some(known)),
        ("json_key=a=b,access_token_expires=60,access_token_expires=60", Some(known)),
        ("json_key='\"',access_token_expires=60,access_token_expires=60", Some(known)),
        ("decode_typ=[\"a\",b=c],access_token_expires=60,access_token_expires=60", Some(known)),
        (
            "required_claims={azp=\"a\"},access_token_expires=60,access_token_expires=60",
            Some(known),
        ),
        (
            "required_claims={azp=\"a\",azp=\"b\"}",
            Some("has a key twice in `ROCKET_JWT`; keep one"),
        ),
        ("json_key=\"access_token_expires=1,access_token_expires=2\"", None),
        ("required_claims={azp=\"a\",aud=\"b\"},encode_audience=\"b\"", None),
        ("required_claims={json_key=\"a\"},json_key=\"b\"", None),
        ("decode_typ=[a=b,a=c]", None),
        ("json_key=x=y,refresh_json_key=x=y", None),
        ("access_token_expires=60", None),
    ] {
        Jail::expect_with(|jail| {
            jail.set_env("ROCKET_JWT", format!("{{secret_key=\"{}\",{text}}}", secret()));
            let log = launch(from_rocket()).err();
            match (log, fault) {
                (None, None) => (),
                (Some(log), Some(fault)) => {
                    assert!(log.contains(&format!("`debug.jwt` {fault}")), "{text}: {log}");
                    assert!(log.contains("(1 fault)") && !log.contains(secret()), "{text}: {log}");
                }
                (log, _) => panic!("{text}: {log:?}"),
            }
            Ok(())
        });
    }
}

#[cfg(unix)]
#[test]
fn a_table_in_two_variables_is_a_fault() {
    Jail::expect_with(|jail| {
        let table = format!("{{secret_key=\"{}\"}}", secret());
        jail.set_env("rocket_jwt", &table);
        assert!(launch(from_rocket()).is_ok());
        for other in ["ROCKET_JWT", "Rocket_Jwt"] {
            jail.set_env(other, &table);
        }
        let log = launch(from_rocket()).err().expect("it does not launch");
        let names = "`ROCKET_JWT` and `Rocket_Jwt` and `rocket_jwt`";
        let text = format!("`debug.jwt` is set by {names}, and only one is read; keep one");
        assert!(log.contains(&text) && log.contains("(1 fault)"), "{log}");
        assert!(!log.contains(secret()), "{log}");
        Ok(())
    });
}

#[test]
fn a_file_whose_top_is_no_table_is_reported_without_its_values() {
    for line in ["jwt_secret_key", "jwt", "secret_key"] {
        Jail::expect_with(|jail| {
            jail.create_file("Rocket.toml", &format!("{line} = \"{HIDDEN}\""))?;
            let log = launch(from_rocket()).err().expect("it does not launch");
            let jwt: Vec<_> =
                log.lines().filter(|line| line.contains("jwt` cannot be read")).collect();
            assert_eq!(jwt.len(), 1, "{log}");
            assert!(jwt[0].contains("Rocket.toml)") && !jwt[0].contains(HIDDEN), "{log}");
            Ok(())
        });
    }
}

#[test]
fn no_report_shows_a_secret_however_wrongly_it_is_written() {
    let private = &pair(Kind::P256).private;
    let body: String = private.lines().filter(|line| !line.contains("-----")).collect();
    let half = &body[..64];
    let number = "918273645";
    for (lines, hidden) in [
        (format!("secret_key = {number}"), number),
        (format!("secret_key = [\"{HIDDEN}\"]"), HIDDEN),
        (format!("secret_key = {{ text = \"{HIDDEN}\" }}"), HIDDEN),
        (format!("secret_key = {number}.5"), number),
        (format!("secret-key = \"{HIDDEN}\""), HIDDEN),
        (format!("secretkey = \"{HIDDEN}\""), HIDDEN),
        (format!("secret_key = \"{HIDDEN}\"\nalgorithm = \"RS256\""), HIDDEN),
        (format!("secret_key = \"{HIDDEN}\"\nalgorithm = \"{HIDDEN}\""), HIDDEN),
        (format!("secret_key = \"-----BEGIN {HIDDEN}\""), HIDDEN),
        (format!("secret_key = \"{HIDDEN}\"\nprivate_key = {number}"), HIDDEN),
        (format!("algorithm = \"ES256\"\nprivate_key = \"{HIDDEN}\""), HIDDEN),
        (format!("algorithm = \"ES256\"\nprivate_key = '''{body}'''"), half),
        (format!("algorithm = \"ES384\"\nprivate_key = '''{private}'''"), half),
        (format!("algorithm = \"ES256\"\npublic_key = '''{private}'''"), half),
        (format!("algorithm = \"ES256\"\nprivate_key = {number}"), number),
    ] {
        let log = refusal(&lines);
        assert!(log.contains("JWT configuration is invalid"), "{log}");
        assert!(!log.contains(hidden), "{lines}\n{log}");
    }
}

#[test]
fn a_file_that_is_no_toml_is_reported_without_the_line_that_is_wrong() {
    for text in [
        format!("[default.jwt]\nsecret_key = \"{HIDDEN}\nalgorithm = \"HS256\"\n"),
        format!("[default.jwt]\nsecret_key = {HIDDEN}\n"),
        format!("[default.jwt]\nsecret_key \"{HIDDEN}\"\n"),
        format!("[default.jwt]\nsecret_key = \"{HIDDEN}\"\nsecret_key = \"{HIDDEN}\"\n"),
    ] {
        Jail::expect_with(|jail| {
            jail.create_file("Rocket.toml", &text)?;
            let log = launch(from_rocket()).err().expect("it does not launch");
            let line = "`debug.jwt` cannot be read: TOML parse error at line ";
            assert!(log.contains(line) && log.contains("Rocket.toml)"), "{log}");
            assert!(!log.contains(HIDDEN), "{text}\n{log}");
            Ok(())
        });
    }
}

#[test]
fn a_release_prints_the_report_and_ends_with_a_failure() {
    const CHILD: &str = "REPORT_TEST_CHILD";
    if std::env::var_os(CHILD).is_some() {
        let figment = rocket::Config::figment().select("release");
        let rocket = rocket::custom(figment).attach(rocket_jwt_extended::Jwt::fairing());
        let failed = rocket::execute(rocket.ignite()).map(|_| ()).map_err(|error| {
            // Looked at, so that dropping it does not panic.
            let _ = error.kind();
        });
        std::process::exit(if failed.is_err() { 3 } else { 0 });
    }
    let name = "report::a_release_prints_the_report_and_ends_with_a_failure";
    let mut output = None;
    // In a jail, so that the child has no other variables and files than these.
    Jail::expect_with(|_| {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(CHILD, "1")
            .env("ROCKET_JWT", format!("{{secret_key=\"too-short\",nonsense=\"{HIDDEN}\"}}"))
            .output();
        output = Some(child.unwrap());
        Ok(())
    });
    let output = output.unwrap();
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed);
    assert_eq!(output.status.code(), Some(3), "{printed}");
    assert!(printed.contains("JWT configuration is invalid (2 faults)"), "{printed}");
    assert!(printed.contains("`global.jwt.secret_key` is shorter than the 32 bytes"), "{printed}");
    assert!(printed.contains("`global.jwt.nonsense` is no setting of JWT"), "{printed}");
    assert!(!printed.contains("too-short") && !printed.contains(HIDDEN), "{printed}");
}

#[test]
fn a_table_that_is_a_profile_to_rocket_is_a_fault_and_not_passed_over() {
    let log = launch(raw_figment(&format!("[jwt]\nsecret_key = \"{HIDDEN}\""))).err().unwrap();
    assert!(log.contains("`[jwt]` is read as a profile; did you mean `[default.jwt]`?"), "{log}");
    assert!(!log.contains(HIDDEN), "{log}");
    // A profile of that name, when it is selected, is one.
    let figment = raw_figment(&format!("[jwt.jwt]\nsecret_key = \"{}\"", secret()));
    assert!(launch(figment.select("jwt")).is_ok());
}
