//! A server that refuses the tokens that it issues says so at launch, with the cure.

use crate::support::log_capture::logged;
use crate::support::pem::{Kind, pair};
use crate::support::*;
use crate::unused::{said, silent, warnings};
use rocket::figment::Figment;
use rocket::local::blocking::Client;
use rocket_jwt_extended::{AccessToken, Error, Jwt, JwtFairing, RefreshToken};
use serde_json::json;

/// The log of a launch that fails.
#[track_caller]
fn fault(figment: Figment) -> String {
    let (client, log) =
        logged(|| Client::untracked(rocket::custom(figment).attach(Jwt::fairing())));
    let error = client.err().unwrap_or_else(|| panic!("it launches: {log}"));
    let _ = error.kind();
    log
}

/// Whether this server accepts the access and the refresh token that it issues.
fn accepts_own(lines: &str) -> [bool; 2] {
    let client = client(lines, Jwt::fairing(), vec![]);
    let jwt = jwt(&client);
    let pair = jwt.token_pair("ada").issue().unwrap();
    [
        rocket::execute(jwt.verify::<AccessToken>(pair.access_token())).is_ok(),
        rocket::execute(jwt.verify::<RefreshToken>(pair.refresh_token())).is_ok(),
    ]
}

#[test]
fn a_required_claim_that_own_tokens_lack_is_said_in_one_line() {
    let own = "this server refuses its own";
    for (base, line, text) in [
        ("", "[\"exp\", \"iss\"]", "has `iss`, but `encode_issuer` is not set"),
        ("", "{ iss = \"me\" }", "has `iss`, but `encode_issuer` is not set"),
        (
            "encode_issuer = \"you\"",
            "{ iss = \"me\" }",
            "does not accept the `iss` that `encode_issuer`",
        ),
        ("", "[\"exp\", \"aud\"]", "has `aud`, but `encode_audience` is not set"),
        (
            "encode_audience = [\"a\", \"b\"]",
            "{ aud = [\"c\", \"d\"] }",
            "does not accept the `aud` that `encode_audience`",
        ),
        (
            "encode_nbf = false",
            "[\"exp\", \"nbf\"]",
            "has `nbf`, which tokens issued here lack, as `encode_nbf`",
        ),
        (
            "cookie_csrf_protect = false",
            "[\"exp\", \"csrf\"]",
            "has `csrf`, which tokens issued here lack",
        ),
        (
            "",
            "{ csrf = \"x\" }",
            "has `csrf`, with a value, while each token issued here has another",
        ),
        (
            "",
            "{ jti = \"x\" }",
            "has `jti`, with a value, while each token issued here has another",
        ),
        ("", "{ sid = [\"x\", \"y\"] }", "has `sid`, with a value"),
        ("", "{ type = \"Bearer\" }", "does not accept \"access\" as `type`"),
        ("", "{ type = \"access\" }", "does not accept \"refresh\" as `type`"),
        ("", "{ fresh = true }", "does not accept false as `fresh`"),
        ("", "{ sub = 5 }", "has `sub`, which is a text in tokens issued here"),
        (
            "identity_claim = \"uid\"",
            "[\"exp\", \"sub\"]",
            "has `sub`, while the identity is in another claim",
        ),
        (
            "",
            "{ typ = \"Bearer\" }",
            "has `typ`, which a token issued here has only if `.claims()`",
        ),
        (
            "",
            "[\"exp\", \"role\"]",
            "has `role`, which a token issued here has only if `.claims()`",
        ),
    ] {
        let line = format!("required_claims = {line}");
        said(base, &line, text);
        let lines = format!("{base}\n{line}");
        assert!(accepts_own(&lines).contains(&false), "{lines}");
        let log = warnings(figment(&lines), Jwt::fairing());
        assert!(log.iter().any(|line| line.contains(own)), "{log:?}");
    }
}

#[test]
fn a_required_claim_that_own_tokens_have_is_not_spoken_of() {
    for lines in [
        "required_claims = [\"exp\", \"iat\", \"nbf\", \"jti\", \"sub\", \"type\", \"fresh\", \"csrf\", \"sid\"]",
        "encode_issuer = \"me\"\nrequired_claims = { iss = [\"you\", \"me\"] }",
        "encode_audience = [\"a\", \"b\"]\nrequired_claims = { aud = \"b\" }",
        "encode_audience = \"a\"\nrequired_claims = [\"exp\", \"aud\"]",
        "required_claims = { type = [\"access\", \"refresh\"] }",
        "required_claims = { fresh = [true, false] }",
        "identity_claim = \"uid\"\nrequired_claims = [\"exp\", \"uid\"]",
        "required_claims = { sub = [\"ada\", \"bob\"] }",
    ] {
        silent(lines);
        assert_eq!(accepts_own(lines), [true, true], "{lines}");
    }
}

#[test]
fn a_required_claim_that_a_hook_may_add_is_a_warning_and_works() {
    let hook = |_: &str| serde_json::from_value(json!({"typ": "Bearer"})).unwrap();
    let lines = "required_claims = { typ = \"Bearer\" }";
    let log = warnings(figment(lines), Jwt::fairing().additional_claims(hook));
    assert!(log.len() == 1 && log[0].contains("`additional_claims` hook adds it"), "{log:?}");
    let client = client(lines, Jwt::fairing().additional_claims(hook), vec![]);
    let token = jwt(&client).access_token("ada").encode().unwrap();
    rocket::execute(jwt(&client).verify::<AccessToken>(&token)).unwrap();
}

#[test]
fn a_server_that_only_verifies_is_told_to_check_the_audience() {
    let of = |lines: &str, fairing: JwtFairing| {
        let table = "[default.jwt]\nalgorithm = \"ES256\"";
        let pem = &pair(Kind::P256).public;
        warnings(raw_figment(&format!("{table}\npublic_key = '''{pem}'''\n{lines}")), fairing)
    };
    let log = of("", Jwt::fairing());
    assert!(log.len() == 1 && log[0].contains("jwt.decode_audience` is not set"), "{log:?}");
    assert!(log[0].contains("RFC 8725 §3.9"), "{log:?}");
    for lines in ["decode_audience = \"api\"", "required_claims = { aud = \"api\" }"] {
        assert_eq!(of(lines, Jwt::fairing()), [""; 0], "{lines}");
    }
    assert_eq!(of("", Jwt::fairing().verify_claims(|_| true)), [""; 0]);
    // One that signs has no other audience than its own.
    assert_eq!(of("", Jwt::fairing().signing_key(|_| None)), [""; 0]);
    // A hook alone.
    let hooked = Jwt::fairing().verifying_key(|_, _| None);
    let log = warnings(raw_figment(""), hooked);
    assert!(log.len() == 1 && log[0].contains("decode_audience"), "{log:?}");
}

/// The shortest pair decides, and the launch says how long it is.
#[test]
fn a_limit_that_no_token_keeps_fails_the_launch() {
    let pem = &pair(Kind::P256).private;
    for table in [
        format!("secret_key = \"{}\"", secret()),
        format!("secret_key = \"{}\"\nencode_audience = \"an-audience-of-some-length\"", secret()),
        format!("algorithm = \"ES256\"\nprivate_key = '''{pem}'''\nidentity_claim = \"user\""),
    ] {
        let table = format!("[default.jwt]\n{table}");
        let log = fault(raw_figment(&format!("{table}\nmax_token_length = 200")));
        let text =
            ">> `default.jwt.max_token_length` is too short for any login: the shortest pair";
        assert!(log.contains(text), "{log}");
        let (_, rest) = log.split_once("issued here needs ").unwrap();
        let needed: usize = rest.split(',').next().unwrap().parse().unwrap();
        let log = fault(raw_figment(&format!("{table}\nmax_token_length = {}", needed - 1)));
        assert!(log.contains(text), "{log}");

        let client = Client::untracked(
            rocket::custom(raw_figment(&format!("{table}\nmax_token_length = {needed}")))
                .attach(Jwt::fairing()),
        )
        .unwrap();
        let pair = jwt(&client).token_pair("a").issue().unwrap();
        assert_eq!(pair.access_token().len().max(pair.refresh_token().len()), needed);
        rocket::execute(jwt(&client).verify::<AccessToken>(pair.access_token())).unwrap();
        // What is longer is an error that names the setting.
        let error = jwt(&client).token_pair("ada lovelace").issue().err().unwrap();
        assert!(
            matches!(error, Error::TooLong) && error.to_string().contains("`max_token_length`")
        );
    }
}

#[test]
fn a_cookie_name_that_leaves_no_room_for_its_value_fails_the_launch() {
    let base = "token_location = \"cookies\"";
    for (key, room) in [
        ("access_cookie_name", 4096 - 36),
        ("refresh_cookie_name", 4096 - 36),
        ("access_csrf_cookie_name", 4096 - 35),
        ("refresh_csrf_cookie_name", 4096 - 35),
    ] {
        let line = format!("{key} = \"{}\"", "n".repeat(room));
        let log = fault(figment(&format!("{base}\n{line}")));
        let text =
            format!(">> `default.jwt.{key}` is too long: browsers drop a cookie of more than 4096");
        assert!(log.contains(&text), "{log}");
        let line = format!("{base}\n{key} = \"{}\"", "n".repeat(2000));
        assert!(launches(&line), "{key}");
    }
}

/// A cookie's CSRF value would be read as a token, and every form refused.
#[test]
fn a_header_that_is_a_tokens_and_a_csrf_values_fails_the_launch() {
    let both = "token_location = [\"cookies\", \"headers\"]";
    for (key, lines) in [
        ("header_name", "header_name = \"x-csrf-token\""),
        ("access_csrf_header_name", "access_csrf_header_name = \"Authorization\""),
        ("refresh_csrf_header_name", "refresh_csrf_header_name = \"authorization\""),
    ] {
        let log = fault(figment(&format!("{both}\n{lines}")));
        let text = format!("`default.jwt.{key}` is the header of tokens and of CSRF values");
        assert!(log.contains(&text), "{log}");
        assert!(launches(&format!("{both}\ncookie_csrf_protect = false\n{lines}")), "{lines}");
        assert!(launches(&format!("token_location = \"cookies\"\n{lines}")), "{lines}");
    }
}

#[test]
fn a_header_that_does_not_arrive_is_a_fault_or_a_warning() {
    let base = "token_location = [\"cookies\", \"headers\"]";
    for key in ["access_csrf_header_name", "refresh_csrf_header_name"] {
        for name in ["Cookie", "sec-csrf", "Proxy-Token", "Referer", "HOST"] {
            let log = fault(figment(&format!("{base}\n{key} = \"{name}\"")));
            let text = format!("`default.jwt.{key}` is a header that browsers let no script set");
            assert!(log.contains(&text), "{log}");
        }
        said(
            base,
            &format!("{key} = \"X_CSRF_TOKEN\""),
            "has an underscore: nginx and other proxies",
        );
        silent(&format!("{base}\n{key} = \"X-XSRF-TOKEN\""));
    }
    said(base, "header_name = \"X_Token\"", "has an underscore: nginx and other proxies");
    said(base, "header_name = \"Sec-Token\"", "is a header that browsers let no script set");
}

#[test]
fn a_csrf_value_that_no_navigation_sends_is_a_warning() {
    let base = "token_location = \"cookies\"";
    said(
        base,
        "csrf_methods = [\"GET\", \"POST\", \"PUT\", \"PATCH\", \"DELETE\"]",
        "has GET: a browser that opens a page sends no",
    );
    silent(&format!("{base}\ncsrf_methods = [\"POST\", \"PUT\", \"PATCH\", \"DELETE\"]"));
}
