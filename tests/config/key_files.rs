//! Keys in PEM: where they are read from, and which are refused, with the reason.

use crate::support::app::{from_rocket, launch, refusal};
use crate::support::key_forms::{private, public, refused_private, refused_public};
use crate::support::log_capture::{install, logged};
use crate::support::pem::{Kind, Pair, openssl, pair};
use crate::support::*;
use jsonwebtoken::{Algorithm, AlgorithmFamily, EncodingKey};
use rocket::figment::Jail;
use rocket::local::blocking::Client;
use rocket_jwt_extended::{Jwt, jsonwebtoken};

/// The fault that a launch reports of that key, which must be the only one.
fn fault(algorithm: &str, key: &str, pem: &str) -> String {
    fault_beside("", algorithm, key, pem)
}

fn fault_beside(other: &str, algorithm: &str, key: &str, pem: &str) -> String {
    let log = refusal(&format!("algorithm = \"{algorithm}\"\n{key} = '''{pem}'''\n{other}"));
    assert!(log.contains("(1 fault)"), "{log}");
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).take(1).collect();
    assert!(body.len() < 20 || !log.contains(&body), "{log}");
    let start = format!("`default.jwt.{key}` ");
    let (_, rest) = log.split_once(&start).unwrap_or_else(|| panic!("{key} is not in {log}"));
    rest.split(" (in ").next().unwrap().into()
}

fn launches(lines: &str) -> crate::support::app::App {
    launch(raw_figment(&format!("[default.jwt]\n{lines}"))).unwrap_or_else(|log| panic!("{log}"))
}

#[test]
fn a_key_of_the_wrong_role_is_refused() {
    let Pair { private, public } = pair(Kind::P256);
    let text = fault("ES256", "private_key", public);
    assert!(text.starts_with("holds a public key where a private one belongs"), "{text}");
    // One file with both shows the private one to whoever may read the public one.
    for pem in [private.clone(), format!("{public}{private}")] {
        let text = fault("ES256", "public_key", &pem);
        assert!(text.starts_with("holds a private key where a public one belongs"), "{text}");
        assert!(text.contains("`openssl pkey -pubout`"), "{text}");
    }
}

#[test]
fn every_form_of_pem_is_taken_inline_and_from_a_file() {
    Jail::expect_with(|jail| {
        for (role, forms) in
            [("private_key", private(Kind::P256)), ("public_key", public(Kind::P256))]
        {
            for (name, pem) in forms {
                jail.create_binary("key.pem", &pem)?;
                let file = format!("[default.jwt]\nalgorithm = \"ES256\"\n{role} = \"key.pem\"");
                jail.create_file("Rocket.toml", &file)?;
                assert!(launch(from_rocket()).is_ok(), "{name}, of a file");
                // A configuration is UTF-8.
                let Ok(text) = String::from_utf8(pem) else { continue };
                jail.create_file("Rocket.toml", "[default.jwt]\nalgorithm = \"ES256\"")?;
                let inline = from_rocket().merge((format!("jwt.{role}"), &text));
                if let Err(log) = launch(inline) {
                    panic!("{name}, inline: {log}\n{text}");
                }
            }
        }
        Ok(())
    });
}

#[test]
fn every_other_form_fails_the_launch_with_what_it_is_and_a_cure() {
    Jail::expect_with(|jail| {
        for (role, forms) in [("private_key", refused_private()), ("public_key", refused_public())]
        {
            for (name, content, words) in forms {
                jail.create_binary("key.pem", &content)?;
                let file = format!("[default.jwt]\nalgorithm = \"ES256\"\n{role} = \"key.pem\"");
                jail.create_file("Rocket.toml", &file)?;
                let log = launch(from_rocket()).err().unwrap_or_else(|| panic!("{name} launches"));
                assert!(log.contains(&format!("`default.jwt.{role}` ")), "{name}: {log}");
                assert!(words.iter().all(|word| log.contains(word)), "{name}: {log}");
            }
        }
        Ok(())
    });
}

#[test]
fn a_key_of_another_kind_or_curve_is_refused_for_every_algorithm() {
    let kinds = [
        Kind::Rsa,
        Kind::P256,
        Kind::P384,
        Kind::P521,
        Kind::Secp256k1,
        Kind::Ed25519,
        Kind::Ed448,
        Kind::X25519,
    ];
    for algorithm in ASYMMETRIC {
        let name = format!("{algorithm:?}");
        for kind in kinds {
            let Pair { private, public } = pair(kind);
            if kind == Kind::of(algorithm) {
                launches(&format!("algorithm = \"{name}\"\nprivate_key = '''{private}'''"));
                launches(&format!("algorithm = \"{name}\"\npublic_key = '''{public}'''"));
                continue;
            }
            let found = match kind {
                Kind::Rsa => "an RSA key",
                Kind::P256 => "an EC key on P-256",
                Kind::P384 => "an EC key on P-384",
                Kind::P521 => "an EC key on P-521",
                Kind::Secp256k1 => "an EC key on secp256k1",
                Kind::Ed25519 => "an Ed25519 key",
                Kind::Ed448 => "an Ed448 key",
                _ => "an X25519 key",
            };
            for (role, pem) in [("private_key", private), ("public_key", public)] {
                let text = fault(&name, role, pem);
                let start = format!("is no key for {name}: it is {found}");
                assert!(text.starts_with(&start), "{kind:?}: {text}");
                assert!(text.contains("`openssl genpkey -algorithm "), "{text}");
            }
        }
    }
}

const ASYMMETRIC: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

#[test]
fn an_rsa_key_of_less_than_2048_bits_is_refused() {
    let Pair { private, public } = pair(Kind::Rsa1024);
    for algorithm in ["RS256", "RS512", "PS256"] {
        for (role, pem) in [("private_key", private), ("public_key", public)] {
            let text = fault(algorithm, role, pem);
            assert!(text.starts_with("is an RSA key of 1024 bits; 2048 are needed"), "{text}");
        }
    }
}

#[test]
fn two_halves_of_different_keys_are_refused() {
    for (algorithm, one, other) in
        [("ES256", Kind::P256, Kind::AnotherP256), ("RS256", Kind::Rsa, Kind::AnotherRsa)]
    {
        let private = format!("private_key = '''{}'''", pair(one).private);
        let text = fault_beside(&private, algorithm, "public_key", &pair(other).public);
        assert_eq!(text, "does not verify what the private key signs", "{algorithm}");
        // The right half of the same key is fine.
        let public = &pair(one).public;
        launches(&format!("algorithm = \"{algorithm}\"\n{private}\npublic_key = '''{public}'''"));
    }
}

#[test]
fn a_text_that_is_not_pem_is_refused() {
    let Pair { private, public } = pair(Kind::P256);
    for (role, pem) in [("private_key", private), ("public_key", public)] {
        let cut = &pem[..pem.len() / 2];
        let spoilt = pem.replacen("\nM", "\n!", 1);
        let renamed = pem.replace("PRIVATE KEY", "BANANA").replace("PUBLIC KEY", "BANANA");
        let halved: String = pem
            .lines()
            .enumerate()
            .filter(|(n, _)| *n != 1)
            .map(|(_, l)| format!("{l}\n"))
            .collect();
        assert!(fault("ES256", role, cut).contains("its END line is missing"));
        assert!(fault("ES256", role, &spoilt).contains("is not base64"));
        assert!(fault("ES256", role, &halved).contains("damaged or incomplete"));
        assert_eq!(fault("ES256", role, &renamed), "is no PEM text of a key");
        assert!(fault("ES256", role, "").starts_with("is empty"));
        assert!(fault("ES256", role, "one\ntwo").starts_with("is no PEM text"));
    }
}

#[test]
fn rsa_keys_may_be_in_their_own_older_form() {
    let private = openssl(&["rsa", "-traditional"], &pair(Kind::Rsa).private);
    let public = openssl(&["rsa", "-pubin", "-RSAPublicKey_out"], &pair(Kind::Rsa).public);
    assert!(private.contains("BEGIN RSA PRIVATE KEY") && public.contains("BEGIN RSA PUBLIC KEY"));
    let keys = format!("private_key = '''{private}'''\npublic_key = '''{public}'''");
    let app = launches(&format!("algorithm = \"PS256\"\n{keys}"));
    assert_eq!(app.me(&app.jwt().access_token("ada").encode().unwrap()), "ada");
}

#[test]
fn a_path_is_relative_to_the_file_that_names_it() {
    let Pair { private, public } = pair(Kind::Ed25519);
    Jail::expect_with(|jail| {
        jail.create_dir("conf")?;
        jail.create_dir("conf/keys")?;
        jail.create_file("conf/keys/private.pem", private)?;
        jail.create_file("public.pem", public)?;
        jail.set_env("ROCKET_CONFIG", "conf/Rocket.toml");
        jail.create_file(
            "conf/Rocket.toml",
            "[default.jwt]\nalgorithm = \"EdDSA\"\nprivate_key = \"keys/private.pem\"",
        )?;
        // What a variable names is relative to where the process runs.
        jail.set_env("ROCKET_JWT", "{public_key=\"public.pem\"}");
        let app = launch(from_rocket()).expect("both files are found");
        assert_eq!(app.me(&app.jwt().access_token("ada").encode().unwrap()), "ada");

        let absolute = jail.directory().join("public.pem");
        let code = from_rocket().merge(("jwt.public_key", absolute));
        assert!(launch(code).is_ok());
        Ok(())
    });
}

/// What is logged of a `Rocket.toml` in the jail whose key is that text.
fn fault_of_path(jail: &mut Jail, key: &str, path: &str) -> String {
    let lines = format!("[default.jwt]\nalgorithm = \"ES256\"\n{key} = '{path}'");
    jail.create_file("Rocket.toml", &lines).unwrap();
    launch(from_rocket()).err().expect("it does not launch")
}

#[test]
fn a_file_that_cannot_be_read_is_a_fault_with_the_absolute_path() {
    Jail::expect_with(|jail| {
        jail.create_dir("folder.pem")?;
        jail.create_binary("key.der", &[0x30, 0x03, 0x02, 0x01, 0x01])?;
        jail.create_binary("large.pem", &vec![b'-'; 300 << 10])?;
        jail.create_file("empty.pem", "\n")?;
        for (path, text, is_path_shown) in [
            ("missing.pem", "names a file that does not exist: no such file: ", true),
            ("keys/missing", "names a file that does not exist: no such file: ", true),
            ("ssh-keys/new.pem", "names a file that does not exist: no such file: ", true),
            ("C:\\new\\key.pem", "names a file that does not exist: no such file: ", true),
            ("folder.pem", "names a folder; name the file in it: ", true),
            ("large.pem", "names a file that is too large for a key", true),
            ("key.der", "is binary (DER), not PEM text; `openssl pkey -inform DER", false),
            ("empty.pem", "is empty", false),
        ] {
            for key in ["private_key", "public_key"] {
                let log = fault_of_path(jail, key, path);
                assert!(log.contains(&format!("`default.jwt.{key}` {text}")), "{log}");
                let absolute = jail.directory().join(path);
                let shown = log.contains(absolute.to_str().unwrap());
                assert_eq!(shown, is_path_shown, "{log}");
            }
        }
        Ok(())
    });
}

/// A key that is read from there would be waited for.
#[test]
fn only_regular_files_are_read() {
    Jail::expect_with(|jail| {
        let made = std::process::Command::new("mkfifo").arg("pipe.pem").status();
        assert!(made.unwrap().success());
        std::os::unix::fs::symlink("pipe.pem", "link.pem").unwrap();
        std::os::unix::fs::symlink("key.pem", "good.pem").unwrap();
        let _socket = std::os::unix::net::UnixListener::bind("socket.pem").unwrap();
        jail.create_file("key.pem", &pair(Kind::P256).private)?;
        let text = "names a pipe, a device or a socket; name a regular file: ";
        for path in ["pipe.pem", "link.pem", "socket.pem", "/dev/zero", "/dev/tty", "/dev/random"] {
            let absolute = jail.directory().join(path);
            for key in ["private_key", "public_key"] {
                let log = fault_of_path(jail, key, absolute.to_str().unwrap());
                assert!(log.contains(&format!("`default.jwt.{key}` {text}")), "{log}");
                assert!(log.contains(absolute.to_str().unwrap()), "{log}");
            }
            let lines = format!("[release.jwt]\nsecret_key_file = {absolute:?}");
            jail.create_file("Rocket.toml", &lines)?;
            let log = launch(from_rocket().select("release")).err().expect("it does not launch");
            assert!(log.contains(&format!("`release.jwt.secret_key_file` {text}")), "{log}");
        }
        let lines = "[default.jwt]\nalgorithm = \"ES256\"\nprivate_key = \"good.pem\"";
        jail.create_file("Rocket.toml", lines)?;
        assert!(launch(from_rocket()).is_ok());
        Ok(())
    });
}

#[test]
fn a_path_that_another_program_would_resolve_is_answered_with_the_cure() {
    Jail::expect_with(|jail| {
        let text =
            "begins with `file:`, `@` or `~`, which is not resolved here; write the path alone";
        for path in [
            "file:///run/keys/key.pem",
            "file:keys/key.pem",
            "@/run/key.pem",
            "@key.pem",
            "~/key.pem",
        ] {
            for key in ["private_key", "public_key"] {
                let log = fault_of_path(jail, key, path);
                assert!(log.contains(&format!("`default.jwt.{key}` {text}")), "{log}");
            }
            jail.create_file("Rocket.toml", &format!("[default.jwt]\nsecret_key_file = {path:?}"))?;
            let log = launch(from_rocket()).err().expect("it does not launch");
            assert!(log.contains(&format!("`default.jwt.secret_key_file` {text}")), "{log}");
        }
        for (path, text) in [
            ("", "is empty; write the path of a file"),
            (" ", "is empty; write the path of a file"),
            ("${KEYS}/jwt.key", "is a path with a placeholder that nothing replaced"),
            ("{{ keys }}/jwt.key", "is a path with a placeholder that nothing replaced"),
            ("%KEYS%", "is a path with a placeholder that nothing replaced"),
            ("<path>", "is a path with a placeholder that nothing replaced"),
        ] {
            jail.create_file("Rocket.toml", &format!("[default.jwt]\nsecret_key_file = {path:?}"))?;
            let log = launch(from_rocket()).err().expect("it does not launch");
            assert!(log.contains(&format!("`default.jwt.secret_key_file` {text}")), "{log}");
        }
        let log = fault_of_path(jail, "private_key", "${KEYS}/jwt.pem");
        assert!(
            log.contains("is a placeholder that nothing replaced, or a path with one"),
            "{log}"
        );
        // A name that looks like a variable may be that of a file.
        jail.create_file("JWT_SECRET", secret())?;
        jail.create_file("Rocket.toml", "[default.jwt]\nsecret_key_file = \"JWT_SECRET\"")?;
        assert!(launch(from_rocket()).is_ok());
        Ok(())
    });
}

#[test]
fn a_text_that_replaced_a_key_is_a_fault_with_what_it_is_and_a_cure() {
    Jail::expect_with(|jail| {
        for (content, words) in [
            (
                "<!DOCTYPE html>\n<html><body>404</body></html>\n",
                "a page of HTML or XML, not a key; check",
            ),
            (
                "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>",
                "a page of HTML or XML, not a key; check",
            ),
            (
                "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 1704\n",
                "a Git LFS pointer, not a key; fetch the file with `git lfs pull`",
            ),
            ("age-encryption.org/v1\n-> X25519 abc\n", "encrypted, not a key; decrypt it"),
            (
                "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n",
                "encrypted, not a key; decrypt it",
            ),
            (
                "data: ENC[AES256_GCM,data:abc,iv:x,tag:y,type:str]\nsops:\n  version: 3\n",
                "encrypted, not a key; decrypt it",
            ),
            ("$ANSIBLE_VAULT;1.1;AES256\n6162\n", "encrypted, not a key; decrypt it"),
            ("cat: key.pem: No such file or directory\n", "an error message, not a key; correct"),
            ("null\n", "what programs write for a missing value, not a key; check"),
        ] {
            jail.create_file("key.pem", content)?;
            for key in ["private_key", "public_key"] {
                let log = fault_of_path(jail, key, "key.pem");
                let text = format!("`default.jwt.{key}` names a file whose content is {words}");
                assert!(log.contains(&text), "{log}");
                if content.trim().contains('\n') {
                    let text = fault("ES256", key, content);
                    assert!(text.starts_with(&format!("is {words}")), "{text}");
                }
            }
        }
        for (key, label) in [("private_key", "PRIVATE"), ("public_key", "PUBLIC")] {
            jail.create_file("key.pem", "nonsense")?;
            let log = fault_of_path(jail, key, "key.pem");
            assert!(log.contains(&format!("such as `-----BEGIN {label} KEY-----`")), "{log}");
        }
        Ok(())
    });
}

#[test]
fn a_value_that_may_be_a_key_is_never_shown() {
    Jail::expect_with(|jail| {
        let random = secret().to_string();
        let with_slash =
            format!("/{}/{}+{}A=", &random[..9], &random[9..20].to_uppercase(), &random[20..44]);
        for value in [random, with_slash, "Tr0ub4dor&3 and more".into()] {
            for key in ["private_key", "public_key"] {
                let log = fault_of_path(jail, key, &value);
                assert!(log.contains("names a file that does not exist"), "{log}");
                assert!(!log.contains(&value), "{log}");
            }
        }
        for value in ["${JWT_PRIVATE_KEY}", "{{ jwt_key }}", "$JWT_KEY", "<private key>"] {
            let log = fault_of_path(jail, "private_key", value);
            assert!(log.contains("`default.jwt.private_key` is a placeholder"), "{log}");
        }
        for value in ["https://id.example.test/jwks.json", "vault:secret/data/jwt#key"] {
            let log = fault_of_path(jail, "public_key", value);
            assert!(log.contains("`default.jwt.public_key` points to a key"), "{log}");
        }
        Ok(())
    });
}

#[test]
fn a_key_that_the_algorithm_does_not_use_is_warned_of_and_not_shown() {
    let Pair { private, public } = pair(Kind::P256);
    let secret = format!("secret_key = \"{}\"", secret());
    for (algorithm, used, key, unused) in [
        ("HS256", &secret, "private_key", private.as_str()),
        ("HS256", &secret, "public_key", public),
        ("ES256", &format!("private_key = '''{private}'''"), "secret_key", self::secret()),
        ("ES256", &format!("private_key = '''{private}'''"), "secret_key_file", "/run/secrets/jwt"),
        ("ES256", &format!("private_key = '''{private}'''"), "secret_key_encoding", "base64"),
    ] {
        let lines = format!("algorithm = \"{algorithm}\"\n{used}\n{key} = '''{unused}'''");
        let figment = raw_figment(&format!("[default.jwt]\n{lines}"));
        install();
        let rocket = rocket::custom(figment).attach(Jwt::fairing());
        let (launched, log) = logged(|| Client::untracked(rocket));
        assert!(launched.is_ok(), "{lines}");
        let warning = format!("`default.jwt.{key}` is not used by `algorithm = \"{algorithm}\"`");
        assert!(log.contains(&warning), "{log}");
        let is_shown = |line: &str| !line.starts_with('-') && log.contains(line);
        assert!(unused.len() < 20 || !unused.lines().any(is_shown), "{log}");
    }
}

#[test]
fn an_asymmetric_algorithm_needs_a_key() {
    for algorithm in ASYMMETRIC {
        for profile in ["debug", "release"] {
            let toml = format!("[default.jwt]\nalgorithm = \"{algorithm:?}\"");
            let log = launch(raw_figment(&toml).select(profile)).err().expect("it has no key");
            let text = format!("jwt.public_key` or `private_key` must be set for {algorithm:?}");
            assert!(log.contains(&text), "{log}");
        }
    }
}

#[test]
fn a_public_key_alone_verifies_and_issues_nothing() {
    for algorithm in ASYMMETRIC {
        let Pair { private, public } = pair(Kind::of(algorithm));
        let app = launches(&format!("algorithm = \"{algorithm:?}\"\npublic_key = '''{public}'''"));
        let error = app.jwt().access_token("ada").encode().unwrap_err();
        assert!(matches!(error, rocket_jwt_extended::Error::NoSigningKey), "{error}");
        assert!(app.jwt().token_pair("ada").issue().is_err());

        let private = private.as_bytes();
        let key = match algorithm.family() {
            AlgorithmFamily::Rsa => EncodingKey::from_rsa_pem(private),
            AlgorithmFamily::Ec => EncodingKey::from_ec_pem(private),
            _ => EncodingKey::from_ed_pem(private),
        };
        let header = format!(r#"{{"alg":"{algorithm:?}"}}"#);
        let token = sign_as(algorithm, &key.unwrap(), &header, &claims().to_string());
        assert_eq!(app.me(&token), "ada", "{algorithm:?}");
    }
}
