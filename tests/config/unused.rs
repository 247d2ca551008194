//! A setting that somebody wrote and that has no effect is said in one line, with the cure; what nobody
//! wrote, and what has an effect, is not.

use crate::support::log_capture::logged;
use crate::support::pem::{Kind, pair};
use crate::support::*;
use rocket::figment::Figment;
use rocket::local::blocking::Client;
use rocket_jwt_extended::{Jwt, JwtFairing, MemoryBlocklist};

/// The warnings of a launch, a line each.
pub fn warnings(figment: Figment, fairing: JwtFairing) -> Vec<String> {
    let (client, log) = logged(|| Client::untracked(rocket::custom(figment).attach(fairing)));
    assert!(client.is_ok(), "{log}");
    let of_settings = |line: &&str| line.starts_with("WARN: JWT: `") && line.contains(".jwt.");
    log.lines().filter(of_settings).map(Into::into).collect()
}

/// Asserts that the launch says this about the setting that `line` writes, and nothing else.
#[track_caller]
pub fn said(base: &str, line: &str, text: &str) {
    for profile in ["debug", "release"] {
        let of = |lines: &str| warnings(figment(lines).select(profile), Jwt::fairing());
        let before = of(base);
        let after = of(&format!("{base}\n{line}"));
        let new: Vec<_> = after.iter().filter(|line| !before.contains(line)).collect();
        assert_eq!(new.len(), 1, "{line}: {after:?}");
        let key = line.split(" = ").next().unwrap();
        assert!(new[0].contains(&format!("`default.jwt.{key}` {text}")), "{new:?}");
    }
}

#[track_caller]
pub fn silent(lines: &str) {
    assert_eq!(warnings(figment(lines), Jwt::fairing()), [""; 0], "{lines}");
}

const OF_CSRF: [&str; 11] = [
    "csrf_methods = \"POST\"",
    "csrf_in_cookies = true",
    "csrf_check_form = false",
    "access_csrf_cookie_name = \"a\"",
    "refresh_csrf_cookie_name = \"b\"",
    "access_csrf_cookie_path = \"/\"",
    "refresh_csrf_cookie_path = \"/\"",
    "access_csrf_header_name = \"X-A\"",
    "refresh_csrf_header_name = \"X-B\"",
    "access_csrf_field_name = \"a\"",
    "refresh_csrf_field_name = \"b\"",
];

#[test]
fn a_setting_of_a_place_that_is_not_looked_at_is_said_in_one_line() {
    for (base, location, guard, lines) in [
        (
            "token_location = \"cookies\"",
            "headers",
            "`In<Headers, …>`",
            &["header_name = \"X-T\""][..],
        ),
        (
            "",
            "query_string",
            "`In<QueryString, …>`",
            &["query_string_name = \"t\"", "query_string_value_prefix = \"T \""],
        ),
        ("", "json", "`In<JsonBody, …>`", &["json_key = \"t\"", "refresh_json_key = \"r\""]),
        (
            "",
            "cookies",
            "`In<Cookies, …>` and `Jwt::cookies()`",
            &[
                "access_cookie_name = \"a\"",
                "refresh_cookie_name = \"b\"",
                "access_cookie_path = \"/\"",
                "refresh_cookie_path = \"/\"",
                "cookie_domain = \"example.test\"",
                "cookie_secure = true",
                "cookie_samesite = \"Strict\"",
                "session_cookie = false",
                "cookie_csrf_protect = true",
            ],
        ),
    ] {
        let text =
            format!("is used by {guard} alone, as `token_location` lacks \"{location}\"; add that");
        for line in lines {
            said(base, line, &text);
        }
    }
    for line in OF_CSRF {
        said("", line, "is used by `In<Cookies, …>` and `Jwt::cookies()` alone");
    }
}

#[test]
fn a_setting_of_csrf_protection_that_is_off_is_said_in_one_line() {
    let base = "token_location = \"cookies\"\ncookie_csrf_protect = false";
    for line in OF_CSRF {
        said(base, line, "has no effect: `cookie_csrf_protect = false` switches all of CSRF");
    }
}

#[test]
fn a_setting_of_a_part_of_csrf_protection_that_is_off_is_said_in_one_line() {
    let base = "token_location = \"cookies\"";
    for line in &OF_CSRF[9..] {
        said(base, line, "has no effect: form fields are not read; set `csrf_check_form = true`");
    }
    let base = "token_location = \"cookies\"\ncsrf_in_cookies = false";
    for line in &OF_CSRF[3..7] {
        said(base, line, "has no effect: with `csrf_in_cookies = false` there are no such cookies");
    }
}

#[test]
fn a_setting_of_waiting_is_said_to_do_nothing_in_memory() {
    said("", "blocklist_timeout = \"1s\"", "has no effect: the blocklist is in memory");
    let lines = figment("blocklist_timeout = \"1s\"");
    let own = Jwt::fairing().blocklist(MemoryBlocklist::new());
    assert_eq!(warnings(lines, own), [""; 0]);
    silent("blocklist_prune_interval = \"1m\"");
}

#[test]
fn a_cache_of_signatures_is_said_to_do_nothing_for_secrets_and_hooks() {
    said("", "token_cache = 65536", "has no effect: only signatures of RSA, ECDSA and EdDSA keys");
    silent("token_cache = 0");
    let pem = &pair(Kind::P256).private;
    let lines = format!(
        "[default.jwt]\nalgorithm = \"ES256\"\nprivate_key = '''{pem}'''\ntoken_cache = 65536"
    );
    assert_eq!(warnings(raw_figment(&lines), Jwt::fairing()), [""; 0]);
    let hooked = warnings(raw_figment(&lines), Jwt::fairing().verifying_key(|_, _| None));
    assert!(hooked.len() == 1 && hooked[0].contains("with a `verifying_key` hook"), "{hooked:?}");
}

#[test]
fn a_server_without_a_signing_key_is_told_of_what_only_an_issuer_needs_and_of_nothing_it_issues() {
    let pem = &pair(Kind::P256).public;
    let of = |lines: &str, fairing: JwtFairing| {
        let table = "[default.jwt]\nalgorithm = \"ES256\"";
        let toml = format!("{table}\npublic_key = '''{pem}'''\n{lines}");
        warnings(raw_figment(&toml), fairing)
    };
    let decodes = "decode_audience = \"api\"\ndecode_issuer = \"https://id.example.test\"";
    assert_eq!(of(decodes, Jwt::fairing()), [""; 0]);
    for line in ["encode_audience = \"api\"", "encode_issuer = \"me\"", "encode_nbf = true"] {
        let verifies = format!("required_claims = {{ aud = \"api\" }}\n{line}");
        let said = of(&verifies, Jwt::fairing());
        assert!(said.len() == 1 && said[0].contains("there is no signing key"), "{said:?}");
        assert_eq!(of(line, Jwt::fairing().signing_key(|_| None)), [""; 0]);
    }
    let issuing = of(decodes, Jwt::fairing().signing_key(|_| None));
    assert!(issuing.len() == 2 && issuing[0].contains("this server's own tokens"), "{issuing:?}");
}

#[test]
fn a_claim_that_is_not_required_after_all_is_said_in_one_line() {
    let base = "access_token_expires = false";
    let text = "does not require \"exp\" of every token, as `access_token_expires` is false";
    said(base, "required_claims = [\"exp\", \"iat\"]", text);
    silent(base);
    silent("required_claims = [\"exp\", \"iat\"]");
}

#[test]
fn an_access_token_that_outlives_the_refresh_token_is_said_in_one_line() {
    let text = "is longer than `refresh_token_expires`";
    said("", "access_token_expires = \"31d\"", text);
    said("refresh_token_expires = \"1h\"", "access_token_expires = 3601", text);
    silent("access_token_expires = \"1h\"\nrefresh_token_expires = \"1h\"");
    silent("access_token_expires = \"90d\"\nrefresh_token_expires = false");
    silent("access_token_expires = false");
}

#[test]
fn a_method_that_needs_no_csrf_value_is_said_in_one_line() {
    let cookies = "token_location = [\"headers\", \"cookies\"]\ncookie_secure = true";
    for (methods, missing) in [
        ("\"POST\"", "PUT, PATCH, DELETE"),
        ("[\"POST\", \"PUT\", \"DELETE\"]", "PATCH"),
        ("[\"PUT\", \"PATCH\", \"DELETE\", \"HEAD\"]", "POST"),
    ] {
        let text = format!("lacks {missing}: such requests with a token in a cookie need no CSRF");
        said(cookies, &format!("csrf_methods = {methods}"), &text);
    }
    silent("token_location = \"headers\"");
}

#[test]
fn a_grace_that_ends_with_the_wait_for_a_shared_store_is_said_in_one_line() {
    let of = |lines: &str, fairing: JwtFairing| {
        let all = warnings(figment(lines), fairing);
        all.into_iter().filter(|line| line.contains("rotation_grace")).collect::<Vec<_>>()
    };
    let shared = || Jwt::fairing().blocklist(crate::support::store_stub::StoreStub::default());
    for lines in [
        "rotation_grace = \"2s\"",
        "rotation_grace = \"1s\"",
        "blocklist_timeout = \"10s\"",
        "blocklist_timeout = \"20s\"\nrotation_grace = \"15s\"",
    ] {
        let said = of(lines, shared());
        let text = "jwt.rotation_grace` is not longer than `blocklist_timeout`";
        assert!(said.len() == 1 && said[0].contains(text), "{lines}: {said:?}");
        assert_eq!(of(lines, Jwt::fairing()), [""; 0], "{lines}");
    }
    for lines in ["", "rotation_grace = \"2001ms\"", "rotation_grace = 0"] {
        assert_eq!(of(lines, shared()), [""; 0], "{lines}");
    }
}

#[test]
fn a_replica_that_is_older_than_an_access_token_is_said_in_one_line() {
    let of = |lines: &str| {
        let store = crate::support::store_stub::StoreStub::default();
        warnings(figment(lines), Jwt::fairing().replicable_blocklist(store))
    };
    for lines in [
        "blocklist_replica = \"15m\"",
        "blocklist_replica = \"1h\"",
        "blocklist_replica = 10\naccess_token_expires = 10",
    ] {
        let said = of(lines);
        let text = "`default.jwt.blocklist_replica` is not shorter than `access_token_expires`";
        assert!(said.len() == 1 && said[0].contains(text), "{lines}: {said:?}");
    }
    for lines in
        ["blocklist_replica = \"14m\"", "blocklist_replica = \"1h\"\naccess_token_expires = false"]
    {
        assert_eq!(of(lines), [""; 0], "{lines}");
    }
}

#[test]
fn settings_that_have_an_effect_are_not_spoken_of() {
    let all = "token_location = [\"headers\", \"cookies\", \"json\"]\nheader_name = \"X-T\"\n\
               json_key = \"t\"\ncsrf_check_form = true\ncookie_samesite = \"Strict\"\n";
    let of_csrf = OF_CSRF[1..].join("\n").replace("csrf_check_form = false\n", "");
    let methods = "csrf_methods = [\"POST\", \"PUT\", \"PATCH\", \"DELETE\", \"OPTIONS\"]";
    silent(&format!("{all}{methods}\n{of_csrf}"));
    silent(
        "header_type = \"JWT\"\nrotation_grace = \"5s\"\ndecode_leeway = 5\nmax_token_length = 4096",
    );
}
