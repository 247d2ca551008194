//! What each profile allows, and how profiles add up.

use crate::support::app::{app, from_rocket, launch, launch_with};
use crate::support::log_capture::logged;
use crate::support::*;
use rocket::figment::{Figment, Jail};
use rocket::local::blocking::Client;
use rocket_jwt_extended::{Jwt, NoClaims};

/// The profiles that are not for development, whatever their names.
const STRICT: [&str; 4] = ["release", "staging", "production", "default"];

fn refused_in(profile: &str, lines: &str) -> String {
    let figment = raw_figment(&format!("[default.jwt]\n{lines}")).select(profile);
    launch(figment).err().unwrap_or_else(|| panic!("{profile} launches with {lines}"))
}

fn warnings_of(figment: Figment) -> String {
    let (client, log) =
        logged(|| Client::untracked(rocket::custom(figment).attach(Jwt::fairing())));
    assert!(client.is_ok(), "{log}");
    log.lines().filter(|line| line.starts_with("WARN: JWT")).collect::<Vec<_>>().join("\n")
}

#[test]
fn without_a_secret_debug_makes_a_random_one_and_says_so() {
    let first = launch(raw_figment("")).unwrap();
    let second = launch(raw_figment("")).unwrap();
    let token = first.jwt().access_token("ada").encode().unwrap();
    assert_eq!(first.me(&token), "ada");
    assert_eq!(second.me(&token), "401 Signature verification failed");
    let warnings = warnings_of(raw_figment(""));
    let text = "`debug.jwt.secret_key` is not set: a random one is used";
    assert!(warnings.contains(text), "{warnings}");
}

#[test]
fn without_a_secret_no_other_profile_launches() {
    for profile in STRICT {
        let log = refused_in(profile, "");
        let text = format!("`{profile}.jwt.secret_key` must be set outside the debug profile");
        assert!(log.contains(&text), "{log}");
        assert!(log.contains("openssl rand -base64 48"), "{log}");
    }
}

#[test]
fn a_verifying_hook_does_without_a_secret_in_every_profile() {
    for profile in STRICT {
        let fairing = Jwt::fairing().verifying_key(|_, _| None);
        let app = launch_with(raw_figment("").select(profile), fairing).unwrap();
        assert_eq!(app.me(&sign(&claims())), "401 No key for this token", "{profile}");
        let error = app.jwt().access_token("ada").encode().unwrap_err();
        assert_eq!(error.to_string(), "no signing key is configured: verify only");
    }
}

#[test]
fn a_weak_secret_is_a_warning_in_debug_and_a_fault_elsewhere() {
    for (secret, algorithm, text) in [
        ("x".to_string(), "HS256", "is shorter than the 32 bytes HS256 needs (RFC 7518 §3.2)"),
        (
            secret()[..31].into(),
            "HS256",
            "is shorter than the 32 bytes HS256 needs (RFC 7518 §3.2)",
        ),
        (
            secret()[..47].into(),
            "HS384",
            "is shorter than the 48 bytes HS384 needs (RFC 7518 §3.2)",
        ),
        (
            secret()[..63].into(),
            "HS512",
            "is shorter than the 64 bytes HS512 needs (RFC 7518 §3.2)",
        ),
        ("secret".repeat(12), "HS256", "can be guessed"),
        ("CHANGEME-changeme-ChangeMe-changeme".into(), "HS256", "can be guessed"),
        ("your-256-bit-secret-your-256-bit-secret".into(), "HS256", "can be guessed"),
        ("a-string-secret-at-least-256-bits-long".into(), "HS256", "can be guessed"),
        ("super-secret.".repeat(4), "HS256", "can be guessed"),
        ("0".repeat(64), "HS256", "can be guessed"),
        ("abcabcabc".repeat(8), "HS256", "can be guessed"),
        (format!(" {}", secret()), "HS256", "begins or ends with white space"),
        (format!("{}\\n", secret()), "HS256", "begins or ends with white space"),
    ] {
        let lines = format!("algorithm = \"{algorithm}\"\nsecret_key = \"{secret}\"");
        let debug = raw_figment(&format!("[default.jwt]\n{lines}"));
        let warnings = warnings_of(debug);
        assert!(warnings.contains(&format!("`default.jwt.secret_key` {text}")), "{warnings}");
        assert!(warnings.contains("refused outside debug"), "{warnings}");
        for profile in STRICT {
            let log = refused_in(profile, &lines);
            assert!(log.contains(&format!("`default.jwt.secret_key` {text}")), "{log}");
            assert!(!log.contains(&secret), "{log}");
        }
    }
}

#[test]
fn a_secret_must_be_long_enough_for_every_algorithm_that_it_verifies() {
    let lines = format!("secret_key = \"{}\"\ndecode_algorithms = [\"HS512\"]", &secret()[..48]);
    let log = refused_in("release", &lines);
    assert!(log.contains("is shorter than the 64 bytes HS512 needs"), "{log}");
}

#[test]
fn a_strong_secret_is_good_everywhere() {
    for (length, algorithm) in [(32, "HS256"), (48, "HS384"), (64, "HS512")] {
        let secret = &secret()[..length];
        let lines = format!("algorithm = \"{algorithm}\"\nsecret_key = \"{secret}\"");
        for profile in STRICT {
            let figment = raw_figment(&format!("[default.jwt]\n{lines}")).select(profile);
            assert_eq!(warnings_of(figment.clone()), "", "{profile} {lines}");
            let app = launch(figment).unwrap();
            let token = app.jwt().access_token("ada").encode().unwrap();
            assert_eq!(app.me(&token), "ada");
        }
    }
}

#[test]
fn what_is_no_secret_is_refused_in_debug_too() {
    let pem = &crate::support::pem::pair(crate::support::pem::Kind::Rsa).public;
    for (secret, text) in [
        (String::new(), "must not be empty"),
        (pem.clone(), "is a key of another kind, not a secret"),
        (format!(" \n\t{pem}"), "is a key of another kind, not a secret"),
        (pem.replace('\n', "\r\n"), "is a key of another kind, not a secret"),
        (format!("\u{feff}{pem}"), "is a key of another kind, not a secret"),
        ("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ ada@host".into(), "is a key of another kind"),
        ("ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHA ada".into(), "is a key of another kind"),
        (r#"{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQ\"}"#.into(), "is a key of another kind"),
    ] {
        for profile in ["debug", "release"] {
            let log = refused_in(profile, &format!("secret_key = \"\"\"{secret}\"\"\""));
            assert!(log.contains(&format!("`default.jwt.secret_key` {text}")), "{secret}: {log}");
        }
    }
}

#[test]
fn rockets_own_secret_key_is_never_used() {
    use base64::Engine;
    let own = base64::engine::general_purpose::STANDARD.encode(secret());
    let toml = format!("[default]\nsecret_key = \"{own}\"");
    let log = launch(raw_figment(&toml).select("release")).err().expect("it has no secret");
    assert!(log.contains("`release.jwt.secret_key` must be set"), "{log}");
    let app = launch(raw_figment(&toml)).unwrap();
    // The tests' tokens are signed with the bytes of that key.
    assert_eq!(app.me(&sign(&claims())), "401 Signature verification failed");
}

#[test]
fn the_selected_profile_adds_to_default_and_wins_over_it() {
    Jail::expect_with(|jail| {
        let secret = secret();
        jail.create_file(
            "Rocket.toml",
            &format!(
                "[default.jwt]\nsecret_key = \"{secret}\"\naccess_token_expires = 60\n\
                 encode_issuer = \"default\"\n[staging.jwt]\naccess_token_expires = 120\n\
                 [release.jwt]\nnonsense = 1\n[global.jwt]\nencode_audience = \"global\""
            ),
        )?;
        for (profile, lifetime) in [("debug", 60), ("staging", 120)] {
            let app = launch(from_rocket().select(profile)).unwrap();
            let claims = payload(&app.jwt().access_token("ada").encode().unwrap());
            assert_eq!(claims["exp"], START + lifetime, "{profile}");
            assert_eq!(claims["iss"], "default");
            assert_eq!(claims["aud"], "global");
        }
        let log = launch(from_rocket().select("release")).err().expect("nonsense is a fault");
        assert!(log.contains("`release.jwt.nonsense` is no setting"), "{log}");

        jail.set_env("ROCKET_PROFILE", "staging");
        let app = launch(rocket::Config::figment()).unwrap();
        let claims = payload(&app.jwt().access_token("ada").encode().unwrap());
        assert_eq!(claims["exp"], START + 120);

        // The variable wins over both, key by key.
        jail.set_env("ROCKET_JWT", "{access_token_expires=\"4m\"}");
        let app = launch(rocket::Config::figment()).unwrap();
        let claims = payload(&app.jwt().access_token("ada").encode().unwrap());
        assert_eq!(claims["exp"], START + 240);
        assert_eq!(claims["iss"], "default");
        Ok(())
    });
}

#[test]
fn what_is_unusual_and_allowed_is_said_at_launch() {
    for (lines, text) in [
        (
            "token_location = \"query_string\"",
            "jwt.token_location` has `query_string`: URLs end up",
        ),
        (
            "decode_issuer = \"me\"",
            "jwt.decode_issuer` refuses this server's own tokens: `encode_issuer` is not set",
        ),
        (
            "decode_audience = \"me\"",
            "jwt.decode_audience` refuses this server's own tokens: `encode_audience` is not set",
        ),
        (
            "decode_audience = \"me\"\nencode_audience = \"you\"",
            "jwt.decode_audience` does not accept what `encode_audience` writes",
        ),
        (
            "token_location = \"cookies\"\nimplicit_refresh_within = \"5m\"\naccess_token_expires = false",
            "jwt.implicit_refresh_within` renews nothing",
        ),
        (
            "implicit_refresh_within = \"5m\"",
            "jwt.implicit_refresh_within` renews tokens in cookies only, and `token_location` has no \
             \"cookies\": add it",
        ),
        (
            "token_location = \"cookies\"\ncsrf_check_form = true\ncookie_csrf_protect = false",
            "jwt.csrf_check_form` ",
        ),
        ("token_location = \"cookies\"", "cookies are sent over plain HTTP too"),
    ] {
        let warnings = warnings_of(figment(lines));
        assert!(warnings.contains(text), "{lines}: {warnings}");
    }
    assert_eq!(warnings_of(figment("")), "");
    let fine = "decode_issuer = [\"me\", \"you\"]\nencode_issuer = \"you\"";
    assert_eq!(warnings_of(figment(fine)), "");
    let fine = "token_location = \"cookies\"\ncookie_secure = true\ncsrf_check_form = true\n\
                implicit_refresh_within = \"5m\"";
    assert_eq!(warnings_of(figment(fine)), "");
}

#[test]
fn a_launch_sums_up_what_holds_and_shows_no_key() {
    let figment = figment("token_location = [\"cookies\", \"headers\"]");
    let (client, log) =
        logged(|| Client::untracked(rocket::custom(figment).attach(Jwt::fairing())));
    for line in [
        "INFO: JWT:",
        "INFO: algorithm: HS256",
        "INFO: tokens in: cookies, headers",
        "INFO: lifetimes: access 15m, refresh 30days",
        "INFO: blocklist: ",
    ] {
        assert!(log.contains(line), "{line} is not in {log}");
    }
    assert!(!log.contains(secret()), "{log}");
    assert!(!log.contains("verify only"), "{log}");
    let shown = format!("{:?}", jwt(&client.unwrap()));
    assert!(!shown.contains(secret()) && shown.contains("HS256"), "{shown}");
}

#[test]
fn settings_that_are_left_out_are_the_documented_defaults_of_flask() {
    let app = app("");
    let pair = app.jwt().token_pair("ada").issue().unwrap();
    assert_eq!(part(pair.access_token(), 0)["alg"], "HS256");
    for (token, lifetime) in [(pair.access_token(), 900), (pair.refresh_token(), 2_592_000)] {
        let claims = payload(token);
        assert_eq!(claims["exp"], START + lifetime);
        assert_eq!([&claims["iat"], &claims["nbf"]], [START, START]);
        assert_eq!(claims["sub"], "ada");
        assert!(claims["aud"].is_null() && claims["iss"].is_null());
        assert_eq!(app.jwt().decode::<NoClaims>(token).unwrap().identity(), "ada");
    }
}
