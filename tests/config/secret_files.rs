//! `secret_key_file` and `secret_key_encoding`: where the secret is, and what its text encodes.

use crate::support::app::{from_rocket, launch, launched, setting, with_secret};
use crate::support::*;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use rocket::figment::Jail;
use rocket_jwt_extended::jsonwebtoken;

/// A token of ada's, signed with that secret.
fn by(secret: &[u8]) -> String {
    let key = EncodingKey::from_secret(secret).unwrap();
    sign_as(Algorithm::HS256, &key, r#"{"alg":"HS256"}"#, &claims().to_string())
}

/// Random bytes, in which every spelling of base64 differs.
fn random() -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..3).flat_map(|_| *uuid::Uuid::new_v4().as_bytes()).collect();
    bytes[..3].copy_from_slice(&[0xfb, 0xff, 0xfe]);
    bytes.truncate(47);
    // White space at the end of a secret is refused.
    bytes[46] = 0xfd;
    bytes
}

fn launch_in(
    jail: &mut Jail,
    profile: &str,
    lines: &str,
) -> Result<crate::support::app::App, String> {
    jail.create_file("Rocket.toml", &format!("[default.jwt]\n{lines}\n")).unwrap();
    launch(from_rocket().select(profile))
}

fn fault_in(jail: &mut Jail, lines: &str) -> String {
    launch_in(jail, "release", lines).err().unwrap_or_else(|| panic!("{lines} launches"))
}

#[test]
fn secret_key_file_holds_the_secret_of_symmetric_algorithms() {
    let own: String = secret().chars().rev().collect();
    let file = crate::support::pem::File::of(format!("{own}\n"));
    let token = by(own.as_bytes());
    let refused = "401 Signature verification failed";
    let lines = format!("secret_key_file = \"{}\"", file.path());
    // Without it the debug profile makes a random secret.
    setting("", &lines, [refused, "ada"], launched(|app| app.me(&token)));
}

#[test]
fn a_line_end_after_the_secret_is_dropped_and_nothing_else() {
    Jail::expect_with(|jail| {
        let token = by(secret().as_bytes());
        let refused = "401 Signature verification failed";
        for (end, expected) in
            [("", "ada"), ("\n", "ada"), ("\r\n", "ada"), ("\n\n", refused), (" ", refused)]
        {
            jail.create_file("jwt-secret", &format!("{}{end}", secret()))?;
            let app = launch_in(jail, "debug", "secret_key_file = \"jwt-secret\"").unwrap();
            assert_eq!(app.me(&token), expected, "{end:?}");
        }
        Ok(())
    });
}

#[test]
fn the_file_is_relative_to_the_file_that_names_it() {
    Jail::expect_with(|jail| {
        jail.create_dir("conf")?;
        jail.create_file("conf/jwt.key", secret())?;
        jail.set_env("ROCKET_CONFIG", "conf/Rocket.toml");
        jail.create_file("conf/Rocket.toml", "[default.jwt]\nsecret_key_file = \"jwt.key\"")?;
        assert_eq!(launch(from_rocket()).unwrap().me(&by(secret().as_bytes())), "ada");
        Ok(())
    });
}

#[test]
fn a_file_that_holds_no_secret_is_a_fault_with_its_path() {
    Jail::expect_with(|jail| {
        jail.create_dir("folder.txt")?;
        jail.create_file("empty.txt", "\n")?;
        jail.create_file("large.txt", &"x1".repeat(40_000))?;
        jail.create_file("bom.txt", &format!("\u{feff}{}", secret()))?;
        jail.create_file("short.txt", "too short")?;
        jail.create_file("path.txt", "/run/secrets/jwt")?;
        for (path, text, is_path_shown) in [
            ("missing.txt", "names a file that does not exist: no such file: ", true),
            ("folder.txt", "names a folder; name the file in it: ", true),
            ("empty.txt", "names a file that is empty: ", true),
            ("large.txt", "names a file that is too large for a key", true),
            ("bom.txt", "names a file that begins with a byte order mark", false),
            ("short.txt", "is shorter than the 32 bytes", false),
            ("path.txt", "names a file that holds a path, not a secret", false),
        ] {
            let log = fault_in(jail, &format!("secret_key_file = \"{path}\""));
            assert!(log.contains(&format!("`default.jwt.secret_key_file` {text}")), "{log}");
            let absolute = jail.directory().join(path);
            assert_eq!(log.contains(absolute.to_str().unwrap()), is_path_shown, "{log}");
        }
        // The secret itself, by mistake.
        let log = fault_in(jail, &format!("secret_key_file = \"{}\"", secret()));
        assert!(log.contains("names a file that does not exist"), "{log}");
        assert!(!log.contains(secret()), "{log}");
        Ok(())
    });
}

#[test]
fn a_file_that_holds_something_else_is_a_fault_that_names_the_cure() {
    let name = "production/jwt-signing-key";
    Jail::expect_with(|jail| {
        for (content, text, cure) in [
            (
                "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22e\n\
                 size 45\n"
                    .to_string(),
                "a Git LFS pointer, not a secret",
                "`git lfs pull`",
            ),
            (
                "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not \
                 Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
                    .into(),
                "a page of HTML or XML",
                "`curl --fail`",
            ),
            (
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>AccessDenied</Code></Error>".into(),
                "a page of HTML or XML",
                "`curl --fail`",
            ),
            (
                "{\"request_id\":\"8e33d9c5\",\"data\":{\"data\":{\"hmac\":\"c2VjcmV0\"}}}\n".into(),
                "JSON, not a secret",
                "`jq -r`",
            ),
            ("{\n  \"errors\": [\"permission denied\"]\n}\n".into(), "JSON, not a secret", "`jq -r`"),
            (format!("[\"{}\"]\n", secret()), "JSON, not a secret", "`jq -r`"),
            (format!("\"{}\"\n", secret()), "in quotes", "`jq -r` writes none"),
            (
                format!("cat: /run/secrets/{name}: No such file or directory\n"),
                "an error message",
                "correct the command",
            ),
            (
                format!("cat: /run/secrets/{name}: Datei oder Verzeichnis nicht gefunden\n"),
                "an error message",
                "correct the command",
            ),
            (
                "Error making API request: permission denied for secret/data/jwt\n".into(),
                "an error message",
                "correct the command",
            ),
            (
                "curl: (6) Could not resolve host: vault.example.test\n".into(),
                "an error message",
                "correct the command",
            ),
            (
                "An error occurred (AccessDeniedException) when calling the GetSecretValue operation\n".into(),
                "an error message",
                "correct the command",
            ),
            ("HTTP/1.1 502 Bad Gateway\r\nServer: nginx\r\n".into(), "an error message", "command"),
            (
                format!("apiVersion: v1\nkind: Secret\ndata:\n  jwt: {}\n", secret()),
                "YAML, INI or TOML, not a secret",
                "the secret's value alone",
            ),
            (format!("---\nsecret: {}\n", secret()), "YAML, INI or TOML, not a secret", "value alone"),
            (format!("jwt_secret: {}\n", secret()), "YAML, INI or TOML, not a secret", "value alone"),
            (
                "jwt: ENC[AES256_GCM,data:9qvk,iv:X1,tag:Zw,type:str]\nsops:\n    version: 3.8.1\n".into(),
                "encrypted, not a secret",
                "decrypt it",
            ),
            (
                "age-encryption.org/v1\n-> X25519 y8Ld0Y1mZbTqO3oYkz4h5m9gF1b7QwXe\n".into(),
                "encrypted, not a secret",
                "decrypt it",
            ),
            (
                "-----BEGIN AGE ENCRYPTED FILE-----\nYWdlLWVuY3J5cHRpb24ub3Jn\n".into(),
                "encrypted, not a secret",
                "decrypt it",
            ),
            (
                "$ANSIBLE_VAULT;1.1;AES256\n3338613163326362\n".into(),
                "encrypted, not a secret",
                "decrypt it",
            ),
            ("null\n".into(), "what programs write for a missing value", "check the name"),
            ("<no value>".into(), "what programs write for a missing value", "check the name"),
            (sign(&claims()), "a token, not a secret", "is what is signed with the secret"),
            (format!("[jwt]\nsecret={}\n", secret()), "YAML, INI or TOML", "the secret's value alone"),
            (format!("JWT_SECRET={}\n", secret()), "an assignment", "keep only the value"),
            (format!("export JWT_SECRET={}\n", secret()), "an assignment", "keep only the value"),
            (format!("secret_key = \"{}\"\n", secret()), "an assignment", "keep only the value"),
            (format!("{0}\n{0}\n", secret()), "of more than one line", "keep one secret on one line"),
            (format!("# rotated\n{}\n", secret()), "of more than one line", "one line"),
        ] {
            jail.create_file("jwt", &content)?;
            for profile in ["debug", "release"] {
                let log = launch_in(jail, profile, "secret_key_file = \"jwt\"").err();
                let log = log.unwrap_or_else(|| panic!("{content} launches"));
                let text =
                    format!("`default.jwt.secret_key_file` names a file whose content is {text}");
                assert!(log.contains(&text) && log.contains(cure), "{content}: {log}");
                assert!(log.contains("(1 fault)") && !log.contains(secret()), "{log}");
                assert!(!log.contains(name), "{log}");
            }
        }
        Ok(())
    });
}

#[test]
fn a_file_that_points_elsewhere_is_not_answered_with_what_was_done_already() {
    Jail::expect_with(|jail| {
        for (content, text) in [
            (
                "/run/secrets/ProdJwtSigningKey2025\n",
                "holds a path, not a secret; name the file at",
            ),
            ("${JWT_SECRET}\n", "holds a placeholder that nothing replaced, not a secret; let the"),
            ("{{ .Values.jwt }}\n", "holds a placeholder that nothing replaced, not a secret"),
            ("vault:secret/data/jwt#key\n", "points to a secret that is kept elsewhere"),
            ("base64:c29tZSByYW5kb20gYnl0ZXMgb2Yg\n", "begins with the name of an encoding; keep"),
        ] {
            jail.create_file("jwt", content)?;
            let log = fault_in(jail, "secret_key_file = \"jwt\"");
            assert!(
                log.contains(&format!("`default.jwt.secret_key_file` names a file that {text}")),
                "{log}"
            );
            let (_, cure) = log.split_once("names a file").unwrap();
            assert!(!cure.contains("secret_key_file"), "{log}");
        }
        Ok(())
    });
}

#[test]
fn a_file_of_random_bytes_or_of_wrapped_base64_is_good() {
    Jail::expect_with(|jail| {
        let mut bytes = random();
        bytes[10] = b'\n';
        std::fs::write("raw", &bytes).unwrap();
        let app = launch_in(jail, "release", "secret_key_file = \"raw\"").unwrap();
        assert_eq!(app.me(&by(&bytes)), "ada");
        // As `openssl rand -base64 60` writes it.
        let long = [random(), random()].concat();
        let text = STANDARD.encode(&long);
        jail.create_file("wrapped", &format!("{}\n{}\n", &text[..64], &text[64..]))?;
        let lines = "secret_key_file = \"wrapped\"\nsecret_key_encoding = \"base64\"";
        assert_eq!(launch_in(jail, "release", lines).unwrap().me(&by(&long)), "ada");
        let log = fault_in(jail, "secret_key_file = \"wrapped\"");
        assert!(log.contains("set `secret_key_encoding = \"base64\"`"), "{log}");
        Ok(())
    });
}

#[test]
fn a_secret_in_both_places_is_a_fault() {
    Jail::expect_with(|jail| {
        jail.create_file("jwt.key", secret())?;
        let log = fault_in(jail, &with_secret("secret_key_file = \"jwt.key\""));
        let text =
            "`default.jwt.secret_key_file` is set beside `secret_key`; remove one of the two";
        assert!(log.contains(text) && log.contains("(1 fault)"), "{log}");
        Ok(())
    });
}

#[test]
fn secret_key_encoding_says_what_the_text_encodes() {
    let bytes = random();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let wrapped = format!("{}\n{}", &STANDARD.encode(&bytes)[..32], &STANDARD.encode(&bytes)[32..]);
    let token = by(&bytes);
    let refused = "401 Signature verification failed";
    for (encoding, text) in [
        ("base64", STANDARD.encode(&bytes)),
        ("base64", STANDARD_NO_PAD.encode(&bytes)),
        ("base64", wrapped.replace('\n', "\\n")),
        ("base64url", URL_SAFE.encode(&bytes)),
        ("base64url", URL_SAFE_NO_PAD.encode(&bytes)),
        ("hex", hex.clone()),
        ("hex", hex.to_uppercase()),
    ] {
        let base = format!("secret_key = \"{text}\"");
        let lines = format!("secret_key_encoding = \"{encoding}\"");
        setting(&base, &lines, [refused, "ada"], launched(|app| app.me(&token)));
        // As text it is the text.
        let lines = "secret_key_encoding = \"text\"";
        let own = by(text.replace("\\n", "\n").as_bytes());
        setting(&base, lines, ["ada", "ada"], launched(|app| app.me(&own)));
    }
}

#[test]
fn a_file_may_hold_an_encoded_secret() {
    Jail::expect_with(|jail| {
        let bytes = random();
        jail.create_file("jwt.b64", &(STANDARD.encode(&bytes) + "\n"))?;
        let lines = "secret_key_file = \"jwt.b64\"\nsecret_key_encoding = \"base64\"";
        let app = launch_in(jail, "release", lines).unwrap();
        assert_eq!(app.me(&by(&bytes)), "ada");
        Ok(())
    });
}

#[test]
fn a_text_that_does_not_decode_is_a_fault_that_does_not_show_it() {
    Jail::expect_with(|jail| {
        let bytes = random();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        for (encoding, text) in [
            ("base64", URL_SAFE.encode(&bytes)),
            ("base64url", STANDARD.encode(&bytes)),
            ("base64", format!("{}!", STANDARD.encode(&bytes))),
            ("hex", hex[1..].to_string()),
            ("hex", hex.replace('f', "g")),
            ("hex", format!("+{}", &hex[1..])),
        ] {
            let lines = format!("secret_key = \"{text}\"\nsecret_key_encoding = \"{encoding}\"");
            let log = fault_in(jail, &lines);
            let expected = format!("`default.jwt.secret_key` is not {encoding}, as");
            assert!(log.contains(&expected) && log.contains("(1 fault)"), "{log}");
            assert!(!log.contains(&text[..20]), "{log}");
        }
        let log = fault_in(jail, &with_secret("secret_key_encoding = \"base32\""));
        assert!(log.contains("`default.jwt.secret_key_encoding` must be one of \"text\""), "{log}");
        Ok(())
    });
}

#[test]
fn length_and_strength_are_those_of_the_decoded_bytes_and_of_the_text() {
    Jail::expect_with(|jail| {
        let placeholder = STANDARD.encode("your-super-secret-jwt-key-change-this-in-production");
        for (text, encoding, fault) in [
            // As text it would be long enough.
            (STANDARD.encode(&random()[..31]), "base64", "is shorter than the 32 bytes"),
            (STANDARD.encode([7; 48]), "base64", "can be guessed"),
            (placeholder.clone(), "base64", "can be guessed"),
            (placeholder, "text", "can be guessed"),
            ("000102030405060708090a0b0c0d0e0f".repeat(2), "hex", "can be guessed"),
            ("secretsecretsecretsecretsecretsecretsecretsecret".into(), "base64", "can be guessed"),
            (
                STANDARD.encode("-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0B"),
                "base64",
                "is a key of another kind",
            ),
            (
                STANDARD.encode("/run/secrets/production-jwt-secret"),
                "base64",
                "is the path of a file",
            ),
        ] {
            let lines = format!("secret_key = \"{text}\"\nsecret_key_encoding = \"{encoding}\"");
            let log = fault_in(jail, &lines);
            assert!(log.contains(&format!("`default.jwt.secret_key` {fault}")), "{text}: {log}");
            assert!(!log.contains(&text), "{log}");
        }
        Ok(())
    });
}
