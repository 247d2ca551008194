//! What each setting takes and what it refuses, with the message.

use crate::support::app::{launch, refusal, with_secret};
use crate::support::*;

/// What a setting of one text or several says of anything else.
const TEXTS: &str = "must be a string or a list of strings, each in quotes, such as `";

/// Asserts that each value is refused with its message, and with no other fault.
fn refused(cases: &[(&str, &str)]) {
    for (line, message) in cases {
        let log = refusal(&with_secret(line));
        let (key, _) = line.split_once(" = ").unwrap();
        let expected = format!(">> `default.jwt.{key}` {message}");
        assert!(log.contains(&expected), "{line}\nexpected {expected}\n{log}");
        assert!(log.contains("(1 fault)"), "{line}\n{log}");
    }
}

fn accepted(lines: &[&str]) {
    for line in lines {
        if let Err(log) = launch(figment(line)) {
            panic!("{line}\n{log}");
        }
    }
}

#[test]
fn lifetimes_are_positive_durations_or_false() {
    let kinds = "whole seconds or a duration such as \"15m\", or false";
    for key in ["access_token_expires", "refresh_token_expires"] {
        for (value, message) in [
            ("0", "must be greater than zero"),
            ("\"0s\"", "must be greater than zero"),
            ("\"1ns\"", "must be whole seconds, such as \"90s\""),
            ("\"999ms\"", "must be whole seconds, such as \"90s\""),
            ("\"1500ms\"", "must be whole seconds, such as \"90s\""),
            ("-1", "must not be negative"),
            ("\"36526d\"", "must not be longer than a hundred years"),
            ("9223372036854775807", "must not be longer than a hundred years"),
            ("\"banana\"", "is not a duration such as \"15m\": "),
            ("\"\"", "is not a duration such as \"15m\": "),
            ("\"-5m\"", "is not a duration such as \"15m\": "),
            ("\"15\"", "is not a duration such as \"15m\": "),
        ] {
            refused(&[(&format!("{key} = {value}"), message)]);
        }
        for (value, found) in [("true", "true or false"), ("1.5", "a number with a fraction")] {
            let log = refusal(&with_secret(&format!("{key} = {value}")));
            assert!(log.contains(&format!("`default.jwt.{key}` must be {kinds}, ")), "{log}");
            assert!(log.contains(&format!("; it is {found} (in ")), "{log}");
        }
        for value in ["1", "\"1s\"", "\"36525d\"", "\"1h 30m\"", "false"] {
            accepted(&[&format!("{key} = {value}")]);
        }
    }
}

#[test]
fn no_duration_is_in_months_or_years() {
    for key in [
        "access_token_expires",
        "refresh_token_expires",
        "max_token_lifetime",
        "session_lifetime",
        "implicit_refresh_within",
        "decode_leeway",
        "rotation_grace",
        "blocklist_timeout",
        "blocklist_prune_interval",
        "blocklist_replica",
    ] {
        for (value, unit) in [
            ("15M", "M"),
            ("15 M", "M"),
            ("1h 30M", "M"),
            ("1month", "month"),
            ("2months", "months"),
            ("1y", "y"),
            ("1yr", "yr"),
            ("2yrs", "yrs"),
            ("1year", "year"),
            ("2 years 1d", "years"),
        ] {
            let text = format!("has the unit `{unit}`, which is not accepted: `m` is minutes");
            refused(&[(&format!("{key} = \"{value}\""), &text)]);
        }
    }
    for value in ["15m", "15min", "2minutes", "90s", "1500ms", "3h"] {
        accepted(&[&format!("decode_leeway = \"{value}\"")]);
    }
    accepted(&["access_token_expires = \"2w\"", "refresh_token_expires = \"45days\""]);
}

#[test]
fn other_durations_have_the_bounds_that_make_sense() {
    refused(&[
        ("decode_leeway = -1", "must not be negative"),
        ("decode_leeway = \"1d 1s\"", "must not be longer than a day"),
        ("decode_leeway = false", "must be whole seconds or a duration such as \"15m\", such as"),
        ("rotation_grace = -1", "must not be negative"),
        ("rotation_grace = false", "must be whole seconds or a duration"),
        ("blocklist_timeout = 0", "must be greater than zero"),
        ("blocklist_replica = 0", "must be greater than zero"),
        ("blocklist_replica = \"0s\"", "must be greater than zero"),
        ("blocklist_replica = -1", "must not be negative"),
        ("blocklist_replica = \"3601s\"", "must not be longer than an hour"),
        (
            "blocklist_replica = true",
            "must be whole seconds or a duration such as \"15m\", or false",
        ),
        ("blocklist_prune_interval = 0", "must be greater than zero"),
        ("implicit_refresh_within = 0", "must be greater than zero"),
        ("implicit_refresh_within = \"999ms\"", "must not be shorter than \"1s\""),
        ("blocklist_timeout = \"1ns\"", "must not be shorter than \"10ms\""),
        ("blocklist_timeout = \"9999us\"", "must not be shorter than \"10ms\""),
        ("blocklist_replica = \"1ns\"", "must not be shorter than \"100ms\""),
        ("blocklist_replica = \"99ms\"", "must not be shorter than \"100ms\""),
        ("blocklist_prune_interval = \"1us\"", "must not be shorter than \"1s\""),
        ("blocklist_prune_interval = \"999ms\"", "must not be shorter than \"1s\""),
        ("session_lifetime = \"1ms\"", "must be whole seconds, such as \"90s\""),
        ("session_lifetime = \"90500ms\"", "must be whole seconds, such as \"90s\""),
        ("max_token_lifetime = \"60d 1ms\"", "must be whole seconds, such as \"90s\""),
        ("max_token_lifetime = -1", "must not be negative"),
        ("max_token_lifetime = true", "must be whole seconds or a duration"),
    ]);
    accepted(&[
        "decode_leeway = \"1d\"",
        "decode_leeway = 0",
        "rotation_grace = 0",
        "rotation_grace = \"1ms\"",
        "decode_leeway = \"1ms\"",
        "blocklist_timeout = \"10ms\"",
        "blocklist_prune_interval = \"1s\"",
        "implicit_refresh_within = \"1s\"",
        "session_lifetime = \"1s\"",
        "implicit_refresh_within = false",
        "max_token_lifetime = false",
        "max_token_lifetime = \"30d\"",
    ]);
}

#[test]
fn a_longest_life_of_zero_is_refused() {
    let log = refusal(&with_secret("max_token_lifetime = 0"));
    assert!(log.contains("`default.jwt.max_token_lifetime` must be greater than zero"), "{log}");
}

#[test]
fn a_configured_lifetime_must_not_be_longer_than_the_longest_allowed() {
    for lines in [
        "max_token_lifetime = \"29d\"",
        "max_token_lifetime = \"40d\"\nrefresh_token_expires = false",
    ] {
        let log = refusal(&with_secret(lines));
        let message = "jwt.refresh_token_expires` is longer than `max_token_lifetime`";
        assert!(log.contains(message), "{log}");
    }
    let lines = "max_token_lifetime = \"30d\"\naccess_token_expires = \"31d\"";
    let log = refusal(&with_secret(lines));
    assert!(log.contains("jwt.access_token_expires` is longer than"), "{log}");
}

#[test]
fn algorithms_are_those_there_are_and_of_one_family() {
    let known = "must be one of HS256, HS384, HS512, RS256";
    for name in ["none", "None", "FOO", "hs256", "", "ES512", "HS256 ", "ES256K"] {
        refused(&[(&format!("algorithm = \"{name}\""), known)]);
        refused(&[(&format!("decode_algorithms = [\"{name}\"]"), known)]);
    }
    refused(&[
        (
            "algorithm = 256",
            "must be a string in quotes, such as `algorithm = \"HS256\"`; it is a whole",
        ),
        ("algorithm = [\"HS256\"]", "must be a string in quotes"),
        ("decode_algorithms = []", "must name at least one algorithm"),
        ("decode_algorithms = [\"RS256\"]", "mixes key families: RS256 beside HS256"),
        ("decode_algorithms = [\"HS256\", \"EdDSA\"]", "mixes key families: EdDSA beside HS256"),
        ("decode_algorithms = [1]", TEXTS),
    ]);
}

#[test]
fn one_key_cannot_be_for_two_curves() {
    let crate::support::pem::Pair { private, public } =
        crate::support::pem::pair(crate::support::pem::Kind::P256);
    let lines = "algorithm = \"ES256\"\ndecode_algorithms = [\"ES384\"]";
    for key in [format!("private_key = '''{private}'''"), format!("public_key = '''{public}'''")] {
        let log = refusal(&format!("{lines}\n{key}"));
        let (name, _) = key.split_once(" = ").unwrap();
        let text = format!("`default.jwt.{name}` is no key for ES384");
        assert!(log.contains(&text) && log.contains("(1 fault)"), "{log}");
    }
}

#[test]
fn a_public_key_beside_a_secret_of_the_same_text_is_no_configuration() {
    let pem = &crate::support::pem::pair(crate::support::pem::Kind::Rsa).public;
    let log = refusal(&format!(
        "algorithm = \"RS256\"\ndecode_algorithms = [\"RS256\", \"HS256\"]\n\
         public_key = '''{pem}'''\n\
         secret_key = '''{pem}'''"
    ));
    assert!(log.contains("`default.jwt.decode_algorithms` mixes key families"), "{log}");
}

#[test]
fn audiences_and_issuers_are_texts_that_are_not_empty() {
    for key in ["decode_audience", "encode_audience", "decode_issuer"] {
        for (value, message) in [
            ("\"\"", "must not hold an empty string"),
            ("[]", "must not be empty"),
            ("[\"a\", \"\"]", "must not hold an empty string"),
            ("5", TEXTS),
            ("[5]", TEXTS),
            ("true", TEXTS),
        ] {
            refused(&[(&format!("{key} = {value}"), message)]);
        }
    }
    refused(&[
        ("encode_issuer = [\"a\", \"b\"]", "must be a string in quotes"),
        ("encode_issuer = \"\"", "must not hold an empty string"),
        ("encode_issuer = \" \"", "must not hold an empty string"),
    ]);
}

const IDENTIFIERS: [&str; 4] =
    ["decode_audience", "encode_audience", "decode_issuer", "encode_issuer"];

#[test]
fn a_list_or_a_wildcard_in_one_string_of_an_audience_or_issuer_is_a_fault_or_a_warning() {
    for key in IDENTIFIERS {
        for (value, message) in [
            (" api", "begins or ends with white space"),
            ("api ", "begins or ends with white space"),
            ("api\\n", "begins or ends with white space"),
            ("*", "is `*`, which is compared as it is"),
            ("[\\\"api\\\", \\\"web\\\"]", "is a list within quotes"),
            ("[api]", "is a list within quotes"),
            ("https://a.test https://b.test", "has several URLs in one string"),
            ("https://a.test,https://b.test", "has several URLs in one string"),
            ("https://a.test b", "has several URLs in one string, or a space in one"),
        ] {
            refused(&[(&format!("{key} = \"{value}\""), message)]);
            refused(&[(&format!("required_claims = {{ iss = \"{value}\" }}"), message)]);
            refused(&[(&format!("required_claims = {{ aud = [\"a\", \"{value}\"] }}"), message)]);
            if key != "encode_issuer" {
                refused(&[(&format!("{key} = [\"good\", \"{value}\"]"), message)]);
            }
        }
        let decodes = key.replace("encode", "decode");
        let warnings = |value: &str| {
            let mut lines = format!("{key} = \"{value}\"");
            if key.starts_with("encode") {
                lines.push_str(&format!("\n{decodes} = [\"a\", \"{value}\"]"));
            } else {
                lines.push_str(&format!("\n{} = \"{value}\"", key.replace("decode", "encode")));
            }
            let all = crate::unused::warnings(figment(&lines), rocket_jwt_extended::Jwt::fairing());
            let own = format!("`default.jwt.{key}` ");
            all.into_iter().filter(|line| line.contains(&own)).collect::<Vec<_>>()
        };
        for (value, text) in [
            ("api,web", "has a separator in one string"),
            ("api, web", "has a separator in one string"),
            ("api;web", "has a separator in one string"),
            ("api web", "has a separator in one string"),
            ("https://*.example.test", "has a `*`, which is compared as it is"),
        ] {
            let said = warnings(value);
            assert!(said.len() == 1 && said[0].contains(text), "{key} {value}: {said:?}");
        }
        for value in ["api", "https://id.example.test/v2.0/", "urn:example:api", "API_ORDERS"] {
            assert_eq!(warnings(value), [""; 0], "{key} {value}");
        }
    }
}

#[test]
fn a_placeholder_that_nothing_replaced_is_refused_in_every_setting() {
    let keys_of_keys = ["secret_key", "secret_key_file", "private_key", "public_key"];
    let page = include_str!("../../docs/configuration.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let settings: Vec<_> = rows.filter(|key| !keys_of_keys.contains(key)).collect();
    assert!(settings.len() > 50, "{settings:?}");
    let message = "has a placeholder that nothing replaced";
    for key in settings {
        refused(&[(&format!("{key} = \"${{JWT_VALUE}}\""), message)]);
    }
    for value in [
        "${AUDIENCE}",
        "$AUDIENCE",
        "$env:AUDIENCE",
        "{{ audience }}",
        "{{ .Values.jwt.audience }}",
        "%AUDIENCE%",
        "<audience>",
        "<your audience>",
        "__AUDIENCE__",
        "#{audience}",
        "@audience@",
        "((audience))",
        "$(AUDIENCE)",
        "${{ secrets.AUDIENCE }}",
        "https://login.example.test/{tenantid}/v2.0",
        "https://<tenant>.example.test",
        "https://${TENANT}.example.test/",
        "https://example.test/%TENANT_ID%/v2.0",
        "https://$(TENANT).example.test/",
    ] {
        for key in IDENTIFIERS {
            refused(&[(&format!("{key} = \"{value}\""), message)]);
        }
        refused(&[(&format!("decode_audience = [\"good\", \"{value}\"]"), message)]);
        refused(&[(&format!("required_claims = {{ azp = [\"web\", \"{value}\"] }}"), message)]);
        refused(&[(&format!("required_claims = [\"{value}\"]"), message)]);
    }
    let log = refusal(&with_secret("decode_audience = \"${AUDIENCE}\""));
    assert!(log.contains("set it by ROCKET_JWT='{decode_audience=\"…\"}'"), "{log}");
    accepted(&[
        "access_cookie_name = \"ACCESS_TOKEN\"",
        "access_cookie_name = \"__Host_t\"",
        "json_key = \"ACCESS_TOKEN\"",
        "decode_audience = \"MY_API\"",
        "decode_audience = \"https://example.test/%C3%BC%C3%A4/%20x\"",
        "decode_audience = \"https://example.test/%ABCD%20\"",
        "decode_issuer = \"https://example.test/a_b~c/(d)?e=$f&g=100%25\"",
        "decode_issuer = \"https://login.example.test/2bd806c9-7f0e-40af-8a1f-c3328fa763a9/v2.0\"",
        "required_claims = { \"https://example.test/roles\" = [\"admin\"] }",
    ]);
}

#[test]
fn names_of_claims_and_members_are_not_those_with_another_meaning() {
    let meaning = "must not be a claim with another meaning";
    for claim in ["iss", "aud", "exp", "nbf", "iat", "jti", "type", "fresh", "csrf", "sid"] {
        refused(&[(&format!("identity_claim = \"{claim}\""), meaning)]);
    }
    refused(&[
        ("identity_claim = \"\"", "must not be empty"),
        ("required_claims = [\"exp\", \"\"]", "must not hold an empty string"),
        ("error_message_key = \"\"", "must be neither empty nor `code` nor `hint`"),
        ("error_message_key = \"code\"", "must be neither empty nor `code` nor `hint`"),
        ("error_message_key = \"hint\"", "must be neither empty nor `code` nor `hint`"),
        ("query_string_name = \"\"", "must not be empty"),
        ("json_key = \"\"", "must not be empty"),
        ("refresh_json_key = \"\"", "must not be empty"),
        ("access_csrf_field_name = \"\"", "must not be empty"),
        ("refresh_csrf_field_name = \"\"", "must not be empty"),
    ]);
    accepted(&[
        "identity_claim = \"sub\"",
        "required_claims = []",
        "error_message_key = \"detail\"",
    ]);
}

#[test]
fn numbers_are_in_their_range() {
    let length = "must be from 1 to 1048576 bytes";
    let status = "must be a status from 400 to 499";
    let whole = "must be a whole number, not negative and without quotes, such as";
    refused(&[
        ("token_cache = 65535", "must be 0, or from 65536 to 1073741824 bytes"),
        ("token_cache = 1073741825", "must be 0, or from 65536 to 1073741824 bytes"),
        ("token_cache = -1", whole),
        ("token_cache = \"4MiB\"", whole),
        ("max_token_length = 0", length),
        ("max_token_length = 1048577", length),
        ("max_token_length = -1", whole),
        ("max_token_length = \"16k\"", whole),
        ("invalid_token_status = 399", status),
        ("invalid_token_status = 500", status),
        ("invalid_token_status = 200", status),
        ("invalid_token_status = 65536", "must be a whole number from 0 to 65535"),
        ("invalid_token_status = \"422\"", "must be a whole number from 0 to 65535"),
        (
            "encode_nbf = \"yes\"",
            "must be true or false, without quotes, such as `encode_nbf = true`",
        ),
        ("verify_sub = 0", "must be true or false, without quotes"),
    ]);
    accepted(&[
        "token_cache = 0",
        "token_cache = 65536",
        "token_cache = 1073741824",
        "max_token_length = 512",
        "max_token_length = 1048576",
        "invalid_token_status = 400",
        "invalid_token_status = 499",
    ]);
}

#[test]
fn locations_are_at_least_one_of_the_four_and_none_twice() {
    let four = "can only contain \"headers\", \"cookies\", \"query_string\", or \"json\"";
    refused(&[
        ("token_location = 1", TEXTS),
        ("token_location = { headers = true }", TEXTS),
        ("token_location = [1]", TEXTS),
        ("token_location = []", "must contain at least one of \"headers\", \"cookies\", "),
        ("token_location = \"headers, banana\"", four),
        ("token_location = [\"headers\", \"banana\"]", four),
        ("token_location = [\"headers\", \"Cookies\"]", four),
        ("token_location = [\"headers\", \"query-string\"]", four),
        ("token_location = [\"headers\", \"headers\"]", "names `headers` twice"),
    ]);
    accepted(&["token_location = [\"json\", \"query_string\", \"cookies\", \"headers\"]"]);
}

#[test]
fn names_of_headers_are_names_that_a_header_can_have() {
    for key in ["header_name", "access_csrf_header_name", "refresh_csrf_header_name"] {
        for name in ["", "X Token", "X:Token", "X\\nToken", "\u{fc}"] {
            let line = format!("{key} = \"{name}\"");
            refused(&[(&line, "must be a header name (RFC 9110 \u{a7}5.1)")]);
        }
    }
    for scheme in ["Bearer,", "Bea rer", "Bearer ", "B\\u0000"] {
        let line = format!("header_type = \"{scheme}\"");
        refused(&[(&line, "must be an authentication scheme (RFC 9110 \u{a7}11.1) or empty")]);
    }
}

#[test]
fn methods_that_need_csrf_are_methods() {
    refused(&[
        ("csrf_methods = []", "must name at least one method; `cookie_csrf_protect = false`"),
        ("csrf_methods = [\"POST\", \"BANANA\"]", "can only contain HTTP methods"),
        ("csrf_methods = [\"POST \"]", "can only contain HTTP methods"),
        ("csrf_methods = \"\"", "can only contain HTTP methods"),
        ("csrf_methods = [1]", TEXTS),
    ]);
}
